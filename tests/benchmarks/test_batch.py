from __future__ import annotations

from benchmarks.suite import batch


def test_small_study_has_the_promised_columns() -> None:
    (row,) = batch.measure(True)
    assert {"case", "feeders", "prosumers", "wall_s", "peak_gib", "p50_s", "p95_s", "p99_s", "versions"} <= row.keys()
    assert row["failure"] == ""
    assert row["solves"] == row["feeders"] == 1
    assert 0 < row["peak_gib"] < 8
