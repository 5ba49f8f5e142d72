"""A small gas network: a gate at 16 bar, a ring, a regulator to a low level, a consumer at each end."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch.case.schema import build_case


def gas_tables() -> dict[str, dict[str, Any]]:
    """Columns of the case."""
    return {
        "gas_network": {"density_normal": 0.8, "pressure_ambient": 1.0},
        "junction": {
            "id": ["gate", "a", "b", "c", "low", "end"],
            "pressure_min": [10, 10, 10, 10, 1.5, 1.5],
            "pressure_max": [17, 17, 17, 17, 2.5, 2.5],
        },
        "gate": {"id": ["city"], "junction": ["gate"], "pressure": [16]},
        "pipe": {
            "id": ["p1", "p2", "p3", "p4", "p5"],
            "junction_from": ["gate", "a", "c", "gate", "end"],
            "junction_to": ["a", "b", "b", "c", "low"],
            "length": [2000, 1500, 1000, 3000, 400],
            "inner_diameter": [0.1, 0.1, 0.08, 0.1, 0.1],
        },
        "regulator": {"id": ["r"], "junction_from": ["b"], "junction_to": ["low"], "pressure": [2], "flow_max": [500]},
        "consumer": {"id": ["k1", "k2"], "junction": ["a", "end"], "flow_nom": [800, 200]},
        "injection": {"id": ["bio"], "junction": ["c"], "flow_nom": [150]},
    }


def gas_case(**changes: dict[str, Any]) -> Any:
    """Build the case with some columns changed; a kind set to None is left out."""
    tables = gas_tables()
    for kind, columns in changes.items():
        tables[kind] = {**tables.get(kind, {}), **columns}
    return build_case({k: {n: np.asarray(v) for n, v in t.items()} for k, t in tables.items()}, title="gas")
