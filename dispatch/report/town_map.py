"""The town map: every line coloured by the hour in which it is tightest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.report.headline import tightest_place
from dispatch.report.layout import Layout, bus_layout
from dispatch.report.plot import pairs
from dispatch.report.words import percent

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome
    from dispatch.report.tightness import State
    from dispatch.report.words import Clock

CLASSES = (0.5, 0.8, 0.95)
"""Bounds of the classes of colour, as parts of the limit that are used."""
CLASS_NAMES = ("below 50 %", "50 to 80 %", "80 to 95 %", "95 to 100 %", "over the limit")
MOST_BRANCHES = 12_000
"""With more branches, each feeder is one dot: the file stays small and the picture readable."""
MOST_TITLED = 200
"""With more transformers their squares bear no text of their own."""


@dataclass(frozen=True)
class Mark:
    """A square or dot.

    Attributes
    ----------
    x, y : float
        Percent of the drawing's width and height.
    rank : int
        Class of colour.
    label : str
        Its text, or empty.
    """

    x: float
    y: float
    rank: int
    label: str


@dataclass(frozen=True)
class TownMap:
    """Everything the template needs to draw one map.

    Attributes
    ----------
    key, title, description : str
        Name in the page, heading, and text for people who hear the page.
    width, height : int
        Size of the drawing in its units.
    lines : tuple of (int, str)
        Class of colour and path, the tightest last so that it lies on top.
    closed : str
        Path of branches out of service.
    marks : tuple of Mark
        Transformers, or feeders where the town is too large.
    dots : bool
        Whether the marks are feeders.
    here : Mark or None
        The tightest place.
    place : str
        The same in words.
    legend : tuple of (int, str, str)
        Class, name, and how many elements.
    note : str
        What is drawn, in words.
    """

    key: str
    title: str
    description: str
    width: int
    height: int
    lines: tuple[tuple[int, str], ...]
    closed: str
    marks: tuple[Mark, ...]
    dots: bool
    here: Mark | None
    place: str
    legend: tuple[tuple[int, str, str], ...]
    note: str


def ranks(share: np.ndarray, over: np.ndarray) -> np.ndarray:
    """Class of colour of each used share, the last where the limit is exceeded, -1 where nothing is known."""
    known = np.where(over, len(CLASSES) + 1, np.searchsorted(CLASSES, share, side="right"))
    return np.where(np.isnan(share), -1, known)


def branch_share(outcome: Outcome, state: State) -> tuple[np.ndarray, np.ndarray]:
    """Find the used share of each branch (rating, or voltage at either end) and where a limit is exceeded."""
    network, v = outcome.network, state.bus.share
    if not network.branches:
        return np.zeros(0), np.zeros(0, bool)
    over = state.bus.over[network.branch_from] | state.bus.over[network.branch_to] | state.branch.over
    ends = np.fmax(v[network.branch_from], v[network.branch_to])
    return np.asarray(np.fmax(state.branch.share, ends)), over


def town_maps(outcome: Outcome, with_control: State, without: State, clock: Clock) -> tuple[TownMap, TownMap]:
    """Draw maps of the town with and without control, drawn alike.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.
    with_control, without : State
        The network's tightest hours in both states.
    clock : Clock
        Steps in local time.

    Returns
    -------
    tuple of TownMap
    """
    layout = bus_layout(outcome)
    return (
        _map(outcome, layout, with_control, "map", "With control", clock),
        _map(outcome, layout, without, "map-before", "Without control", clock),
    )


def _map(outcome: Outcome, layout: Layout, state: State, key: str, title: str, clock: Clock) -> TownMap:
    rank = ranks(*branch_share(outcome, state))
    used = outcome.feeder["branch"] >= 0
    dots = outcome.network.branches > MOST_BRANCHES
    lines = () if dots else _lines(outcome, layout, np.where(used & outcome.network.in_service, rank, -2))
    closed = "" if dots else _path(outcome, layout, ~outcome.network.in_service)
    marks = _feeder_marks(outcome, layout, state) if dots else _transformer_marks(outcome, layout, state, clock)
    counted_ranks = np.array([m.rank for m in marks]) if dots else rank[used]
    legend = tuple((k, CLASS_NAMES[k], f"{int((counted_ranks == k).sum()):,}") for k in range(len(CLASS_NAMES)))
    what = "feeders" if dots else "lines and transformers"
    counted = "; ".join(f"{name}: {count}" for _, name, count in legend)
    return TownMap(
        key,
        title,
        f"{'Map' if layout.geographic else 'Trees'} of {what} by used share of the limit: {counted}.",
        round(layout.width),
        round(layout.height),
        lines,
        closed,
        marks,
        dots,
        _tightest(outcome, layout, state),
        tightest_place(outcome, state, clock),
        legend,
        _note(layout, dots),
    )


def _note(layout: Layout, dots: bool) -> str:
    """Say what is drawn."""
    note = "Each dot is a feeder, at the middle of its buses" if dots else "Squares are transformers"
    if not layout.geographic:
        note = f"The file gives no places: each tree is a feeder, its source at the left. {note}"
    if layout.missing:
        note += f"; {layout.missing:,} bus{'' if layout.missing == 1 else 'es'} without a place not drawn"
    return note


def _path(outcome: Outcome, layout: Layout, pick: np.ndarray) -> str:
    start, stop = outcome.network.branch_from[pick], outcome.network.branch_to[pick]
    points = np.stack([layout.x[start], layout.y[start], layout.x[stop], layout.y[stop]], axis=1)
    return pairs(points[~np.isnan(points).any(axis=1)])


def _lines(outcome: Outcome, layout: Layout, rank: np.ndarray) -> tuple[tuple[int, str], ...]:
    found = ((k, _path(outcome, layout, rank == k)) for k in range(-1, len(CLASS_NAMES)))
    return tuple((k, path) for k, path in found if path)


def _mark(layout: Layout, x: float, y: float, rank: int, label: str) -> Mark:
    return Mark(round(100 * x / layout.width, 2), round(100 * y / layout.height, 2), rank, label)


def _transformer_marks(outcome: Outcome, layout: Layout, state: State, clock: Clock) -> tuple[Mark, ...]:
    first, n = outcome.network.lines, outcome.count("transformer")
    share, step = state.branch.share[first:], state.branch.step[first:]
    rank = ranks(share, state.branch.over[first:])
    marks = []
    for k in np.argsort(rank, kind="stable").tolist():
        bus = outcome.network.branch_to[first + k]
        if outcome.feeder["transformer"][k] < 0 or np.isnan(layout.x[bus]):
            continue
        label = f"{outcome.name('transformer', k)}: {percent(float(share[k]))}, {clock.hour(int(step[k]))}"
        marks.append(
            _mark(layout, float(layout.x[bus]), float(layout.y[bus]), int(rank[k]), label if n <= MOST_TITLED else "")
        )
    return tuple(marks)


def _feeder_marks(outcome: Outcome, layout: Layout, state: State) -> tuple[Mark, ...]:
    bus_feeder, branch_feeder = outcome.feeder["bus"], outcome.feeder["branch"]
    n = outcome.count("source")
    share, over = np.full(n, np.nan), np.zeros(n, bool)
    for feeder, tightest in ((bus_feeder, state.bus), (branch_feeder, state.branch)):
        inside = feeder >= 0
        np.fmax.at(share, feeder[inside], tightest.share[inside])
        over[feeder[inside & tightest.over]] = True
    drawn = (bus_feeder >= 0) & ~np.isnan(layout.x)
    count = np.bincount(bus_feeder[drawn], minlength=n)
    x, y = (np.bincount(bus_feeder[drawn], weights=a[drawn], minlength=n) for a in (layout.x, layout.y))
    rank = ranks(share, over)
    return tuple(
        _mark(layout, float(x[k] / count[k]), float(y[k] / count[k]), int(rank[k]), "")
        for k in np.argsort(rank, kind="stable").tolist()
        if count[k]
    )


def _tightest(outcome: Outcome, layout: Layout, state: State) -> Mark | None:
    """Place the tightest element, where it can be drawn."""
    bus, branch = (np.where(np.isnan(t.share), -1, t.share) for t in (state.bus, state.branch))
    best_bus, best_branch = bus.max(initial=-1), branch.max(initial=-1)
    if max(best_bus, best_branch) < 0:
        return None
    at = np.array([int(bus.argmax())])
    if best_branch > best_bus:
        k = int(branch.argmax())
        at = np.array([outcome.network.branch_to[k]])
        if k < outcome.network.lines:
            at = np.append(at, outcome.network.branch_from[k])
    x, y = float(layout.x[at].mean()), float(layout.y[at].mean())
    return None if np.isnan(x + y) else _mark(layout, x, y, 0, "")
