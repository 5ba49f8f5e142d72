"""An optimum proves itself; whatever is tampered with it does not."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from dispatch.case.schema import reading
from dispatch.errors import CertificateError
from dispatch.solve import certificate as module
from dispatch.solve.certificate import Certificate, certify, require
from dispatch.solve.implied import finite_bounds

PLANS = [("everything", 0), ("plain", 2), ("peak price", 1), ("negative prices and losses", 2), ("loop", 0)]


@pytest.fixture(scope="module", params=PLANS, ids=lambda p: f"{p[0]}-{p[1]}")
def solved(request):
    from small_feeders import generated

    feeder = generated(*request.param)
    return feeder, *feeder.solve_elastic()


def figures(feeder, solution, **changes):
    given = {
        "case": feeder.case, "offsets": feeder.offsets, "limit_penalty": solution.limit_penalty,
        "plan": solution.columns, "prices": solution.prices,
    }  # fmt: skip
    return certify(**given | changes)


def test_an_optimum_proves_itself(solved):
    found = figures(*solved[:2])
    require(found)
    assert found.objective_relaxation == pytest.approx(solved[1].objective, rel=1e-9, abs=1e-9)
    assert found.lower_bound <= found.objective_relaxation + 1e-9 * max(1, abs(found.objective_relaxation))


def moved(array, at, by):
    changed = array.copy()
    changed[at] += by
    return changed


def tampered(feeder, solution, rng):
    """Yield the name and the changed arguments of every kind of tampering."""
    plan, prices, program = solution.columns, solution.prices, feeder.program
    column = lambda *name: rng.choice(program.column(*name).ravel())  # noqa: E731
    for name in ("p_import", "p_export", "p_unserved"):
        yield f"set-point {name}", {"plan": moved(plan, column("meter", name), 0.01)}
    yield "set-point p_charge", {"plan": moved(plan, column("battery", "p_charge"), -0.01)}
    yield "state of charge shifted", {"plan": moved(plan, program.column("battery", "state_of_charge")[0], 0.01)}
    yield "curtailment", {"plan": moved(plan, column("pv", "p_curtailed"), 0.01)}
    yield "not a number", {"plan": moved(plan, column("meter", "p_import"), np.nan)}
    row = rng.integers(len(prices.rows))
    yield "row price changed", {"prices": replace(prices, rows=moved(prices.rows, row, 0.01))}
    yield "row price sign", {"prices": replace(prices, rows=-prices.rows)}
    yield "row dropped", {"prices": replace(prices, rows=prices.rows[:-1])}
    yield (
        "row price forgotten",
        {"prices": replace(prices, rows=np.where(np.arange(len(prices.rows)) == row, 0, prices.rows))},
    )
    yield "column dropped", {"plan": plan[:-1]}
    store = np.concatenate([program.column("battery", n)[0] for n in ("p_charge", "p_discharge", "state_of_charge")])
    idle = plan.copy()
    idle[store] = 0
    yield "store dropped", {"plan": idle}
    swapped = plan.copy()
    for name in ("p_import", "p_export"):
        numbers = program.column("meter", name)
        swapped[numbers] = plan[numbers[::-1]]
    yield "houses swapped", {"plan": swapped}
    yield "plan scaled", {"plan": plan * 1.001}
    yield "prices scaled", {"prices": replace(prices, rows=prices.rows * 1.001, limits=prices.limits * 1.001)}
    yield "penalty changed", {"limit_penalty": solution.limit_penalty / 3}
    o = feeder.offsets
    yield "offset changed", {"offsets": replace(o, v_max=o.v_max + 0.003, v_min=o.v_min - 0.003, s=o.s + 1)}
    if len(prices.keys):
        worth = prices.limits * feeder.limits.rating_of(prices.keys)
        k = int(np.argmax(worth))
        yield "limit price above its penalty", {"prices": replace(prices, limits=moved(prices.limits, k, 1e9))}
        yield (
            "limit price negative",
            {"prices": replace(prices, limits=moved(prices.limits, k, -2 * prices.limits[k] - 0.1))},
        )
        yield "limit price forgotten", {"prices": replace(prices, limits=moved(prices.limits, k, -prices.limits[k]))}
        keep = np.arange(len(prices.keys)) != k
        yield "limit dropped", {"prices": replace(prices, keys=prices.keys[keep], limits=prices.limits[keep])}
        keys = prices.keys.copy()
        keys["step"][k] = 10**6
        yield "limit of no step", {"prices": replace(prices, keys=keys)}
        twice = np.concatenate([prices.keys, prices.keys[:1]])
        yield "limit named twice", {"prices": replace(prices, keys=twice, limits=np.append(prices.limits, 0.0))}


def refused(feeder, solution, changes):
    """Whether a mutation is refused, and whether its figures are past the tolerance (None: it has none)."""
    try:
        found = figures(feeder, solution, **changes)
    except CertificateError:
        return True, None
    past = not (found.residual_primal <= 1e-6 and found.residual_dual <= 1e-6 and -1e-9 <= found.gap_relaxation <= 1e-6)
    try:
        require(found)
    except CertificateError:
        return True, past
    return False, past


def test_every_kind_of_tampering_is_refused(solved):
    feeder, solution, _ = solved
    kinds, passed = set(), []
    for name, changes in tampered(feeder, solution, np.random.default_rng(11)):
        kinds.add(name)
        was_refused, past = refused(feeder, solution, changes)
        assert was_refused == (past in {True, None})
        if not was_refused:
            passed.append(name)
    assert len(kinds) >= 18
    # A store that does nothing anyway, a price that is zero anyway, no offset that matters: nothing has changed then.
    harmless = {"store dropped", "row price forgotten", "limit price forgotten", "limit dropped", "offset changed",
                "penalty changed", "prices scaled", "houses swapped"}  # fmt: skip
    assert set(passed) <= harmless


@pytest.mark.slow
def test_a_thousand_mutations_past_the_tolerance_are_all_refused(monkeypatch):
    from small_feeders import generated

    rng, count = np.random.default_rng(3), 0
    for name, seed in (("plain", 0), ("everything", 1)):
        feeder = generated(name, seed)
        solution, _ = feeder.solve_elastic()
        program, inputs = feeder.program, feeder.inputs
        # The case does not change here, so that it needs to be compiled only once.
        monkeypatch.setattr(module, "make_inputs", lambda *_, found=inputs, **__: found)
        monkeypatch.setattr(module, "compile_program", lambda _, found=program: found)
        with reading(feeder.case):
            for _ in range(640):
                size = 10.0 ** rng.uniform(-7, 1) * rng.choice([-1, 1])
                plan, prices = solution.columns, solution.prices
                match rng.integers(3):
                    case 0:
                        changes = {"plan": moved(plan, rng.integers(len(plan)), size)}
                    case 1:
                        changes = {
                            "prices": replace(prices, rows=moved(prices.rows, rng.integers(len(prices.rows)), size))
                        }
                    case _:
                        k = rng.integers(len(prices.keys))
                        size /= feeder.limits.rating[prices.keys["kind"][k]][prices.keys["element"][k]]
                        changes = {"prices": replace(prices, limits=moved(prices.limits, k, size))}
                was_refused, past = refused(feeder, solution, changes)
                assert was_refused == (past in {True, None})
                count += was_refused
    assert count >= 1000


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"residual_primal": 2e-6}, "residual_primal"), ({"residual_dual": np.nan}, "residual_dual"),
        ({"gap_relaxation": 1.1e-6}, "gap_relaxation"), ({"gap_relaxation": -2e-9}, "lies above"),
    ],
)  # fmt: skip
def test_require_names_what_is_wrong(changes, named):
    good = Certificate(1.0, 1.0, 0.0, 0.0, 0.0)
    require(good)
    with pytest.raises(CertificateError, match=named):
        require(replace(good, **changes))


def test_bound_holds_for_any_prices(solved):
    feeder, solution, _ = solved
    rng, prices = np.random.default_rng(4), solution.prices
    for scale in (1e-3, 0.1, 1.0):
        other = replace(
            prices,
            rows=prices.rows + scale * rng.normal(size=len(prices.rows)),
            limits=np.abs(prices.limits + scale * rng.normal(size=len(prices.limits))),
        )
        found = figures(feeder, solution, prices=other)
        assert found.lower_bound <= solution.objective + 1e-9 * max(1, abs(solution.objective))


def test_columns_without_bounds_get_what_an_optimum_can_need(solved):
    feeder, solution, _ = solved
    lower, upper = finite_bounds(feeder.program)
    assert np.isfinite(lower).all()
    assert np.isfinite(upper).all()
    assert (solution.columns <= upper + 1e-7).all()
    assert (solution.columns >= lower - 1e-7).all()


def test_neither_solvers_nor_statistics_are_imported():
    """Pyomo would load SciPy's statistics, see `dispatch.model`."""
    code = (
        "import sys, dispatch.solve.certificate, pyomo.core\n"
        "print(sorted({'highspy', 'scipy.stats'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
