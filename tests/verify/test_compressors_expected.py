"""Networks with compressors as pandapipes writes and solves them, frozen by ``expected/make_compressors.py``."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from dispatch.case.importers.pandapipes import import_pandapipes
from dispatch.case.rules import check_case
from dispatch.case.schema import columns
from dispatch.verify.gas import check_gas, gas_flow, gas_taken

EXPECTED = json.loads(gzip.decompress((Path(__file__).parent / "expected" / "compressors.json.gz").read_bytes()))


def imported(name: str, folder: Path):
    path = folder / "net.json"
    path.write_text(json.dumps(EXPECTED["cases"][name]["net"]), "utf-8")
    return import_pandapipes(path)


@pytest.mark.parametrize("name", EXPECTED["cases"])
def test_pressures_are_those_of_pandapipes(name, tmp_path) -> None:
    case, notes = imported(name, tmp_path)
    assert not check_case(case)
    assert any(n.startswith("compressor: 2 hold pressure_ratio times the pressure before them") for n in notes)
    found = check_gas(case)
    assert found.attrs["findings"] == []
    expected = EXPECTED["cases"][name]["pressure"]
    ours = {
        str(n): float(p) for n, p in zip(found["junction"].to_numpy(), found["pressure"].to_numpy()[:, 0], strict=True)
    }
    assert ours.keys() == expected.keys()
    assert max(abs(ours[n] - expected[n]) for n in ours) < 1e-4
    assert ours["behind"] == pytest.approx(1.35 * ours["before"], rel=1e-12)
    assert ours["second"] == pytest.approx(1.2 * ours["far"], rel=1e-12)
    if name == "at work":  # so that it matters that each is a multiple of what comes, not of what is held at the gate
        assert ours["before"] < 16.7
        assert ours["second"] < 0.97 * 17.0 * 1.35 * 1.2


def test_what_is_held_without_flow_stands_in_the_case(tmp_path) -> None:
    case, _ = imported("at work", tmp_path)
    regulator, booster = columns(case, "regulator"), columns(case, "booster")
    assert booster["regulator"].tolist() == [b"one", b"two"]
    assert booster["pressure_ratio"].tolist() == [1.35, 1.2]
    gate = columns(case, "gate")["pressure"][0]
    held = dict(zip(regulator["id"].tolist(), regulator["pressure"].tolist(), strict=True))
    assert held[b"one"] == pytest.approx(1.35 * gate)
    assert held[b"two"] == pytest.approx(1.2 * 1.35 * gate)


def test_a_raised_zone_raises_what_its_booster_holds(tmp_path) -> None:
    case, _ = imported("nearly at rest", tmp_path)
    taken, _ = gas_taken(case)
    ids = [i.decode() for i in columns(case, "junction")["id"]]
    raised = np.zeros((len(ids), 1))
    raised[ids.index("gate")] = 0.5
    lifted = gas_flow(case, taken, raised).pressure[:, 0] - gas_flow(case, taken).pressure[:, 0]
    assert lifted[ids.index("behind")] == pytest.approx(0.5 * 1.35, rel=1e-3)
    assert lifted[ids.index("end")] == pytest.approx(0.5 * 1.35 * 1.2, rel=1e-3)
    assert lifted[ids.index("town")] == 0.0
