"""Pressures of small networks with compressors by pandapipes, kept beside as ``compressors.json.gz`` with the networks.

Run in an environment of its own: ``python -m venv venv && venv/bin/pip install pandapipes==0.16.0``, then
``venv/bin/python tests/verify/expected/make_compressors.py``.
"""

from __future__ import annotations

import gzip
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandapipes as pp

TIGHT = {"tol_p": 1e-9, "tol_m": 1e-9, "tol_res": 1e-8, "max_iter_hyd": 300}
SEA = 1.01325


def chain(factor: float, *, loop: bool) -> Any:
    """Two compressors one after the other, a pressure control behind them, and a loop of pipes between."""
    net = pp.create_empty_network("chain", fluid="lgas")
    names = ("gate", "before", "behind", "near", "far", "second", "end", "town", "last")
    at = {n: pp.create_junction(net, 16.0, 283.15, name=n) for n in names}
    pp.create_ext_grid(net, at["gate"], 16.0, 283.15, name="gate")
    pipes = [("gate", "before", 12.0), ("behind", "near", 9.0), ("near", "far", 7.0), ("second", "end", 15.0)]
    pipes += [("behind", "far", 18.0)] if loop else []
    pipes += [("town", "last", 2.0)]
    for first, second, km in pipes:
        pp.create_pipe_from_parameters(net, at[first], at[second], km, 200.0, k_mm=0.1, name=f"{first} {second}")
    pp.create_compressor(net, at["before"], at["behind"], 1.35, name="one")
    pp.create_compressor(net, at["far"], at["second"], 1.2, name="two")
    pp.create_pressure_control(net, at["end"], at["town"], at["town"], 4.5, name="down")
    for n, kg in (("near", 0.35), ("far", 0.2), ("end", 0.3), ("last", 0.25)):
        pp.create_sink(net, at[n], factor * kg, name=n)
    return net


def main() -> None:
    """Write the file."""
    cases = {}
    for name, factor, loop in (("at work", 1.0, False), ("nearly at rest", 0.02, False), ("with a loop", 1.0, True)):
        net = chain(factor, loop=loop)
        text = pp.to_json(net)
        pp.pipeflow(net, friction_model="nikuradse", **TIGHT)
        pressure = {n: round(float(p) + SEA, 7) for n, p in zip(net.junction.name, net.res_junction.p_bar, strict=True)}
        cases[name] = {"net": json.loads(text), "pressure": pressure}
    found = {"made_by": f"pandapipes {version('pandapipes')}", "cases": cases}
    packed = gzip.compress(json.dumps(found).encode(), 9, mtime=0)
    Path(__file__).with_name("compressors.json.gz").write_bytes(packed)


if __name__ == "__main__":
    main()
