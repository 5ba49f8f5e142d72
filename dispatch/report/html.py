"""One self-contained page: no script, no request, the same bytes every time."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from dispatch.case.netcdf import write_atomically
from dispatch.report import charts, words
from dispatch.report.feeders import feeder_figures
from dispatch.report.gas_accounts import account_rows
from dispatch.report.gas_charts import gas_figures, gas_price_figure
from dispatch.report.gas_totals import gas_totals
from dispatch.report.gas_words import gas_sentences
from dispatch.report.headline import headline
from dispatch.report.limits import binding_limits, reinforcements, unmet_limits, without_prices
from dispatch.report.outcome import Outcome, read_outcome
from dispatch.report.proof import proof_rows
from dispatch.report.tightness import State, network_state
from dispatch.report.totals import totals
from dispatch.report.town_map import town_maps
from dispatch.report.transformers import transformer_rows
from dispatch.report.words import Clock

if TYPE_CHECKING:
    import os

    import xarray as xr

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
OPEN_FEEDERS, MOST_BINDING, MOST_UNMET, MOST_REINFORCED = 30, 25, 200, 10
"""Rows that are shown at once; more feeders are one click away, other tables are cut and say so."""


def write_report(result: xr.DataTree, path: str | os.PathLike[str]) -> None:
    """Write the page of a result, whole or not at all.

    The page holds what a person asks first. For a figure of your own, the result is plain xarray::

        import dispatch

        result = dispatch.load_case("SCHEDULE.nc")
        v = result["schedule"]["v_pu"]                      # (bus, time)
        v.max("bus").plot()                                 # highest voltage over the day; needs matplotlib
        v.sel(bus=b"area-3-17").plot()                      # one bus by its id

    Parameters
    ----------
    result : DataTree
        What a run returned or `dispatch.load_case` read.
    path : path-like
        File to write; an old one is replaced.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    write_atomically(path, render(result).encode("utf-8"))


def render(result: xr.DataTree) -> str:
    """Text of the page of a result.

    Parameters
    ----------
    result : DataTree
        A case with result groups; what is absent is shown as not known.

    Returns
    -------
    str
        HTML.
    """
    return _template().render(_content(read_outcome(result)))


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    names = ("number", "money", "percent", "scientific", "plural")
    environment.filters.update({name: getattr(words, name) for name in names})
    return environment.from_string(_file("report.html"))


def _file(name: str) -> str:
    return resources.files("dispatch.report").joinpath(name).read_text(encoding="utf-8")


def _content(outcome: Outcome) -> dict[str, Any]:
    """Everything the template shows."""
    clock = Clock.of(outcome.time, outcome.dt, outcome.time_zone)
    with_control, without = network_state(outcome), network_state(outcome, "_uncontrolled")
    run = totals(outcome)
    feeders, binding, unmet = (
        feeder_figures(outcome, with_control, without),
        binding_limits(outcome),
        unmet_limits(outcome),
    )
    return {
        "style": Markup(_file("report.css")),  # noqa: S704  the package's own file
        "policy": POLICY,
        "outcome": outcome,
        "clock": clock,
        "run": run,
        "said": headline(outcome, run, with_control, without, clock),
        "maps": town_maps(outcome, with_control, without, clock) if _has_buses(outcome) else (),
        **_figures(outcome, clock),
        **_gas(outcome, clock),
        "transformers": transformer_rows(outcome, with_control, without, clock),
        "feeders": feeders,
        "open_feeders": OPEN_FEEDERS,
        "binding": binding[:MOST_BINDING],
        "without_prices": without_prices(outcome),
        "reinforcements": reinforcements(outcome)[:MOST_REINFORCED],
        "binding_more": max(0, len(binding) - MOST_BINDING),
        "unmet": unmet[:MOST_UNMET],
        "unmet_more": max(0, len(unmet) - MOST_UNMET),
        "over": _over(with_control),
        "over_before": _over(without),
        "proof": proof_rows(outcome, run),
    }


def _has_buses(outcome: Outcome) -> bool:
    return outcome.count("bus") > 0 and not outcome.gas_alone


def _gas(outcome: Outcome, clock: Clock) -> dict[str, Any]:
    gas = gas_totals(outcome)
    if gas is None:
        return {"gas": (), "gas_said": (), "gas_price": None, "accounts": (), "plants": 0}
    return {
        "plants": gas.plants,
        "accounts": account_rows(outcome, clock),
        "gas": gas_figures(outcome, clock),
        "gas_said": gas_sentences(outcome, gas),
        "gas_price": gas_price_figure(outcome, clock),
    }


def _over(state: State) -> int:
    return int(state.bus.over.sum() + state.branch.over.sum())


def _figures(outcome: Outcome, clock: Clock) -> dict[str, Any]:
    series, currency = outcome.series, outcome.currency
    if not outcome.steps:
        return {"energy": None, "exchange": None, "voltage": (), "loading": (), "price": None, "savings": ()}
    saved = [("savings", "Saved against no control", series["cost_uncontrolled"] - series["cost"])]
    if not outcome.gas_alone:
        saved.append(("savings-battery", "Saved against no battery", series["cost_no_battery"] - series["cost"]))
    return {
        "energy": charts.energy_figure(outcome, clock),
        "exchange": charts.exchange_figure(outcome, clock),
        "voltage": charts.voltage_figures(outcome, clock) if _has_buses(outcome) else (),
        "loading": charts.loading_figures(outcome, clock) if outcome.count("transformer") else (),
        "price": charts.price_figure(outcome, clock),
        "savings": tuple(charts.savings_figure(*each, currency) for each in saved),
    }
