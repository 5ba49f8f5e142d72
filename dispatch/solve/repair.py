"""From the optimum to what is delivered: no charging and discharging at once, no import and export at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.solve.certificate import elastic_cost
from dispatch.solve.limits.radial import limits_of

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.solution import Solution


@dataclass(frozen=True)
class Delivered:
    """The schedule that is delivered.

    Attributes
    ----------
    columns : ndarray (column,)
        Of the prosumers' program.
    objective : float
        Its cost, relaxations of all limits included. [money]
    repair_cost : float
        By how much it costs more than the optimum. [money]
    """

    columns: np.ndarray
    objective: float
    repair_cost: float


def repair(program: Program, network: Network, inputs: Inputs, offsets: Offsets, solution: Solution) -> Delivered:
    """Make an optimum physical and say what that costs; see docs/formulation.md, section What is delivered.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    network : Network
        Of the same case.
    inputs : Inputs
        From which the program was compiled.
    offsets : Offsets
        With which the optimum was found.
    solution : Solution
        The optimum.

    Returns
    -------
    Delivered
    """
    limits = limits_of(program, network, inputs, offsets)
    columns = netted(program, inputs, solution.columns)
    before, after = (
        elastic_cost(program, limits, inputs.dt, solution.limit_penalty, plan) for plan in (solution.columns, columns)
    )
    return Delivered(columns, after, after - before)


def netted(program: Program, inputs: Inputs, columns: np.ndarray) -> np.ndarray:
    """Keep each store's content and use only the net of charge and discharge.

    The energy that is no longer wasted is first curtailed at the same meter's pv (in proportion to what can still be
    curtailed), then not imported, then exported; what the connection cannot carry is spilled.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    inputs : Inputs
        From which the program was compiled.
    columns : ndarray (column,)
        An optimum.

    Returns
    -------
    ndarray (column,)
        Rows hold as before.
    """
    found = columns.copy()
    meters = inputs.kinds["meter"]
    imported, exported, spilled = (program.column("meter", n) for n in ("p_import", "p_export", "p_spilled"))
    both = np.minimum(found[imported], found[exported])
    found[imported] -= both
    found[exported] -= both
    surplus = np.zeros((meters.count, inputs.steps))
    if "battery" in inputs.kinds and inputs.kinds["battery"].count:
        _net_stores(program, inputs, found, surplus)
    if "pv" in inputs.kinds and inputs.kinds["pv"].count:
        _curtail(program, inputs, found, surplus)
    less = np.minimum(surplus, found[imported])
    found[imported] -= less
    surplus -= less
    more = np.clip(program.upper[exported] - found[exported], 0.0, surplus)
    found[exported] += more
    found[spilled] += surplus - more
    if "peak" in inputs.kinds and inputs.kinds["peak"].count:
        _lower_peaks(program, inputs, found)
    return found


def _net_stores(program: Program, inputs: Inputs, found: np.ndarray, surplus: np.ndarray) -> None:
    """Replace charge and discharge by their net; what is no longer wasted becomes surplus at the meter."""
    stores = inputs.kinds["battery"]
    charge, discharge = program.column("battery", "p_charge"), program.column("battery", "p_discharge")
    shape = charge.shape
    into, out_of = (np.broadcast_to(stores.parameters[f"efficiency_{n}"], shape) for n in ("charge", "discharge"))
    at_once = (found[charge] > 0) & (found[discharge] > 0)
    gained = into * found[charge] - found[discharge] / out_of
    was = found[discharge] - found[charge]
    found[charge] = np.where(at_once, np.maximum(gained, 0.0) / into, found[charge])
    found[discharge] = np.where(at_once, np.maximum(-gained, 0.0) * out_of, found[discharge])
    freed = np.where(at_once, found[discharge] - found[charge] - was, 0.0)
    np.add.at(surplus, stores.nodes["meter"][1], np.maximum(freed, 0.0))


def _curtail(program: Program, inputs: Inputs, found: np.ndarray, surplus: np.ndarray) -> None:
    """Curtail the surplus at the same meter as far as that goes."""
    curtailed, meter = program.column("pv", "p_curtailed"), inputs.kinds["pv"].nodes["meter"][1]
    room = np.maximum(program.upper[curtailed] - found[curtailed], 0.0)
    at_meter = np.zeros_like(surplus)
    np.add.at(at_meter, meter, room)
    share = np.minimum(surplus, at_meter) / np.where(at_meter > 0, at_meter, 1.0)
    found[curtailed] += share[meter] * room
    surplus[...] = np.maximum(surplus - share * at_meter, 0.0)


def _lower_peaks(program: Program, inputs: Inputs, found: np.ndarray) -> None:
    """Pay for no higher peak than is imported."""
    peak = program.column("peak", "p_peak")
    imported = found[program.column("meter", "p_import")][inputs.kinds["peak"].nodes["meter"][1]]
    highest = np.zeros(peak.shape)
    for window in range(peak.shape[1]):
        highest[:, window] = imported[:, inputs.windows["billing_period"] == window].max(axis=1, initial=0.0)
    found[peak] = np.minimum(found[peak], highest)
