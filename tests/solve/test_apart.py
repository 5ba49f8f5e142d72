"""Programs that fall apart: the same optima, prices and bases as those of one program, whatever rows join them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from dispatch.errors import TimeUp
from dispatch.solve import apart as module
from dispatch.solve import coordinate as coordination
from dispatch.solve.apart import Apart
from dispatch.solve.blocks.cells import all_stores
from dispatch.solve.highs import Highs
from dispatch.solve.stores_only import plan_by_prices, prove
from dispatch.solve.until import Until

FEEDERS, MEMBERS, STEPS = 3, 4, 5
COLUMNS = FEEDERS * MEMBERS * STEPS


@pytest.fixture(autouse=True)
def _however_small(monkeypatch):
    monkeypatch.setattr(module, "LEAST", 1)


def market(seed):
    """Members that sell in each step what a day's most allows; nothing else is a row as yet."""
    rng = np.random.default_rng(seed)
    day = sp.csc_matrix(sp.kron(sp.eye(FEEDERS * MEMBERS), np.ones((1, STEPS))))
    most, price = rng.uniform(1, 3, COLUMNS), rng.uniform(0.1, 1, COLUMNS)
    rows = FEEDERS * MEMBERS
    return day, np.full(rows, -np.inf), rng.uniform(3, 8, rows), np.zeros(COLUMNS), most, -price


def of_feeder(*feeders, step):
    """Row over what all members of some feeders sell in a step."""
    row = np.zeros((FEEDERS, MEMBERS, STEPS))
    row[list(feeders), :, step] = 1.0
    return row.reshape(1, -1)


def add(models, rows, bound, price=9.0):
    rows = sp.csr_matrix(np.vstack(rows))
    for model in models:
        model.add_elastic_rows(rows, np.full(rows.shape[0], bound), np.full(rows.shape[0], price))


def require_same(apart, whole):
    ours, theirs = apart.solve(), whole.solve()
    assert ours.objective == pytest.approx(theirs.objective, rel=1e-12)
    for name in ("columns", "slacks", "row_prices", "added_prices"):
        np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-9, err_msg=name)
    for own, other in zip(apart.basis(), whole.basis(), strict=True):
        np.testing.assert_array_equal(own, other)


def sizes(apart):
    return sorted(len(group.columns) for group in apart._groups.values())


def test_small_programs_are_one(monkeypatch):
    own = MEMBERS * STEPS
    for least, expected in ((own, [own] * 3), (own + 1, [COLUMNS]), (2 * own, [COLUMNS])):
        monkeypatch.setattr(module, "LEAST", least)
        apart, whole = Apart(*market(0)), Highs(*market(0))
        add((apart, whole), [of_feeder(0, step=1), of_feeder(1, step=2)], 2.0)
        require_same(apart, whole)
        assert sizes(apart) == expected
    monkeypatch.setattr(module, "LEAST", own + 1)
    apart, whole = Apart(*market(0)), Highs(*market(0))
    add((apart, whole), [of_feeder(0, 1, step=1), of_feeder(2, step=2)], 2.0)
    require_same(apart, whole)
    assert sizes(apart) == [COLUMNS]  # what is left is too small to stand alone
    add((apart, whole), [of_feeder(2, step=3), of_feeder(0, 2, step=4)], 2.0)
    require_same(apart, whole)


@pytest.mark.parametrize("seed", range(3))
def test_feeders_are_apart_until_a_row_joins_them(seed):
    apart, whole = Apart(*market(seed)), Highs(*market(seed))
    own = MEMBERS * STEPS
    require_same(apart, whole)
    assert sizes(apart) == [COLUMNS]  # nothing is limited
    add((apart, whole), [of_feeder(0, step=1), of_feeder(1, step=2), np.zeros((1, COLUMNS))], 2.0)
    require_same(apart, whole)
    assert sizes(apart) == [own, own, own]  # the last without a limit
    before = [group.highs for group in apart._groups.values()]
    add((apart, whole), [of_feeder(1, step=1), of_feeder(0, step=4)], 2.0)
    require_same(apart, whole)
    assert [group.highs for group in apart._groups.values()] == before
    add((apart, whole), [of_feeder(0, 2, step=3)], 3.0)
    require_same(apart, whole)
    assert sizes(apart) == [own, 2 * own]
    bound, price = np.full(6, 1.5), np.full(6, 9.0)
    for model in (apart, whole):
        model.change_added(bound, price)
    require_same(apart, whole)
    for model in (apart, whole):
        model.change_cost(1.5 * market(seed)[-1])
    require_same(apart, whole)
    other = Apart(*market(seed)[:-1], 1.5 * market(seed)[-1])
    add([other], [*apart._added.toarray()], 1.5)
    other.start_from(apart.basis())
    assert other.solve().objective == pytest.approx(whole.solve().objective, rel=1e-12)


def test_only_what_has_changed_is_solved_again():
    apart = Apart(*market(5))
    add([apart], [of_feeder(k, step=1) for k in range(FEEDERS)], 2.0)
    apart.solve()
    first = [group.found for group in apart._groups.values()]
    apart.change_added(np.array([2.0, 1.0, 2.0]), np.full(3, 9.0))
    apart.solve()
    again = [group.found for group in apart._groups.values()]
    assert [new is old for new, old in zip(again, first, strict=True)] == [True, False, True]


def test_time_that_is_up_is_up_for_all():
    apart = Apart(*market(5))
    add([apart], [of_feeder(k, step=1) for k in range(FEEDERS)], 2.0)
    with pytest.raises(TimeUp):
        apart.solve(until=Until(end=0.0))
    assert apart.solve().method == "hot"


def test_rows_without_any_column():
    nobody = sp.csc_matrix((0, 0)), *np.zeros((5, 0))
    apart, whole = Apart(*nobody), Highs(*nobody)
    for model in (apart, whole):
        model.add_elastic_rows(sp.csr_matrix((2, 0)), np.array([1.0, -2.0]), np.array([3.0, 3.0]))
    require_same(apart, whole)


def test_several_feeders_have_the_same_optimum_apart(generated, monkeypatch):
    """Limits of a forest leave its feeders apart."""
    programs = []
    for feeder in (generated("several feeders", seed) for seed in range(6)):
        if not all_stores(feeder.inputs):
            continue
        given, proofs = (feeder.inputs, feeder.network, feeder.offsets, feeder.penalty), []
        for solver in (Apart, Highs):
            made = []
            monkeypatch.setattr(
                coordination, "Apart", lambda *a, solver=solver, made=made, **k: noted(solver, made, a, k)
            )
            proofs.append(prove(*given, plan_by_prices(*given)))
            programs += [len(model._groups) for model in made if solver is Apart]
        apart, whole = proofs
        assert apart.objective_relaxation == pytest.approx(whole.objective_relaxation, rel=1e-9)
        assert apart.gap_relaxation <= 1e-7
    assert max(programs) > 1


def noted(solver, made, given, options):
    made.append(solver(*given, **options))
    return made[-1]
