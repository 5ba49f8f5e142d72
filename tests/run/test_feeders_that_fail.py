from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from small_town import small_town

import dispatch
from dispatch.case.schema import columns
from dispatch.case.slices import split_feeders
from dispatch.cli import main
from dispatch.errors import SolverError
from dispatch.run import feeder, rounds
from dispatch.run.rounds import Rounds
from dispatch.run.settings import Settings
from dispatch.solve.decomposed import Decomposed


@pytest.fixture
def break_feeder_a(monkeypatch):
    def with_error(error: Exception) -> None:
        settle = Rounds.settle

        def broken(self, most_rounds):
            if columns(self.case, "source")["id"].tolist() == [b"feeder-a"]:
                raise error
            return settle(self, most_rounds)

        monkeypatch.setattr(feeder.Rounds, "settle", broken)

    return with_error


@pytest.mark.parametrize(
    ("error", "said"),
    [(SolverError("HiGHS warned"), "HiGHS warned"), (ZeroDivisionError("oh"), "ZeroDivisionError at")],
)
def test_others_finish(error, said, break_feeder_a) -> None:
    sound = dispatch.optimize(small_town())
    break_feeder_a(error)
    result = dispatch.optimize(small_town())
    assert columns(result, "certificate")["status"].tolist() == [b"failed", b"optimal"]
    *_, message = json.loads(result["certificate"].attrs["messages"])
    assert message.startswith("feeder 'feeder-a'")
    assert said in message
    mine, theirs = columns(result, "schedule")["p_import"], columns(sound, "schedule")["p_import"]
    np.testing.assert_array_equal(mine[4:], theirs[4:])
    assert np.isnan(mine[:4]).all()


def test_a_program_that_is_not_that_of_the_case_is_refused(monkeypatch) -> None:
    """The certificate compiles the case for itself: an optimum of other costs does not prove itself."""
    compile_program = rounds.compile_program

    def cheaper(inputs):
        program = compile_program(inputs)
        return dataclasses.replace(program, cost=0.9 * program.cost)

    monkeypatch.setattr(rounds, "compile_program", cheaper)
    result = dispatch.optimize(small_town(), Settings(method="monolithic"))
    assert set(columns(result, "certificate")["status"].tolist()) == {b"failed"}
    assert "does not prove itself" in result["certificate"].attrs["messages"]


def test_exit_code_status_and_report_say_so(break_feeder_a, tmp_path, capsys) -> None:
    break_feeder_a(SolverError("HiGHS warned"))
    dispatch.save_case(small_town(), tmp_path / "case.nc")
    arguments = ["run", str(tmp_path / "case.nc"), "-o", str(tmp_path / "s.nc"), "--workers", "1"]
    assert main([*arguments, "--json"]) == 4
    told = capsys.readouterr()
    assert json.loads(told.out)["status"] == "failed"
    assert "HiGHS warned" in told.err
    assert main(arguments) == 4
    assert "HiGHS warned" in capsys.readouterr().out
    assert "HiGHS warned" in (tmp_path / "report.html").read_text()


def test_one_program_steps_in_where_prices_do_not_get_through(monkeypatch) -> None:
    def broken(*_: object):
        raise SolverError("prices went astray")

    sound = dispatch.optimize(small_town())
    monkeypatch.setattr(Decomposed, "solve", broken)
    result = dispatch.optimize(small_town())
    found = columns(result, "certificate")
    assert found["status"].tolist() == [b"optimal", b"optimal"]
    messages = json.loads(result["certificate"].attrs["messages"])
    assert len(messages) == 2
    assert all("prices went astray" in m for m in messages)
    np.testing.assert_allclose(found["objective"], columns(sound, "certificate")["objective"], rtol=1e-3)


def test_a_lost_feeder_says_what_happened_and_what_to_do() -> None:
    lost = feeder.lost_feeder(split_feeders(small_town())[0])
    assert lost.status == "failed"
    assert "feeder 'feeder-a'" in lost.messages[0]
    assert "ended from outside" in lost.messages[0]
    assert "--workers 1" in lost.messages[0]


def test_each_way_that_was_needed_is_told(monkeypatch) -> None:
    """Hot and cold fail, interior point does it; and where prices lead nowhere, one program does."""
    case = split_feeders(small_town(s_nom=400.0, pv_kw=1.0))[0]
    monkeypatch.setattr("dispatch.solve.engines.LADDER", ("hot", "interior point"))
    result = dispatch.optimize(case, Settings(method="monolithic"))
    assert columns(result, "certificate")["status"].tolist() == [b"optimal"]
    assert "solved by interior point" in result["certificate"].attrs["messages"]
    monkeypatch.undo()

    def nowhere(*_, **__):
        raise SolverError("prices lead nowhere")

    monkeypatch.setattr(Decomposed, "solve", nowhere)
    result = dispatch.optimize(case, Settings(method="decomposed"))
    assert columns(result, "certificate")["status"].tolist() == [b"optimal"]
    assert "solved as one program, since" in result["certificate"].attrs["messages"]
