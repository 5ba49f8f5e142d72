"""Small feeders for tests that ask for them by name."""

from __future__ import annotations

import pytest
from small_feeders import RECIPES, feeder_of, generated, relative

from dispatch.case.offsets import Offsets


@pytest.fixture(name="generated")
def generated_feeder():
    return generated


@pytest.fixture(params=list(RECIPES))
def recipe(request):
    return request.param


@pytest.fixture(name="feeder_of")
def feeder_from_tables():
    return feeder_of


@pytest.fixture
def offsets_like():
    def make(feeder, rng, scale):
        n, m, t = feeder.network.buses, feeder.network.branches, feeder.inputs.steps
        v = scale * rng.normal(0, 0.004, (2, n, t))
        ways = scale * rng.uniform(0, 2, (2, m, t))
        return Offsets(v[0], v[1], scale * rng.normal(0, 2, (m, t)), ways[0], ways[1])

    return make


@pytest.fixture
def gap():
    return relative
