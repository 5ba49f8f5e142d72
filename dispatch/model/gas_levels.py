"""Elements of levels of the gas network above 4 bar gauge: what pipes hold and what flows, linear about a state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.offsets import GasPoint
from dispatch.case.schema import columns
from dispatch.model.components.zone import HOLDING_PRICE
from dispatch.model.elements import Elements
from dispatch.model.gas_limits import bounds_of
from dispatch.model.gas_pipes import friction_law, gas_values, pipes_of, some_pipes
from kernels.pipe_linear import BAR_NORMAL, KELVIN_NORMAL, drops, flows_of_drop, packed, packed_slope

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.gas_network import GasNetwork
    from dispatch.model.gas_zones import Zones

SLOW = 0.05
"""Speed below which the slope of a pipe's pressure drop is that at this speed. [m s-1]"""
FAST = 2e4
"""No more flows than this multiple of it."""
LEAST_DROP = 1e-5
"""What a pipe drops at that speed at least, as far as its slope goes. [bar]"""
KEPT = 0.999
"""Part of what set-points alone would leave in the last step with which a level may end: some gas is on its way."""
AMPLE = 2.0
"""Pressures of the program are sought within this multiple of the highest that is held or allowed in the level."""


@dataclass(frozen=True)
class Levels:
    """Levels above 4 bar gauge as plain arrays.

    Attributes
    ----------
    junction, pipe : ndarray of int
        Junctions in these levels, and their pipes in service.
    of_junction : ndarray (junction of the case,)
        Level of each, -1 elsewhere.
    start, stop : ndarray (pipe,) of int
        Ends of those pipes, as positions among `junction`.
    held : ndarray (junction of the case,)
        Pressure that is held in its level; NaN elsewhere. [bar]
    half : ndarray (pipe,)
        What half of each pipe holds at 1 bar if its compressibility factor were 1. [m3 bar-1]
    volume : ndarray (junction,)
        The same of all halves at a junction. [m3 bar-1]
    """

    junction: np.ndarray
    pipe: np.ndarray
    of_junction: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    held: np.ndarray
    half: np.ndarray
    volume: np.ndarray

    @property
    def count(self) -> int:
        """How many levels there are."""
        return int(self.of_junction.max(initial=-1)) + 1


def levels_of(case: xr.DataTree, network: GasNetwork, zones: Zones) -> Levels:
    """Find the levels above 4 bar gauge.

    Parameters
    ----------
    case : DataTree
        Valid.
    network : GasNetwork
        Of the case.
    zones : Zones
        Its zones, in which each of these junctions is balanced by itself.

    Returns
    -------
    Levels
    """
    split = zones.split
    junction = np.nonzero(split)[0]
    of_junction = np.full(len(split), -1)
    of_junction[junction] = np.unique(network.zone[junction], return_inverse=True)[1]
    pipe, gas = columns(case, "pipe"), gas_values(case)
    own = np.nonzero(pipe["in_service"] & split[network.pipe_from])[0] if len(pipe["id"]) else np.zeros(0, np.int64)
    at = np.full(len(split), -1)
    at[junction] = np.arange(len(junction))
    start, stop = at[network.pipe_from[own]], at[network.pipe_to[own]]
    volume, half = np.zeros(len(junction)), np.zeros(0)
    if len(own):
        half = np.pi / 8 * pipe["inner_diameter"][own] ** 2 * pipe["length"][own]
        half *= KELVIN_NORMAL / (gas["temperature"] + KELVIN_NORMAL) / BAR_NORMAL
        np.add.at(volume, start, half)
        np.add.at(volume, stop, half)
    pressures = np.concatenate([columns(case, k).get("pressure", np.zeros(0)) for k in ("gate", "regulator")])
    held = np.full(len(split), np.nan)
    held[junction] = pressures[zones.holder[zones.of_junction[junction]]]
    return Levels(junction, own, of_junction, start, stop, held, half, volume)


def at_rest(levels: Levels, pipes: int, steps: int) -> GasPoint:
    """Take every pressure for the one that is held, and no gas to flow.

    Parameters
    ----------
    levels : Levels
        Of the case.
    pipes : int
        How many pipes the case has.
    steps : int
        Of the horizon.
    """
    pressure = np.repeat(levels.held[:, None], steps, axis=1)
    return GasPoint(pressure, np.zeros((pipes, steps)), levels.held, levels.held, np.zeros_like(pressure))


def level_kinds(
    case: xr.DataTree,
    network: GasNetwork,
    zones: Zones,
    point: GasPoint | None,
    steps: int,
    limit_penalty: float,
) -> dict[str, Elements]:
    """Elements of levels above 4 bar gauge; none where there is no such level.

    Parameters
    ----------
    case : DataTree
        Valid.
    network, zones
        Of the case.
    point : GasPoint or None
        State about which they are linear.
    steps : int
        Of the horizon.
    limit_penalty : float
        Of relaxing a limit by its own rating for an hour. [money h-1]

    Returns
    -------
    dict of str to Elements
    """
    levels = levels_of(case, network, zones)
    if not len(levels.junction):
        return {}
    about = point or at_rest(levels, len(network.pipe_from), steps)
    at = levels.of_junction[levels.junction]
    held, kept = (
        np.bincount(at, _content(case, levels, pressure[:, None])[:, 0], levels.count)[:, None]
        for pressure in (about.initial, about.final)
    )
    least = {"short_max": held, "final": np.minimum(KEPT * kept - held, 0.0)}
    return {
        "junction": _junctions(case, levels, zones, about),
        "pipe": _pipes(case, levels, zones, about),
        "pressure_limit": _limits(case, network, levels, limit_penalty),
        "set_point": _set_points(case, network, levels),
        "undelivered": _undelivered(case, levels, zones, about),
        "level": Elements(levels.count, least, {}, np.arange(levels.count, dtype=np.int32)),
    }


def _content(case: xr.DataTree, levels: Levels, pressure: np.ndarray) -> np.ndarray:
    """Gas at each junction of levels at pressures of all junctions, (junction, step). [kW h]."""
    gas = gas_values(case)
    full = packed(pressure[levels.junction], gas["compressibility"], gas["compressibility_slope"])
    return np.asarray(gas["heating_value_higher"] * levels.volume[:, None] * full)


def content_of(case: xr.DataTree, levels: Levels, pressure: np.ndarray, initial: np.ndarray) -> np.ndarray:
    """Find what is packed at each junction of levels above what there was at first.

    Parameters
    ----------
    case : DataTree
        Valid.
    levels : Levels
        Of the case.
    pressure : ndarray (junction, step)
        Of all junctions of the case. [bar]
    initial : ndarray (junction,)
        Before the first step. [bar]

    Returns
    -------
    ndarray (junction of levels, step)
        [kW h]
    """
    return np.asarray(_content(case, levels, pressure) - _content(case, levels, initial[:, None]))


def _junctions(case: xr.DataTree, levels: Levels, zones: Zones, about: GasPoint) -> Elements:
    """Pressures, and what follows them."""
    gas, own = gas_values(case), about.pressure[levels.junction]
    rise = packed_slope(own, gas["compressibility"], gas["compressibility_slope"])
    level = levels.of_junction[levels.junction]
    allowed = np.fmax(levels.held[levels.junction], columns(case, "junction")["pressure_max"][levels.junction])
    most = np.zeros(levels.count)
    np.maximum.at(most, level, allowed)
    starved = np.zeros((levels.count, own.shape[1]), bool)
    np.logical_or.at(starved, level, about.starved[levels.junction] > 0)
    parameters = {
        "pressure": own,
        "capacity": gas["heating_value_higher"] * levels.volume[:, None] * rise,
        "content": content_of(case, levels, about.pressure, about.initial),
        "most": AMPLE * most[level][:, None],
        "lowest": np.where(starved[level], gas["pressure_ambient"], -AMPLE * most[level][:, None]),
    }
    nodes = {
        "zone": ("zone", zones.of_junction[levels.junction].astype(np.int32)),
        "level": ("level", level.astype(np.int32)),
    }
    index = levels.junction.astype(np.int32)
    return Elements(len(index), parameters, nodes, index, columns(case, "junction")["id"][index])


def _undelivered(case: xr.DataTree, levels: Levels, zones: Zones, about: GasPoint) -> Elements:
    """Demand that may be left out."""
    index = levels.junction[(about.starved[levels.junction] > 0).any(axis=1)].astype(np.int32)
    nodes = {"zone": ("zone", zones.of_junction[index].astype(np.int32))}
    most = np.maximum(about.starved[index], 0.0)
    return Elements(len(index), {"most": most}, nodes, index, columns(case, "junction")["id"][index])


def _pipes(case: xr.DataTree, levels: Levels, zones: Zones, about: GasPoint) -> Elements:
    """Pipes with their drops of squared pressure by flow. [bar2 and bar2 kW-1]."""
    gas, law, pipe = gas_values(case), friction_law(case), columns(case, "pipe")
    own, ends = levels.pipe, [levels.junction[at] for at in (levels.start, levels.stop)]
    some = some_pipes(pipes_of(case), own)
    flow, first, second = about.flow[own], about.pressure[ends[0]], about.pressure[ends[1]]
    held = levels.held[ends[0]]
    slow = SLOW * 3600 * np.pi / 4 * pipe["inner_diameter"][own] ** 2 if len(own) else np.zeros(0)
    slow = slow * held / BAR_NORMAL * KELVIN_NORMAL / (gas["temperature"] + KELVIN_NORMAL)
    z = gas["compressibility"] + gas["compressibility_slope"] * mean_pressures(first, second)
    drop, slope = drops(np.ascontiguousarray(flow), some, law)
    least = np.maximum(drops(slow[:, None], some, law)[1], (2 * held * LEAST_DROP / slow)[:, None])
    near = flows_of_drop(2 * held * about.reach, FAST * slow, some, law)[:, None]
    steep = z * np.maximum(slope, least) / gas["heating_value_higher"]
    parameters = {
        "from_squared": 2 * first,
        "to_squared": 2 * second,
        "steep": steep,
        "constant": first**2 - second**2 + z * drop - steep * gas["heating_value_higher"] * flow,
        "flow_least": gas["heating_value_higher"] * np.maximum(flow - near, -FAST * slow[:, None]),
        "flow_most": gas["heating_value_higher"] * np.minimum(flow + near, FAST * slow[:, None]),
    }
    nodes = {}
    junctions = np.arange(len(levels.junction))
    for side, at in (("from", levels.start), ("to", levels.stop)):
        nodes[f"junction_{side}"] = ("junction", junctions[at].astype(np.int32))
        nodes[f"zone_{side}"] = ("zone", zones.of_junction[levels.junction[at]].astype(np.int32))
    return Elements(len(own), parameters, nodes, own.astype(np.int32), pipe["id"][own])


def mean_pressures(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Mean pressure along pipes with these pressures at their ends, see `kernels.pipe.mean_pressure`. [bar]."""
    return np.asarray(2 / 3 * (first**2 + first * second + second**2) / (first + second))


def _limits(case: xr.DataTree, network: GasNetwork, levels: Levels, limit_penalty: float) -> Elements:
    """Limits of pressures, where a junction has one."""
    bounds = bounds_of(case, network)["pressure"]
    least, most = bounds.least[levels.junction], bounds.most[levels.junction]
    own = np.nonzero(np.isfinite(least) | np.isfinite(most))[0]
    least, most = least[own, None], most[own, None]
    parameters = {
        "least": least,
        "most": most,
        "slack_least_max": np.where(np.isfinite(least), np.inf, 0.0),
        "slack_most_max": np.where(np.isfinite(most), np.inf, 0.0),
        "rating": bounds.rating[levels.junction[own], None],
        "limit_penalty": np.full((1, 1), limit_penalty),
    }
    index = levels.junction[own].astype(np.int32)
    nodes = {"junction": ("junction", own.astype(np.int32))}
    return Elements(len(own), parameters, nodes, index, columns(case, "junction")["id"][index])


def _set_points(case: xr.DataTree, network: GasNetwork, levels: Levels) -> Elements:
    """Set-points of gates and regulators, at junctions that hold the pressure of their level."""
    gas = gas_values(case)
    pressures = np.concatenate([columns(case, k).get("pressure", np.zeros(0)) for k in ("gate", "regulator")])
    own = np.nonzero(network.held[levels.junction] >= 0)[0]
    index = levels.junction[own]
    level = levels.of_junction[levels.junction]
    rise = packed_slope(levels.held[levels.junction], gas["compressibility"], gas["compressibility_slope"])
    per_bar = gas["heating_value_higher"] * np.bincount(level, levels.volume * rise, levels.count)
    own_max, lowest = columns(case, "junction")["pressure_max"], np.full(levels.count, np.nan)
    np.fmin.at(lowest, level, own_max[levels.junction])
    highest = np.where(np.isnan(own_max[index]), lowest[level[own]], own_max[index])
    parameters = {
        "pressure": pressures[network.held[index]][:, None],
        "price": HOLDING_PRICE * per_bar[level[own], None],
        "most": np.maximum(np.nan_to_num(highest) - pressures[network.held[index]], 0.0)[:, None],
    }
    nodes = {"junction": ("junction", own.astype(np.int32))}
    return Elements(len(own), parameters, nodes, index.astype(np.int32), columns(case, "junction")["id"][index])
