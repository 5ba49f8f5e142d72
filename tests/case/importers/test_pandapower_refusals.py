from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dispatch.case.importers.pandapower import import_pandapower
from dispatch.case.schema import columns
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Tables = dict[str, Any]

UNSUPPORTED: dict[str, dict[str, list[Any]]] = {
    "gen": {"bus": [2], "p_mw": [0.0], "vm_pu": [1.0]},
    "motor": {"bus": [2], "pn_mech_mw": [0.1]},
    "ward": {"bus": [2], "ps_mw": [0.0], "qs_mvar": [0.0], "pz_mw": [0.1], "qz_mvar": [0.0]},
    "xward": {"bus": [2]},
    "shunt": {"bus": [2], "p_mw": [0.0], "q_mvar": [-0.1]},
    "impedance": {"from_bus": [1], "to_bus": [2]},
    "dcline": {"from_bus": [1], "to_bus": [2]},
    "trafo3w": {"hv_bus": [0], "mv_bus": [1], "lv_bus": [2]},
    "asymmetric_load": {"bus": [2], "p_a_mw": [0.001]},
    "asymmetric_sgen": {"bus": [2], "q_c_mvar": [0.001]},
    "svc": {"bus": [2]},
    "ssc": {"bus": [2]},
    "vsc": {"bus": [2]},
    "tcsc": {"from_bus": [1], "to_bus": [2]},
    "line_dc": {"from_bus_dc": [0], "to_bus_dc": [1]},
}


def problems(path: Path) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        import_pandapower(path)
    return list(caught.value.problems)


@pytest.mark.parametrize("table", UNSUPPORTED)
def test_unsupported_elements_in_service(table: str, small: Tables, write_net: Callable[..., Path]) -> None:
    small[table] = {"name": ["odd one"], "in_service": [True], **UNSUPPORTED[table]}
    (problem,) = problems(write_net(small))
    assert (problem.code, problem.group, problem.ids) == ("unsupported", table, ("odd one (0)",))
    small[table]["in_service"] = [False]
    with_it = import_pandapower(write_net(small))[0]
    del small[table]
    assert import_pandapower(write_net(small))[0].identical(with_it)


@pytest.mark.parametrize("table", ["motor", "ward", "shunt", "asymmetric_load"])
def test_unsupported_elements_without_power_do_not_matter(
    table: str, small: Tables, write_net: Callable[..., Path]
) -> None:
    idle = {c: [0.0] if isinstance(v[0], float) else v for c, v in UNSUPPORTED[table].items()}
    bare = import_pandapower(write_net(small))[0]
    small[table] = {"in_service": [True], **idle}
    assert import_pandapower(write_net(small))[0].identical(bare)


def test_all_of_them_at_once(small: Tables, write_net: Callable[..., Path]) -> None:
    small |= {t: {"in_service": [True], **c} for t, c in UNSUPPORTED.items()}
    assert {p.group for p in problems(write_net(small))} == set(UNSUPPORTED)


TAPS: dict[str, dict[str, list[Any]]] = {
    "tap_step_degree": {"tap_step_degree": [60.0]},
    "tap_phase_shifter": {"tap_phase_shifter": [True]},
    "Ideal": {"tap_changer_type": ["Ideal"]},
    "between": {"tap_pos": [0.5]},
    "second": {"tap2_pos": [1.0], "tap2_neutral": [0.0]},
    "table": {"tap_changer_type": ["Tabular"], "tap_dependency_table": [True]},
}


@pytest.mark.parametrize("tap", TAPS)
def test_taps_that_are_more_than_a_ratio(tap: str, small: Tables, write_net: Callable[..., Path]) -> None:
    small["trafo"] |= TAPS[tap]
    found = problems(write_net(small))
    assert [p.code for p in found] == ["tap"]
    assert found[0].ids == ("T1 (0)",)
    small["trafo"]["in_service"] = [False]  # then it does not matter, but nothing feeds the house
    assert [p.code for p in problems(write_net(small))] == ["isolated"]


def test_a_shifting_tap_in_its_neutral_position_is_a_plain_transformer(
    small: Tables, write_net: Callable[..., Path]
) -> None:
    small["trafo"] |= {"tap_step_degree": [60.0], "tap_pos": [0]}
    case, _ = import_pandapower(write_net(small))
    assert columns(case, "transformer")["tap_position"][0] == 0


def test_zero_impedance(small: Tables, write_net: Callable[..., Path]) -> None:
    small["line"] |= {"r_ohm_per_km": [0.0], "x_ohm_per_km": [0.0]}
    assert [(p.code, p.ids) for p in problems(write_net(small))] == [("zero-impedance", ("L1 (0)",))]


def test_line_between_voltages(small: Tables, write_net: Callable[..., Path]) -> None:
    small["line"]["from_bus"] = [0]
    assert ("voltage", "20 and 0.4 kV") in [(p.code, p.value) for p in problems(write_net(small))]


def test_switch_between_voltages(small: Tables, write_net: Callable[..., Path]) -> None:
    small["switch"] = {"bus": [0], "element": [1], "et": ["b"], "closed": [True]}
    assert "switch" in [p.code for p in problems(write_net(small))]


@pytest.mark.parametrize(
    "switch",
    [
        {"bus": [0], "element": [0], "et": ["l"], "closed": [False]},
        {"bus": [1], "element": [5], "et": ["l"], "closed": [False]},
        {"bus": [1], "element": [0], "et": ["x"], "closed": [True]},
        {"bus": [9], "element": [0], "et": ["l"], "closed": [True]},
        {"bus": [1], "et": ["l"], "closed": [False]},
    ],
)
def test_switches_that_lead_nowhere(
    switch: dict[str, list[Any]], small: Tables, write_net: Callable[..., Path]
) -> None:
    small["switch"] = switch
    assert all(p.group == "switch" for p in problems(write_net(small)))


def test_no_source(small: Tables, write_net: Callable[..., Path]) -> None:
    small["ext_grid"]["in_service"] = [False]
    assert [p.code for p in problems(write_net(small))] == ["source"]


def test_storage_without_size(small: Tables, write_net: Callable[..., Path]) -> None:
    small["storage"] = {"bus": [2], "p_mw": [0.0], "max_e_mwh": [None], "in_service": [True]}
    (problem,) = problems(write_net(small))
    assert (problem.code, problem.variable) == ("missing-value", "max_e_mwh")
    small["storage"] |= {"max_e_mwh": [0.01], "min_e_mwh": [0.01]}
    (problem,) = problems(write_net(small))
    assert (problem.code, problem.variable) == ("range", "max_e_mwh")
