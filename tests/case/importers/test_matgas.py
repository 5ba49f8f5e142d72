from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dispatch.case.importers.matgas import import_matgas
from dispatch.case.rules import check_case
from dispatch.case.schema import columns
from dispatch.errors import InputError

SHARED = Path(__file__).parents[4] / "shared" / "data" / "gas"
SMALL = """function mgc = small

mgc.gas_specific_gravity = 0.6;   % of air
mgc.temperature = 288.706;
mgc.compressibility_factor = 0.9;
mgc.units = 'si';
mgc.is_per_unit = 0;

%% id p_min p_max p_nominal junction_type status pipeline_name
mgc.junction = [
1 3000000 6000000 4000000 1 1 'a%b'
2 3000000 6000000 3000000 0 1 'x'
3 100000, 600000, 400000, 0, 1, 'y'; 4 100000 600000 400000 0 1 'z'
];
mgc.pipe = [
1 1 2 0.6 50000 0.01 3000000 6000000 1
2 3 4 0.3 1000 0.012 100000 600000 1
];
mgc.regulator = [ 1 2 3 0 1 0.0 0.5 1 ];
mgc.receipt = [
1 1 0 10 5 1 1
2 3 0 10 0.1 0 1
];
mgc.delivery = [
1 4 0 1 0.3 0 1
2 4 0 1 0.2 0 0
];
end
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "small.m"
    path.write_text(text)
    return path


def test_literals_become_a_case(tmp_path: Path) -> None:
    case, notes = import_matgas(write(tmp_path, SMALL))
    assert check_case(case) == []
    gas = columns(case, "gas_network")
    assert gas["density_normal"] == pytest.approx(0.6 * 1.2929)
    assert gas["compressibility"] == 0.9
    assert gas["compressibility_slope"] == 0
    gate, regulator = columns(case, "gate"), columns(case, "regulator")
    assert gate["pressure"] == pytest.approx(40)
    assert (regulator["junction_from"], regulator["junction_to"], regulator["pressure"]) == ([b"2"], [b"3"], [4])
    hourly = 3600 / float(gas["density_normal"])
    np.testing.assert_allclose(columns(case, "consumer")["flow_nom"], [0.3 * hourly])
    np.testing.assert_allclose(columns(case, "injection")["flow_nom"], [0.1 * hourly])
    np.testing.assert_allclose(regulator["flow_max"], [0.5 * hourly])
    assert any("receipt: at a gate" in n for n in notes)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("mgc.temperature = 288.706;", "mgc.temperature = system('rm x');", "line 4"),
        ("0.6 50000", "pi 50000", "'pi' in line 16"),
        ("'a%b'", "'a%b", "quote without end in line 11"),
        ("function mgc = small", "", "assignments of literals"),
        ("];\nend", "end", "'end' in line"),
        ("mgc.units = 'si';", "mgc.units = 'usc';", "unit"),
        ("mgc.is_per_unit = 0;", "mgc.is_per_unit = 1;", "is_per_unit"),
        ("mgc.temperature = 288.706;", "mgc.temperature = 15;", "temperature"),
        ("mgc.temperature = 288.706;", "", "temperature is missing"),
        ("2 3 4 0.3", "2 3 9 0.3", "unknown-parent"),
        ("0.6 50000", "600 50000", "diameter"),
        ("mgc.receipt", "mgc.storage = [ 1 2 3 ];\nmgc.receipt", "unsupported"),
        ("1 3000000 6000000 4000000 1", "1 3000000 6000000 4000000 0", "gate_1"),
    ],
)
def test_what_is_no_literal_or_cannot_be_handled_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in SMALL
    path = write(tmp_path, SMALL.replace(old, new, 1))
    if told == "gate_1":  # without a slack junction the first dispatchable receipt is the gate
        assert columns(import_matgas(path)[0], "gate")["id"].tolist() == [b"gate_1"]
        return
    with pytest.raises(InputError) as caught:
        import_matgas(path)
    assert told in str(caught.value)


def compressed(folder: Path, row: str) -> Path:
    """Junction 5 behind a compressor that takes from junction 2."""
    text = SMALL.replace("\n];\nmgc.pipe", "\n5 3000000 9000000 7000000 0 1 'v'\n];\nmgc.pipe").replace(
        "1 4 0 1 0.3", "1 5 0 1 0.3"
    )
    return write(folder, text.replace("mgc.receipt", f"mgc.compressor = [ {row} ];\nmgc.receipt", 1))


@pytest.mark.parametrize(("ratio", "held"), [("1 2", 70.0), ("1 1.5", 60.0), ("1.9 3", 76.0), ("0 1.0", 40.0)])
def test_compressors_hold_the_nominal_pressure_within_their_ratios(tmp_path: Path, ratio: str, held: float) -> None:
    path = compressed(tmp_path, f"7 2 5 {ratio} 1e100 0 2 0 1 0 1 1")
    case, notes = import_matgas(path)
    assert check_case(case) == []
    regulator, booster = columns(case, "regulator"), columns(case, "booster")
    k = regulator["id"].tolist().index(b"compressor_7")
    assert regulator["pressure"][k] == pytest.approx(held)
    assert (regulator["junction_from"][k], regulator["junction_to"][k]) == (b"2", b"5")
    assert regulator["flow_max"][k] == pytest.approx(2 * 3600 / float(columns(case, "gas_network")["density_normal"]))
    assert booster["regulator"].tolist() == [b"compressor_7"]
    assert any(n.startswith("compressor: each holds p_nominal") for n in notes)
    bypassed, _ = import_matgas(path, bypass_compressors=True)
    assert not len(columns(bypassed, "booster")["id"])
    assert len(columns(bypassed, "junction")["id"]) == 4


def test_gauge_pressures_are_not_taken_for_absolute_ones(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        SMALL.replace("100000, 600000, 400000", "2600, 7000, 5000").replace("100000 600000 400000", "2600 7000 5000"),
    )
    with pytest.raises(InputError, match=r"50 mbar.*--gauge"):
        import_matgas(path)
    case, _ = import_matgas(path, gauge=True)
    np.testing.assert_allclose(columns(case, "junction")["pressure_nom"], [41.01325, 31.01325, 1.06325, 1.06325])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not beside this checkout")
@pytest.mark.parametrize(
    ("name", "options", "junctions", "pipes", "regulators"),
    [
        ("distribution_54", {"gauge": True}, 54, 62, 4),
        ("gaslib-40-E", {"bypass_compressors": True}, 34, 39, 0),
        ("24-pipe-benchmark", {"bypass_compressors": True}, 25, 24, 0),
        ("24-pipe-benchmark", {}, 30, 24, 5),
        ("case-6", {"bypass_compressors": True}, 4, 4, 0),
    ],
)
def test_shared_networks(name: str, options: dict[str, Any], junctions: int, pipes: int, regulators: int) -> None:
    case, _ = import_matgas(SHARED / f"{name}.m", **options)
    assert check_case(case) == []
    found = [len(columns(case, k)["id"]) for k in ("junction", "pipe", "regulator")]
    assert found == [junctions, pipes, regulators]
