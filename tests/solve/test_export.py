from __future__ import annotations

import highspy
import numpy as np
import pytest
import scipy.sparse as sp
from mps_reader import read_mps
from scipy.optimize import linprog

from dispatch.case.schema import build_case, columns
from dispatch.errors import InputError
from dispatch.solve.export import write_mps

KINDS = ("bus", "source", "line", "transformer", "prosumer", "meter", "load", "pv", "store", "tariff", "forecast")


def result_of(feeder, penalty):
    """The case with what an export reads of a result."""
    tables = {kind: columns(feeder.case, kind) for kind in KINDS}
    time, o, lines = tables["forecast"]["time"], feeder.offsets, feeder.network.lines
    tables["offset"] = {
        "time": time,
        "v_max": o.v_max,
        "v_min": o.v_min,
        "s_line": o.s[:lines],
        "s_transformer": o.s[lines:],
    }
    sources = len(tables["source"]["id"])
    tables["certificate"] = {"limit_penalty": np.full(sources, penalty)}
    return build_case(tables)


@pytest.fixture
def exported(tmp_path, generated):
    def make(name, seed):
        feeder = generated(name, seed)
        solution, _ = feeder.solve_elastic()
        path = tmp_path / "program.mps"
        write_mps(result_of(feeder, solution.limit_penalty), path)
        return solution.objective, path

    return make


@pytest.mark.parametrize("name", ["plain", "everything", "taps", "peak price over two months", "several feeders"])
def test_other_readers_and_solvers_find_the_same_optimum(name, exported, gap):
    objective, path = exported(name, 0)
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    assert model.readModel(str(path)) == highspy.HighsStatus.kOk
    model.run()
    assert gap(model.getInfo().objective_function_value, objective) < 1e-7
    cost, matrix, low, high, lower, upper, names = read_mps(path.read_text())
    assert len(set(names)) == len(names)
    equal = low == high
    above, below = ~equal & np.isfinite(low), ~equal & np.isfinite(high)
    found = linprog(
        cost, sp.vstack([matrix[below], -matrix[above]]), np.concatenate([high[below], -low[above]]), matrix[equal],
        low[equal], np.stack([lower, upper], axis=1),
    )  # fmt: skip
    assert gap(found.fun, objective) < 1e-6


@pytest.mark.parametrize("name", ["plain", "everything", "two loops, flipped", "peak price", "several feeders"])
def test_glpk_finds_the_same_optimum(name, exported, gap):
    glpk = pytest.importorskip("swiglpk", reason="GLPK is not installed (pip install swiglpk)")
    objective, path = exported(name, 0)
    glpk.glp_term_out(glpk.GLP_OFF)
    problem = glpk.glp_create_prob()
    assert glpk.glp_read_mps(problem, glpk.GLP_MPS_FILE, None, str(path)) == 0
    glpk.glp_scale_prob(problem, glpk.GLP_SF_AUTO)
    settings = glpk.glp_smcp()
    glpk.glp_init_smcp(settings)
    settings.presolve = glpk.GLP_ON
    assert glpk.glp_simplex(problem, settings) == 0
    assert glpk.glp_get_status(problem) == glpk.GLP_OPT
    assert gap(glpk.glp_get_obj_val(problem), objective) < 1e-6


def test_names_are_readable_and_safe(exported):
    _, path = exported("plain", 0)
    text = path.read_text(encoding="ascii")
    assert " battery.state_of_charge.f0e0.3 battery.balance.f0e0.3 " in text
    assert " FX bound constant 1\n" in text
    assert text.endswith("ENDATA\n")
    for word in ("bus.v_max.f0b1.0", "transformer.reverse.f0t0.5", "source.voltage.f0s.0"):
        assert f" {word}\n" in text


def test_strange_ids_stay_apart(tmp_path, generated):
    feeder = generated("plain", 0)
    result = result_of(feeder, 1e4)
    tables = {kind: columns(result, kind) for kind in (*KINDS, "offset", "certificate")}
    old = tables["store"]["id"]
    strange = np.array([b"a b", b"a_b", b"a\xc3\xa4", b"$a", *old[4:]])[: len(old)]
    tables["store"]["id"] = strange
    path = tmp_path / "strange.mps"
    write_mps(build_case(tables), path)
    names = read_mps(path.read_text(encoding="ascii"))[-1]
    assert len(set(names)) == len(names)
    assert {"battery.p_charge.a_b.0", "battery.p_charge.a_b~2.0"} <= set(names)


def test_same_bytes_every_time(exported):
    first = exported("everything", 0)[1].read_bytes()
    assert first == exported("everything", 0)[1].read_bytes()


def test_a_case_without_a_result_is_refused(tmp_path, generated):
    with pytest.raises(InputError, match="no-result"):
        write_mps(generated("plain", 0).case, tmp_path / "none.mps")
    assert not list(tmp_path.iterdir())
