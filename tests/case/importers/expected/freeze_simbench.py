"""Writes what the packages simbench and pandapower make of ten SimBench grids.

Run once in an environment of its own, never by the tests::

    pip install simbench==1.6.3 pandapower==3.5.6  &&  python freeze_simbench.py

SimBench data: ODbL 1.0 (University of Kassel, Fraunhofer IEE, RWTH Aachen, TU Dortmund); only a few results are kept.
simbench 1.6.3 leaves the taps without a type, which pandapower 3 then ignores; here they get one, so that they count.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandapower as pp
import simbench as sb

GRIDS = {
    "LV1.101": "1-LV-rural1--1-sw",
    "LV2.101": "1-LV-rural2--1-sw",
    "LV3.101": "1-LV-rural3--1-sw",
    "LV4.101": "1-LV-semiurb4--1-sw",
    "LV5.201": "1-LV-semiurb5--1-sw",
    "LV6.201": "1-LV-urban6--1-sw",
    "MV1.101": "1-MV-rural--1-sw",
    "MV2.101": "1-MV-semiurb--1-sw",
    "MV3.101": "1-MV-urban--1-sw",
    "MV4.101": "1-MV-comm--1-sw",
}


def result(code: str) -> dict[str, object]:
    """Return counts, yearly energies, and the state with all loads and generation at their nominal power."""
    net = sb.get_simbench_net(code)
    net.trafo["tap_changer_type"] = "Ratio"
    net.storage[["p_mw", "q_mvar"]] = 0.0
    pp.runpp(net, trafo_model="pi", calculate_voltage_angles=True)
    series = sb.get_absolute_values(net, profiles_instead_of_study_cases=True)
    at = net.res_bus.vm_pu.sort_values().index[:: max(len(net.bus) // 6, 1)]
    lines = net.res_line.loading_percent.sort_values().index[:: max(len(net.line) // 4, 1)]
    names = zip(net.bus.name[at], net.res_bus.vm_pu[at], strict=True)
    loading = zip(net.line.name[lines], net.res_line.loading_percent[lines] / 100, strict=True)
    return {
        "counts": {k: len(net[k]) for k in ("line", "trafo", "load", "sgen", "storage")},
        "energy_load_mwh": round(float(series["load", "p_mw"].to_numpy().sum() / 4), 2),
        "energy_sgen_mwh": round(float(series["sgen", "p_mw"].to_numpy().sum() / 4), 2),
        "q_load_mvarh": round(float(series["load", "q_mvar"].to_numpy().sum() / 4), 2),
        "v_pu": {n: round(float(v), 9) for n, v in names},
        "loading_pu": {n: round(float(v), 7) for n, v in loading},
    }


if __name__ == "__main__":
    results = {grid: result(code) for grid, code in GRIDS.items()}
    Path(__file__).with_name("simbench.json").write_text(json.dumps(results, indent=1) + "\n")
