"""Rows of the limits of biomethane shares: about which injection, and how steep."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.offsets import GasLimit
from dispatch.case.schema import columns
from dispatch.model.components.plant import HIGHER
from dispatch.run.gas_quality import shares

if TYPE_CHECKING:
    from dispatch.run.gas_check import GasCheck, Moved, UnderSchedule

SHARE = 5e-3
"""Shares may be beyond a limit by so much. [1]"""
LEAST_STEP = 1.0
"""Slopes between two injections that differ by less are those over so much. [kW]"""
MOST_FAILED = 3
"""In steps in which rows of shares did not hold what they stood for so often, they are stated steeper."""
TIGHTER = 0.8
"""By what limits are multiplied for each time they fail from twice as often on. [1]"""
NOTHING = 1e-8
"""Slopes of shares below this are none. [kW-1]"""
JUMP = 1e-4
"""Within so much more injection a row holds a share that jumps. [kW]"""
FLAT = 0.02
"""A slope that is less than this part of the mean one is that of a share at its end."""
HALVINGS, MOST_CUTS, RESOLUTION = 8, 28, 0.5**18
"""Halvings before chords are tried, both together, and the part of what can be injected at which it is enough. [1]"""
STEP = 1.0
"""By how much injection and lifting are moved to see what shares do. [kW]"""
ROOT = 1e-6
"""Shares that are beyond a limit by less just hold it. [1]"""
FILLED = 1e-3
"""The same of what fills pipes. [kW]"""


class SharesAbout:
    """Shares when something else is injected or lifted than under a schedule.

    Gates and regulators give so much less as they do in the steady state. Levels above 4 bar gauge are followed from
    step to step.

    Parameters
    ----------
    check : GasCheck
        Of the feeder.
    found : UnderSchedule
        The network under the schedule.

    Attributes
    ----------
    most : ndarray (junction, step)
        Limits, infinite where there is none; tightened in steps in which rows failed twice as often as `MOST_FAILED`
        or more. [1]
    closed : ndarray (zone, step)
        What comes out of pipes under the schedule, below zero: fills them, and does not here: in steps in which rows
        often failed. [kW]
    """

    def __init__(self, check: GasCheck, found: UnderSchedule) -> None:
        often = np.maximum(check.share_failed - 2 * MOST_FAILED + 1, 0)
        self.most = check.bounds["share"].most[:, None] * TIGHTER**often
        self._check, self._found = check, found
        self._steady, self._still = check.steady(found.moved)[0], check.filling(found.moved)
        self._low = (check.zones.junction < 0)[:, None]
        failed = self._low & (check.share_failed >= MOST_FAILED)
        self.closed = np.where(failed, -self._still, 0.0) * check.energy

    def at(self, changed: Moved, filled: float = 0.0) -> np.ndarray:
        """Shares, (junction, step); 0 where no gas ever came.

        `filled`: so much more fills the pipes of each zone below 4 bar gauge, or comes out of them. [kW]
        """
        check, moved, steady = self._check, self._found.moved, self._steady
        more = self.closed + np.where(self._low, filled, 0.0)
        state, filling = check.steady(replace(changed, lost=changed.lost + more))[0], self._still + more / check.energy
        if check.levels is not None:
            let_in = moved.let_in + check.energy * (state.flow_gate - steady.flow_gate)
            through = moved.through + check.energy * (state.flow_regulator - steady.flow_regulator)
            changed = replace(changed, let_in=let_in, through=through)
            guess = self._found.state.pressure[check.levels.of.junction]
            state, filling = check.levels.packed(check, changed, state, filling, guess)
        return np.asarray(np.nan_to_num(shares(check, state, changed, filling)[0]))

    def at_limits(self) -> tuple[Moved, list[Moved]]:
        """Inject so much in each step that limits of shares just hold, and a little more, with which one does not.

        Upgraders inject in the proportions of the last schedule, all they can in steps without any; then each in turn
        as much more as others leave it. Rows that are linear about it are exact where they bind, whatever flows turn on
        the way there; those about the last schedule would let a step without biomethane have any amount of it.

        Returns
        -------
        Moved
            The schedule but for what is injected: nothing where the limits do not even hold then.
        list of Moved
            The same with a little more from each upgrader, or as much where it injects all it can.
        """
        injected, top = self._found.moved.injected, self._top
        ray = np.where(injected.max(axis=0, initial=0.0) >= STEP, injected, top)
        part = np.divide(top, ray, out=np.full_like(ray, np.inf), where=ray > 0)
        held = self._most(np.zeros_like(top), ray * np.min(part, axis=0, initial=np.inf))
        each = [(np.arange(len(top)) == u)[:, None] for u in range(len(top))]
        for own in each if len(each) > 1 else ():
            held = self._most(held.injected, np.where(own, top - held.injected, 0.0))
        step = np.minimum(top - held.injected, top * RESOLUTION)
        return held, [replace(held, injected=held.injected + np.where(own, step, 0.0)) for own in each]

    def alone(self, upgrader: int) -> Moved:
        """Let one upgrader inject so much in each step that limits of shares just hold, and the others nothing."""
        top = self._top
        return self._most(np.zeros_like(top), top * (np.arange(len(top)) == upgrader)[:, None])

    @property
    def _top(self) -> np.ndarray:
        """Most that each upgrader can inject, (upgrader, step), in kW."""
        most = HIGHER * columns(self._check.case, "upgrader")["flow_nom"]
        return np.repeat(most[:, None], self._found.moved.injected.shape[1], axis=1)

    def _most(self, start: np.ndarray, ray: np.ndarray) -> Moved:
        """Inject `start` and the largest part of `ray` (upgrader, step) with which limits hold.

        Found by halving, later every other time by the chord, which ends it where shares do not jump.
        """
        moved = self._found.moved

        def over(part: np.ndarray) -> np.ndarray:
            changed = replace(moved, injected=start + part * ray)
            return np.asarray((self.at(changed) - self.most).max(axis=0))

        low, high = np.zeros(ray.shape[1]), np.ones(ray.shape[1])
        under, past = over(low), over(high)
        low[past <= 0] = 1.0
        for k in range(MOST_CUTS):
            open_ = (under < -ROOT) & (past > 0) & (high - low > RESOLUTION)
            if not open_.any():
                break
            part = (low + high) / 2
            if k >= HALVINGS and k % 2:
                part = low - (high - low) * np.divide(under, past - under, out=np.zeros_like(low), where=past > under)
            part = np.where(open_, part, low)
            found = over(part)
            good = found <= ROOT
            low, under = np.where(good, part, low), np.where(good, found, under)
            high, past = np.where(good, high, part), np.where(good, past, found)
        return replace(moved, injected=start + low * ray)

    def slopes(self, about: Moved, before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find what more injection and lifting change from shares `before`, all steps moved alike, by differences.

        Returns
        -------
        by_injection : ndarray (junction, upgrader, step)
            [kW-1]
        by_compressor : ndarray (junction, compressor, step)
            [kW-1]
        """
        slopes_of = []
        for name in ("injected", "lifted"):
            flow = getattr(about, name)
            slopes = np.zeros((len(before), *flow.shape))
            for k in range(len(flow)):
                # Less, where there is some: more than is taken changes nothing any more.
                other, step = flow.copy(), np.where(flow[k] > JUMP, -np.minimum(STEP, flow[k] / 2), STEP)
                other[k] += step
                slopes[:, k] = (self.at(replace(about, **{name: other})) - before) / step
                # Where all gas is biomethane already a little less changes nothing: then it counts what none would.
                other[k] = 0.0
                whole = (before - self.at(replace(about, **{name: other}))) / np.maximum(flow[k], STEP)
                flat = np.abs(slopes[:, k]) < FLAT * np.abs(whole)
                slopes[:, k][flat] = whole[flat]
            slopes_of.append(slopes)
        return slopes_of[0], slopes_of[1]

    def by_filling(self, about: Moved, before: np.ndarray) -> np.ndarray:
        """Find what more gas in the pipes of its own zone changes, (junction, step), injection as it is. [kW-1]."""
        return np.asarray((self.at(about, FILLED) - before) / FILLED)


def share_rows(check: GasCheck, found: UnderSchedule, own: np.ndarray, over: np.ndarray) -> GasLimit:
    """State rows of shares, linear about the injection at which their limits just hold.

    Beside those asked for, those that each upgrader passes first in steps in which any is exceeded: where all gas is
    biomethane the furthest beyond its limit need not be one that less injection brings below it.

    Parameters
    ----------
    check : GasCheck
        Of the feeder.
    found : UnderSchedule
        Its gas network under the last schedule.
    own : ndarray (junction,) of bool
        Whose rows are asked for.
    over : ndarray (junction, step)
        By how much limits are exceeded. [1]

    Returns
    -------
    GasLimit
    """
    about, steps = SharesAbout(check, found), np.nonzero(over.any(axis=0))[0]
    moved, beyond = about.at_limits()
    share, past = about.at(moved), [about.at(more) for more in beyond]
    (injection, lifted), filling = about.slopes(moved, share), about.by_filling(moved, share)
    passed = np.array([(more - about.most).argmax(axis=0) for more in past])
    own = own.copy()
    own[passed[:, steps]] = True
    failed = check.share_failed >= MOST_FAILED
    if len(moved.injected) > 1 and failed.any():
        injection = np.where(failed, _steeper(about, moved, share, injection, passed), injection)
    for u, first in enumerate(passed):
        at = first[steps], steps
        where, by = (share[at], past[u][at]), (beyond[u].injected - moved.injected)[u, steps]
        slopes = injection[first[steps], u, steps]
        injection[first[steps], u, steps] = _as_passed(about, moved, u, by, at, slopes, where)
    injection, lifted, filling = (np.where(np.abs(v) < NOTHING, 0.0, v) for v in (injection, lifted, filling))
    effect = np.einsum("eut,ut->et", injection, moved.injected) + np.einsum("ect,ct->et", lifted, moved.lifted)
    most = check.bounds["share"].most[:, None]
    tightened = np.where(np.isfinite(most), most, 0.0) - np.where(np.isfinite(most), about.most, 0.0)
    constant = np.where(own[:, None], share + tightened - effect, np.nan)
    through, let_in = (np.zeros((len(own), *flow.shape)) for flow in (moved.through, moved.let_in))
    row = GasLimit(constant, injection, through, np.zeros_like(constant), lifted, let_in)
    return _diluted(check, found, about.closed, row, np.minimum(filling, 0.0))


def _diluted(check: GasCheck, found: UnderSchedule, closed: np.ndarray, row: GasLimit, filling: np.ndarray) -> GasLimit:
    """Add what more in the pipes of its zone changes, `filling` (junction, step): what flows in and is not taken."""
    zone, into = check.zones.of_junction, _into_zones(check)
    filling = np.where(zone[:, None] >= 0, filling, 0.0)
    by = {k: into[k][zone][:, :, None] * filling[:, None, :] for k in into}
    inward = closed + sum(into[k] @ getattr(found.moved, k) for k in into)
    return replace(
        row,
        constant=row.constant - filling * inward[zone],
        by_injection=row.by_injection + by["injected"],
        by_regulator=row.by_regulator + by["through"],
        by_compressor=row.by_compressor + by["lifted"],
        by_gate=row.by_gate + by["let_in"],
    )


def _into_zones(check: GasCheck) -> dict[str, np.ndarray]:
    """Tell which part of what is decided flows into each zone, (zone, element): 1, and -1 out of it."""
    network, zone, zones = check.network, check.zones.of_junction, np.arange(check.zones.count)[:, None]

    def to(junction: np.ndarray) -> np.ndarray:
        return np.asarray((zone[junction][None] == zones).astype(np.float64))

    return {
        "injected": to(check.injects_at),
        "let_in": to(network.gate_at),
        "through": to(network.regulator_to) - to(network.regulator_from),
        "lifted": to(check.lifts["to"]) - to(check.lifts["from"]),
    }


def _as_passed(
    about: SharesAbout,
    moved: Moved,
    upgrader: int,
    by: np.ndarray,
    at: tuple[np.ndarray, np.ndarray],
    slopes: np.ndarray,
    shares_at: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Slopes by an upgrader of the share that it brings beyond a limit first, at least those with which it is.

    Where it jumps, as where gas turns to a junction that takes next to nothing, a row is tight before it does. Steps
    are those of `at` (junction, step); `shares_at` are those before and after `by` kW more.
    """
    (share, past), most = shares_at, about.most[at]
    slopes = np.maximum(slopes, np.divide(past - share, by, out=slopes.copy(), where=by > JUMP))
    tight = moved.injected.copy()
    part = np.divide(most - share, slopes, out=np.zeros_like(slopes), where=slopes > 0)
    tight[upgrader, at[1]] += np.clip(part, 0.0, by)
    jumps = (about.at(replace(moved, injected=tight))[at] > most + SHARE / 2) & (by > JUMP)
    return np.asarray(np.where(jumps, np.maximum(slopes, (most - share) / JUMP), slopes))


def _steeper(about: SharesAbout, moved: Moved, share: np.ndarray, slopes: np.ndarray, passed: np.ndarray) -> np.ndarray:
    """Let rows also keep each upgrader to what it may inject alone: flows can turn where the others inject less."""
    found, steps = slopes.copy(), np.arange(passed.shape[1])
    for own in passed:
        for v, other in enumerate(passed):
            apart = own != other
            found[own[apart], v, steps[apart]] = 0.0
    effect = found * moved.injected
    for u in range(len(moved.injected)):
        alone = about.alone(u)
        reached = about.at(alone) >= about.most - SHARE
        others = effect.sum(axis=1) - effect[:, u]
        room = np.maximum(alone.injected[u] - moved.injected[u], LEAST_STEP)
        steeper = (np.where(reached, about.most, share) - share + others) / room
        found[:, u] = np.where(reached, np.maximum(found[:, u], steeper), found[:, u])
    return found
