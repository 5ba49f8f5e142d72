"""The result in three sentences: is it fine, how much does it save, where is it tightest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.report.forecast_used import forecast_used
from dispatch.report.words import UNKNOWN, number, percent, plural

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome
    from dispatch.report.tightness import State
    from dispatch.report.totals import Totals
    from dispatch.report.words import Clock

PROVEN = 1e-6
CONVERGED = {"optimal", "gap", "limits_unmet"}


@dataclass(frozen=True)
class Headline:
    """What the report and the terminal say first.

    Attributes
    ----------
    tone : str
        ``good``, ``warn`` or ``bad``.
    verdict, detail, scope, tightest, before, forecast : str
        Is it fine; why; of what; where it is tightest; what the town is like without control; from what its series
        were forecast.
    """

    tone: str
    verdict: str
    detail: str
    scope: str
    tightest: str
    before: str
    forecast: str = ""


def headline(outcome: Outcome, run: Totals, with_control: State, without: State, clock: Clock) -> Headline:
    """Say whether the schedule is fine.

    Parameters
    ----------
    outcome, run : Outcome, Totals
        What was read of a result, and its sums.
    with_control, without : State
        The network's tightest hours in both states.
    clock : Clock
        Steps in local time.

    Returns
    -------
    Headline
    """
    tone, verdict, detail = _verdict(outcome, run, with_control, clock)
    counts = (plural(outcome.count(kind), noun) for kind, noun in (("source", "feeder"), ("prosumer", "prosumer")))
    steps = f"{plural(outcome.steps, 'step')} of {number(60 * outcome.dt, 0)} min"
    scope = ", ".join([outcome.title or "Untitled case", f"{clock.span()} ({clock.name})", *counts, steps])
    return Headline(
        tone,
        verdict,
        detail,
        scope,
        tightest_place(outcome, with_control, clock),
        _before(outcome, without),
        forecast_used(outcome.origins, outcome.limits_at),
    )


def _verdict(outcome: Outcome, run: Totals, state: State, clock: Clock) -> tuple[str, str, str]:
    bad = [s for s in outcome.statuses if s not in CONVERGED]
    over = int(state.bus.over.sum() + state.branch.over.sum())
    if bad or not outcome.statuses:
        which = ", ".join(f"{bad.count(s)} {s.replace('_', ' ')}" for s in dict.fromkeys(bad))
        told = f"{len(bad):,} of {plural(len(outcome.statuses), 'feeder')} without a schedule: {which}." if bad else (
            "The case has no feeder.")  # fmt: skip
        return "bad", "The schedule is not complete.", told
    if outcome.unmet or "limits_unmet" in outcome.statuses:
        return (
            "bad",
            f"Not every limit can be held: {plural(len(outcome.unmet), 'limit')} unmet.",
            "The list below says where, when, by how much, and the least relaxation that would do.",
        )
    if over:
        return "bad", f"{plural(over, 'element')} beyond a limit by AC power flow.", "Look at the map and the feeders."
    if state.missing_steps:
        missing = f"in {plural(state.missing_steps, 'step')}"
        return (
            "warn",
            f"The AC power flow has no answer {missing}.",
            "Voltages are not known there; do not rely on them.",
        )
    proof = f"at most {percent(run.gap, 4)} above the cheapest possible"
    if not run.gap > PROVEN:
        proof = "not proven to be the cheapest" if np.isnan(run.gap) else "proven to be the cheapest"
    gas = "pressure" in outcome.series and not np.isnan(outcome.series["pressure"]).all()
    checked = " and ".join([*["AC power flow"][outcome.gas_alone :], *["steady gas pressures"][: int(gas)]])
    return "good", f"All limits hold, {clock.span()}.", f"Checked by {checked}; {proof}."


def tightest_place(outcome: Outcome, state: State, clock: Clock) -> str:
    """Say where and when the network comes nearest to a limit, in words."""
    if outcome.gas_alone:
        return UNKNOWN
    best = [(_peak(t.share), kind) for t, kind in ((state.bus, "bus"), (state.branch, "branch"))]
    share, kind = max(best)
    if share < 0:
        return UNKNOWN
    tightest = state.bus if kind == "bus" else state.branch
    k = int(np.nanargmax(tightest.share))
    hour = clock.hour(int(tightest.step[k]))
    if kind == "bus":
        bus = outcome.tables["bus"]
        v = float(tightest.value[k])
        high = v > (bus["v_max_pu"][k] + bus["v_min_pu"][k]) / 2
        limit = f"limit {number(float(bus['v_max_pu' if high else 'v_min_pu'][k]), 2)}"
        return f"bus {outcome.name('bus', k)} at {number(v, 3)} pu ({limit}), {hour}"
    what, name = outcome.branch_name(k)
    return f"{what} {name} at {percent(float(tightest.value[k]))} of its rating, {hour}"


def _peak(share: np.ndarray) -> float:
    known = share[~np.isnan(share)]
    return float(known.max()) if known.size else -1.0


def _before(outcome: Outcome, without: State) -> str:
    """Say what would break without control."""
    if outcome.gas_alone:
        return "no electric network"
    if np.isnan(without.bus.share).all() and np.isnan(without.branch.share).all():
        return "not known without control"
    first = outcome.network.lines
    counts = (without.branch.over[first:].sum(), without.branch.over[:first].sum(), without.bus.over.sum())
    nouns = (("transformer", "transformers"), ("line", "lines"), ("bus", "buses"))
    parts = [f"{n:,} {one if n == 1 else many}" for n, (one, many) in zip(map(int, counts), nouns, strict=True) if n]
    return f"without control: {', '.join(parts)}" if parts else "none without control either"
