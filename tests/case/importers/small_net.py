"""A net with one source, one transformer, one line and one load, and pandapower's way of writing its tables."""

from __future__ import annotations

import json
from typing import Any

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

EXTRA: dict[str, dict[str, list[Any]]] = {
    "switch": {"bus": [1], "element": [0], "et": ["l"], "closed": [False], "z_ohm": [0.0]},
    "sgen": {"name": ["PV"], "bus": [2], "p_mw": [0.01], "q_mvar": [0.0], "in_service": [True], "type": ["PV"]},
    "storage": {
        "name": ["B"],
        "bus": [2],
        "p_mw": [0.0],
        "max_e_mwh": [0.01],
        "soc_percent": [50],
        "in_service": [True],
    },
    "bus_geodata": {"x": [7.8, 7.9, 8.0], "y": [48.1, 48.2, 48.3]},
}
NET: dict[str, dict[str, list[Any]]] = SMALL | EXTRA


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
