from __future__ import annotations

import pytest
from power_grid_model.errors import PowerGridError
from small_feeder import feeder

from dispatch.case.schema import build_case
from dispatch.errors import InputError
from dispatch.verify import electric
from dispatch.verify.electric import AcModel


def test_refused_networks_name_their_elements() -> None:
    tables = feeder()
    tables["line"] = {**tables["line"], "r": [0.06, 0.0], "x": [0.02, 0.0], "s_nom": [0.0, 100.0]}
    tables["transformer"] = {**tables["transformer"], "r_pu": [0.0], "x_pu": [0.0]}
    with pytest.raises(InputError) as caught:
        AcModel(build_case(tables))
    found = {(p.group, i) for p in caught.value.problems for i in p.ids}
    assert found == {("/electric/line", "ab"), ("/electric/line", "bc"), ("/electric/transformer", "t")}


def test_line_between_two_voltages_is_refused() -> None:
    tables = feeder()
    tables["line"] = {**tables["line"], "bus_from": ["hv", "b"]}
    with pytest.raises(InputError, match=r"/electric/line at 'ab'.*differ in nominal voltage"):
        AcModel(build_case(tables))


def test_refusal_that_nobody_foresaw_is_an_input_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PowerGridError("so it is")

    monkeypatch.setattr(electric, "PowerGridModel", refuse)
    with pytest.raises(InputError, match="so it is"):
        AcModel(build_case(feeder()))
