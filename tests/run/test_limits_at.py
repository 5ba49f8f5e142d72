"""Limits held against a quantile of net load: by hand, both ways, through files, and in what comes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_town import SUN, TIME, USE, small_town

import dispatch
from dispatch.case.network import network_of
from dispatch.case.schema import columns
from dispatch.case.slices import split_feeders
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.model.linear import linear_flow
from dispatch.run.follow import follow
from dispatch.run.settings import Settings
from dispatch.solve.limits.room import LOAD_CORRELATION, Deviations, rooms
from dispatch.verify.electric import ac_flow, injections
from dispatch.verify.excess import limits_ac

LEVELS = np.array([0.1, 0.5, 0.9])
WIDE = np.array([0.6, 1.0, 1.5])


def uncertain(**changed):
    """The small town whose load and PV may come otherwise, in proportion."""
    n = 8
    load = np.outer(1 + np.arange(n) / 10, USE)
    sun = np.outer(12.0 * (1 - np.arange(n) / 40), SUN)
    base = columns(small_town(**changed), "forecast")
    names = ("time", "p_load", "q_load", "p_available", "price_import", "price_export")
    forecast = {name: base[name] for name in names}
    forecast["quantile"] = LEVELS
    forecast["p_load_quantile"] = load[:, None] * WIDE[None, :, None]
    forecast["p_available_quantile"] = sun[:, None] * WIDE[None, :, None]
    return small_town(forecast=forecast, **changed)


@pytest.fixture(scope="module")
def held():
    return dispatch.optimize(uncertain(), limits_at=0.9)


def test_rooms_are_those_of_every_error_moved_by_hand():
    """Each row's room from flows of unit injections, load by load, on a feeder with voltages and ratings."""
    case = uncertain()
    network, rng = network_of(case), np.random.default_rng(1)
    n, steps = network.buses, 3
    up, down, sun_up, sun_down = rng.uniform(0, 2, (4, n, steps))
    found = rooms(network, Deviations(up, down, up**2, down**2, sun_up, sun_down, 0 * sun_up), curtailed=False)
    base = linear_flow(network, np.zeros((n, 1)), np.zeros((n, 1)))
    unit = linear_flow(network, np.eye(n), np.zeros((n, n)))
    of_v, of_p = unit.v_squared - base.v_squared, unit.p - base.p
    for rows, amounts in ((of_v, found[0]), (-of_v, found[1]), (of_p, found[2]), (-of_p, found[3])):
        for r in range(len(rows)):
            for t in range(steps):
                a = rows[r]
                sun = max(a @ sun_up[:, t], -a @ sun_down[:, t], 0)
                same = max(a @ down[:, t], -a @ up[:, t], 0)
                apart = sum((a[k] * (down if a[k] > 0 else up)[k, t]) ** 2 for k in range(n))
                wanted = np.sqrt(sun**2 + LOAD_CORRELATION * same**2 + (1 - LOAD_CORRELATION) * apart)
                assert amounts[r, t] == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_costs_more_and_holds_when_it_comes_so(held):
    plain = dispatch.optimize(uncertain())
    assert set(columns(held, "certificate")["status"]) == {b"optimal"}
    assert columns(held, "certificate")["objective"].sum() > columns(plain, "certificate")["objective"].sum() + 0.1
    over = []
    for result in (plain, held):
        sunny = uncertain()
        forecast = sunny["/forecast"].to_dataset()
        sunny["/forecast"] = type(sunny)(forecast.assign(p_available=forecast["p_available_quantile"][:, 2]))
        after = follow(result, sunny)
        excess = limits_ac(sunny, ac_flow(sunny, *injections(sunny, after.p_import, after.p_export)))
        over.append(int(excess.s.sum() + excess.v_max.sum()))
    assert over[0] > 0
    assert over[1] == 0


def test_both_ways_find_the_same_and_every_row_stated_too(held):
    objective = columns(held, "certificate")["objective"]
    for choice in (Settings(method="monolithic"), Settings(method="decomposed"), Settings(all_rows=True)):
        again = columns(dispatch.optimize(uncertain(), replace(choice, limits_at=0.9)), "certificate")
        np.testing.assert_allclose(again["objective"], objective, rtol=1e-6)
        assert (again["gap_relaxation"] <= 1e-6).all()


def test_a_result_is_reproduced_and_its_program_rebuilt(held, tmp_path):
    path = tmp_path / "held.nc"
    dispatch.save_case(held, path)
    assert dispatch.rerun(path) == []
    read = dispatch.load_case(path)
    assert '"limits_at": 0.9' in read["certificate"].attrs["settings"]
    assert (columns(read, "offset")["room_v_max"] >= 0).all()
    assert columns(read, "offset")["room_transformer_reverse"].max() > 1
    assert len(dispatch.rank_reinforcements(read, top=1)["rank"]) >= 1  # solves the last program again and compares
    assert main(["export", "mps", str(path), "-o", str(tmp_path / "held.mps")]) == 0
    assert "room_v_max" not in columns(dispatch.optimize(uncertain()), "offset")


def test_curtailing_everything_always_holds():
    """However wide the quantiles are: what is curtailed cannot come."""
    case = uncertain()
    forecast = case["/forecast"].to_dataset()
    wild = forecast["p_available_quantile"] * np.array([1.0, 1.0, 9.0])[None, :, None].astype(np.float32)
    case["/forecast"] = type(case)(forecast.assign(p_available_quantile=wild))
    result = dispatch.optimize(case, limits_at=0.9)
    assert set(columns(result, "certificate")["status"]) == {b"optimal"}
    feeder = split_feeders(result)[0]
    noon = int(np.argmax(SUN))
    schedule = columns(feeder, "schedule")
    assert (schedule["p_export"] - schedule["p_import"])[:, noon].sum() < 1.0


def test_without_quantiles_it_is_refused_in_words(tmp_path, capsys):
    with pytest.raises(InputError, match="not known of any load or pv"):
        dispatch.optimize(small_town(), limits_at=0.9)
    with pytest.raises(InputError, match=r"at the levels 0.1, 0.5, 0.9"):
        dispatch.optimize(uncertain(), limits_at=0.8)
    with pytest.raises(InputError, match="limits_at"):
        Settings(limits_at=0.3)
    dispatch.save_case(uncertain(), tmp_path / "case.nc")
    options = ["--limits-at", "0.9", "--json", "--no-report", "--workers", "1"]
    assert main(["run", str(tmp_path / "case.nc"), "-o", str(tmp_path / "out.nc"), *options]) == 0
    assert '"limits_at": 0.9' in (tmp_path / "run.json").read_text()
    capsys.readouterr()
    assert TIME[0] == columns(dispatch.load_case(tmp_path / "out.nc"), "schedule")["time"][0]
