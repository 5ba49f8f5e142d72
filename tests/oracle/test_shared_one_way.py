"""A shared limit that wasting energy in stores would relieve: what is delivered wastes none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from rebuild.model import Feeder
from rebuild.plain import plain
from rebuild.shared import Shared, together
from tiny import Here, tiny_case

from dispatch.batch.journal import read_journal
from dispatch.batch.kept import read_feeders
from dispatch.batch.results import open_results
from dispatch.batch.round_records import RoundRecords
from dispatch.batch.run_batch import run_batch
from dispatch.case.netcdf import save_case
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

EXPORT_KW, FEEDERS = 11.0, 2
STORE = {"energy_nom": 3.0, "p_nom": 4.0, "efficiency_charge": 0.8, "efficiency_discharge": 0.8}


def test_no_store_works_both_ways_where_that_would_relieve_a_limit(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(RoundRecords, "forget", lambda _: None)
    utility, results = tmp_path / "u", tmp_path / "r"
    utility.mkdir()
    cases = [tiny_case(pv_kw=10.0 + k, pv={"curtailable": False}, store=STORE) for k in range(FEEDERS)]
    for k, case in enumerate(cases):
        save_case(case, utility / f"c{k}.nc")
    (utility / "shared.toml").write_text(f'[[limit]]\nid = "all"\np_export_max = {EXPORT_KW}\n')
    shared = run_batch(utility, results, Settings(), executor=Here(), workers=1, report=False).shared
    assert shared is not None

    (key,) = {r["group"] for r in read_journal(results) if r["what"] == "round"}
    stages = [r["stage"] for r in read_journal(results) if r["what"] == "round"]
    at = {s: read_feeders(results / "rounds" / f"{key}.{s}.npz") for s in stages}
    joints = [s for s in stages if s.endswith("j")]
    assert at[joints[-1]]["*"]["repaired"].all()  # the optimum wastes, and that is worth something
    mixes = ["1", *(s for s in stages if s.startswith("m"))]
    feeders, losses, q = [], [], []
    for name, first in at["1"].items():
        newest = [at[s][name] for s in mixes[:-1] if "offsets.s" in at[s][name]][-1]
        offsets = {n: newest[f"offsets.{n}"] for n in ("v_max", "v_min", "s")}
        feeders.append(Feeder(plain(cases[int(name[1])]), offsets, float(first["penalty"][0])))
        losses.append(at[joints[-1]][name]["losses"])
        q.append(at[mixes[-2]][name]["q"])
    given = feeders, np.array(losses), np.array(q), Shared(p_export_max=EXPORT_KW)
    wasteful, _ = together(*given)
    one_way, over = together(*given, one_way=True)
    assert one_way > wasteful + 0.05
    assert shared["lower_bound"] == pytest.approx(wasteful, abs=1e-4 * wasteful)
    # Directions are chosen one after the other: not the best of all ways, but a way, told with what it exceeds.
    assert one_way - 1e-6 <= shared["objective"] <= 1.1 * one_way
    assert shared["gap_delivered"] == pytest.approx(1 - shared["lower_bound"] / shared["objective"])
    assert over.sum() > 1.0
    assert shared["limits"][0]["hours_unmet"] > 0
    schedule = open_results(results)["schedule"]
    both = np.minimum(schedule["p_charge"].to_numpy(), schedule["p_discharge"].to_numpy())
    assert both.max() < 1e-6
