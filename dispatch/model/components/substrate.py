"""What a biogas plant is fed with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyomo.core import exp

if TYPE_CHECKING:
    from dispatch.model.component import Block

UNFED_PRICE = 110.6  # money per normal m3 of methane: 10 per kWh, as for all that is not served


def substrate(b: Block, p: Any) -> None:
    """Feed a given amount a day, no faster than the ramp; give methane by exact first-order kinetics."""
    feed = b.state("feed", p.feed_lowest, p.feed_highest)
    b.constraint("ramp_up", feed - feed.previous <= p.ramp)
    b.constraint("ramp_down", feed.previous - feed <= p.ramp)
    # Both bounds follow from the rows, but step by step: stated, they spare the proof a pass over the rows for each.
    rate = b.state("gas_rate", 0, p.gas_rate_most, initial=p.gas_rate_initial)
    fed = b.state("fed_today", 0, p.fed_most, reset="day")
    unfed, short = b.window("unfed", over="day"), b.window("rate_short", over="horizon")
    kept = exp(-p.dt / p.tau)
    b.constraint("kinetics", rate == kept * rate.previous + (1 - kept) * p.methane_yield * feed)
    b.constraint("count", fed == fed.previous + p.dt * feed)
    b.constraint("daily", fed + unfed == p.feed_due, when="day_end")
    b.constraint("final", rate + short >= p.gas_rate_final, when="end")
    b.cost(p.dt * p.price * feed)
    b.cost(UNFED_PRICE * p.methane_yield * unfed, over="day")
    b.cost(UNFED_PRICE * p.tau * short, over="horizon")
    # What is not in the digester any more has come: the mean of the step, with the inventory tau * rate.
    b.inject("plant", methane=p.methane_yield * feed - p.tau / p.dt * (rate - rate.previous))
