"""The figures of biogas plants and the gas network over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.report.charts import Figure, Part, band_figure, line_of, plot_over_time
from dispatch.report.gas_totals import gas_day, in_plant_zones, linepack
from dispatch.report.plot import Shape, columns_of, level, ribbon, scale_of
from dispatch.report.tightness import largest
from dispatch.report.words import number

if TYPE_CHECKING:
    from dispatch.report.gas_totals import GasDay
    from dispatch.report.outcome import Outcome
    from dispatch.report.words import Clock

ROOM = 0.02
"""Kept free beyond the calorific values that are drawn. [kWh/m3]"""


def gas_figures(outcome: Outcome, clock: Clock) -> tuple[Figure, ...]:
    """Figures of a case with plants: raw gas, holder, uptake and injection, pressures, calorific value.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.
    clock : Clock
        Steps in local time.

    Returns
    -------
    tuple of Figure
        None in a case without plants and gas network; without those of the network where it has no state.
    """
    if not outcome.steps:
        return ()
    day, found = gas_day(outcome), list[Figure]()
    if outcome.count("plant"):
        found += [_raw(outcome, day, clock), _holder(outcome, day, clock)]
    if outcome.count("upgrader"):
        found.append(_uptake(outcome, day, clock))
    if outcome.count("upgrader") or not outcome.count("plant"):
        found.append(_pressure(outcome, clock))
        if np.isfinite(packed := linepack(outcome)).any():
            found.append(_linepack(packed, clock))
        found.append(_calorific(outcome, clock))
    return tuple(found)


def gas_price_figure(outcome: Outcome, clock: Clock) -> Figure | None:
    """Draw what one more kWh of gas would cost, over the junctions of zones with a way to a gate."""
    price = outcome.series["marginal_price_gas"]
    if not price.size or np.isnan(price).all():
        return None
    ends = [e for e in (-largest(-price), largest(price)) if np.isfinite(e)]
    scale = scale_of(min([0.0, *ends]), max([0.0, *ends]))
    lines = (level(scale, 0.0, "zero", ""),)
    title, name = "What limits add to the price of gas", f"price, {outcome.currency} per kWh"
    return band_figure("gas-price", title, price, scale, clock, name, lines, "after", 4)


def _raw(outcome: Outcome, day: GasDay, clock: Clock) -> Figure:
    """Draw where raw gas goes, stacked."""
    uses = (
        ("battery", "upgraded and injected", day.upgraded),
        ("load", "burnt in engines", day.engines),
        ("grid", "burnt in boilers", day.boilers),
        ("loses", "flared", day.flared),
    )
    scale = scale_of(0.0, largest(np.nan_to_num(sum(v for _, _, v in uses))))
    base, shapes, parts = np.zeros(outcome.steps), [], []
    for style, name, values in uses:
        top = base + np.nan_to_num(values)
        shapes.append(Shape(f"fill-{style}", ribbon(scale.at(columns_of(base)), scale.at(columns_of(top)))))
        parts.append(Part(f"fill-{style}", name, f"{number(float(np.nan_to_num(values).sum()) * outcome.dt, 0)} m³"))
        base = top
    title = "Where raw gas goes"
    told = "Stacked areas over local time. " + "; ".join(f"{p.name} {p.amount}" for p in parts) + "."
    return Figure(plot_over_time("gas-raw", title, told, shapes, scale, clock, "raw gas, m³/h"), tuple(parts))


def _holder(outcome: Outcome, day: GasDay, clock: Clock) -> Figure:
    """Draw what the holders hold."""
    most = float(outcome.tables["plant"]["holder_nom"].sum())
    scale = scale_of(0.0, max(most, largest(day.holder)))
    ends = f"{number(-largest(-day.holder), 0)} to {number(largest(day.holder), 0)} m³"
    part = Part("line-after", "at the end of each step", ends)
    told = f"Raw gas held, {ends}, of at most {number(most, 0)} m³."
    shapes, lines = [line_of("after", day.holder, scale)], (level(scale, most, "limit", f"full {number(most, 0)}"),)
    return Figure(plot_over_time("gas-holder", "Gas holder", told, shapes, scale, clock, "raw gas, m³", lines), (part,))


def _uptake(outcome: Outcome, day: GasDay, clock: Clock) -> Figure:
    """Draw what is injected beside what the network's consumers take."""
    rows = (
        ("before", "injected without control", day.injected_uncontrolled),
        ("limit-series", "taken by consumers: the uptake limit, without what the pipes hold", day.taken),
        ("after", "injected", day.injected),
    )
    scale = scale_of(0.0, max(largest(values) for _, _, values in rows))
    shapes = [line_of(style, values, scale) for style, _, values in rows]
    parts = tuple(
        Part(f"line-{style}", name, f"{number(float(np.nan_to_num(values).sum()) * outcome.dt, 0)} m³")
        for style, name, values in reversed(rows)
    )
    told = "; ".join(f"{p.name} {p.amount}" for p in parts) + "."
    plot = plot_over_time("gas-uptake", "Uptake limit and injection", told, shapes, scale, clock, "gas, m³/h")
    return Figure(plot, parts)


def _pressure(outcome: Outcome, clock: Clock) -> Figure:
    """Draw lowest, median and highest pressure of the zones with a plant."""
    inside = in_plant_zones(outcome)
    pressure, junction = outcome.series["pressure"][inside], outcome.tables["junction"]
    limits = [("at least", np.fmax.reduce(junction["pressure_min"][inside], initial=np.nan)),
              ("at most", np.fmin.reduce(junction["pressure_max"][inside], initial=np.nan))]  # fmt: skip
    known = [(word, float(value)) for word, value in limits if np.isfinite(value)]
    ends = [e for e in (-largest(-pressure), largest(pressure)) if np.isfinite(e)] + [v for _, v in known]
    scale = scale_of(min(ends, default=0.0), max(ends, default=1.0))
    lines = tuple(level(scale, value, "limit", f"{word} {number(value, 3)}") for word, value in known)
    return band_figure(
        "gas-pressure", "Gas pressure", pressure, scale, clock, "absolute pressure, bar", lines, "after", 3
    )


def _linepack(packed: np.ndarray, clock: Clock) -> Figure:
    """Draw what pipes above 4 bar gauge hold."""
    least, most = -largest(-packed), largest(packed)
    room = ROOM * max(most - least, 1.0)
    scale = scale_of(least - room, most + room)
    ends = f"{number(least, 0)} to {number(most, 0)} kWh"
    told = f"Gas in pipes above 4 bar (gauge), {ends}."
    part = Part("line-after", "at the end of each step", ends)
    shapes = [line_of("after", packed, scale)]
    return Figure(plot_over_time("gas-linepack", "Linepack", told, shapes, scale, clock, "gas, kWh"), (part,))


def _calorific(outcome: Outcome, clock: Clock) -> Figure:
    """Draw lowest, median and highest calorific value of the zones with a plant; that of the network's gas fits in."""
    value, gas = outcome.series["calorific_value"][in_plant_zones(outcome)], outcome.heating_value
    ends = [e for e in (-largest(-value), largest(value)) if np.isfinite(e)]
    scale = scale_of(min([*ends, gas]) - ROOM, max([*ends, gas]) + ROOM)
    title, name = "Calorific value", "higher heating value, kWh/m³"
    return band_figure("gas-calorific", title, value, scale, clock, name, (), "after", 2)
