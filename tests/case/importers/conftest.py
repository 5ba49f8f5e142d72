from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dispatch.case.schema import columns, positions
from dispatch.verify.electric import ac_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

SHARED = Path(__file__).parents[4] / "shared" / "data" / "networks"

SMALL: dict[str, dict[str, list[Any]]] = {
    "bus": {"name": ["grid", "station", "house"], "vn_kv": [20.0, 0.4, 0.4], "in_service": [True, True, True]},
    "ext_grid": {"name": ["source"], "bus": [0], "vm_pu": [1.01], "in_service": [True]},
    "trafo": {
        "name": ["T1"],
        "hv_bus": [0],
        "lv_bus": [1],
        "sn_mva": [0.4],
        "vn_hv_kv": [20.0],
        "vn_lv_kv": [0.4],
        "vk_percent": [6.0],
        "vkr_percent": [1.425],
        "pfe_kw": [1.35],
        "i0_percent": [0.3],
        "shift_degree": [150.0],
        "tap_side": ["hv"],
        "tap_neutral": [0],
        "tap_min": [-2],
        "tap_max": [2],
        "tap_step_percent": [2.5],
        "tap_step_degree": [0.0],
        "tap_pos": [1],
        "tap_changer_type": ["Ratio"],
        "in_service": [True],
    },
    "line": {
        "name": ["L1"],
        "from_bus": [1],
        "to_bus": [2],
        "length_km": [0.1],
        "r_ohm_per_km": [0.642],
        "x_ohm_per_km": [0.083],
        "c_nf_per_km": [210.0],
        "max_i_ka": [0.142],
        "in_service": [True],
    },
    "load": {"name": ["HH_w1"], "bus": [2], "p_mw": [0.004], "q_mvar": [0.001], "in_service": [True]},
}


def frame(table: dict[str, list[Any]], *, orient: str = "split", text: bool = True) -> dict[str, Any]:
    """One table as pandapower writes it."""
    rows = len(next(iter(table.values())))
    if orient == "split":
        cells = [[table[c][k] for c in table] for k in range(rows)]
        data: dict[str, Any] = {"columns": list(table), "index": list(range(rows)), "data": cells}
    else:
        data = {c: {str(k): v for k, v in enumerate(values)} for c, values in table.items()}
    labels = {"_module": "pandas.core.frame", "_class": "DataFrame", "orient": orient}
    return {**labels, "_object": json.dumps(data) if text else data}


@pytest.fixture
def small() -> dict[str, dict[str, list[Any]]]:
    """Tables of a net with one source, one transformer, one line and one load, free to change."""
    return copy.deepcopy(SMALL)


@pytest.fixture
def write_net(tmp_path: Path) -> Callable[..., Path]:
    """Write tables as a pandapower file."""

    def write(tables: dict[str, Any], *, name: str = "net.json", orient: str = "split", text: bool = True) -> Path:
        content = {k: frame(t, orient=orient, text=text) for k, t in tables.items() if not k.startswith("_")}
        content |= {"f_hz": 50.0, "name": "small", **tables.get("_more", {})}
        net = {"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": content}
        data = json.dumps(net).encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


@pytest.fixture
def nominal_state() -> Callable[[xr.DataTree], tuple[dict[str, float], dict[str, float]]]:
    """Return the function `state_at_nominal`."""
    return state_at_nominal


def state_at_nominal(case: xr.DataTree) -> tuple[dict[str, float], dict[str, float]]:
    """AC voltages by bus and loadings by branch with all loads and generation at their nominal power."""
    bus, meter = columns(case, "bus"), columns(case, "meter")
    p, q = np.zeros((len(bus["id"]), 1)), np.zeros((len(bus["id"]), 1))
    bus_of_meter = positions(bus["id"], meter["bus"])
    for kind, sign in (("load", -1), ("pv", 1)):
        table = columns(case, kind)
        at = bus_of_meter[positions(meter["id"], table["meter"])] if len(table["id"]) else np.zeros(0, int)
        np.add.at(p[:, 0], at, sign * table["p_nom"])
        np.add.at(q[:, 0], at, sign * table["q_nom"])
    state = ac_flow(case, p, q)
    branches = np.concatenate([columns(case, "line")["id"], columns(case, "transformer")["id"]])
    voltage = {n.decode(): float(v) for n, v in zip(bus["id"], state.v_pu[:, 0], strict=True)}
    return voltage, {n.decode(): float(v) for n, v in zip(branches, state.loading_pu[:, 0], strict=True)}
