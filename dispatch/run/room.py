"""Room below the limits of a feeder for net load that comes otherwise than expected."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.offsets import Offsets
from dispatch.case.schema import columns, parent_index
from dispatch.errors import InputError, Problem
from dispatch.model.linear import linear_flow, rating_left
from dispatch.solve.limits.room import Deviations, rooms
from kernels.scatter import add_to_rows

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.network import Network
    from dispatch.case.schema import Columns
    from dispatch.model.linear import LinearFlow
    from dispatch.verify.electric import AcState

SERIES = {"load": ("p_load", "p_load_quantile"), "pv": ("p_available", "p_available_quantile")}


def levels_for(limits_at: float) -> tuple[float, float, float]:
    """Quantiles that a run with limits at one of them needs."""
    return round(1 - limits_at, 9), 0.5, limits_at


def require_quantiles(case: xr.DataTree, limits_at: float) -> None:
    """Raise if the forecast does not know the quantiles that limits are to be held against.

    Raises
    ------
    InputError
        If they are missing, or not known of any load or pv.
    """
    forecast = columns(case, "forecast")
    levels, wanted = forecast.get("quantile", np.zeros(0)), (levels_for(limits_at)[0], limits_at)
    known = [name for _, name in SERIES.values() if name in forecast and np.isfinite(forecast[name]).any()]
    if known and all(np.isclose(levels, level, atol=1e-9).any() for level in wanted):
        return
    value = f"at the levels {', '.join(f'{v:g}' for v in levels)}" if known else "not known of any load or pv"
    hint = f"Run `dispatch forecast CASE.nc -o READY.nc --quantiles {wanted[0]:g} 0.5 {wanted[1]:g}` on a case with"
    problem = Problem("no-quantiles", "/forecast", "quantile", (), 0, value, f"{wanted[0]:g} and {wanted[1]:g}")
    raise InputError([replace(problem, hint=f"{hint} /history of loads or pv, or leave out limits_at.")])


class Room:
    """What the limits of a feeder must leave free.

    Parameters
    ----------
    case : DataTree
        Sub-case of one feeder, with /forecast and its quantiles.
    network : Network
        Its network.
    q : ndarray (bus, time)
        Reactive power injected, all of it given. [kvar]
    limits_at : float
        Quantile of net load; 0.5: no room.
    """

    def __init__(self, case: xr.DataTree, network: Network, q: np.ndarray, limits_at: float) -> None:
        self._network, self._rooms = network, None
        if limits_at == 0.5 or not (deviations := _deviations(case, network, q.shape[1], limits_at)).any:
            return
        bus = columns(case, "bus")
        self._v_max = bus["v_max_pu"][:, None] ** 2
        self._rooms = rooms(network, deviations, curtailed=False)
        self._least = rooms(network, deviations, curtailed=True)
        self._plain = linear_flow(network, _without_stores(case, network, q.shape[1]), q)
        self._q_flow = linear_flow(network, np.zeros_like(q), q).q

    def beside(self, offsets: Offsets) -> Offsets | None:
        """Room beside AC offsets, in their signs; None where limits hold as expected.

        More PV than expected moves a limit no further than to where it would be without the PV that can be curtailed
        and without stores: what is curtailed in the schedule cannot come.

        Parameters
        ----------
        offsets : Offsets
            AC minus linear.

        Returns
        -------
        Offsets or None
        """
        if self._rooms is None:
            return None
        most = rating_left(self._network.s_nom, self._q_flow, offsets.s)
        plain = self._plain
        left = [self._v_max - offsets.v_max - plain.v_squared, None, most - plain.p, most + plain.p]
        room = [
            whole if free is None else np.minimum(whole, np.maximum(np.nan_to_num(free), least))
            for whole, least, free in zip(self._rooms, self._least, left, strict=True)
        ]
        return Offsets(room[0], -room[1], np.zeros_like(offsets.s), room[2], room[3])


def _deviations(case: xr.DataTree, network: Network, steps: int, limits_at: float) -> Deviations:
    """Add up at the buses how far quantiles are from what is expected."""
    forecast, pv, meter = columns(case, "forecast"), columns(case, "pv"), columns(case, "meter")
    at_meter = {kind: parent_index(case, kind, "meter") for kind in SERIES}
    bus = parent_index(case, "meter", "bus")
    up, down = zip(*(_away(forecast, *names, steps, limits_at) for names in SERIES.values()), strict=True)
    fixed = ~pv["curtailable"].astype(bool) | meter["green_only"].astype(bool)[at_meter["pv"]]

    def at_buses(kind: str, values: np.ndarray) -> np.ndarray:
        total = np.zeros((network.buses, steps))
        add_to_rows(total, bus[at_meter[kind]], np.ascontiguousarray(values))
        return total

    return Deviations(
        at_buses("load", up[0]),
        at_buses("load", down[0]),
        at_buses("load", up[0] ** 2),
        at_buses("load", down[0] ** 2),
        at_buses("pv", up[1]),
        at_buses("pv", down[1]),
        at_buses("pv", up[1] * fixed[:, None]),
    )


def _away(
    forecast: Columns, expected: str, quantile: str, steps: int, limits_at: float
) -> tuple[np.ndarray, np.ndarray]:
    """How far the upper and the lower quantile are from what is expected, at least 0; 0 where not known."""
    if quantile not in forecast:
        count = len(forecast.get(expected, ()))
        return np.zeros((count, steps)), np.zeros((count, steps))
    levels, middle = forecast["quantile"], forecast[expected].astype(float)
    at = [int(np.argmin(np.abs(levels - level))) for level in (levels_for(limits_at)[0], limits_at)]
    low, high = (forecast[quantile][:, k].astype(float) for k in at)
    return np.nan_to_num(np.maximum(high - middle, 0.0)), np.nan_to_num(np.maximum(middle - low, 0.0))


def _without_stores(case: xr.DataTree, network: Network, steps: int) -> np.ndarray:
    """Active power injected at each bus by loads and by pv that cannot be curtailed. [kW]."""
    forecast, pv = columns(case, "forecast"), columns(case, "pv")
    bus, total = parent_index(case, "meter", "bus"), np.zeros((network.buses, steps))
    at = {kind: parent_index(case, kind, "meter") for kind in SERIES}
    green = columns(case, "meter")["green_only"].astype(bool)[at["pv"]]
    if len(at["load"]):
        add_to_rows(total, bus[at["load"]], -forecast["p_load"].astype(float))
    if len(at["pv"]):
        kept = forecast["p_available"].astype(float) * (~pv["curtailable"].astype(bool) | green)[:, None]
        add_to_rows(total, bus[at["pv"]], kept)
    return total


def with_room(ac: AcState, linear: LinearFlow, network: Network, room: Offsets | None) -> tuple[AcState, AcState]:
    """AC state as upper voltage limits and ratings meet it, and as lower voltage limits do, with room added.

    Parameters
    ----------
    ac, linear : AcState, LinearFlow
        Under one schedule.
    network : Network
        Of the same case.
    room : Offsets or None
        From `Room.beside`.

    Returns
    -------
    tuple of AcState
    """
    if room is None:
        return ac, ac
    squared = ac.v_pu**2
    most = np.maximum(np.maximum(linear.p + room.forward, room.reverse - linear.p), np.abs(linear.p))
    more = (np.hypot(most, linear.q) - np.hypot(linear.p, linear.q)) / network.s_nom[:, None]
    high = replace(ac, v_pu=np.sqrt(squared + room.v_max), loading_pu=ac.loading_pu + more)
    return high, replace(ac, v_pu=np.sqrt(np.maximum(squared + room.v_min, 0.0)))
