from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_radial import dense_flow, random_network

from dispatch.model.linear import linear_flow

SEED = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=60)
@given(SEED, st.integers(2, 14), st.integers(0, 3), st.integers(1, 2), st.integers(0, 2))
def test_linear_flow_is_the_dense_solution(seed, buses, chords, sources, dead):
    rng = np.random.default_rng(seed)
    network = random_network(rng, buses + sources + dead, chords=chords, sources=sources, dead=dead)
    p, q = rng.normal(0, 20, (2, network.buses, 3))
    found, expected = linear_flow(network, p, q), dense_flow(network, p, q)
    np.testing.assert_allclose(found.v_squared, expected[0], rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(found.p, expected[1], rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(found.q, expected[2], rtol=1e-9, atol=1e-8)
