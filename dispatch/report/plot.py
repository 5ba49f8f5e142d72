"""Inline SVG from arrays: paths as short text, axes and a frame that fits any width without a script.

A plot has no view box of its own: text is placed in percent of the width and keeps its size on a phone and on a wide
screen, while the drawing itself is stretched in an inner frame whose strokes do not scale.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from dispatch.report.words import MINUS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.report.words import Clock

FRAME = 1000
"""Width of the inner frame in its own units; coordinates are whole numbers of them."""
MOST_POINTS = 720
"""Longer series are drawn in this many columns at most."""


@dataclass(frozen=True)
class Tick:
    """A mark on an axis.

    Attributes
    ----------
    at : float
        Where, as part of the axis. [1]
    label : str
        Its text; empty for a mark only.
    wide : bool
        True: the label is left out on narrow screens.
    """

    at: float
    label: str
    wide: bool = False


@dataclass(frozen=True)
class Scale:
    """A vertical axis from `low` to `high` with round marks."""

    low: float
    high: float
    ticks: tuple[Tick, ...]

    def at(self, values: np.ndarray | float) -> np.ndarray:
        """Height in frame units, downwards; whole numbers, NaN kept."""
        return np.asarray(np.rint(FRAME * (self.high - np.asarray(values, float)) / (self.high - self.low)))


def scale_of(low: float, high: float, *, unit: str = "", percent: bool = False, marks: int = 5) -> Scale:
    """Axis that holds both ends, with marks at round values.

    Parameters
    ----------
    low, high : float
        Least and largest value to show; anything that is not finite counts as 0.
    unit : str
        Written beside the highest mark.
    percent : bool
        True: values are shares and shown in percent.
    marks : int
        About how many marks to set.
    """
    low, high = (v if math.isfinite(v) else 0.0 for v in (low, high))
    if high - low < 1e-9:
        high = low + 1.0
    raw = (high - low) / marks
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    digits = max(0, 2 - math.floor(math.log10(step)) - 2 + (step / size == 2.5)) - (2 if percent else 0)
    ticks = []
    for k in range(first, last + 1):
        shown = f"{(100 if percent else 1) * k * step:,.{max(digits, 0)}f}".replace("-", MINUS)
        suffix = "\N{NO-BREAK SPACE}%" if percent else f" {unit}" if unit and k == last else ""
        ticks.append(Tick((last - k) / (last - first), shown + suffix))
    return Scale(first * step, last * step, tuple(ticks))


def time_ticks(clock: Clock) -> tuple[Tick, ...]:
    """Set marks at round local hours, or at local midnights where the horizon is longer than two days."""
    if len(clock.edges) < 2:
        return ()
    first, last = clock.edges[0].timestamp(), clock.edges[-1].timestamp()
    hours = (last - first) / 3600
    long = hours > 48
    fine = 24 if long else next((s for s in (1, 2, 3, 6) if hours / s <= 9), 6)
    nights = max(1, math.ceil(hours / 24 / 7))
    ticks: list[Tick] = []
    # Quarters of an hour: some zones are off by a half or three quarters.
    start = math.ceil(first / 900)
    count = 0
    for quarter in range(start, math.floor(last / 900) + 1):
        at = clock.edges[0] + timedelta(seconds=quarter * 900 - first)
        at = at.fromtimestamp(quarter * 900, clock.zone)
        if at.minute or at.hour % fine:
            continue
        label = f"{WEEKDAYS[at.weekday()]} {at.day}" if long else f"{at.hour:02d}:00"
        if not long or count % nights == 0:
            wide = bool(len(ticks) % 2) if long else at.hour % (2 * fine) != 0
            ticks.append(Tick((quarter * 900 - first) / (last - first), label, wide))
        count += 1
    return tuple(ticks)


def columns_of(values: np.ndarray, how: np.ufunc | None = None) -> np.ndarray:
    """At most `MOST_POINTS` columns of a long series: means, or what `how` makes of each column's steps."""
    steps = values.shape[-1]
    if steps <= MOST_POINTS:
        return values
    starts = np.linspace(0, steps, MOST_POINTS, endpoint=False).astype(int)
    if how is not None:
        return np.asarray(how.reduceat(values, starts, axis=-1))
    return np.asarray(np.add.reduceat(values, starts, axis=-1) / np.diff(np.append(starts, steps)))


def _edges(count: int) -> np.ndarray:
    return np.rint(np.linspace(0, FRAME, count + 1)).astype(int)


def _runs(known: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop of each unbroken run of true values."""
    change = np.nonzero(np.diff(np.concatenate([[False], known, [False]]).astype(int)))[0]
    return list(zip(change[::2].tolist(), change[1::2].tolist(), strict=True))


def stairs(heights: np.ndarray) -> str:
    """Path of a step function; gaps where it is NaN."""
    edges, path = _edges(len(heights)), []
    for start, stop in _runs(~np.isnan(heights)):
        y = heights[start:stop].astype(int)
        path.append(f"M{edges[start]} {y[0]}{_treads(edges[start : stop + 1], y)}")
    return "".join(path)


def ribbon(low: np.ndarray, high: np.ndarray) -> str:
    """Close a path between two step functions; gaps where either is NaN."""
    edges, path = _edges(len(low)), []
    for start, stop in _runs(~(np.isnan(low) | np.isnan(high))):
        top, bottom = high[start:stop].astype(int), low[start:stop].astype(int)
        if (top == bottom).all():
            continue
        there = _treads(edges[start : stop + 1], top)
        back = _treads(edges[start : stop + 1][::-1], bottom[::-1])
        path.append(f"M{edges[start]} {top[0]}{there}V{bottom[-1]}{back}z")
    return "".join(path)


def _treads(edges: np.ndarray, heights: np.ndarray) -> str:
    """Horizontal and vertical strokes; level stretches are one stroke."""
    turns = np.nonzero(np.diff(heights))[0]
    parts = [f"H{edges[k + 1]}V{heights[k + 1]}" for k in turns.tolist()]
    return "".join([*parts, f"H{edges[-1]}"])


def bars(left: np.ndarray, right: np.ndarray, heights: np.ndarray) -> str:
    """Draw closed bars from the bottom of the frame."""
    boxes = zip(left.astype(int).tolist(), right.astype(int).tolist(), heights.astype(int).tolist(), strict=True)
    return "".join(f"M{a} {FRAME}V{y}H{b}V{FRAME}z" for a, b, y in boxes if y < FRAME)


@dataclass(frozen=True)
class Shape:
    """One path of a plot: its style (a class of the style sheet), its text, and whether it is filled."""

    style: str
    path: str


@dataclass(frozen=True)
class Plot:
    """Everything the template needs to draw a plot.

    Attributes
    ----------
    key : str
        Unique name in the page, for its labels.
    title, description : str
        For people who hear the page.
    shapes : tuple of Shape
        Back to front.
    across, up : tuple of Tick
        Marks below and beside the frame.
    x_name, y_name : str
        What the axes show, with unit.
    lines : tuple of (float, str, str)
        Level lines: height as part of the frame, style, label.
    """

    key: str
    title: str
    description: str
    shapes: tuple[Shape, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    x_name: str
    y_name: str
    lines: tuple[tuple[float, str, str], ...] = field(default=())


def level(scale: Scale, value: float, style: str, label: str) -> tuple[float, str, str]:
    """Level line of a plot at a value of its scale."""
    return ((scale.high - value) / (scale.high - scale.low), style, label)


def pairs(points: Sequence[tuple[float, float, float, float]] | np.ndarray) -> Markup:
    """Path of many separate straight pieces; coordinates are whole numbers, ends relative to starts."""
    whole = np.rint(np.asarray(points, float)).astype(int)
    pieces = [f"M{a} {b}l{c - a} {d - b}" for a, b, c, d in whole.tolist()]
    return Markup("".join(pieces).replace(" -", "-"))  # noqa: S704  digits and letters of our own making
