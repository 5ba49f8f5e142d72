from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.suite import biomethane


def test_days_are_counted_by_hand() -> None:
    demand = np.array([10.0, 4.0, 2.0, 20.0])
    found = biomethane.limited(np.array([5.0, 5.0, 5.0, 5.0]), demand, np.array([5, 6, 7, 12]))
    assert found["share %"] == pytest.approx(100 * 20 / 36)
    assert found["limited days a year"] == pytest.approx(2 * 365.25 / 4)
    assert found["in June to August"] == pytest.approx(2 * 365.25 / 4)
    assert found["does not fit %"] == pytest.approx(100 * (1 + 3) / 20)
    assert found["lowest day %"] == pytest.approx(100 * 2 / 9)


@pytest.mark.skipif(not biomethane.FILE.exists(), reason="the shared data are not beside this checkout")
def test_measured_days_are_read_with_their_signs() -> None:
    """Denmark used about 25 TWh of gas in 2018, 7.5 % of it biomethane injected into the network."""
    table = biomethane.days(biomethane.FILE)
    year = table[table.index.year == 2018]
    assert 25e9 < year["demand"].sum() < 32e9
    assert 0.05 < year["biomethane"].sum() / year["demand"].sum() < 0.12
    rows = list(biomethane.measure(small=True))
    assert [row.get("failure") for row in rows] == [None] * 3
    assert rows[1]["share %"] == pytest.approx(10)


def test_without_the_data_the_study_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(biomethane, "FILE", Path("nowhere.csv"))
    (row,) = biomethane.measure(small=False)
    assert "shared/data/gas" in row["failure"]
