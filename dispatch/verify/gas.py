"""Steady pressures of the gas network under given demand and injection."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr

from dispatch.case.gas_network import GasNetwork, boosted, gas_network_of
from dispatch.case.schema import columns, parent_index, positions
from dispatch.model.gas_pipes import friction_law, gas_values, pipes_of
from dispatch.verify.gas_steady import Hydraulics, steady_state
from kernels.pipe import Forest

PRESSURE_NORMAL, KELVIN = 1.01325, 273.15
CLOSED = 1e-9


@dataclass(frozen=True)
class GasState:
    """State of a gas network by step.

    Attributes
    ----------
    network : GasNetwork
        Its forest.
    pressure : ndarray (junction, step)
        Absolute; NaN without a way to a gate, or where the gas cannot get through. [bar]
    flow_pipe, flow_gate, flow_regulator : ndarray (element, step)
        Normal cubic metres; in pipes positive from `junction_from`. [m3 h-1]
    squared : ndarray (junction, step)
        Its square; negative where the gas cannot get through. [bar2]
    blocked : ndarray (junction, step) of bool
        Where the gas cannot get through: the demand takes more pressure than there is.
    residual : ndarray (step,)
        Largest residual of a loop, relative to the largest squared pressure that is held; above 1e-9 the flows around
        the loops were not found.
    """

    network: GasNetwork
    pressure: np.ndarray
    squared: np.ndarray
    flow_pipe: np.ndarray
    flow_gate: np.ndarray
    flow_regulator: np.ndarray
    blocked: np.ndarray
    residual: np.ndarray


def gas_flow(case: xr.DataTree, taken: np.ndarray, raised: np.ndarray | None = None) -> GasState:
    """Steady isothermal state of the gas network, by Darcy and Weisbach; heights are left out.

    Parameters
    ----------
    case : DataTree
        A valid case with a gas network.
    taken : ndarray (junction, step)
        Demand less injection at each junction, normal cubic metres. [m3 h-1]
    raised : ndarray (junction, step), optional
        What is added to the pressures that are held, where a zone holds more gas than at its set-point. [bar]

    Returns
    -------
    GasState
        The same equations as pandapipes: ``p1^2 - p2^2 = rho_n p_n T / T_n K (lambda L / D + zeta) (Q / A)^2`` with
        the compressibility factor K at the mean pressure of the pipe.

    References
    ----------
    .. [1] :doi:`10.3390/en13164052`
    """
    network = gas_network_of(case)
    gas, pipe = gas_values(case), columns(case, "pipe")
    forest = _forest(network)
    held = np.full((len(network.parent), 1), np.nan)
    pressures = np.concatenate([columns(case, k).get("pressure", np.zeros(0)) for k in ("gate", "regulator")])
    held[network.held >= 0, 0] = pressures[network.held[network.held >= 0]]
    held = held if raised is None else held + raised
    factor, slope = np.array([gas["compressibility"]]), np.array([gas["compressibility_slope"]])
    hydraulics = Hydraulics(forest, pipes_of(case), friction_law(case), factor, slope, held**2)
    hydraulics = _boosted(case, network, hydraulics, held, np.asarray(taken, np.float64))
    squared, flow, chord, residual = steady_state(hydraulics, np.asarray(taken, np.float64))
    blocked = squared < 0
    flow_pipe = np.zeros((len(pipe["id"]), taken.shape[1]))
    inner = np.nonzero(network.pipe >= 0)[0]
    flow_pipe[network.pipe[inner]] = flow[inner] * forest.forward[inner, None]
    flow_pipe[network.chords] = chord
    gates = len(network.gate_at)
    through = np.zeros((len(pressures), taken.shape[1]))
    holds = np.nonzero((network.held >= 0) & network.supplied)[0]
    through[network.held[holds]] = flow[holds]
    pressure = np.sqrt(np.where(blocked, np.nan, squared))
    return GasState(network, pressure, squared, flow_pipe, through[:gates], through[gates:], blocked, residual)


def _boosted(case: xr.DataTree, network: GasNetwork, of: Hydraulics, held: np.ndarray, taken: np.ndarray) -> Hydraulics:
    """Hold behind boosters with a ratio that multiple of the pressure before them; `held` is what is held else."""
    ratio = boosted(case)[1]
    outlet = np.nonzero(network.held >= len(network.gate_at))[0]
    through = network.held[outlet] - len(network.gate_at)
    outlet, through = (a[~np.isnan(ratio[through])] for a in (outlet, through))
    pressures = np.concatenate([columns(case, k).get("pressure", np.zeros(0)) for k in ("gate", "regulator")])
    more = held[outlet] - pressures[network.held[outlet], None]
    for _ in range(len(outlet)):  # each finds those of the booster behind it
        squared = steady_state(of, taken)[0]
        before = np.sqrt(np.maximum(squared[network.regulator_from[through]], 0.0))
        found = np.repeat(held, taken.shape[1], axis=1) if held.shape[1] == 1 else held.copy()
        found[outlet] = ratio[through, None] * before + more
        settled = np.array_equal(found**2, of.held, equal_nan=True)
        of = replace(of, held=found**2)
        if settled:
            break
    return of


def _forest(network: GasNetwork) -> Forest:
    forward = np.ones(len(network.parent))
    inner = network.pipe >= 0
    forward[inner] = np.where(network.pipe_to[network.pipe[inner]] == np.nonzero(inner)[0], 1.0, -1.0)
    ends = (network.pipe_from[network.chords], network.pipe_to[network.chords])
    arrays = (network.order, network.parent, network.pipe, forward, network.chords, *ends)
    return Forest(*(np.ascontiguousarray(a) for a in arrays))


def gas_taken(case: xr.DataTree) -> tuple[np.ndarray, np.ndarray | None]:
    """Demand less injection at each junction, from flow_nom and profiles.

    Parameters
    ----------
    case : DataTree
        A valid case with a gas network.

    Returns
    -------
    taken : ndarray (junction, step)
        One step where no profile is used. [m3 h-1]
    time : ndarray (step,) or None
        Left edges, UTC; None where no profile is used.
    """
    profile = columns(case, "profile")
    used = False
    steps = len(profile["time"]) if "time" in profile else 0
    taken = np.zeros((len(columns(case, "junction")["id"]), max(steps, 1)))
    for kind, sign in (("consumer", 1.0), ("injection", -1.0)):
        table = columns(case, kind)
        if not len(table["id"]):
            continue
        shape = np.ones((len(table["id"]), taken.shape[1]))
        at = positions(profile["id"], table["profile"])
        if steps and (at >= 0).any():
            shape[at >= 0] = profile["p_pu"][at[at >= 0]]
            used = True
        np.add.at(taken, parent_index(case, kind, "junction"), sign * table["flow_nom"][:, None] * shape)
    return (taken, profile["time"]) if used else (taken[:, :1], None)


def check_gas(case: xr.DataTree) -> xr.Dataset:
    """Pressures and flows of the gas network under the demand and injection that the case gives.

    Parameters
    ----------
    case : DataTree
        A valid case with a gas network; it may stand alone.

    Returns
    -------
    Dataset
        ``pressure`` (absolute) by junction, ``flow_pipe``, ``flow_gate``, ``flow_regulator``, ``velocity`` (at the
        lower of both pressures) by element, all over ``time`` (one step without coordinate where no profile is used);
        what is wrong stands in words in the attribute ``findings``.
    """
    from dispatch.verify.gas_findings import findings_of  # noqa: PLC0415  (it needs the state from here)

    taken, time = gas_taken(case)
    state = gas_flow(case, taken)
    ids = {k: columns(case, k)["id"].astype(str) for k in ("junction", "pipe", "gate", "regulator")}
    data = {
        "pressure": (("junction", "time"), state.pressure, {"units": "bar"}),
        "flow_pipe": (("pipe", "time"), state.flow_pipe, {"units": "m3 h-1"}),
        "flow_gate": (("gate", "time"), state.flow_gate, {"units": "m3 h-1"}),
        "flow_regulator": (("regulator", "time"), state.flow_regulator, {"units": "m3 h-1"}),
        "velocity": (("pipe", "time"), velocity(case, state), {"units": "m s-1"}),
    }
    coords = ids if time is None else {**ids, "time": time}
    return xr.Dataset(data, coords, {"findings": findings_of(case, state, taken)})


def velocity(case: xr.DataTree, state: GasState) -> np.ndarray:
    """Speed of the gas in each pipe at the lower of the pressures of its ends.

    Returns
    -------
    ndarray (pipe, step)
        [m s-1]
    """
    gas, pipe, network = gas_values(case), columns(case, "pipe"), state.network
    lower = np.fmin(state.pressure[network.pipe_from], state.pressure[network.pipe_to])
    area = np.pi / 4 * pipe.get("inner_diameter", np.zeros(0)) ** 2
    z = gas["compressibility"] + gas["compressibility_slope"] * lower
    expanded = PRESSURE_NORMAL / lower * (gas["temperature"] + KELVIN) / KELVIN * z
    return np.asarray(np.abs(state.flow_pipe) / 3600 * expanded / area[:, None])
