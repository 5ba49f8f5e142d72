"""Limits that feeders share, by rounds of prices against all feeders as one program with the shared rows stated."""

from __future__ import annotations

import os
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from generated_cases import RECIPES, tables_of
from rebuild.model import Feeder
from rebuild.plain import plain
from rebuild.shared import Shared, together

from dispatch.batch.journal import read_journal
from dispatch.batch.kept import read_feeders
from dispatch.batch.round_records import RoundRecords
from dispatch.batch.run_batch import run_batch
from dispatch.batch.status import status_of
from dispatch.case.netcdf import save_case
from dispatch.case.schema import build_case
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

GAP = 1e-4


@dataclass(frozen=True)
class Utility:
    """Feeders of one recipe, and what they share as parts of what they do without a limit."""

    recipe: str
    seed: int
    feeders: int = 2
    import_share: float = np.inf
    export_share: float = np.inf
    rating_share: float = np.inf
    emission_share: float = np.inf
    unmet: bool = False


UTILITIES = [
    Utility("wide limits", 1, import_share=0.7),
    Utility("wide limits", 2, export_share=0.6),
    Utility("wide limits", 3, rating_share=0.7),
    Utility("wide limits", 4, emission_share=0.8),
    Utility("wide limits", 5, 3, import_share=0.8, export_share=0.8),
    Utility("wide limits", 6, import_share=0.05),
    Utility("plain", 1, import_share=0.8),
    Utility("plain", 2, export_share=0.5),
    Utility("plain", 3, 3, rating_share=0.8),
    Utility("green-only", 1, export_share=0.6),
    Utility("green-only, several stores", 2, rating_share=0.7),
    Utility("not curtailable", 1, export_share=0.3),
    Utility("negative prices", 1, import_share=0.7),
    Utility("negative prices and losses", 2, emission_share=0.7),
    Utility("peak price", 1, import_share=0.8),
    Utility("connection limits", 1, import_share=0.7),
    Utility("loop", 1, rating_share=0.7),
    Utility("taps", 1, export_share=0.7),
    Utility("standing loss", 1, import_share=0.8, emission_share=0.8),
    Utility("cars and tanks", 1, import_share=0.6, unmet=True),
    Utility("cars, tanks and batteries behind one meter", 1, rating_share=0.6),
    Utility("loads that feed in", 1, export_share=0.6, unmet=True),
    Utility("medium voltage", 1, import_share=0.8),
]


QUICK = [UTILITIES[k] for k in (0, 1, 8, 12, 19, 22)]
LONG = bool(os.environ.get("DISPATCH_SHARED_LONG"))
"""All of them take three minutes, in which nothing else is tested."""


class Here(Executor):
    """Does everything at once, in this process."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*args, **kwargs))
        return future


class Night:
    """A utility and its results, with the files of all rounds."""

    def __init__(self, given: Utility, folder: Path) -> None:
        self.recipe, self.folder = RECIPES[given.recipe], folder
        self.utility = folder / "u"
        self.utility.mkdir()
        seeds = range(10 * given.seed, 10 * given.seed + given.feeders)
        self.cases = {f"c{s}": build_case(tables_of(self.recipe, s)[0]) for s in seeds}
        for name, case in self.cases.items():
            save_case(case, self.utility / f"{name}.nc")

    def run(self, limit: Shared, name: str) -> dict[str, Any]:
        """Run it under a limit; what is said of it."""
        rows = {k: v for k, v in vars(limit).items() if np.isfinite(v)}
        if "emission_max" not in rows:
            rows.pop("intensity")
        text = "\n".join(["[[limit]]", 'id = "all"', *(f"{k} = {float(v)!r}" for k, v in rows.items())])
        (self.utility / "shared.toml").write_text(text)
        settings = Settings(horizon_h=self.recipe.steps * self.recipe.step_s / 3600)
        run_batch(self.utility, self.folder / name, settings, executor=Here(), workers=1, report=False)
        shared = status_of(self.folder / name).shared
        assert shared is not None
        return shared

    def repaired(self, name: str) -> bool:
        """Whether the last plans of all together are those in which no store works both ways."""
        files = [
            self.folder / name / "rounds" / f"{r['group']}.{r['stage']}.npz"
            for r in read_journal(self.folder / name)
            if r["what"] == "round" and r["stage"].endswith("j")
        ]
        return bool(files) and bool(read_feeders(files[-1])["*"]["repaired"][0])

    def kept(self, name: str) -> dict[str, Any]:
        """What feeders have kept, by stage and feeder."""
        stages = [(r["stage"], r["group"]) for r in read_journal(self.folder / name) if r["what"] == "round"]
        found: dict[str, Any] = {}
        for stage, group in stages:
            found.setdefault(stage, {}).update(read_feeders(self.folder / name / "rounds" / f"{group}.{stage}.npz"))
        return found

    def program(self, name: str) -> tuple[list[Feeder], np.ndarray, np.ndarray]:
        """The last program of each feeder, and losses and reactive power of the shared rows, as the files say."""
        at = self.kept(name)
        mixes = [s for s in at if s.startswith("m")]
        before = ["1", *mixes[:-1]]
        feeders, losses, q = [], [], []
        for feeder, first in at["1"].items():
            newest = [at[s][feeder] for s in before if "offsets.s" in at[s][feeder]][-1]
            offsets = {n: newest[f"offsets.{n}"] for n in ("v_max", "v_min", "s")}
            feeders.append(Feeder(plain(self.cases[feeder.partition("/")[0]]), offsets, float(first["penalty"][0])))
            last = at[before[-1]][feeder]
            joint = [at[s][feeder]["losses"] for s in stages_after(at, before[-1]) if feeder in at[s]]
            losses.append(joint[-1] if joint else last["losses"] if before[-1] == "1" else last["p"] - last["taken"])
            q.append(last["q"])
        return feeders, np.array(losses), np.array(q)


def stages_after(stages: Iterable[str], stage: str) -> list[str]:
    """Stages after one in which all feeders were solved together."""
    names = list(stages)
    return [s for s in names[names.index(stage) :] if s.endswith("j")]


def limit_of(given: Utility, p: np.ndarray, dt: float) -> Shared:
    """Limits as parts of what feeders take together without any."""
    found = Shared()
    if np.isfinite(given.import_share):
        found = replace(found, p_import_max=given.import_share * max(p.max(), 1.0))
    if np.isfinite(given.export_share):
        found = replace(found, p_export_max=given.export_share * max(-p.min(), 1.0))
    if np.isfinite(given.rating_share):
        found = replace(found, s_nom=given.rating_share * np.abs(p).max())
    if np.isfinite(given.emission_share):
        most = given.emission_share * 0.4 * dt * np.maximum(p, 0).sum()
        found = replace(found, emission_max=most, intensity=0.4)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("given", UTILITIES if LONG else QUICK, ids=lambda u: f"{u.recipe} {u.seed}")
def test_optimum_is_that_of_one_program(given: Utility, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RoundRecords, "forget", lambda _: None)
    night = Night(given, tmp_path)
    loose = night.run(Shared(p_import_max=1e6, p_export_max=1e6), "loose")
    assert loose["rounds"] == 1  # nothing binds
    feeders, losses, q = night.program("loose")
    alone, _ = together(feeders, losses, q, Shared())
    assert loose["lower_bound"] == pytest.approx(alone, abs=2e-6 * max(1.0, abs(alone)))

    limit = limit_of(given, np.array(loose["limits"][0]["p"]), feeders[0].dt)
    found = night.run(limit, "tight")
    feeders, losses, q = night.program("tight")
    optimum, over = together(feeders, losses, q, limit)
    room = max(1.0, abs(optimum))
    assert found["lower_bound"] == pytest.approx(optimum, abs=GAP * room)
    assert found["lower_bound"] <= optimum + 1e-6 * room
    if night.repaired("tight"):  # wasting energy in stores would relieve a limit: plans that do not can cost more
        best, _ = together(feeders, losses, q, limit, one_way=True)
        assert best - GAP * room <= found["objective_relaxation"] <= best + 0.25 * room
    else:
        assert found["objective_relaxation"] == pytest.approx(optimum, abs=GAP * room)
        assert found["gap"] <= GAP
    assert found["objective_relaxation"] >= optimum - 1e-6 * room
    assert found["rounds"] <= 15 + 5 * (found["mixes"] - 1)
    unmet = sum(u["kw"] for u in found["limits"][0]["unmet"] if "kw" in u)
    assert (over.sum() > 1e-3) == given.unmet
    if given.unmet and found["objective"] <= optimum + GAP * room:
        assert unmet == pytest.approx(over.sum(), rel=0.05)
