"""From a case to what components are compiled over; see docs/formulation.md for every quantity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import columns, parent_index, resolved
from dispatch.model.elements import Elements, Inputs, protected
from dispatch.model.gas import gas_kinds, has_gas
from dispatch.model.meters import meter_kinds, sum_at
from dispatch.model.registry import own_components
from dispatch.model.series import Series, read_series, step_hours
from dispatch.model.stated_network import network_kinds, voltage_limits
from dispatch.model.windows import when_of, windows_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Elements", "Inputs", "make_inputs", "prosumers_of"]

LIMIT_PENALTY = 1e4


def make_inputs(
    case: xr.DataTree,
    *,
    offsets: Offsets | None = None,
    limit_penalty: float = LIMIT_PENALTY,
    rated: bool = True,
    whole: bool = False,
) -> Inputs:
    """Resolve a case into elements, parameters and windows.

    Parameters
    ----------
    case : DataTree
        Valid, with `/forecast`; any number of feeders, no isolated bus that something is connected to.
    offsets : Offsets, optional
        What the AC check adds to the limits; none by default.
    limit_penalty : float
        Penalty of relaxing a limit by its own rating for an hour. [money h-1]
    rated : bool
        Whether to work out what the rating of each branch leaves, for a program that states the network's rows.
    whole : bool
        Balance gas above 4 bar gauge by the whole, without what its pipes hold.

    Returns
    -------
    Inputs

    Raises
    ------
    InputError
        If `/forecast` lacks a series, or a meter's export price is above its import price.
    """
    network = network_of(case)
    series = read_series(case)
    steps = len(series.time)
    if offsets is None:
        offsets = Offsets.zero(network.buses, network.branches, steps)
    windows = windows_of(series.time, str(case.attrs["time_zone"]))
    own = {name: _own_elements(case, name, series) for name in own_components()}
    q = reactive(case, series, network.buses) if rated else None
    gas = gas_kinds(case, series, windows, step_hours(case), offsets, limit_penalty, whole=whole)
    kinds = _meter_kinds(case, series, own | gas) | own | gas
    kinds |= network_kinds(case, network, q, offsets, limit_penalty)
    return Inputs(step_hours(case), steps, kinds, windows, when_of(windows))


def prosumers_of(case: xr.DataTree) -> Inputs | None:
    """Resolve what is behind meters, and buses, where a case has no other elements than these and branches.

    Neither offsets nor penalties are among it: it follows from the case alone.

    Parameters
    ----------
    case : DataTree
        As for `make_inputs`.

    Returns
    -------
    Inputs or None
        Without windows; None where the case has elements of gas or of a kind that a user added.
    """
    if has_gas(case) or any(len(columns(case, name)["id"]) for name in own_components()):
        return None
    series, bus = read_series(case), columns(case, "bus")
    count = len(bus["id"])
    buses = Elements(count, voltage_limits(bus), {}, np.arange(count, dtype=np.int32), bus["id"])
    return Inputs(step_hours(case), len(series.time), _meter_kinds(case, series, {}) | {"bus": buses}, {}, {})


def _meter_kinds(case: xr.DataTree, series: Series, others: dict[str, Elements]) -> dict[str, Elements]:
    """Elements of the prosumers' components; without any others they depend on the case alone."""
    if others:
        return meter_kinds(case, series, others)
    return resolved(case, "meter kinds", lambda: protected(meter_kinds(case, series, others)))


def reactive(case: xr.DataTree, series: Series, buses: int) -> np.ndarray:
    """Reactive power that loads and pv inject at each bus, whatever is decided.

    Returns
    -------
    ndarray (bus, step)
        [kvar]
    """
    bus = parent_index(case, "meter", "bus")
    of_load, of_pv = (bus[parent_index(case, kind, "meter")] for kind in ("load", "pv"))
    injected = -sum_at(of_load, series.q_load, buses)
    constant = np.bincount(of_pv, columns(case, "pv")["q_nom"], buses) if len(of_pv) else np.zeros(buses)
    return np.asarray(injected + constant[:, None])


def _own_elements(case: xr.DataTree, name: str, series: Series) -> Elements:
    """Elements of a kind that a user added: its numbers are parameters, its parents are nodes."""
    table, section = columns(case, name), attribute_table()[name]
    parameters, nodes = {}, {}
    for attribute in section.attributes.values():
        if attribute.parent:
            nodes[attribute.name] = (attribute.parent, parent_index(case, name, attribute.name))
        elif attribute.dtype in {"float", "int", "bool"} and not attribute.series:
            parameters[attribute.name] = table[attribute.name].astype(np.float64)[:, None]
    parameters |= series.own.get(name, {})
    count = len(table["id"])
    return Elements(count, parameters, nodes, np.arange(count, dtype=np.int32), table["id"])
