"""How far the gas network's state is from its limits, and which limits the next program states."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.offsets import GasLimit
from dispatch.case.schema import columns
from dispatch.model.components.plant import HIGHER
from dispatch.model.gas_limits import LIMITED, stated_limits
from dispatch.run.gas_carried import carried_part, short_zones
from dispatch.run.share_rows import share_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from dispatch.case.offsets import Offsets
    from dispatch.model.program import Program
    from dispatch.run.gas_check import GasCheck, UnderSchedule
    from dispatch.solve.solution import Solution

PRESSURE, SHARE = 1e-3, 5e-3
"""Pressures may be beyond a limit by the larger of 1 mbar and 0.5 % of the drop, flows 0.5 % of a rating. [bar, 1]"""
STEP, LEAST_STEP = 0.01, 1.0
"""Injections are moved by this share of what an upgrader can, at least 1 kW, to see what they change. [1, kW]"""
RAISED = 1e-3
"""Held pressures are raised by so much to see what linepack changes. [bar]"""
PRICED = 1e-9
"""Prices below this share of the penalty are rounding."""


@dataclass(frozen=True)
class GasMargins:
    """What the steady state says about the limits.

    Attributes
    ----------
    over : dict of str to (ndarray, ndarray)
        By how much each quantity is above its upper and below its lower limit beyond what the program relaxes, 0 inside
        the tolerance, (element, step). [bar or kW]
    lacking : ndarray (junction, step)
        Demand below 4 bar gauge that takes more pressure than there is, every consumer of the zone and of those behind
        it getting the same part. [kW]
    settled : bool
        Nothing is exceeded, and the rows that are priced or relaxed are as exact as the tolerance.
    """

    over: dict[str, tuple[np.ndarray, np.ndarray]]
    lacking: np.ndarray
    settled: bool

    @property
    def holds(self) -> bool:
        """No limit is exceeded beyond its tolerance, except where the program itself relaxes it."""
        return not any(side.any() for sides in self.over.values() for side in sides)


def tolerances(check: GasCheck, found: UnderSchedule) -> dict[str, np.ndarray]:
    """By how much each limited quantity may be beyond its limit. [bar or kW]."""
    drop = np.abs(found.values["pressure"] - check.held[:, None])
    if check.levels is not None:
        level, pressure = check.levels.of.of_junction, found.values["pressure"]
        for own in (level == k for k in range(check.levels.of.count)):
            drop[own] = pressure[own].max(axis=0) - pressure[own]
    flows = {name: SHARE * check.bounds[name].rating[:, None] for name in LIMITED if name != "pressure"}
    return {"pressure": np.maximum(PRESSURE, SHARE * np.nan_to_num(drop)), **flows}


def gas_margins(
    check: GasCheck,
    found: UnderSchedule,
    program: Program,
    plan: np.ndarray,
    solution: Solution,
    offsets: Offsets,
) -> GasMargins:
    """Compare the state under a schedule with the limits.

    Parameters
    ----------
    check : GasCheck
        The network.
    found : UnderSchedule
        Its state.
    program : Program
        With the limits that are stated.
    plan : ndarray (column,)
        What is delivered.
    solution : Solution
        Its prices.
    offsets : Offsets
        With the limits that are stated, and the state about which levels above 4 bar gauge are linear.

    Returns
    -------
    GasMargins
    """
    gas, point = offsets.gas, offsets.point
    tolerance = tolerances(check, found)
    slack = {n: (np.zeros_like(v), np.zeros_like(v)) for n, v in found.values.items()}
    exact = True
    for e, (name, k) in enumerate(stated_limits(gas)):
        for side, which in enumerate(("most", "least")):
            used = plan[program.column("gas_limit", f"slack_{which}")[e]]
            price = np.abs(solution.prices.rows[program.row("gas_limit", which)[e]])
            slack[name][side][k] = used
            felt = price * check.bounds[name].rating[k] > PRICED * solution.limit_penalty
            error = np.abs(found.values[name][k] - found.linear[name][k])
            exact &= not (felt & (error > tolerance[name][k])).any()
    if check.levels is not None:
        exact &= point is not None and check.levels.settled(found, point, solution.objective)
        for side, which in enumerate(("most", "least")):
            slack["pressure"][side][check.levels.limited] = plan[program.column("pressure_limit", f"slack_{which}")]
    over = {}
    for name, value in found.values.items():
        bounds, known = check.bounds[name], np.nan_to_num(value)
        high, low = known - bounds.most[:, None] - slack[name][0], bounds.least[:, None] - known - slack[name][1]
        inside = np.isfinite(value)
        high, low = (np.where(inside & (side > tolerance[name]), side, 0.0) for side in (high, low))
        over[name] = (high, low)
    margins = GasMargins(over, _lacking(check, found), settled=False)
    return replace(margins, settled=exact and margins.holds)


def _lacking(check: GasCheck, found: UnderSchedule) -> np.ndarray:
    """Demand of zones below 4 bar gauge for which there is no pressure under a schedule. [kW]."""
    network, low = check.network, ~check.zones.split
    short = short_zones(check.case, network, np.where(low[:, None], found.state.squared, np.inf))
    if not short.any():
        return np.zeros_like(check.demand)
    part = carried_part(check.case, network, found.taken, check.demand, check.lifted(found.moved))
    return np.asarray(check.energy * np.where(low[:, None], (1 - part[network.zone]) * check.demand, 0.0))


def next_limits(
    case: xr.DataTree, check: GasCheck, found: UnderSchedule, margins: GasMargins, gas: Mapping[str, GasLimit]
) -> dict[str, GasLimit]:
    """State the limits that are exceeded beside those that are stated, linear about the state under the last schedule.

    Parameters
    ----------
    case : DataTree
        The case.
    check, found, margins
        The network, its state, and what is exceeded.
    gas : mapping of str to GasLimit
        What the last program stated.

    Returns
    -------
    dict of str to GasLimit
    """
    stated = {}
    for name, sides in margins.over.items():
        own = _worst(sides, check.zone_of[LIMITED[name]]) & ~check.always_stated(name)
        stated[name] = own | gas[name].stated if name in gas else own
    slopes = _Slopes(check, found, stated)
    injection, through, lifted = slopes.injection, slopes.through, slopes.lifted
    for u, step in enumerate(_steps(case).tolist()):
        slopes.fill(injection, u, int(check.injects_at[u]), -step)
    for r, at in enumerate(check.network.regulator_from.tolist()):
        slopes.fill(through, r, at, LEAST_STEP)
    for c, (first, second) in enumerate(zip(*(check.lifts[side].tolist() for side in ("from", "to")), strict=True)):
        slopes.fill(lifted, c, first, LEAST_STEP)
        slopes.fill(lifted, c, second, -LEAST_STEP)
    raised = check.values(check.steady(found.moved, RAISED)[0])
    rows = {}
    for name, own in stated.items():
        if name == "share" and own.any():
            if name in gas:
                check.share_failed += (margins.over[name][0][gas[name].stated] > 0).any(axis=0)
            rows[name] = share_rows(check, found, own, margins.over[name][0])
        elif own.any():
            zone, content = check.zone_of[LIMITED[name]], check.content_at(name, found.moved)
            per_bar = (raised[name] - found.values[name]) / RAISED
            by_linepack = np.nan_to_num(per_bar * np.append(check.bar_per_kwh, 0.0)[zone, None])
            gates = np.zeros((len(own), *found.moved.let_in.shape))  # they hold pressures and give what is taken
            limit = GasLimit(found.values[name], injection[name], through[name], by_linepack, lifted[name], gates)
            constant = np.where(own[:, None], limit.constant - found.moved.effect(limit, content), np.nan)
            rows[name] = replace(limit, constant=constant)
    return rows


def _worst(sides: tuple[np.ndarray, np.ndarray], zone: np.ndarray) -> np.ndarray:
    """Tell which elements are furthest beyond a limit in their zone in some step: holding these mostly holds all."""
    found = np.zeros(len(zone), bool)
    for side in sides:
        for z in np.unique(zone[side.any(axis=1)]):
            own = np.nonzero(zone == z)[0]
            steps = np.nonzero(side[own].any(axis=0))[0]
            found[own[side[own][:, steps].argmax(axis=0)]] = True
    return found


def _zeros(stated: Mapping[str, np.ndarray], of: np.ndarray) -> dict[str, np.ndarray]:
    return {name: np.zeros((len(own), *of.shape)) for name, own in stated.items()}


class _Slopes:
    """Finite differences about a state: what more gas taken at a junction changes in its own zone."""

    def __init__(self, check: GasCheck, found: UnderSchedule, stated: Mapping[str, np.ndarray]) -> None:
        self._check, self._found, self._stated = check, found, stated
        self.injection, self.through = _zeros(stated, found.moved.injected), _zeros(stated, found.moved.through)
        self.lifted = _zeros(stated, found.moved.lifted)

    def fill(self, slopes: dict[str, np.ndarray], place: int, junction: int, step: float) -> None:
        """Take `step` kW more at a junction (less if negative); write changes per kW of its size to a place."""
        check = self._check
        zone = check.zones.of_junction[junction]
        # What regulators take is not told apart in flows of regulators: an array has each dim only once.
        quantities = {n: own for n, own in self._stated.items() if n != "flow_regulator" or slopes is not self.through}
        quantities.pop("share", None)
        near = {n: own & (check.zone_of[LIMITED[n]] == zone) for n, own in quantities.items()}
        if zone < 0 or not any(own.any() for own in near.values()):
            return
        values = check.values(check.steady(self._found.moved, also=(junction, step))[0])
        for name, own in near.items():
            change = (values[name] - self._found.values[name]) / abs(step)
            slopes[name][own, place] = np.nan_to_num(change[own])


def _steps(case: xr.DataTree) -> np.ndarray:
    """By how much each upgrader's injection is moved. [kW]."""
    most = columns(case, "upgrader").get("flow_nom", np.zeros(0))
    return np.asarray(np.maximum(STEP * HIGHER * most, LEAST_STEP))
