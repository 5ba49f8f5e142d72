"""AC power flow by Newton and Raphson in polar coordinates, one step at a time.

A line is a π with half of its susceptance at each end. A transformer is a π, too: series impedance and no-load
admittance (half at each end) are per unit of its rating at the actual, tapped voltage of the `to` winding; the ideal
ratio, with the lag of the `to` side, stands at the `from` end.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve

from rebuild.grid import Grid, Table, at, grid_of

BASE_KVA = 100.0


def admittances(case: dict[str, Table], grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Series and shunt admittance and complex ratio of each branch, per unit."""
    line, trafo, bus = case["line"], case["transformer"], case["bus"]
    n = len(line["id"])
    v = bus["v_nom"][at(bus["id"], line["bus_from"])]
    base = 1000 * v**2 / BASE_KVA  # ohm
    b = line.get("b", np.zeros(n))
    tap = 1 + trafo["tap_step_pu"] * (trafo["tap_position"] - trafo["tap_neutral"])
    k_to = np.where(trafo["tap_side"] == b"to", tap, 1.0)
    own = (trafo["v_nom_to"] * k_to / bus["v_nom"][at(bus["id"], trafo["bus_to"])]) ** 2 * BASE_KVA / trafo["s_nom"]
    z = np.concatenate([(line["r"] + 1j * line["x"]) / base, (trafo["r_pu"] + 1j * trafo["x_pu"]) * own])
    loss = trafo["p_no_load"] / trafo["s_nom"]
    idle = loss - 1j * np.sqrt(np.maximum(trafo["i_no_load_pu"] ** 2 - loss**2, 0))
    shunt = np.concatenate([1j * b * base, idle / own])
    shift = np.concatenate([np.zeros(n), np.deg2rad(trafo["phase_shift"])])[grid.number]
    return 1 / z[grid.number], shunt[grid.number], grid.ratio * np.exp(1j * shift)


def bus_admittance(case: dict[str, Table], grid: Grid) -> sp.csr_matrix:
    """Y of all buses. [pu]"""
    y, shunt, ratio = admittances(case, grid)
    i, j, n = grid.start, grid.stop, len(grid.reached)
    both = y + shunt / 2
    values = np.concatenate([both / np.abs(ratio) ** 2, both, -y / np.conj(ratio), -y / ratio])
    where = (np.concatenate([i, j, i, j]), np.concatenate([i, j, j, i]))
    return sp.coo_matrix((values, where), shape=(n, n)).tocsr()


def voltages(case: dict[str, Table], p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Voltage magnitude of each bus under net injections of one step.

    Parameters
    ----------
    p, q : ndarray (bus,)
        Injected power. [kW, kvar]

    Returns
    -------
    ndarray (bus,)
        NaN at buses that no source reaches. [1]
    """
    grid = grid_of(case)
    y = bus_admittance(case, grid)
    held = np.zeros(len(p), bool)
    held[grid.source_bus] = True
    free = np.nonzero(grid.reached & ~held)[0]
    # A start without power: only the sources act, which also sets the angles behind vector groups.
    v = np.zeros(len(p), complex)
    v[grid.source_bus] = grid.source_v
    v[free] = spsolve(y[free][:, free].tocsc(), -(y[free][:, held] @ v[held]))
    wanted = (p + 1j * q) / BASE_KVA
    enough = 1e-11 + 1e-14 * abs(y).max()  # short cables at medium voltage: their admittance times rounding
    for _ in range(30):
        current = y @ v
        miss = (v * np.conj(current) - wanted)[free]
        if np.abs(miss).max(initial=0) < enough:
            magnitude = np.abs(v)
            magnitude[~grid.reached] = np.nan
            return magnitude
        v = newton_step(y, v, current, miss, free)
    raise ArithmeticError("no AC solution after 30 steps")


def newton_step(y: sp.csr_matrix, v: np.ndarray, current: np.ndarray, miss: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Voltages after one full Newton step at the free buses."""
    by_v, by_i, unit = sp.diags(v), sp.diags(current), sp.diags(v / np.where(np.abs(v) > 0, np.abs(v), 1))
    angle = (1j * by_v @ (by_i - y @ by_v).conj()).tocsr()[free][:, free]
    size = (by_v @ (y @ unit).conj() + by_i.conj() @ unit).tocsr()[free][:, free]
    jacobian = sp.bmat([[angle.real, size.real], [angle.imag, size.imag]]).tocsc()
    change = spsolve(jacobian, np.concatenate([miss.real, miss.imag]))
    turned, grown = np.angle(v), np.abs(v)
    turned[free] -= change[: len(free)]
    grown[free] -= change[len(free) :]
    return grown * np.exp(1j * turned)
