"""Runs under a deadline: proven where there is time, and otherwise the best so far with a bound that is valid."""

from __future__ import annotations

import pytest
from small_town import small_town

from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings


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
