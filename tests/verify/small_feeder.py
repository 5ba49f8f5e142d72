from __future__ import annotations

from typing import Any


def feeder(**changed: Any) -> dict[str, Any]:
    """Return a transformer with three buses in a row below it, and any other tables."""
    tables = {
        "bus": {"id": ["hv", "a", "b", "c"], "v_nom": [20.0, 0.4, 0.4, 0.4]},
        "source": {"id": ["s"], "bus": ["hv"], "v_pu": [1.02]},
        "line": {
            "id": ["ab", "bc"],
            "bus_from": ["a", "b"],
            "bus_to": ["b", "c"],
            "r": [0.06, 0.08],
            "x": [0.02, 0.03],
            "s_nom": [150.0, 100.0],
        },
        "transformer": {
            "id": ["t"],
            "bus_from": ["hv"],
            "bus_to": ["a"],
            "s_nom": [250.0],
            "v_nom_from": [20.0],
            "v_nom_to": [0.4],
            "r_pu": [0.012],
            "x_pu": [0.04],
        },
    }
    return {**tables, **changed}
