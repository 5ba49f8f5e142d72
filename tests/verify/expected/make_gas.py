"""Pressures of gas networks by pandapipes, kept beside as ``pandapipes.json.gz``.

Run in an environment of its own: ``python -m venv venv && venv/bin/pip install pandapipes==0.16.0``, then
``venv/bin/python tests/verify/expected/make_gas.py FOLDER``, where FOLDER holds ``distribution_54.m``,
``gaslib-40-E.m``, ``24-pipe-benchmark.m`` and ``case-6.m`` of GasModels.jl. Schutterwald comes with pandapipes (BSD-3).
Pandapipes knows neither given friction factors nor compressors that stand open: pipes get the roughness at which
Nikuradse's rough wall has the factor of the file, a gas without viscosity, and one junction where a compressor is.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandapipes as pp
from pandapipes import networks
from pandapipes.properties.fluids import Fluid, FluidPropertyConstant

TIGHT = {"tol_p": 1e-9, "tol_m": 1e-9, "tol_res": 1e-8, "max_iter_hyd": 300}
KELVIN, SEA = 273.15, 1.01325


def air(height: np.ndarray) -> np.ndarray:
    """Air pressure by the formula of pandapipes. [bar]"""
    return SEA * (1 - height * 0.0065 / 288.15) ** 5.255


def absolute(net: Any) -> dict[str, float]:
    """Absolute pressure by junction name. [bar]"""
    found = net.res_junction.p_bar + air(net.junction.height_m)
    return {n: round(float(p), 7) for n, p in zip(net.junction.name, found, strict=True)}


def schutterwald(factor: float, law: str, *, flat: bool, source: tuple[int, float] | None = None) -> dict[str, Any]:
    """Town at a multiple of the mean hour of its yearly demand; `source` is a junction and its m3/h."""
    net = networks.schutterwald_gas()
    if flat:
        net.junction["height_m"] = float(net.junction.height_m[net.ext_grid.junction.iloc[0]])
    density = float(net.fluid.get_density(KELVIN))
    net.sink["mdot_kg_per_s"] = factor * net.sink.demand_m3_per_a / 8760 / 3600 * density
    if source:
        pp.create_source(net, source[0], source[1] / 3600 * density)
    pp.pipeflow(net, friction_model=law, **TIGHT)
    found: dict[str, Any] = {"pressure": absolute(net), "factor": factor, "friction_law": law}
    found["flow_gate"] = round(-float(net.res_ext_grid.mdot_kg_per_s.sum()) / density * 3600, 6)
    return found | ({"source": [net.junction.name[source[0]], source[1]]} if source else {})


def table(text: str, name: str) -> list[list[float]]:
    """Leading numbers of the rows of a MatGas table."""
    found = re.search(rf"mgc\.{name} = \[\n(.*?)\n\]", text, re.DOTALL)
    rows = [re.split(r"\s+", re.sub(r"'[^']*'", "0", r).strip()) for r in found[1].splitlines()] if found else []
    return [[float(c) for c in row] for row in rows if row != [""]]


def single(text: str, name: str) -> float:
    """Return a value of a MatGas text."""
    return float(re.search(rf"mgc\.{name}\s*=\s*([\d.]+)", text)[1])


def matgas(path: Path, gate: int, gate_bar: float, taken: dict[int, float], *, gauge: bool = False) -> dict[str, Any]:
    """Network of a MatGas file with compressors as open bypasses; `taken` is kg/s by junction."""
    text = path.read_text()
    kelvin, speed = single(text, "temperature"), single(text, "sound_speed")
    mass = single(text, "gas_molar_mass") if "gas_molar_mass" in text else 0.0
    density = 101325 * mass / (8.314462618 * KELVIN) if mass else 1.2929 * single(text, "gas_specific_gravity")
    factor = speed**2 * density * KELVIN / (101325 * kelvin)
    constant = {"density": density, "viscosity": 1e-14, "compressibility": factor, "der_compressibility": 0.0}
    constant |= {"heat_capacity": 2000.0, "molar_mass": 17.0}
    net = pp.create_empty_network()
    net["fluid"] = Fluid("gas", "gas", **{k: FluidPropertyConstant(v) for k, v in constant.items()})
    one = {int(r[0]): int(r[0]) for r in table(text, "junction")}
    order = list(one)
    for row in table(text, "compressor"):
        first, second = sorted((one[int(row[1])], one[int(row[2])]), key=order.index)
        one = {k: first if v == second else v for k, v in one.items()}
    level = {int(r[0]): r[3] / 1e5 - (0.0 if gauge else SEA) for r in table(text, "junction")}
    at = {k: pp.create_junction(net, max(level[k], 0.01), kelvin, name=str(k)) for k in order if one[k] == k}
    for row in table(text, "pipe"):
        d, friction = row[3], row[5]
        k_mm = 1e3 * d / 10 ** ((1 / np.sqrt(friction) - 1.14) / 2)
        pp.create_pipe_from_parameters(
            net, at[one[int(row[1])]], at[one[int(row[2])]], row[4] / 1e3, 1e3 * d, k_mm=k_mm
        )
    for row in table(text, "regulator"):
        first, second = at[one[int(row[1])]], at[one[int(row[2])]]
        pp.create_pressure_control(net, first, second, second, level[int(row[2])])
    pp.create_ext_grid(net, at[one[gate]], gate_bar - SEA, kelvin)
    for k, mass_flow in taken.items():
        pp.create_sink(net, at[one[k]], mass_flow)
    pp.pipeflow(net, friction_model="nikuradse", **TIGHT)
    by_junction: dict[str, float] = {}
    for k, mass_flow in taken.items():
        by_junction[str(one[k])] = by_junction.get(str(one[k]), 0.0) + mass_flow
    return {"pressure": absolute(net), "taken_kg_per_s": by_junction}


def nominal(path: Path, factor: float, minus: dict[int, float] | None = None) -> dict[int, float]:
    """Nominal deliveries times a factor, less injections. [kg/s]"""
    found = {k: -v for k, v in (minus or {}).items()}
    for row in table(path.read_text(), "delivery"):
        found[int(row[1])] = found.get(int(row[1]), 0.0) + factor * row[4]
    return found


def main(folder: Path) -> None:
    """Write the file."""
    d54, gaslib, pipes24 = (folder / f"{n}.m" for n in ("distribution_54", "gaslib-40-E", "24-pipe-benchmark"))
    found = {
        "schutterwald": {
            "winter": schutterwald(3.0, "nikuradse", flat=True),
            "winter with heights": schutterwald(3.0, "nikuradse", flat=False),
            "winter by Colebrook": schutterwald(3.0, "colebrook", flat=True),
            "summer with injection": schutterwald(0.2, "nikuradse", flat=True, source=(1500, 150.0)),
        },
        "distribution_54": {
            "nominal": matgas(d54, 1, 12 + SEA, nominal(d54, 1.0), gauge=True),
            "injection": matgas(d54, 1, 12 + SEA, nominal(d54, 1.0, {31: 0.02, 39: 0.02}), gauge=True),
        },
        "gaslib-40-E": {"a quarter": matgas(gaslib, 0, 81.01325, nominal(gaslib, 0.25))},
        "24-pipe-benchmark": {"a fifth": matgas(pipes24, 1, 55.15808, nominal(pipes24, 0.2))},
        "case-6": {"transfers": matgas(folder / "case-6.m", 1, 40.0, {2: 30.0, 3: 40.0, 4: 20.0})},
    }
    out = {"made_by": f"pandapipes {version('pandapipes')}", "cases": found}
    text = json.dumps(out).encode()
    Path(__file__).with_name("pandapipes.json.gz").write_bytes(gzip.compress(text, 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
