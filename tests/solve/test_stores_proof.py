"""The proof from members' constants says what the compiled program says, whatever plan and prices it is given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dispatch.case.schema import reading
from dispatch.errors import CertificateError
from dispatch.model.compiler import layout_of
from dispatch.model.inputs import prosumers_of
from dispatch.solve import certificate as module
from dispatch.solve.certificate import Certificate, certify, require, require_same
from dispatch.solve.elastic import elastic_cost
from dispatch.solve.limits.radial import limits_of
from dispatch.solve.program_proof import figures_by_program
from dispatch.solve.stores_proof import StoresProof


def proven_without_program(feeder):
    """Whether the case has loads, pv and stores alone."""
    found = prosumers_of(feeder.case)
    return found is not None and not found.kinds["peak"].count


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
    if not proven_without_program(feeder):
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


def arguments(feeder, solution, **changes):
    given = {
        "case": feeder.case, "offsets": feeder.offsets, "limit_penalty": solution.limit_penalty,
        "plan": solution.columns, "prices": solution.prices,
    }  # fmt: skip
    return given | changes


@pytest.mark.parametrize("seed", range(2))
def test_a_layout_that_is_given_says_what_the_case_says(recipe, seed, generated):
    feeder = generated(recipe, seed)
    solution, _ = feeder.solve_elastic()
    given = arguments(feeder, solution)
    assert certify(**given, layout=feeder.program) == certify(**given)
    with reading(feeder.case):
        assert certify(**given, layout=feeder.program) == certify(**given)


def spans_changed(layout):
    """Yield layouts of which one or two spans are others."""
    for name in ("columns", "rows"):
        spans = [span for span in getattr(layout, name) if span.count * len(span.steps)]
        for k, span in enumerate(spans):
            without = (*spans[:k], *spans[k + 1 :])
            yield replace(layout, **{name: without})
            for other in (
                replace(span, count=span.count + 1), replace(span, start=span.start + 1),
                replace(span, start=span.start - 1), replace(span, name="other"),
                replace(span, steps=np.append(span.steps, 0)),
            ):  # fmt: skip
                yield replace(layout, **{name: (*spans[:k], other, *spans[k + 1 :])})
        yield replace(layout, **{name: (*spans, replace(spans[-1], name="new", start=spans[-1].stop))})


def test_layouts_of_other_programs_are_refused(generated):
    feeder = generated("plain", 0)
    assert proven_without_program(feeder)
    solution, _ = feeder.solve_elastic()
    count = 0
    for layout in spans_changed(layout_of(feeder.inputs)):
        with pytest.raises(CertificateError, match="columns and rows"):
            certify(**arguments(feeder, solution, layout=layout))
        count += 1
    assert count > 50


def test_swapped_columns_do_not_prove_themselves(generated):
    feeder = generated("plain", 0)
    solution, _ = feeder.solve_elastic()
    layout = layout_of(feeder.inputs)
    swap = {"p_import": "p_export", "p_export": "p_import"}
    columns = tuple(replace(span, name=swap.get(span.name, span.name)) for span in layout.columns)
    found = certify(**arguments(feeder, solution, layout=replace(layout, columns=columns)))
    with pytest.raises(CertificateError, match="does not prove itself"):
        require(found)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_value_that_is_not_finite_is_overlooked(bad, generated):
    for name, seed in (("plain", 0), ("plain", 2), ("negative prices and losses", 2)):
        feeder, rng = generated(name, seed), np.random.default_rng(8)
        if not proven_without_program(feeder):
            continue
        solution, _ = feeder.solve_elastic()
        layout = layout_of(feeder.inputs)
        with reading(feeder.case):
            for at in (at for span in layout.columns for at in rng.choice(span.numbers.ravel(), 5)):
                plan = solution.columns.copy()
                plan[at] = bad
                with pytest.raises(CertificateError, match="not finite"):
                    certify(**arguments(feeder, solution, plan=plan, layout=layout))
            for at in (at for span in layout.rows for at in rng.choice(span.numbers.ravel(), 5)):
                rows = solution.prices.rows.copy()
                rows[at] = bad
                prices = replace(solution.prices, rows=rows)
                with pytest.raises(CertificateError, match="not finite"):
                    certify(**arguments(feeder, solution, prices=prices, layout=layout))


@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0])
def test_its_own_sweep_relaxes_limits_as_any_other(scale, recipe, generated, offsets_like, gap):
    feeder, rng = generated(recipe, 1), np.random.default_rng(5)
    if not proven_without_program(feeder):
        return
    given = offsets_like(feeder, rng, scale)
    free = replace(given, forward=0.0, reverse=0.0)
    solution, _ = feeder.solve_elastic()
    for offsets in (given, free):
        proof = StoresProof(prosumers_of(feeder.case), feeder.network, offsets)
        limits = limits_of(feeder.program, feeder.network, feeder.inputs, offsets)
        cost = elastic_cost(feeder.program, limits, feeder.inputs.dt, feeder.penalty, solution.columns)
        for prices in (solution.prices, replace(solution.prices, keys=solution.prices.keys[:0], limits=np.zeros(0))):
            found = proof.of_program(feeder.penalty, feeder.program, solution.columns, prices)
            assert gap(found[0], cost) < 1e-9


def test_nothing_is_compiled_where_it_need_not_be(generated, monkeypatch):
    feeder = generated("plain", 0)
    solution, _ = feeder.solve_elastic()
    monkeypatch.setattr(module, "compile_program", None)
    monkeypatch.setattr(module, "make_inputs", None)
    require(certify(**arguments(feeder, solution, layout=feeder.program)))
