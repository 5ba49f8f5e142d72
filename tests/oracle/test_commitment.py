"""What runs at its minimum or not at all: rounding, and the integer program against every choice there is."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import pytest
from ours import within
from rebuild.model import Feeder
from rebuild.plain import plain

from dispatch.case.netcdf import save_case
from dispatch.case.schema import build_case
from dispatch.errors import InputError
from dispatch.run import rounds
from dispatch.run.again import rerun
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings
from dispatch.solve import commitment
from dispatch.solve.commitment import Commitment, best_commitment
from dispatch.solve.others import Others

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_cases import plant_tables

MOST = 1e-6


def small(seed: int) -> dict:
    """Four steps in which an engine and upgrading share little gas."""
    tables = plant_tables(steps=4, seed=seed, bounded=True)
    tables["plant"] |= {"holder_nom": [120], "holder_initial": [60]}
    tables["substrate"]["gas_rate_initial"] = [40.0, 10.0]
    tables["chp"] |= {"ramp_pu": [np.inf], "p_initial": [np.nan]}
    tables["upgrader"] |= {"ramp_pu": [np.inf]}
    return tables


def choices(case) -> float:
    """Cheapest of all programs in which each step of both is held to run or not."""
    table, best = plain(case), np.inf
    for held in itertools.product((0.0, 1.0), repeat=8):
        on = {"on_chp": np.array([held[:4]]), "on_upgrader": np.array([held[4:]])}
        try:
            best = min(best, Feeder(table, on).optimum().objective)
        except ArithmeticError:  # cannot be
            continue
    return best


@pytest.mark.parametrize("seed", [1, 4])
def test_integers_find_the_best_of_all_choices(seed, tmp_path):
    case = build_case(small(seed))
    result = optimize(case, Settings(horizon_h=4, integers=True))
    certificate, best = result["certificate"], choices(case)
    assert float(certificate["objective"][0]) == pytest.approx(best, abs=within(best))
    assert certificate["bound_source"].to_numpy() == [b"solver"]
    assert certificate["status"].to_numpy() == [b"optimal"]
    assert float(certificate["lower_bound"][0]) <= best + within(best)
    on = {name: result["offset"][name].to_numpy() for name in ("on_chp", "on_upgrader")}
    own = Feeder(plain(result), on).optimum().objective
    assert float(certificate["objective_relaxation"][0]) == pytest.approx(own, abs=within(own))
    save_case(result, tmp_path / "r.nc")
    assert rerun(tmp_path / "r.nc") == []
    # Rounding costs no less, and no more than it says; the linear bound is below both.
    rounded = optimize(case, Settings(horizon_h=4))["certificate"]
    assert float(rounded["objective"][0]) >= best - within(best)
    assert float(rounded["lower_bound"][0]) <= best + within(best)
    cost = float(rounded["objective"][0]) - float(rounded["objective_relaxation"][0])
    assert cost == pytest.approx(float(rounded["repair_cost"][0]), abs=1e-9)


@pytest.mark.parametrize("integers", [False, True])
@pytest.mark.parametrize("seed", [3, 5])
def test_minimum_and_ramps_hold_in_what_is_delivered(seed, integers):
    tables = plant_tables(steps=24, seed=seed, bounded=True)
    s = optimize(build_case(tables), Settings(integers=integers))["schedule"]
    for name, least, most, before in (("p_chp", 125.0, 125.0, 200.0), ("flow_raw", 88.0, 110.0, None)):
        value = s[name].to_numpy()[0]
        assert ((value <= MOST) | (value >= least - 1e-4)).all()
        steps = np.diff(value if before is None else np.concatenate([[before], value]))
        assert np.abs(steps).max() <= most + 1e-4
        assert ((value > MOST) & (value < least + 1)).any()
    feed = s["feed"].to_numpy()
    assert np.abs(np.diff(feed[0])).max() <= 0.3 + 1e-6
    np.testing.assert_allclose(feed[1], np.float32(tables["forecast"]["feed_given"][1]), rtol=1e-6)


@pytest.mark.parametrize(("seed", "rating"), [(1, 50.0), (1, 70.0), (2, 60.0), (4, 60.0), (5, 50.0)])
def test_choices_learn_what_they_cost_others_where_a_limit_binds(seed, rating, monkeypatch):
    tables, slopes = small(seed), []
    tables["line"]["s_nom"] = [rating]

    def learn(self, *given):
        learned(self, *given)
        slopes.append(float(np.abs(self._tangents[-1][0]).max()))

    learned = Commitment.learn
    monkeypatch.setattr(Commitment, "learn", learn)
    case = build_case(tables)
    certificate = optimize(case, Settings(horizon_h=4, integers=True, rounds=1))["certificate"]
    best = choices(case)
    assert max(slopes) > 0
    assert float(certificate["objective"][0]) == pytest.approx(best, abs=within(best))
    assert float(certificate["lower_bound"][0]) <= best + within(best)
    assert certificate["bound_source"].to_numpy() == [b"solver"]


@pytest.mark.parametrize("seed", [8, 10])
def test_a_search_that_ends_early_tells_its_gap_and_its_bound_is_one(seed, monkeypatch):
    case = build_case(plant_tables(steps=24, seed=seed, bounded=True))
    proven = optimize(case, Settings(integers=True, rounds=1))["certificate"]
    assert proven["status"].to_numpy() == [b"optimal"]
    monkeypatch.setattr(commitment, "NODES", 1)
    stopped = optimize(case, Settings(integers=True, rounds=1))["certificate"]
    best = float(proven["objective"][0])
    assert float(stopped["lower_bound"][0]) <= best + within(best) <= float(stopped["objective"][0]) + 2 * within(best)
    assert stopped["status"].to_numpy() == [b"gap"]


def test_feeders_without_a_choice_say_that_their_bound_is_of_prices():
    tables = small(1)
    tables["bus"] = {"id": ["b0", "b1", "c0", "c1"], "v_nom": [0.4] * 4}
    tables["source"] = {"id": ["grid", "other"], "bus": ["b0", "c0"]}
    tables["line"] = {name: [*values, *values] for name, values in tables["line"].items()}
    tables["line"] |= {"id": ["l", "m"], "bus_from": ["b0", "c0"], "bus_to": ["b1", "c1"]}
    tables["meter"]["bus"] = ["b1", "c1"]
    certificate = optimize(build_case(tables), Settings(horizon_h=4, integers=True))["certificate"]
    assert certificate["bound_source"].to_numpy().tolist() == [b"solver", b"prices"]


@pytest.mark.parametrize("why", ["time", "nodes"])
def test_without_a_choice_the_relaxation_is_rounded(why, monkeypatch):
    deadline = 0.0 if why == "time" else None
    monkeypatch.setattr(commitment, "NODES", 0)
    case = build_case(plant_tables(steps=24, seed=3, bounded=True))
    found, rounded = (
        optimize(case, Settings(integers=integers, method="monolithic", rounds=1, deadline_s=deadline))["certificate"]
        for integers in (True, False)
    )
    for name in ("status", "objective", "lower_bound", "repair_cost"):
        assert found[name].to_numpy() == rounded[name].to_numpy(), name


def test_the_best_choice_is_found_without_knowing_how_little_others_can_use(monkeypatch):
    monkeypatch.setattr(Others, "least_use", lambda _, rows: np.full(len(rows.bound), -np.inf))
    tables = small(1)
    tables["line"]["s_nom"] = [60.0]
    case = build_case(tables)
    best = choices(case)
    certificate = optimize(case, Settings(horizon_h=4, integers=True, rounds=1))["certificate"]
    assert float(certificate["objective"][0]) == pytest.approx(best, abs=within(best))


def test_a_search_leaves_time_for_the_program_that_holds_its_choice(monkeypatch):
    left = []

    def noted(*given):
        left.append(given[-1].left)
        return best_commitment(*given)

    monkeypatch.setattr(rounds, "best_commitment", noted)
    case = build_case(small(1))
    certificate = optimize(case, Settings(horizon_h=4, integers=True, deadline_s=600.0, rounds=1))["certificate"]
    assert 250.0 < left[0] <= 300.0
    assert certificate["status"].to_numpy() == [b"optimal"]
    optimize(case, Settings(horizon_h=4, integers=True, rounds=1))
    assert left[1] == np.inf


def test_integers_need_one_program():
    with pytest.raises(InputError, match="integers"):
        Settings(method="decomposed", integers=True)
