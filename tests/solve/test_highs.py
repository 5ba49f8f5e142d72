from __future__ import annotations

import subprocess
import sys

import highspy
import numpy as np
import pytest
import scipy.sparse as sp

from dispatch.errors import SolverError
from dispatch.solve.highs import Highs
from dispatch.solve.outcome import BASIC
from dispatch.solve.scaling import row_and_column_scale

ENDLESS = np.array([np.inf, np.inf])


def small(matrix, **settings):
    """Minimise x + 2 y where ``matrix @ (x, y) >= 1``."""
    matrix = sp.csc_matrix(np.array(matrix, float))
    rows = matrix.shape[0]
    return Highs(matrix, np.ones(rows), np.full(rows, np.inf), np.zeros(2), ENDLESS, np.array([1.0, 2.0]), **settings)


def test_optimum_prices_and_way():
    found = small([[1, 1]]).solve()
    assert found.columns.tolist() == [1, 0]
    assert (found.objective, found.row_prices.tolist(), found.method) == (1, [1], "hot")


def test_elastic_rows_are_priced_and_hot():
    model = small([[1, 1]])
    model.solve()
    model.add_elastic_rows(sp.csr_matrix([[1.0, 0.0]]), np.array([0.25]), np.array([7.0]))
    found = model.solve()
    np.testing.assert_allclose([*found.columns, found.objective, found.added_prices[0]], [0.25, 0.75, 1.75, -1])
    model.change_added(np.array([0.5]), np.array([0.125]))
    found = model.solve()
    np.testing.assert_allclose([*found.columns, found.slacks[0], found.added_prices[0]], [1, 0, 0.5, -0.125])


def test_scaling_is_undone():
    model = small([[1024, 1024], [0, 1e-5]])
    model.add_elastic_rows(sp.csr_matrix([[0.0, 3e-6]]), np.array([0.03]), np.array([1e3]))
    found = model.solve()
    np.testing.assert_allclose([*found.columns, found.slacks[0]], [0, 1e5, 0.27])
    np.testing.assert_allclose([found.row_prices[1], found.added_prices[0]], [(2 + 3e-3) / 1e-5, -1e3])


@pytest.mark.parametrize("value", [np.nan, 1e-60, 1e90])
def test_what_highs_would_drop_is_refused_before(value):
    with pytest.raises(SolverError, match="outside"), np.errstate(all="ignore"):
        small([[1, 1], [1, value]])


def test_a_dropped_entry_is_noticed_by_its_count(monkeypatch):
    monkeypatch.setattr(highspy.Highs, "getNumNz", lambda _: 1)
    with pytest.raises(SolverError, match=r"holds \(1, 2, 1\) rows, columns and entries instead of \(1, 2, 2\)"):
        small([[1, 1]])


def test_a_warning_of_highs_is_an_error():
    model = small([[1, 1]])
    with pytest.raises(SolverError, match="warned when choosing"):
        model._checked(model._model.setOptionValue("no_such_option", 1), "choosing")


@pytest.mark.parametrize("bound", [1e-6, 1.0, 1e7])
@pytest.mark.parametrize("cost", [1e-6, 1.0, 1e8])
def test_remarks_on_ranges_are_no_warnings(bound, cost):
    """Whatever the words of the installed HiGHS: small and large values are solved as they are."""
    matrix = sp.csc_matrix([[1.0, 1.0]])
    upper, costs = np.array([bound, 2.0]), np.array([cost, 2 * cost])
    model = Highs(matrix, np.array([bound + 1]), np.array([np.inf]), np.zeros(2), upper, costs)
    found = model.solve()
    np.testing.assert_allclose([*found.columns, found.objective], [bound, 1, cost * (bound + 2)], rtol=1e-12)


def test_a_logged_warning_is_an_error():
    model = small([[1, 1]])
    model._warnings.append("WARNING: anything")
    with pytest.raises(SolverError, match="anything"):
        model._checked(highspy.HighsStatus.kOk, "loading")


@pytest.mark.parametrize(
    ("lower", "upper", "cost", "named"),
    [([2, 0], [1, 1], [1, 1], "nfeasible|warned"), ([0, 0], [np.inf] * 2, [-1, 0], "nbounded|nfeasible")],
)
def test_programs_without_an_optimum(lower, upper, cost, named):
    arrays = [np.array(a, float) for a in (lower, upper, cost)]
    with pytest.raises(SolverError, match=named):
        Highs(sp.csc_matrix([[1.0, 1.0]]), np.array([-np.inf]), np.array([np.inf]), *arrays).solve()


def test_time_limit():
    rng = np.random.default_rng(1)
    matrix = sp.random(300, 600, 0.05, format="csc", random_state=rng)
    model = Highs(
        matrix, np.ones(300), np.full(300, np.inf), np.zeros(600), np.full(600, np.inf), np.ones(600), time_limit_s=0.0
    )
    with pytest.raises(SolverError, match="time limit"):
        model.solve()


def test_ladder_goes_on_where_a_way_fails():
    model = small([[1, 1]])
    original, calls = model._model.run, []

    def run():
        calls.append(model._model.getOptionValue("solver")[1])
        if len(calls) < 3:
            model._warnings.append("WARNING: trouble")
        return original()

    model._model.run = run
    assert model.solve().method == "interior point"
    assert calls == ["simplex", "simplex", "ipm"]
    calls[:] = []
    with pytest.raises(SolverError, match="hot: Optimal WARNING: trouble"):
        model.solve(("hot",))


def test_ten_metres_of_cable_at_twenty_kilovolts():
    r = 0.01 * 0.125 / (1000 * 20**2)  # pu per kW
    matrix = sp.csc_matrix(np.array([[1.0, -1.0, 2 * r], [0.0, 1.0, 0.0]]))
    rows, columns = row_and_column_scale(matrix)
    scaled = sp.diags(rows) @ matrix @ sp.diags(columns)
    assert abs(scaled.toarray()[0, 2]) > 1e-7
    assert (np.log2(rows) % 1 == 0).all()
    assert (np.log2(columns) % 1 == 0).all()
    free = np.full(3, np.inf)
    # Minimise v_to where v_to = v_from - 2 r p, v_from = 1 and p <= 100 kW.
    model = Highs(
        matrix,
        np.array([0.0, 1.0]),
        np.array([0.0, 1.0]),
        -free,
        np.array([np.inf, np.inf, 100.0]),
        np.array([1.0, 0, 0]),
    )
    assert model.solve().objective == pytest.approx(1 - 200 * r, abs=1e-15)


def test_columns_with_one_value_are_left_out_and_counted_in():
    matrix = sp.csc_matrix([[1.0, 1.0, 1.0]])
    model = Highs(
        matrix,
        np.array([3.0]),
        np.array([np.inf]),
        np.array([0.0, 2.0, 0.0]),
        np.array([9.0, 2.0, 0.0]),
        np.array([1.0, 5.0, 1.0]),
    )
    assert model._model.getNumCol() == 1
    found = model.solve()
    assert (found.columns.tolist(), found.objective, found.row_prices.tolist()) == ([1, 2, 0], 11, [1])
    model.add_elastic_rows(sp.csr_matrix([[1.0, 1.0, 0.0]]), np.array([2.5]), np.array([10.0]))
    assert model.solve().slacks == pytest.approx([0.5])
    model.change_added(np.array([2.75]), np.array([10.0]))
    model.change_first(np.array([0]), np.array([4.0]), np.array([np.inf]))
    model.change_cost(np.array([1.0, 6.0, 1.0]))
    found = model.solve()
    assert found.slacks == pytest.approx([1.25])
    assert found.objective == pytest.approx(2 + 12 + 12.5)


def test_nothing_to_decide():
    model = Highs(sp.csc_matrix((0, 1)), *[np.zeros(0)] * 2, np.ones(1), np.ones(1), np.full(1, 3.0))
    found = model.solve()
    assert (found.columns.tolist(), found.objective) == ([1], 3)


def test_highs_prints_nothing(capfd):
    """Standard output belongs to `--json`; a process of its own, since HiGHS prints its name once in each."""
    code = (
        "import numpy as np, scipy.sparse as sp\n"
        "from dispatch.solve.highs import Highs\n"
        "one = np.ones(1)\n"
        "print(Highs(sp.csc_matrix([[1.0]]), one, one, 0 * one, 2 * one, one).solve().objective)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert capfd.readouterr().out == "1.0\n"


def test_a_basis_is_read_after_an_interior_point():
    rng = np.random.default_rng(0)
    matrix = sp.random(30, 50, 0.3, "csc", rng=rng)
    middle = matrix @ rng.uniform(0, 1, 50)
    model = Highs(matrix, middle - 0.1, middle + 0.1, np.zeros(50), np.full(50, 2.0), rng.normal(0, 1, 50))
    model.solve(("interior point",))
    basis = model.basis()  # in another way HiGHS would end this process
    assert np.count_nonzero(basis.columns == BASIC) + np.count_nonzero(basis.rows == BASIC) == 30
    model.start_from(basis)
    assert model.solve().method == "hot"


@pytest.mark.parametrize("seed", range(5))
def test_states_by_what_is_basic_are_those_that_highs_tells(seed):
    rng = np.random.default_rng(seed)
    matrix = sp.random(12, 30, 0.3, "csc", rng=rng)
    low = np.where(rng.random(12) < 0.5, -np.inf, rng.uniform(-2, 0, 12))
    high = np.where(rng.random(12) < 0.3, np.inf, rng.uniform(0, 2, 12))
    model = Highs(matrix, low, high, rng.uniform(-2, 0, 30), rng.uniform(0, 2, 30), rng.normal(0, 1, 30))
    for bound in (1.0, 0.1):
        model.solve()
        model.add_elastic_rows(sp.csr_matrix(rng.uniform(0, 1, (2, 30))), np.full(2, bound), np.full(2, 3.0))
        model.solve()
        states = model._states()
        assert states is not None
        for ours, theirs in zip(states, model._states_one_by_one(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
            assert len(np.unique(ours)) > 1
    again = Highs(matrix, low, high, *(np.zeros(30), np.ones(30)), np.ones(30))
    again.start_from(model.basis()._replace(limits=np.zeros(0, np.int8), slacks=np.zeros(0, np.int8)))
    assert again._states() is None  # nothing was solved as yet: each state is read
    assert len(again.basis().columns) == 30
