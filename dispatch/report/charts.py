"""The figures over time and over prosumers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.report.plot import (
    FRAME,
    Plot,
    Scale,
    Shape,
    Tick,
    bars,
    columns_of,
    level,
    ribbon,
    scale_of,
    stairs,
    time_ticks,
)
from dispatch.report.tightness import largest
from dispatch.report.words import UNKNOWN, money, number, percent

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome
    from dispatch.report.words import Clock


NOTICED = 0.005
"""Half a cent: nobody notices less."""


@dataclass(frozen=True)
class Part:
    """One colour of a figure: its style, its name, its amount in words, and the side on which it is drawn."""

    style: str
    name: str
    amount: str
    side: str = ""


@dataclass(frozen=True)
class Figure:
    """A plot with its legend."""

    plot: Plot
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Day:
    """Power of the whole town in each step, in kW."""

    load: np.ndarray
    pv_used: np.ndarray
    pv_curtailed: np.ndarray
    discharge: np.ndarray
    charge: np.ndarray
    taken: np.ndarray
    given: np.ndarray
    net_uncontrolled: np.ndarray


def day_of_town(outcome: Outcome) -> Day:
    """Sum over all houses; what neighbours exchange cancels, losses of the network are not counted."""
    s = outcome.series
    load, available, curtailed, charge, discharge = (
        s[k].sum(axis=0, dtype=float) for k in ("p_load", "p_available", "p_curtailed", "p_charge", "p_discharge")
    )
    net = (s["p_import"] - s["p_export"]).sum(axis=0, dtype=float)
    before = (s["p_import_uncontrolled"] - s["p_export_uncontrolled"]).sum(axis=0, dtype=float)
    return Day(
        load, available - curtailed, curtailed, discharge, charge, np.maximum(net, 0), np.maximum(-net, 0), before
    )


def _unit(peak: float) -> tuple[float, str]:
    return (1e-3, "MW") if peak >= 2000 else (1.0, "kW")


def energy_figure(outcome: Outcome, clock: Clock) -> Figure:
    """Draw where the town's power comes from (upwards) and where it goes (downwards)."""
    day = day_of_town(outcome)
    sources = (
        ("pv", "PV used", day.pv_used),
        ("battery", "from batteries and cars", day.discharge),
        ("grid", "from the grid above", day.taken),
        ("curtailed", "PV curtailed", day.pv_curtailed),
    )
    uses = (
        ("load", "used in houses", day.load),
        ("battery", "into batteries, cars, heat pumps", day.charge),
        ("grid", "to the grid above", day.given),
    )
    up, down = (np.nan_to_num(sum(v for _, _, v in side)) for side in (sources, uses))
    factor, unit = _unit(max(largest(up), largest(down), 0.0))
    scale = scale_of(-factor * largest(down), factor * largest(up), marks=6)
    shapes: list[Shape] = []
    parts: list[Part] = []
    for sign, side, sense in ((1, sources, "Upwards"), (-1, uses, "Downwards")):
        base = np.zeros(outcome.steps)
        for style, name, values in side:
            top = base + np.nan_to_num(values)
            low, high = (scale.at(sign * factor * columns_of(v)) for v in (base, top))
            shapes.append(Shape(f"fill-{style}", ribbon(low, high)))
            amount = number(float(np.nan_to_num(values).sum()) * outcome.dt * factor, 1 if factor == 1 else 2)
            parts.append(Part(f"fill-{style}", name, f"{amount} {unit}h", sense))
            base = top
    told = "Stacked areas over local time. " + "; ".join(f"{p.name} {p.amount}" for p in parts) + "."
    plot = plot_over_time("energy", "Power of the town", told, shapes, scale, clock, f"power, {unit}",
                      (level(scale, 0.0, "zero", ""),))  # fmt: skip
    return Figure(plot, tuple(parts))


def _most(values: np.ndarray) -> str:
    return number(max(largest(values), 0.0), 2) if not np.isnan(values).all() else UNKNOWN


def exchange_figure(outcome: Outcome, clock: Clock) -> Figure:
    """Draw what the town takes from the grid above, with and without control."""
    day = day_of_town(outcome)
    net, before = day.taken - day.given, day.net_uncontrolled
    both = np.stack([net, before])
    factor, unit = _unit(max(largest(np.abs(both)), 0.0))
    scale = scale_of(min(-factor * largest(-both), 0.0), max(factor * largest(both), 0.0))
    shapes = [line_of("before", before * factor, scale), line_of("after", net * factor, scale)]
    parts = tuple(
        Part(style, name, f"at most {_most(factor * v)} {unit} taken, {_most(-factor * v)} given")
        for style, name, v in (("line-after", "with control", net), ("line-before", "without control", before))
    )
    told = " ".join(f"{p.name}: {p.amount}." for p in parts)
    plot = plot_over_time("exchange", "Exchange with the grid above", told, shapes, scale, clock,
                      f"taken (+) and given (−), {unit}", (level(scale, 0.0, "zero", ""),))  # noqa: RUF001  # fmt: skip
    return Figure(plot, parts)


def voltage_figures(outcome: Outcome, clock: Clock) -> tuple[Figure, Figure]:
    """Draw lowest, median and highest voltage of all buses, with and without control, on one scale."""
    bus = outcome.tables["bus"]
    high = float(bus["v_max_pu"].min()) if outcome.count("bus") else 1.1
    low = float(bus["v_min_pu"].max()) if outcome.count("bus") else 0.9
    after, before = (outcome.series[f"v{suffix}_pu"] for suffix in ("", "_uncontrolled"))
    ends = [e for v in (after, before) for e in (-largest(-v), largest(v)) if np.isfinite(e)]
    scale = scale_of(min([low, *ends]), max([high, *ends]))
    lines = (level(scale, high, "limit", f"limit {high:g}"), level(scale, low, "limit", f"limit {low:g}"))
    return (
        band_figure("voltage", "Voltage with control", after, scale, clock, "voltage, pu", lines, "after", 3),
        band_figure(
            "voltage-before", "Voltage without control", before, scale, clock, "voltage, pu", lines, "before", 3
        ),
    )


def loading_figures(outcome: Outcome, clock: Clock) -> tuple[Figure, Figure]:
    """Draw lowest, median and highest loading of all transformers, with and without control, on one scale."""
    after, before = (outcome.series[f"loading_transformer{suffix}_pu"] for suffix in ("", "_uncontrolled"))
    highest = [e for e in (largest(after), largest(before)) if np.isfinite(e)]
    scale = scale_of(0.0, max([1.0, *highest]), percent=True)
    lines = (level(scale, 1.0, "limit", "rating"),)
    name = "loading, % of rating"
    return (
        band_figure("loading", "Transformers with control", after, scale, clock, name, lines, "after", 0),
        band_figure("loading-before", "Transformers without control", before, scale, clock, name, lines, "before", 0),
    )


def price_figure(outcome: Outcome, clock: Clock) -> Figure:
    """Draw what the limits add to the price of energy, over all buses."""
    price = outcome.series["marginal_price"]
    ends = [e for e in (-largest(-price), largest(price)) if np.isfinite(e)]
    scale = scale_of(min([0.0, *ends]), max([0.0, *ends]))
    return band_figure("price", "What limits add to the price of energy", price, scale, clock,
                 f"price, {outcome.currency} per kWh", (level(scale, 0.0, "zero", ""),), "after", 4)  # fmt: skip


def band_figure(
    key: str,
    title: str,
    values: np.ndarray,
    scale: Scale,
    clock: Clock,
    y_name: str,
    lines: tuple[tuple[float, str, str], ...],
    style: str,
    digits: int,
) -> Figure:
    """Draw lowest, median and highest of many series, (element, step)."""
    low, high = (how.reduce(values, axis=0, initial=np.nan).astype(float) for how in (np.fmin, np.fmax))
    middle = _median(values)
    bottom, top = columns_of(low, np.fmin), columns_of(high, np.fmax)
    shapes = [
        Shape(f"band-{style}", ribbon(scale.at(bottom), scale.at(top))),
        line_of(f"{style}-edge", top, scale),
        line_of(f"{style}-edge", bottom, scale),
        line_of(style, columns_of(middle), scale),
    ]

    def shown(value: float) -> str:
        return percent(value) if "%" in y_name else number(value, digits)

    parts = (
        Part(f"band-{style}", "lowest to highest", f"{shown(-largest(-low))} to {shown(largest(high))}"),
        Part(f"line-{style}", "median", f"{shown(-largest(-middle))} to {shown(largest(middle))}"),
    )
    told = f"{y_name}; " + "; ".join(f"{p.name} {p.amount}" for p in parts) + "."
    return Figure(plot_over_time(key, title, told, shapes, scale, clock, y_name, lines), parts)


def _median(values: np.ndarray) -> np.ndarray:
    """Median over the elements that are known in each step, NaN where none is."""
    if not values.size:
        return np.full(values.shape[1], np.nan)
    ordered = np.sort(values.astype(float), axis=0)  # NaN comes last
    known = (~np.isnan(ordered)).sum(axis=0)
    step = np.arange(values.shape[1])
    half = ordered[np.maximum(known - 1, 0) // 2, step], ordered[np.minimum(known // 2, len(ordered) - 1), step]
    return np.where(known > 0, (half[0] + half[1]) / 2, np.nan)


def line_of(style: str, values: np.ndarray, scale: Scale) -> Shape:
    """Draw a series as a step function."""
    return Shape(f"line-{style}", stairs(scale.at(columns_of(values))))


def plot_over_time(
    key: str,
    title: str,
    told: str,
    shapes: list[Shape],
    scale: Scale,
    clock: Clock,
    y_name: str,
    lines: tuple[tuple[float, str, str], ...] = (),
) -> Plot:
    """Put shapes on a frame over local time."""
    return Plot(key, title, told, tuple(s for s in shapes if s.path), time_ticks(clock), scale.ticks,
                f"local time ({clock.name})", y_name, lines)  # fmt: skip


def savings_figure(key: str, title: str, saved: np.ndarray, currency: str) -> Figure:
    """Draw how many prosumers save how much.

    Parameters
    ----------
    key, title : str
        Name in the page, and what is compared.
    saved : ndarray (prosumer,)
        Saving of each. [currency]
    currency : str
        Its name.
    """
    everyone = saved[~np.isnan(saved)]
    # Whoever has nothing to control is not drawn: one tall bar at zero would hide all others.
    known = everyone[np.abs(everyone) >= NOTICED]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    # A few far outliers would squeeze everyone else into one bar: the ends gather them.
    if known.size > 50:
        low, high = (float(q) for q in np.quantile(known, [0.01, 0.99]))
    across = scale_of(min(low, 0.0), max(high, 0.01), marks=6)
    edges = np.linspace(across.low, across.high, 25)
    edges = np.unique(np.append(edges, 0.0)) if across.low < 0 else edges
    counts = np.histogram(np.clip(known, across.low, across.high), bins=edges)[0].astype(float)
    up = scale_of(0.0, max(float(counts.max()), 1.0), marks=4)
    at = np.rint(FRAME * (edges - across.low) / (across.high - across.low))
    loses = edges[1:] <= 1e-12
    shapes = tuple(
        Shape(style, bars(at[:-1][pick] + 2, at[1:][pick] - 2, up.at(counts[pick])))
        for style, pick in (("fill-loses", loses), ("fill-saves", ~loses))
    )
    ticks = tuple(Tick(1 - t.at, t.label, wide=k % 2 == 1) for k, t in enumerate(across.ticks))
    sides = (("fill-saves", "saves", known[known > 0]), ("fill-loses", "pays more", -known[known < 0]))
    parts = (
        *(
            Part(style, name, f"{len(own):,} of {len(everyone):,}, together {money(float(own.sum()), currency)}")
            for style, name, own in sides
        ),
        Part("fill-same", "the same, not drawn", f"{len(everyone) - len(known):,}"),
    )
    told = "; ".join(f"{p.name}: {p.amount}" for p in parts) + "."
    plot = Plot(key, title, told, tuple(s for s in shapes if s.path), ticks, up.ticks,
                f"saved in the horizon, {currency}", "prosumers")  # fmt: skip
    return Figure(plot, parts)
