"""Writes a gas net of these tests and what pandapipes itself computes for it.

Run once in an environment of its own, never by the tests::

    pip install pandapipes==0.16.0  &&  python freeze_pandapipes.py
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pandapipes as pp

HERE = Path(__file__).parent
NETS = HERE.parent / "nets"


def mixed() -> Any:
    """Return a net with every handled element in an unusual setting."""
    net = pp.create_empty_network("gas mixed", fluid="lgas")
    names = ("gate", "a", "a2", "b", "c", "low", "end", "cut", "lossy", "dead")
    at = {
        n: pp.create_junction(net, 5.0 if k < 5 else 0.5, 285.15, name=n, height_m=100.0) for k, n in enumerate(names)
    }
    pp.create_ext_grid(net, at["gate"], 5.0, 285.15, name="city")
    pp.create_ext_grid(net, at["gate"], 4.0, 285.15, name="spare", in_service=False)
    pipes = (
        ("p1", "gate", "a", 2.0, 100),
        ("p2", "a2", "b", 1.5, 80),
        ("p3", "gate", "c", 1.0, 80),
        ("p4", "c", "b", 2.5, 80),
        ("p5", "low", "end", 0.4, 50),
        ("p6", "end", "cut", 0.1, 50),
        ("p7", "lossy", "end", 0.2, 50),
        ("off", "low", "end", 0.1, 200),
    )
    for name, start, stop, km, mm in pipes:
        loss = 3.0 if name == "p2" else 0.0
        pp.create_pipe_from_parameters(
            net, at[start], at[stop], km, mm, k_mm=0.15, loss_coefficient=loss, name=name, in_service=name != "off"
        )
    pp.create_valve(net, at["a"], at["a2"], "ju", 100, name="joined")
    pp.create_valve(net, at["low"], at["lossy"], "ju", 50, loss_coefficient=40.0, name="throttle")
    pp.create_valve(net, at["end"], 5, "pi", 50, opened=False, name="shut")
    pp.create_valve(net, at["c"], 3, "pi", 80, loss_coefficient=7.0, name="half open")
    pp.create_pressure_control(net, at["b"], at["low"], at["low"], 0.5, name="station")
    pp.create_sink(net, at["a"], 0.02, scaling=1.5, name="works")
    pp.create_sink(net, at["end"], 0.01, name="village")
    pp.create_sink(net, at["lossy"], -0.002, name="gives")
    pp.create_sink(net, at["end"], 9.0, name="off", in_service=False)
    pp.create_source(net, at["c"], 0.005, name="biomethane")
    net.junction.loc[at["dead"], "in_service"] = False
    return net


def main() -> None:
    """Write both files."""
    net = mixed()
    (NETS / "gas_mixed.json.gz").write_bytes(gzip.compress(pp.to_json(net).encode(), 9, mtime=0))
    pp.pipeflow(net, tol_p=1e-9, tol_m=1e-9, tol_res=1e-8)
    pressure = {n: round(float(p), 8) for n, p in zip(net.junction.name, net.res_junction.p_bar, strict=True) if p > -1}
    flow = {
        n: round(float(m), 9)
        for n, m in zip(net.pipe.name, net.res_pipe.mdot_from_kg_per_s, strict=True)
        if abs(m) < 1e9
    }
    found = {"pandapipes": pp.__version__, "pressure_gauge": pressure, "mass_flow": flow}
    (HERE / "gas_mixed.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
