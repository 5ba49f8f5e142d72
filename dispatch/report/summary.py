"""What a run says at the end: the ``--json`` object and the terminal summary."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from dispatch.report.feeders import Feeder, feeder_figures
from dispatch.report.gas_totals import gas_totals
from dispatch.report.gas_words import gas_sentences
from dispatch.report.headline import Headline, headline
from dispatch.report.limits import binding_limits, reinforcements, unmet_limits, without_prices
from dispatch.report.outcome import Outcome, read_outcome
from dispatch.report.tightness import State, network_state
from dispatch.report.totals import Totals, totals
from dispatch.report.words import Clock, money, number, percent, plural, scientific

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr
    from rich.console import Console

STYLE = {"good": "bold green", "warn": "bold yellow", "bad": "bold red"}
MOST_FEEDERS = 20
"""Rows of the terminal's table; the report has them all."""
MOST_REINFORCED = 5
"""Lines and transformers in the ``--json`` object; `dispatch reinforce` lists them all."""
MOST_SENTENCES = 5
"""Limits that cannot be held, in words; the report has them all."""


def summary_object(result: xr.DataTree, *, times_s: Mapping[str, float], files: Sequence[str]) -> dict[str, Any]:
    """Make the object that ``--json`` prints.

    Parameters
    ----------
    result : DataTree
        What a run returned.
    times_s : mapping of str to float
        Time of each disjoint stage. [s]
    files : sequence of str
        What was written.

    Returns
    -------
    dict
        Strict JSON: what is not known is None, never NaN.
    """
    outcome = read_outcome(result)
    run = totals(outcome)
    figures = {
        "status": outcome.status,
        "objective": run.objective,
        "objective_relaxation": run.objective_relaxation,
        "lower_bound": run.lower_bound,
        "currency": outcome.currency,
        "gap": run.gap,
        "gap_relaxation": run.gap_relaxation,
        "repair_cost": run.repair_cost,
        "residual_primal": run.residual_primal,
        "residual_dual": run.residual_dual,
        "feeders": outcome.count("source"),
        "prosumers": outcome.count("prosumer"),
        "steps": outcome.steps,
        "forecast": dict(outcome.origins),
        "limits_at": outcome.limits_at,
        "limits_unmet": sum(int(u.get("count", 1)) for u in outcome.unmet),
        "unmet": outcome.unmet,
        "reinforcements": [asdict(r) for r in reinforcements(outcome)[:MOST_REINFORCED]],
        "ac": _ac(network_state(outcome), run.v_error_max_pu),
        "uncontrolled": _ac(
            network_state(outcome, "_uncontrolled"), outcome.notes.get("v_error_uncontrolled_max_pu", math.nan)
        ),
        "gas": None if (gas := gas_totals(outcome)) is None else gas.as_dict(),
        "times_s": dict(times_s),
        "method": outcome.method,
        "files": list(files),
    }
    return {key: _strict(value) for key, value in figures.items()}


def _ac(state: State, v_error_max_pu: float) -> dict[str, float]:
    return {
        "v_error_max_pu": v_error_max_pu,
        "v_violation_max_pu": state.v_violation_max_pu,
        "loading_max_pu": state.loading_max_pu,
    }


def _strict(value: Any) -> Any:
    """Turn a value into strict JSON: plain types, None for what is not finite."""
    if isinstance(value, dict):
        return {str(k): _strict(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(v) for v in value]
    if isinstance(value, bool | str | int) or value is None:
        return value
    try:
        return float(value) if math.isfinite(value) else None
    except (TypeError, ValueError):
        return str(value)


def print_summary(result: xr.DataTree, console: Console) -> None:
    """Print what happened, feeder by feeder, what binds and what to look at next.

    Parameters
    ----------
    result : DataTree
        What a run returned.
    console : Console
        Where to print; 80 columns are enough.
    """
    outcome = read_outcome(result)
    run = totals(outcome)
    with_control, without = network_state(outcome), network_state(outcome, "_uncontrolled")
    feeders = feeder_figures(outcome, with_control, without)
    clock = Clock.of(outcome.time, outcome.dt, outcome.time_zone)
    said = headline(outcome, run, with_control, without, clock)
    console.print()
    console.print(Text(said.verdict, style=STYLE[said.tone]))
    console.print(Text(said.detail))
    console.print(Text(f"{said.scope}.", style="dim"))
    if said.forecast:
        console.print(Text(said.forecast, style="dim"))
    console.print()
    console.print(_feeder_table(feeders, outcome.currency))
    if len(feeders) > MOST_FEEDERS:
        console.print(Text(f"{len(feeders) - MOST_FEEDERS:,} more feeders are less tight.", style="dim"))
    _print_money(console, outcome, run, said, broken=bool(without.bus.over.any() or without.branch.over.any()))
    _print_limits(console, outcome)


def _feeder_table(feeders: list[Feeder], currency: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
    table.add_column("feeder", overflow="ellipsis", no_wrap=True, max_width=16, min_width=6)
    table.add_column("status", no_wrap=True)
    for name in ("houses", "tightest", "loading", "v min", "v max", "curtailed", f"saved {currency}"):
        table.add_column(name, justify="right", no_wrap=name != "curtailed")
    for f in feeders[:MOST_FEEDERS]:
        style = "red" if f.over else ""
        cells = (
            f.name, f.status, f"{f.prosumers:,}", percent(f.tightest), percent(f.loading_max_pu),
            number(f.v_min_pu, 3), number(f.v_max_pu, 3), percent(f.curtailed, 1), number(f.saved, 2),
        )  # fmt: skip
        table.add_row(*(Text(c, style=style) for c in cells))
    return table


def _print_money(console: Console, outcome: Outcome, run: Totals, said: Headline, *, broken: bool) -> None:
    currency = outcome.currency
    console.print()
    against = [_against(run.saved, currency, "no control" + (", which breaks limits" if broken else ""))]
    if outcome.count("store"):
        against.append(
            _against(run.saved_no_battery, currency, "no battery" + (", whatever the limits" if broken else ""))
        )
    console.print(Text(f"Cost {money(run.cost, currency)}: {'; '.join(against)}."))
    if not outcome.gas_alone:
        console.print(Text(f"Tightest: {said.tightest}."))
    if (gas := gas_totals(outcome)) is not None:
        console.print(Text(" ".join(gas_sentences(outcome, gas))))
    console.print(
        Text(
            f"Proof: gap {scientific(run.gap)} of the schedule, {scientific(run.gap_relaxation)} of the last program; "
            f"residuals {scientific(run.residual_primal)} and {scientific(run.residual_dual)}."
        )
    )


def _against(saved: float, currency: str, what: str) -> str:
    return f"{money(abs(saved), currency)} {'more than with' if saved < 0 else 'saved against'} {what}"


def _print_limits(console: Console, outcome: Outcome) -> None:
    binding = binding_limits(outcome)
    if binding:
        first = binding[0]
        console.print(
            Text(
                f"{plural(len(binding), 'limit')} with a price; most valuable: {first.limit} of {first.kind} "
                f"{first.element}, {number(first.hours, 1)} h, on average {number(first.average, 4)} {first.unit}; "
                f"one percent more of it would save {money(first.worth, outcome.currency)}."
            )
        )
        for r in reinforcements(outcome)[:1]:
            saved = money(r.estimate, outcome.currency)
            console.print(
                Text(f"10 % more rating of {r.kind} {r.element} would save at most {saved}, more than of any other.")
            )
    else:
        console.print(Text(without_prices(outcome)))
    if outcome.unmet:
        console.print(Text(f"{plural(len(outcome.unmet), 'limit')} cannot be held:", style="bold red"))
        for u in unmet_limits(outcome)[:MOST_SENTENCES]:
            console.print(Text(f"  {u.sentence or f'{u.kind} {u.element}: {u.limit}, {u.amount}'}"))
    for message in outcome.messages[:MOST_SENTENCES]:
        console.print(Text(message, style="red"))
