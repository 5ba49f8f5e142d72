"""The linear program of many members at once, solved by HiGHS: block-diagonal, one block a member."""

from __future__ import annotations

import highspy
import numpy as np
import scipy.sparse as sp

from kernels.store import Stores, shape_of

NAMES = (
    "p_import", "p_export", "p_unserved", "p_spilled", "p_curtailed", "charge", "discharge", "content", "shortfall",
    "missing", "wasted",
)  # fmt: skip


def solve_lp(s: Stores) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Cost of each member, its series (member, step), and the price of its content balance (member, step)."""
    n, steps = shape_of(s)
    wide = {k: np.broadcast_to(v, (n, steps)) for k, v in s._asdict().items() if np.ndim(v) == 2}
    initial, least, most, worth = (
        np.broadcast_to(getattr(s, k), n) for k in ("initial", "final_least", "final_most", "final_value")
    )
    number = {name: np.arange(n * steps).reshape(n, steps) + j * n * steps for j, name in enumerate(NAMES)}
    upper = {name: np.full((n, steps), np.inf) for name in NAMES}
    for name in ("p_import", "p_export", "p_unserved", "p_spilled", "p_curtailed"):
        upper[name] = wide[name + "_max"]
    upper["charge"], upper["discharge"] = wide["p_charge_max"], wide["p_discharge_max"]
    upper["content"] = wide["capacity"].copy()
    upper["content"][:, -1] = np.minimum(upper["content"][:, -1], most)
    upper["missing"], upper["wasted"] = np.maximum(-wide["inflow"], 0), np.maximum(wide["inflow"], 0)
    cost = {name: np.zeros((n, steps)) for name in NAMES}
    cost["p_import"], cost["p_export"] = s.dt * wide["price_import"], -s.dt * wide["price_export"]
    cost["p_unserved"] += s.dt * s.price_unmet
    cost["p_spilled"] += s.dt * s.price_unmet
    cost["charge"], cost["discharge"] = s.dt * wide["wear_charge"], s.dt * wide["wear_discharge"]
    cost["content"][:, -1] = -worth
    cost["shortfall"] += s.price_shortfall
    cost["missing"] += s.price_shortfall
    cost["wasted"] += s.price_wasted
    ones = np.ones((n, steps))
    meter = {
        "p_import": ones,
        "p_unserved": ones,
        "p_export": -ones,
        "p_spilled": -ones,
        "p_curtailed": -ones,
        "charge": -ones,
        "discharge": ones,
    }
    store = {
        "content": ones,
        "charge": -s.dt * wide["efficiency_charge"],
        "discharge": s.dt / wide["efficiency_discharge"],
        "missing": -ones,
        "wasted": ones,
    }
    row = np.arange(n * steps).reshape(n, steps)
    entries = [(row, number[k], v) for k, v in meter.items()]
    entries += [(row + n * steps, number[k], v) for k, v in store.items()]
    entries += [(row[:, 1:] + n * steps, number["content"][:, :-1], -wide["retained"][:, 1:])]
    entries += [(row + 2 * n * steps, number[k], ones) for k in ("content", "shortfall")]
    given = wide["inflow"].copy()
    given[:, 0] += wide["retained"][:, 0] * initial
    floor = wide["content_least"].copy()
    floor[:, -1] = np.maximum(floor[:, -1], least)
    i, j, v = (np.concatenate([e[k].ravel() for e in entries]) for k in range(3))
    matrix = sp.csc_matrix((v, (i, j)), shape=(3 * n * steps, len(NAMES) * n * steps))
    low = np.concatenate([wide["p_net"].ravel(), given.ravel(), floor.ravel()])
    high = np.concatenate([low[: 2 * n * steps], np.full(n * steps, np.inf)])
    column_cost, column_upper = (np.concatenate([d[k].ravel() for k in NAMES]) for d in (cost, upper))
    z, dual = optimum(matrix, low, high, column_cost, column_upper)
    paid = (column_cost * z).reshape(len(NAMES), n, steps).sum((0, 2))
    return paid, {k: z[number[k]] for k in NAMES}, dual[n * steps : 2 * n * steps].reshape(n, steps)


def optimum(
    matrix: sp.csc_matrix, low: np.ndarray, high: np.ndarray, cost: np.ndarray, upper: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Columns and row prices at the optimum, to tolerances of 1e-10; columns are not negative."""
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
    lp.row_lower_, lp.row_upper_ = low, high
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
    solver = highspy.Highs()
    solver.silent()
    for name in ("primal_feasibility_tolerance", "dual_feasibility_tolerance"):
        solver.setOptionValue(name, 1e-10)
    solver.setOptionValue("threads", 1)
    solver.passModel(lp)
    solver.run()
    assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal, solver.getModelStatus()
    found = solver.getSolution()
    return np.array(found.col_value), np.array(found.row_dual)
