"""Runs under a deadline: proven where there is time, and otherwise the best so far with a bound that is valid."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from small_town import small_town

from dispatch.case.netcdf import save_case
from dispatch.run.files import run_case
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings
from dispatch.verify.electric import check_physics


@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
def test_a_far_deadline_changes_nothing(method):
    free, bounded = (
        optimize(small_town(), Settings(method=method, deadline_s=s))["certificate"].dataset for s in (None, 600.0)
    )
    assert (free["status"] == bounded["status"]).all()
    assert (free["objective"].to_numpy() == bounded["objective"].to_numpy()).all()


@pytest.mark.parametrize("method", ["monolithic", "decomposed"])
def test_when_time_is_up_a_schedule_and_a_valid_bound_are_returned(method):
    optimum = optimize(small_town(), Settings(method=method, rounds=1))["certificate"].dataset
    stopped = optimize(small_town(), Settings(method=method, rounds=1, deadline_s=0.0))["certificate"].dataset
    assert not (stopped["status"] == b"failed").any()
    assert (stopped["lower_bound"] <= optimum["objective_relaxation"] + 1e-6).all()
    assert (stopped["objective_relaxation"] >= optimum["lower_bound"] - 1e-6).all()


def test_when_time_is_up_by_prices_the_schedule_holds_the_limits_that_bind():
    free = optimize(small_town(), Settings(method="decomposed", rounds=1))
    stopped = optimize(small_town(), Settings(method="decomposed", rounds=1, deadline_s=0.0))
    assert float(np.nansum(free["price/price_transformer_reverse"])) > 0
    found, best = stopped["certificate"].dataset, free["certificate"].dataset
    assert (found["status"] == b"gap").all()
    assert json.loads(found.attrs["unmet"]) == []
    state, _ = check_physics(stopped)
    assert np.nanmax(state.loading_pu) <= 1.005
    assert (found["objective"] < 0.5 * best["objective"]).all()  # more than half of what the optimum earns


def test_of_a_file_the_deadline_counts_from_the_start_of_the_command(tmp_path):
    save_case(small_town(), tmp_path / "case.nc")
    settings = Settings(method="decomposed", rounds=1, deadline_s=600.0)
    late, early = (
        run_case(tmp_path / "case.nc", tmp_path / "s.nc", settings, workers=1, begun=time.monotonic() - spent)
        for spent in (600.0, 0.0)
    )
    assert (late.summary["status"], early.summary["status"]) == ("gap", "optimal")
