"""How far a schedule's AC state is from each limit, and what that says about the offsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.offsets import Offsets
from dispatch.case.schema import columns
from dispatch.solve.limits.excess import V_MAX, V_MIN

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.network import Network
    from dispatch.model.linear import LinearFlow
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.solution import Solution
    from dispatch.verify.electric import AcState
    from dispatch.verify.excess import Excess

RELAXED = 1e-7
"""Relaxations above this share of a limit's rating are reported as unmet, and AC need not hold there."""
WASTEFUL_V_PU = 2e-3
"""A priced voltage limit that AC stays below by more than this was shifted too far."""
WASTEFUL_LOADING_PU = 2e-2
"""The same of a rating."""


@dataclass(frozen=True)
class Margins:
    """What the AC state says about the limits.

    Attributes
    ----------
    holds : bool
        No AC limit is exceeded beyond its tolerance, except where the program itself relaxes it.
    wide_v_max, wide_v_min : ndarray (bus, time) of bool
        Priced voltage limits that AC stays away from: their offset wastes room.
    wide_s : ndarray (branch, time) of bool
        The same of ratings.
    aside_v_max, aside_v_min, aside_s : ndarray of bool
        Limits that the program relaxes or that reactive power alone exceeds: reported as unmet.
    """

    holds: bool
    wide_v_max: np.ndarray
    wide_v_min: np.ndarray
    wide_s: np.ndarray
    aside_v_max: np.ndarray
    aside_v_min: np.ndarray
    aside_s: np.ndarray

    @property
    def wasteful(self) -> bool:
        """Whether any priced limit is shifted too far."""
        return bool(self.wide_v_max.any() or self.wide_v_min.any() or self.wide_s.any())


def margins_of(
    case: xr.DataTree,
    network: Network,
    offsets: Offsets,
    solution: Solution,
    linear: LinearFlow,
    held: tuple[AcState, AcState],
    excess: Excess,
) -> Margins:
    """Compare an AC state with the limits and their prices.

    Parameters
    ----------
    case : DataTree
        Whose limits hold.
    network : Network
        Of the case.
    offsets : Offsets
        With which the solution was found.
    solution : Solution
        Prices and relaxations.
    linear, held, excess
        State under the delivered schedule, with room for upper and for lower limits.

    Returns
    -------
    Margins
    """
    bus, prices = columns(case, "bus"), solution.prices
    priced = [np.zeros(a.shape, bool) for a in (excess.v_max, excess.v_min, excess.s)]
    relaxed = [np.zeros(a.shape, bool) for a in priced]
    ratings = (bus["v_max_pu"] ** 2, bus["v_min_pu"] ** 2, network.s_nom)
    kind = np.minimum(prices.keys["kind"], 2)  # both directions of a rating are one limit here
    for k, rating in enumerate(ratings):
        own = kind == k
        at = prices.keys["element"][own], prices.keys["step"][own]
        np.logical_or.at(priced[k], at, prices.limits[own] * rating[at[0]] > RELAXED * solution.limit_penalty)
        np.logical_or.at(relaxed[k], at, solution.slacks[own] > RELAXED * rating[at[0]])
    relaxed[2] |= np.abs(linear.q) >= (network.s_nom[:, None] - offsets.s)
    room_v_max, room_v_min = bus["v_max_pu"][:, None] - held[0].v_pu, held[1].v_pu - bus["v_min_pu"][:, None]
    return Margins(
        excess.holds(v_max=relaxed[V_MAX], v_min=relaxed[V_MIN], s=relaxed[2]),
        priced[V_MAX] & ~relaxed[V_MAX] & (room_v_max > WASTEFUL_V_PU),
        priced[V_MIN] & ~relaxed[V_MIN] & (room_v_min > WASTEFUL_V_PU),
        priced[2] & ~relaxed[2] & (1 - held[0].loading_pu > WASTEFUL_LOADING_PU),
        *relaxed,
    )


def offsets_at_limits(limits: RadialLimits, ac: AcState, offsets: Offsets) -> Offsets:
    """Foretell what AC adds to a schedule that holds the limits, from a state that need not.

    What AC adds are losses and the drops that they cause: they grow with the square of flows, and so of voltages'
    distance from those without any flow. A limit that is exceeded will bind.

    Parameters
    ----------
    limits : RadialLimits
        Shifted by room for errors of the forecast, if at all.
    ac : AcState
        The state.
    offsets : Offsets
        What AC adds in it.

    Returns
    -------
    Offsets
        The same, less where a limit is exceeded.
    """
    v_squared = ac.v_pu**2
    idle = limits.flow(np.zeros(limits.ports)).v_squared
    room, s_nom = limits.offsets, limits.network.s_nom[:, None]
    v_max, v_min = limits.rating[V_MAX][:, None] - room.v_max, limits.rating[V_MIN][:, None] - room.v_min
    loading = 1 - np.minimum(room.forward, room.reverse) / s_nom
    return Offsets(
        offsets.v_max * _squared(v_max - idle, v_squared - idle, v_squared > v_max),
        offsets.v_min * _squared(v_min - idle, v_squared - idle, v_squared < v_min),
        offsets.s * _squared(loading, ac.loading_pu, ac.loading_pu > loading),
    )


def _squared(wanted: np.ndarray, found: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Square of a ratio, at most 1; 1 elsewhere."""
    ratio = np.divide(wanted, found, out=np.ones_like(found), where=where & (found != 0))
    return np.asarray(np.clip(ratio, 0.0, 1.0) ** 2)


def next_offsets(old: Offsets, new: Offsets, margins: Margins) -> Offsets:
    """Tighten, except where a priced limit was shifted too far: that goes half the way to what AC says now.

    Parameters
    ----------
    old : Offsets
        With which the last schedule was found.
    new : Offsets
        AC minus linear at that schedule.
    margins : Margins
        Of that schedule.

    Returns
    -------
    Offsets
    """
    tight = old.tightened(new)
    return Offsets(
        np.where(margins.wide_v_max, (old.v_max + new.v_max) / 2, tight.v_max),
        np.where(margins.wide_v_min, (old.v_min + new.v_min) / 2, tight.v_min),
        np.where(margins.wide_s, (old.s + new.s) / 2, tight.s),
    )
