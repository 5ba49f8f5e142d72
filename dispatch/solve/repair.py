"""From the optimum to what is delivered: no charging and discharging at once, no import and export at once."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.errors import SolverError
from dispatch.model.plants import least_of
from dispatch.model.registry import DISCHARGING
from dispatch.solve.elastic import elastic_cost
from dispatch.solve.monolithic import Monolithic, solve_elastic
from dispatch.solve.rounding import below_least, roundings

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.solution import Relaxation, Solution
    from dispatch.solve.until import Until


NOTICED = 1e-9
"""A repair that costs less than this share of the optimum is rounding."""
MOST_PROGRAMS = 5
"""Programs with stores held to one way that are tried at most."""


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
    solution : Solution
        Whose relaxations of limits it has: the optimum, or that of the program in which stores work one way a step.
    relaxation : Relaxation or None
        The least relaxation of the same program; None where nothing is relaxed.
    """

    columns: np.ndarray
    objective: float
    repair_cost: float
    solution: Solution
    relaxation: Relaxation | None = None


def deliver(
    program: Program,
    limits: RadialLimits,
    inputs: Inputs,
    solution: Solution,
    relaxation: Relaxation | None,
    until: Until | None = None,
) -> Delivered:
    """Make an optimum physical, the cheaper of two ways; see docs/formulation.md, section What is delivered.

    Netting alone is exact where the waste only paid; where it relieved a limit, the energy comes back on the network.
    So the program is solved once more with every store held to its net direction in the steps concerned, until no
    store works both ways.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    limits : RadialLimits
        With the offsets with which the optimum was found.
    inputs : Inputs
        From which the program was compiled.
    solution : Solution
        The optimum.
    relaxation : Relaxation or None
        The least relaxation of its limits.
    until : Until, optional
        When to net only.

    Returns
    -------
    Delivered

    Raises
    ------
    SolverError
        If HiGHS warns, stops early or finds no optimum.
    """
    best = _netted(program, limits, inputs, solution, solution, relaxation)
    held = program
    least = least_of(inputs)
    if below_least(program, least, best.columns) and not (until and until.over):
        best, held = _rounded(program, limits, inputs, best, least, until)
    for _ in range(MOST_PROGRAMS):
        if best.repair_cost <= NOTICED * max(1.0, abs(solution.objective)):
            break
        if until and until.over:
            break
        held = one_way(held, inputs, best.solution.columns)
        model = Monolithic(held, limits.network, inputs)
        directed, relaxation = solve_elastic(model, limits.offsets, solution.limit_penalty, until)
        found = _netted(program, limits, inputs, solution, directed, relaxation)
        if found.repair_cost >= best.repair_cost:
            break
        best = found
    return best


def _rounded(
    program: Program,
    limits: RadialLimits,
    inputs: Inputs,
    relaxed: Delivered,
    least: dict[str, np.ndarray],
    until: Until | None,
) -> tuple[Delivered, Program]:
    """Hold what runs below its minimum to run at it or not at all: the cheapest way that can be, and its program."""
    optimum, best, held = relaxed.solution, relaxed, program
    for way in roundings(program, least, relaxed.columns):
        try:
            found, relaxation = solve_elastic(
                Monolithic(way, limits.network, inputs), limits.offsets, optimum.limit_penalty, until
            )
        except SolverError:  # standing still or running everywhere need not be possible beside a ramp
            continue
        tried = _netted(program, limits, inputs, optimum, found, relaxation)
        if held is program or tried.repair_cost < best.repair_cost:
            best, held = tried, way
    return best, held


def one_way(program: Program, inputs: Inputs, columns: np.ndarray) -> Program:
    """Hold stores to their net direction wherever a plan has them charge and discharge at once.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    inputs : Inputs
        From which it was compiled.
    columns : ndarray (column,)
        The plan.

    Returns
    -------
    Program
        The same but for upper bounds of 0.
    """
    upper = program.upper.copy()
    for kind in DISCHARGING:
        if kind in inputs.kinds and inputs.kinds[kind].count:
            charge, discharge, at_once, gained = _at_once(program, inputs, kind, columns)
            upper[discharge[at_once & (gained >= 0)]] = 0.0
            upper[charge[at_once & (gained < 0)]] = 0.0
    return dataclasses.replace(program, upper=upper)


def _netted(
    program: Program,
    limits: RadialLimits,
    inputs: Inputs,
    optimum: Solution,
    plan: Solution,
    relaxation: Relaxation | None,
) -> Delivered:
    """Net a plan and compare its cost with the optimum's, at the optimum's penalty."""
    columns = netted(program, inputs, plan.columns)
    before = elastic_cost(program, limits, inputs.dt, optimum.limit_penalty, optimum.columns)
    after = before
    if columns is not optimum.columns and not np.array_equal(columns, optimum.columns):
        after = elastic_cost(program, limits, inputs.dt, optimum.limit_penalty, columns)
    return Delivered(columns, after, after - before, plan, relaxation)


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
        Rows hold as before; `columns` itself where nothing is done at once.
    """
    meters = inputs.kinds["meter"]
    imported, exported, spilled = (program.column("meter", n) for n in ("p_import", "p_export", "p_spilled"))
    both = np.minimum(columns[imported], columns[exported])
    if not (both.any() or _wasteful(program, inputs, columns)):
        return columns
    found = columns.copy()
    found[imported] -= both
    found[exported] -= both
    surplus = np.zeros((meters.count, inputs.steps))
    for kind in DISCHARGING:
        if kind in inputs.kinds and inputs.kinds[kind].count:
            _net_stores(program, inputs, kind, found, surplus)
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


def _wasteful(program: Program, inputs: Inputs, columns: np.ndarray) -> bool:
    """Whether any store charges and discharges at once, or any peak may be paid for that is not there."""
    if "peak" in inputs.kinds and inputs.kinds["peak"].count:
        return True
    kinds = (kind for kind in DISCHARGING if kind in inputs.kinds and inputs.kinds[kind].count)
    ways = ([columns[program.column(kind, name)] > 0 for name in ("p_charge", "p_discharge")] for kind in kinds)
    return any((charging & discharging).any() for charging, discharging in ways)


def _net_stores(program: Program, inputs: Inputs, kind: str, found: np.ndarray, surplus: np.ndarray) -> None:
    """Replace charge and discharge by their net; what is no longer wasted becomes surplus at the meter."""
    stores = inputs.kinds[kind]
    charge, discharge, at_once, gained = _at_once(program, inputs, kind, found)
    into, out_of = (stores.parameters[f"efficiency_{n}"] for n in ("charge", "discharge"))
    was = found[discharge] - found[charge]
    found[charge] = np.where(at_once, np.maximum(gained, 0.0) / into, found[charge])
    found[discharge] = np.where(at_once, np.maximum(-gained, 0.0) * out_of, found[discharge])
    freed = np.where(at_once, found[discharge] - found[charge] - was, 0.0)
    np.add.at(surplus, stores.nodes["meter"][1], np.maximum(freed, 0.0))


def _at_once(
    program: Program, inputs: Inputs, kind: str, plan: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Columns of charge and discharge, where both are used at once, and what the content gains, (store, step)."""
    stores = inputs.kinds[kind]
    charge, discharge = program.column(kind, "p_charge"), program.column(kind, "p_discharge")
    into, out_of = (stores.parameters[f"efficiency_{n}"] for n in ("charge", "discharge"))
    both = (plan[charge] > 0) & (plan[discharge] > 0)
    return charge, discharge, both, into * plan[charge] - plan[discharge] / out_of


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
