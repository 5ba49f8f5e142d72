from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from naive_flow import naive_flow

from dispatch.case.importers.pandapower import import_pandapower
from dispatch.case.importers.simbench import import_simbench
from dispatch.case.network import network_of
from dispatch.case.schema import columns, parent_index
from dispatch.case.slices import split_feeders
from dispatch.model.linear import linear_flow
from dispatch.verify.electric import AcModel
from dispatch.verify.excess import limits_ac

if TYPE_CHECKING:
    import xarray as xr

NETWORKS = Path(__file__).parents[2].parent / "shared" / "data" / "networks"
pytestmark = pytest.mark.skipif(not NETWORKS.exists(), reason="the shared data are not beside this checkout")


def town() -> list[xr.DataTree]:
    """Read the areas of Schutterwald."""
    return split_feeders(import_pandapower(NETWORKS / "schutterwald" / "lv_schutterwald.json.gz")[0])


def grid(name: str) -> xr.DataTree:
    """Read a SimBench grid."""
    return import_simbench(NETWORKS / "simbench_scenario1_extract", name)[0]


def exchange(case: xr.DataTree, kw: float) -> tuple[np.ndarray, np.ndarray]:
    """Return net injections where each meter exchanges up to `kw`, in two steps of opposite direction."""
    bus = parent_index(case, "meter", "bus")
    one = np.random.default_rng(1).uniform(0, kw, len(bus))
    p = np.bincount(bus, one, len(columns(case, "bus")["id"]))
    return np.stack([-p, p], axis=1), np.stack([-0.2 * p, 0 * p], axis=1)


def tables(case: xr.DataTree) -> dict[str, dict[str, Any]]:
    """Turn the network into the plain columns that the slow twin reads."""
    found = {kind: columns(case, kind) for kind in ("bus", "source", "line", "transformer")}
    return {
        kind: {
            name: [v.decode() if isinstance(v, bytes) else v for v in values.tolist()] for name, values in table.items()
        }
        for kind, table in found.items()
    }


def test_area_with_a_loop_agrees_with_slow_twin() -> None:
    (case,) = [area for area in town() if len(network_of(area).chords)]
    p, q = exchange(case, 3.0)
    state, plain = AcModel(case).flow(p, q), tables(case)
    carries = columns(case, "line")["in_service"], columns(case, "transformer")["in_service"]
    on = np.concatenate(carries)
    for t in range(2):
        v, p_from, loading = naive_flow(plain, p[:, t], q[:, t])
        np.testing.assert_allclose(state.v_pu[:, t], v, rtol=0, atol=1e-8)
        np.testing.assert_allclose(state.p_from[on, t], p_from, rtol=1e-5, atol=1e-3)
        np.testing.assert_allclose(state.loading_pu[on, t], loading, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("name", "kw"), [("LV3.101", 3.0), ("LV6.201", 3.0)])
def test_linear_voltage_is_close_on_simbench(name: str, kw: float) -> None:
    check_error(grid(name), kw)


def test_linear_voltage_is_close_in_the_town() -> None:
    for area in town():
        check_error(area, 2.5)


def check_error(case: xr.DataTree, kw: float) -> None:
    """Losses are all that linear leaves out, so its error stays small where nothing is overloaded."""
    p, q = exchange(case, kw)
    state = AcModel(case).flow(p, q)
    linear = linear_flow(network_of(case), p, q)
    excess = limits_ac(case, state, linear.v_squared)
    assert state.converged.all()
    assert excess.loading_max_pu < 1.2
    assert 0 < excess.v_error_max_pu <= 0.006
