from __future__ import annotations

import copy
import gzip
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from small_net import SMALL, frame

from dispatch.case.schema import columns, positions
from dispatch.verify.electric import ac_flow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import xarray as xr


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
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
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
