from __future__ import annotations

from benchmarks.suite import batch, night_ends


def test_small_study_has_the_promised_columns() -> None:
    (row,) = batch.measure(True)
    assert {"case", "feeders", "prosumers", "wall_s", "peak_gib", "p50_s", "p95_s", "p99_s", "versions"} <= row.keys()
    assert row["failure"] == ""
    assert row["solves"] == row["feeders"] == 1
    assert 0 < row["peak_gib"] < 8


def test_small_study_of_how_nights_end_resumes_what_is_done() -> None:
    (row,) = night_ends.measure(True)
    assert row["feeders"] == 3
    assert row["taken"] == 1000 * row["wall_s"] / 3
