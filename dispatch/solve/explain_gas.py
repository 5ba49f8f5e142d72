"""What plants and the gas network cannot meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.gas_network import gas_network_of
from dispatch.model.gas_levels import levels_of
from dispatch.model.gas_limits import LIMITED, bounds_of, stated_limits
from dispatch.model.gas_zones import zones_of_case
from dispatch.model.plants import least_of
from dispatch.solve.explain_found import NOTICED, Found
from dispatch.solve.rounding import COLUMN

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from dispatch.case.offsets import GasLimit
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.solution import Relaxation

NAMES = {
    "pressure": ("pressure_max", "pressure_min"),
    "share": ("biomethane_share_max", "biomethane_share_min"),
    "flow_gate": ("flow_max", "reverse_flow"),
    "flow_regulator": ("flow_max", "reverse_flow"),
}
"""Upper and lower limit of each quantity."""
UNITS = {"pressure": "bar", "share": "1"}
"""Unit of a quantity; flows are in kW."""

LACKING = {
    "holder_short": ("plant", "holder_final", "m3"),
    "heat_missing": ("plant", "heat_demand", "kW"),
    "unfed": ("substrate", "feed_day", "t"),
    "linepack_short": ("level", "linepack_final", "kW h"),
    "gas_unserved": ("zone", "gas_demand", "kW"),
    "gas_undelivered": ("undelivered", "delivery", "kW"),
    "gas_spilled": ("zone", "gas_uptake", "kW"),
}
"""Columns that are above 0 where something cannot be met: of which component, which limit, and its unit."""


def of_gas(
    case: xr.DataTree, program: Program, inputs: Inputs, gas: dict[str, GasLimit], plan: np.ndarray,
    least: Relaxation | None,
) -> Iterator[Found]:  # fmt: skip
    """Find what plants lack and which limits of the gas network are relaxed.

    Parameters
    ----------
    case : DataTree
        Of one or more feeders.
    program, inputs
        Compiled from it.
    gas : dict of str to GasLimit
        Limits that are stated.
    plan : ndarray (column,)
        The optimum.
    least : Relaxation or None
        The least relaxation of limits.

    Yields
    ------
    Found
    """
    if "plant" not in inputs.kinds:
        return
    plants = inputs.kinds["plant"]
    meter = int(plants.nodes["meter"][1][0]) if plants.count else 0
    bus = int(inputs.kinds["meter"].nodes["bus"][1][meter])
    yield from _lacking(case, program, inputs, plan, bus)
    yield from _below_least(program, inputs, plan, bus)
    bounds = bounds_of(case, gas_network_of(case)) if "zone" in inputs.kinds else {}
    for kind, e, name, k in _limits(inputs, gas):
        for which, limit, sign in zip(("most", "least"), NAMES[name], (1.0, -1.0), strict=True):
            column = program.column(kind, f"slack_{which}")[e]
            noticed = NOTICED * bounds[name].rating[k]
            amounts = np.where(plan[column] > noticed, plan[column], 0.0)
            if amounts.any():
                do = 0.0 if least is None or least.columns is None else float(least.columns[column].max())
                allowed, unit = float(getattr(bounds[name], which)[k]), UNITS.get(name, "kW")
                yield Found(LIMITED[name], k, limit, unit, bus, amounts, do, allowed, sign)


def _limits(inputs: Inputs, gas: dict[str, GasLimit]) -> Iterator[tuple[str, int, str, int]]:
    """Component, number of the element, quantity and element of the case of every limit that is stated."""
    if "gas_limit" in inputs.kinds:
        yield from (("gas_limit", e, name, k) for e, (name, k) in enumerate(stated_limits(gas)))
    if "pressure_limit" in inputs.kinds:
        own = inputs.kinds["pressure_limit"].index.tolist()
        yield from (("pressure_limit", e, "pressure", k) for e, k in enumerate(own))


def _lacking(case: xr.DataTree, program: Program, inputs: Inputs, plan: np.ndarray, bus: int) -> Iterator[Found]:
    """Find what plants and zones go without; a zone is told by what holds its pressure."""
    for name, (component, limit, unit) in LACKING.items():
        elements = inputs.kinds.get(component)
        if elements is None:
            continue
        values = plan[program.column(component, name)]
        large = component in {"zone", "level", "undelivered"}
        noticed = NOTICED * np.maximum(1.0, np.abs(plan).max(initial=0.0)) if large else NOTICED
        for e in np.nonzero((values > noticed).any(axis=1))[0].tolist():
            amounts = _by_step(np.where(values[e] > noticed, values[e], 0.0), inputs, name)
            kind, number = {"undelivered": "junction"}.get(component, component), int(elements.index[e])
            if component == "zone":
                kind, number = _holder(case, number)
            elif component == "level":
                kind, number = _of_level(case, number)
            yield Found(kind, number, limit, unit, bus, amounts, float(amounts.max()), 1.0)


def _below_least(program: Program, inputs: Inputs, plan: np.ndarray, bus: int) -> Iterator[Found]:
    """Find what runs below its minimum because it could neither stand still nor run at it."""
    for kind, low in least_of(inputs).items():
        if low.any():
            value = plan[program.column(kind, COLUMN[kind])]
            under = np.where((value > NOTICED * low[:, None]) & (value < (1 - NOTICED) * low[:, None]), low[:, None], 0)
            for e in np.nonzero(under.any(axis=1))[0].tolist():
                amounts = np.maximum(under[e] - value[e], 0.0) * (under[e] > 0)
                yield Found(kind, int(inputs.kinds[kind].index[e]), "minimum", "", bus, amounts, 0.0, float(low[e]))


def _by_step(values: np.ndarray, inputs: Inputs, name: str) -> np.ndarray:
    """Spread what has one value a window over the last step of each."""
    windows = {"holder_short": "horizon", "linepack_short": "horizon", "unfed": "day"}
    if name not in windows:
        return values
    of = inputs.windows[windows[name]]
    found = np.zeros(inputs.steps)
    found[np.append(np.nonzero(np.diff(of))[0], inputs.steps - 1)] = values
    return found


def _holder(case: xr.DataTree, zone: int) -> tuple[str, int]:
    network = gas_network_of(case)
    zones, gates = zones_of_case(case, network), len(network.gate_at)
    if zones.junction[zone] >= 0:
        return "junction", int(zones.junction[zone])
    holder = int(zones.holder[zone])
    return ("gate", holder) if holder < gates else ("regulator", holder - gates)


def _of_level(case: xr.DataTree, level: int) -> tuple[str, int]:
    """First gate or regulator that holds the pressure of a level."""
    network = gas_network_of(case)
    zones = zones_of_case(case, network)
    junction = int(np.argmax(levels_of(case, network, zones).of_junction == level))
    holder, gates = int(zones.holder[zones.of_junction[junction]]), len(network.gate_at)
    return ("gate", holder) if holder < gates else ("regulator", holder - gates)
