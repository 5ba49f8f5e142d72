"""Limits that feeders share which are too many for one worker: a sample's prices, then groups under shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tiny import Here, write_utility

from dispatch.batch import apart, joined, planning
from dispatch.batch.journal import read_journal
from dispatch.batch.results import open_results
from dispatch.batch.run_batch import run_batch

if TYPE_CHECKING:
    from pathlib import Path

EXPORT_KW, FEEDERS = 16.0, 4
QUIET = {"workers": 1, "report": False}


@pytest.mark.slow
def test_groups_under_shares_reach_what_all_together_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "LEAST_S", 0.0)
    monkeypatch.setattr(planning, "GROUP_S", 1e-9)
    utility = write_utility(tmp_path / "u", FEEDERS, houses=2)
    (utility / "shared.toml").write_text(f'[[limit]]\nid = "substation"\np_export_max = {EXPORT_KW}\n')
    whole = run_batch(utility, tmp_path / "whole", executor=Here(), **QUIET).shared
    monkeypatch.setattr(joined, "MOST_TOGETHER", 0)
    monkeypatch.setattr(apart, "SAMPLE", 0)
    parts = run_batch(utility, tmp_path / "parts", executor=Here(), **QUIET).shared
    assert whole is not None
    assert parts is not None
    stages = {r["stage"] for r in read_journal(tmp_path / "parts") if r["what"] == "round"}
    assert any(s.endswith("o") for s in stages)
    assert parts["gap"] <= 1e-4
    # Losses are those of other schedules: the same but for what a limit may be exceeded by.
    assert parts["objective_relaxation"] == pytest.approx(whole["objective_relaxation"], rel=2e-3)
    lines = open_results(tmp_path / "parts")["schedule"]["p_line"].to_numpy().sum(axis=0)
    assert lines.min() >= -EXPORT_KW * (1 + 1e-3)
    assert np.isclose(lines, -EXPORT_KW, rtol=2e-3).any()
