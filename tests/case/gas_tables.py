"""Columns of a small valid gas network, which tests break in one way or another."""

from __future__ import annotations

from typing import Any

from dispatch.case.schema import build_case

TABLES: dict[str, dict[str, list[Any]]] = {
    "gas_network": {"heating_value_higher": [11.5], "heating_value_lower": [10.4]},
    "junction": {
        "id": ["g", "a", "b", "l", "m"],
        "pressure_min": [10, 10, 10, 1.5, 1.5],
        "pressure_max": [17, 17, 17, 2.5, 2.5],
    },
    "gate": {"id": ["city"], "junction": ["g"], "pressure": [16]},
    "pipe": {
        "id": ["p1", "p2", "p3"],
        "junction_from": ["g", "a", "l"],
        "junction_to": ["a", "b", "m"],
        "length": [2000, 1500, 1000],
        "inner_diameter": [0.1, 0.1, 0.08],
    },
    "regulator": {"id": ["r1"], "junction_from": ["b"], "junction_to": ["l"], "pressure": [2]},
    "consumer": {"id": ["k1", "k2"], "junction": ["a", "m"], "flow_nom": [800, 200]},
    "injection": {"id": ["bio"], "junction": ["l"], "flow_nom": [50]},
}


def gas_case(changes: dict[str, dict[str, list[Any]]] | None = None) -> Any:
    """Build the case with some columns changed."""
    tables = {k: dict(t) for k, t in TABLES.items()}
    for kind, columns in (changes or {}).items():
        tables.setdefault(kind, {}).update(columns)
    single = {k: v[0] for k, v in tables["gas_network"].items()}
    return build_case({**tables, "gas_network": single}, title="gas")
