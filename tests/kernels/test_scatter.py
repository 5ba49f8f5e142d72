"""Blocks scattered into a compressed matrix, against SciPy's own conversion from coordinates."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.model.blocks import Block, compressed
from kernels.scatter import add_to_columns, add_to_rows

SHAPE = (30, 40)


def random_block(rng: np.random.Generator) -> Block:
    elements, steps = rng.integers(0, 6), rng.integers(1, 5)
    values = rng.integers(-2, 3, (elements if rng.random() < 0.5 else 1, steps if rng.random() < 0.5 else 1))
    if elements == 0:
        values = values[:1] if len(values) else np.zeros((1, 1))
    return Block(
        rng.integers(0, SHAPE[0] - 5, elements),
        rng.integers(0, 5, steps),
        rng.integers(0, SHAPE[1] - 5, elements),
        rng.integers(0, 5, steps),
        np.ascontiguousarray(values, dtype=float),
    )


def coordinates(block: Block) -> sp.coo_matrix:
    rows = block.minor_of[:, None] + block.minor_step
    columns = block.major_of[:, None] + block.major_step
    values = np.broadcast_to(block.values, rows.shape)
    return sp.coo_matrix((values.ravel(), (rows.ravel(), columns.ravel())), shape=SHAPE)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5))
def test_blocks_add_up_like_coordinates(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = [random_block(rng) for _ in range(count)]
    data, indices, start = compressed(blocks, SHAPE[1])
    matrix = sp.csc_matrix((data, indices, start), shape=SHAPE)
    expected = sum((coordinates(b).toarray() for b in blocks), np.zeros(SHAPE))
    np.testing.assert_array_equal(matrix.toarray(), expected)
    assert (data != 0).all()
    assert matrix.has_canonical_format
    assert indices.dtype == start.dtype == np.int32


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_rows_of_a_parent_add_up(seed: int, by_element: bool, by_step: bool) -> None:
    rng = np.random.default_rng(seed)
    parent = rng.integers(0, 4, rng.integers(1, 8))
    values = rng.normal(size=(len(parent) if by_element else 1, 3 if by_step else 1))
    target = np.zeros((4, 3))
    add_to_rows(target, parent, values)
    expected = np.zeros((4, 3))
    for e, row in enumerate(parent):
        expected[row] += values[e if by_element else 0]
    np.testing.assert_allclose(target, expected, rtol=0, atol=1e-12)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_numbers_of_repeated_columns_add_up(seed: int) -> None:
    block = random_block(np.random.default_rng(seed))
    target = np.ones(SHAPE[1])
    add_to_columns(target, block.major_of, block.major_step, block.values)
    np.testing.assert_allclose(target, 1 + coordinates(block).toarray().sum(axis=0), rtol=0, atol=1e-12)
