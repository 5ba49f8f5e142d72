"""The same town under a newer forecast: solved from where it was left, and from nothing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.feeders import street, town_day
from benchmarks.registry import Benchmark, Reference, Subject, Timing
from benchmarks.suite.town import HARD, hard_day
from dispatch.case.trees import tree_of
from dispatch.run.optimize import optimize
from dispatch.run.rolling import Rolling
from dispatch.run.settings import Settings
from dispatch.run.stages import Stages

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

SIZE = 0.05
"""Standard deviation of what changes in each load and output, relative to itself, and prices by a tenth of a cent."""
SUN = 1.1
"""More sun than was foretold, everywhere and all day."""
SHIPPED = "as shipped, electric side"
ONE, ONE_ROUND = Settings(rounds=1), f"{SHIPPED}, one round"
"""With more sun AC takes two rounds in one area after the update and one from nothing: other programs."""
REPEATS = 7
AREA = 13
"""One of the hard ones; in the other AC takes two rounds, whose last programs are not the same."""


def newer(case: xr.DataTree) -> xr.DataTree:
    """Give the case another forecast of loads, output and prices."""
    rng = np.random.default_rng(3)

    def change(series: xr.Dataset) -> None:
        for name in sorted({"p_load", "p_available"} & set(series.variables)):
            values = series[name].to_numpy()
            values *= np.maximum(1 + SIZE * rng.standard_normal(values.shape), 0).astype(values.dtype)
        values = series["price_import"].to_numpy()
        values += 1e-3 * np.abs(rng.standard_normal(values.shape)).astype(values.dtype)

    return _changed(case, change)


def sunnier(case: xr.DataTree) -> xr.DataTree:
    """Give the case more sun and nothing else."""

    def change(series: xr.Dataset) -> None:
        values = series["p_available"].to_numpy()
        values *= np.float32(SUN)

    return _changed(case, change)


def _changed(case: xr.DataTree, change: Callable[[xr.Dataset], None]) -> xr.DataTree:
    """Copy a case and change its forecast in place."""
    groups = {node.path: node.to_dataset(inherit=False).copy(deep=True) for node in case.subtree}
    change(groups["/forecast"])
    tree = tree_of(groups)
    tree.attrs = dict(case.attrs)
    return tree


@dataclass(frozen=True)
class Update:
    """A case, the same under a newer forecast, and how both are solved."""

    before: xr.DataTree
    newer: xr.DataTree
    settings: Settings


def _update(
    make: Callable[[], xr.DataTree],
    change: Callable[[xr.DataTree], xr.DataTree],
    settings: Settings | None = None,
) -> Update:
    before = make()
    return Update(before, change(before), settings or Settings())


def measured(run: Callable[[Stages], xr.DataTree]) -> Timing:
    """Time the stage in which programs are solved, the middle of some runs."""
    seconds = []
    for _ in range(REPEATS):
        stages = Stages()
        found = run(stages)
        seconds.append(stages.seconds["solve"])
    note = f"the stage `solve` alone, of {sum(stages.seconds.values()):.3g} s in all stages"
    return Timing(sorted(seconds)[REPEATS // 2], None, float(found["certificate/objective_relaxation"].sum()), note)


def from_nothing(update: Update) -> Timing:
    """Solve the newer case as if it were the first."""
    optimize(update.newer, update.settings)  # warms up
    return measured(lambda stages: optimize(update.newer, update.settings, stages=stages))


def from_before(update: Update) -> Timing:
    """Solve the newer case after the older one, each time anew."""

    def run(stages: Stages) -> xr.DataTree:
        town = Rolling(update.settings)
        town.optimize(update.before)
        return town.optimize(update.newer, stages=stages)

    run(Stages())
    return measured(run)


BENCHMARK = Benchmark(
    name="update",
    about="solve again under a newer forecast, from prices, rows and entries of before (target: a ratio of 3)",
    measures={"solve": from_before},
    subjects=lambda: (
        Subject("town", SHIPPED, partial(_update, partial(town_day, "summer"), newer)),
        Subject("town, 10 % more sun", ONE_ROUND, partial(_update, partial(town_day, "summer"), sunnier, ONE)),
        Subject(f"area {AREA}", f"v_max {HARD[AREA]} pu", partial(_update, partial(hard_day, AREA, HARD[AREA]), newer)),
    ),
    small=lambda: (Subject("street", "small", partial(_update, street, newer)),),
    references=(Reference("dispatch: from nothing", from_nothing),),
)
