"""The proof from members' constants says what the compiled program says, whatever plan and prices it is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dispatch.errors import CertificateError
from dispatch.model.compiler import layout_of
from dispatch.solve.blocks.cells import all_stores
from dispatch.solve.certificate import Certificate, certify, require, require_same
from dispatch.solve.limits.radial import limits_of
from dispatch.solve.program_proof import figures_by_program
from dispatch.solve.stores_proof import StoresProof


def both(feeder, penalty, plan, prices):
    inputs, program = feeder.inputs, feeder.program
    proof = StoresProof(inputs, feeder.network, feeder.offsets)
    mine = proof.of_program(penalty, layout_of(inputs), plan, prices)
    limits = limits_of(program, feeder.network, inputs, feeder.offsets)
    return mine, figures_by_program(program, limits, inputs.dt, penalty, plan, prices)


def test_columns_and_rows_have_the_numbers_of_the_compiled_program(recipe, generated):
    program = generated(recipe, 0).program
    layout = layout_of(generated(recipe, 0).inputs)
    assert (layout.width, layout.height) == (len(program.cost), len(program.row_lower))
    for mine, theirs in ((layout.columns, program.columns), (layout.rows, program.rows)):
        assert [(s.component, s.name, s.start, s.stop) for s in mine] == [
            (s.component, s.name, s.start, s.stop) for s in theirs if s.stop > s.start
        ]


@pytest.mark.parametrize("seed", range(3))
def test_both_proofs_have_the_same_figures(recipe, seed, generated, gap):
    feeder = generated(recipe, seed)
    if not all_stores(feeder.inputs):
        with pytest.raises(CertificateError, match="columns and rows"):
            certify(feeder.case, feeder.offsets, feeder.penalty, np.zeros(1), feeder.solve_elastic()[0].prices)
        return
    solution, _ = feeder.solve_elastic()
    penalty, rng = solution.limit_penalty, np.random.default_rng(seed)
    for scale in (0.0, 1e-3, 0.1):
        plan = np.clip(
            solution.columns + scale * rng.normal(size=len(solution.columns)), feeder.program.lower,
            feeder.program.upper,
        )  # fmt: skip
        prices = replace(
            solution.prices,
            rows=solution.prices.rows + scale * rng.normal(size=len(solution.prices.rows)),
            limits=solution.prices.limits + scale * rng.normal(size=len(solution.prices.limits)),
        )
        mine, theirs = both(feeder, penalty, plan, prices)
        assert gap(mine[0], theirs[0]) < 1e-9
        assert gap(mine[1], theirs[1]) < 1e-9
        for own, other in zip(mine[2:], theirs[2:], strict=True):  # residuals are scaled a little differently
            assert own <= 1e-6 if scale == 0 else own > 0.02 * other


def test_a_program_is_refused_that_says_otherwise_than_the_case(generated):
    feeder = generated("plain", 0)
    solution, _ = feeder.solve_elastic()
    found = certify(feeder.case, feeder.offsets, solution.limit_penalty, solution.columns, solution.prices)
    require(found)
    require_same(found, feeder.program, solution)
    program = feeder.program
    narrower = replace(program, upper=np.minimum(program.upper, 0.9 * solution.columns.max()))
    for other, objective in ((program, solution.objective * 1.001 + 1e-4), (narrower, solution.objective)):
        with pytest.raises(CertificateError, match="is not that of the case"):
            require_same(found, other, replace(solution, objective=objective))
    with pytest.raises(CertificateError, match="is not that of the case"):
        require_same(Certificate(np.nan, 0.0, 0.0, 0.0, 0.0), program, solution)
