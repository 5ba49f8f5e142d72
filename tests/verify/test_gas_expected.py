"""Pressures against those of pandapipes, frozen by ``expected/make_gas.py``."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dispatch.case.importers.matgas import import_matgas
from dispatch.case.importers.pandapipes import import_pandapipes
from dispatch.case.schema import columns
from dispatch.model.gas_pipes import gas_values
from dispatch.verify.gas import gas_flow, gas_taken

SHARED = Path(__file__).parents[3] / "shared" / "data"
TOWN = SHARED / "networks" / "schutterwald" / "gas_net_schutterwald_1bar.json.gz"
EXPECTED = json.loads(gzip.decompress((Path(__file__).parent / "expected" / "pandapipes.json.gz").read_bytes()))[
    "cases"
]
OTHERS = [(file, state) for file, states in EXPECTED.items() if file != "schutterwald" for state in states]

pytestmark = pytest.mark.skipif(not TOWN.is_file(), reason="the shared data folder is not beside this checkout")


@cache
def town():
    return import_pandapipes(TOWN)[0]


@cache
def other(name):
    path = SHARED / "gas" / f"{name}.m"
    return import_matgas(path, gauge=name == "distribution_54", bypass_compressors=name != "distribution_54")[0]


def with_law(case, law):
    copy = case.copy()
    copy["gas"].dataset = copy["gas"].to_dataset(inherit=False).assign(friction_law=((), np.bytes_(law)))
    return copy


def worst_beyond(found: np.ndarray, expected: np.ndarray, source: float) -> float:
    """Largest difference over the larger of 1 mbar and 0.5 % of the pressure drop from the source."""
    allowed = np.maximum(1e-3, 0.005 * (source - expected))
    return float((np.abs(found - expected) / allowed).max())


def drop_difference(found: np.ndarray, expected: np.ndarray, source: float) -> float:
    """Largest difference over the largest drop."""
    return float(np.abs(found - expected).max() / (source - expected.min()))


@pytest.mark.parametrize("state", EXPECTED["schutterwald"])
def test_schutterwald(state: str) -> None:
    expected: dict[str, Any] = EXPECTED["schutterwald"][state]
    case = with_law(town(), expected["friction_law"])
    taken = gas_taken(case)[0] * expected["factor"]
    ids = columns(case, "junction")["id"]
    if "source" in expected:
        taken[list(ids).index(expected["source"][0].encode())] -= expected["source"][1]
    found = gas_flow(case, taken)
    reference = np.array([expected["pressure"][i.decode()] for i in ids])
    source = float(columns(case, "gate")["pressure"][0])
    assert worst_beyond(found.pressure[:, 0], reference, source) < 1
    if "heights" not in state and "Colebrook" not in state:  # the same equations: the same numbers
        np.testing.assert_allclose(found.pressure[:, 0], reference, atol=3e-7)
    assert found.flow_gate[0, 0] == pytest.approx(expected["flow_gate"], rel=1e-5)


@pytest.mark.parametrize(("file", "state"), OTHERS)
def test_networks_of_gasmodels(file: str, state: str) -> None:
    case, expected = other(file), EXPECTED[file][state]
    junction = columns(case, "junction")
    ids = [i.decode() for i in junction["id"]]
    taken = np.zeros((len(ids), 1))
    for at, mass_flow in expected["taken_kg_per_s"].items():
        taken[ids.index(at), 0] = mass_flow * 3600 / gas_values(case)["density_normal"]
    found = gas_flow(case, taken)
    reference = np.array([expected["pressure"][i] for i in ids])
    assert found.residual[0] < 1e-9
    assert worst_beyond(found.pressure[:, 0], reference, float(columns(case, "gate")["pressure"][0])) < 1
    assert drop_difference(found.pressure[:, 0], reference, float(columns(case, "gate")["pressure"][0])) < 1e-5
