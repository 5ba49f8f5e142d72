"""Writes the nets of these tests and what pandapower itself computes for them.

Run once in an environment of its own, never by the tests::

    pip install pandapower==3.5.6            &&  python freeze_pandapower.py
    pip install pandapower==2.14.10 "pandas<3"  &&  python freeze_pandapower.py

Version 3 writes ``mixed`` and ``multivoltage``, version 2 writes ``cigre_mv`` (the older file format).
The nets that pandapower ships are BSD-3-Clause (Fraunhofer IEE, University of Kassel).
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandapower as pp
import pandapower.networks as pn

HERE = Path(__file__).parent
NETS = HERE.parent / "nets"


def mixed() -> pp.pandapowerNet:
    """Return a net with every handled element in an unusual setting."""
    net = pp.create_empty_network("mixed", f_hz=60.0)
    at = {name: pp.create_bus(net, kv, name=name) for name, kv in BUSES}
    net.bus["min_vm_pu"], net.bus["max_vm_pu"] = 0.93, 1.07
    net.bus.loc[at["far"], ["min_vm_pu", "max_vm_pu"]] = [0.0, 2.0]
    net.bus["geo"] = [json.dumps({"type": "Point", "coordinates": [9.4 + k / 1e3, 51.3]}) for k in range(len(net.bus))]
    pp.create_ext_grid(net, at["hv"], vm_pu=1.02, name="grid")
    trafo = {"sn_mva": 0.63, "vn_hv_kv": 20.0, "vn_lv_kv": 0.4, "vkr_percent": 1.1, "vk_percent": 6.0}
    trafo |= {"pfe_kw": 1.2, "i0_percent": 0.3, "shift_degree": 150, "tap_neutral": 0, "tap_min": -2, "tap_max": 3}
    trafo |= {"tap_changer_type": "Ratio", "tap_step_degree": 0.0}
    falling = {"tap_side": "hv", "tap_step_percent": -2.5, "tap_pos": 1}
    low_side = {"tap_side": "lv", "tap_step_percent": 1.25, "tap_pos": 2}
    for name in ("pair a", "pair b"):
        pp.create_transformer_from_parameters(net, at["mv"], at["busbar"], name=name, **trafo, **falling)
    pp.create_transformer_from_parameters(
        net, at["mv"], at["lv 2"], name="double", parallel=2, df=0.8, **trafo, **low_side
    )
    idle = {"pfe_kw": 0.0, "i0_percent": 0.0}  # what a cut transformer loses is left out on import
    pp.create_transformer_from_parameters(net, at["mv"], at["lv 2"], name="cut", **(trafo | idle), **low_side)
    pp.create_switch(net, at["lv 2"], 3, et="t", closed=False)
    for name, start, stop, km, parallel in LINES:
        kind = "NA2XS2Y 1x150 RM/25 12/20 kV" if net.bus.vn_kv[at[start]] > 1 else "NAYY 4x150 SE"
        pp.create_line(net, at[start], at[stop], km, kind, name=name, parallel=parallel, df=0.9)
    pp.create_switch(net, at["ring"], 2, et="l", closed=False)
    pp.create_switch(net, at["busbar"], at["busbar b"], et="b")
    pp.create_switch(net, at["busbar"], at["lv 2"], et="b", closed=False)
    pp.create_switch(net, at["busbar b"], at["shop"], et="b", z_ohm=0.004, in_ka=0.4)
    pp.create_load(net, at["house"], 0.009, 0.002, name="HH_w1", type="HH")
    pp.create_load(net, at["house"], 0.004, 0.001, name="HP_w1", type="HP", scaling=0.5)
    pp.create_load(net, at["house"], 0.007, 0.001, name="HH_w2", type="HH")
    pp.create_load(net, at["shop"], 0.03, 0.01, name="shop", const_z_p_percent=0.0)
    pp.create_load(net, at["far"], -0.012, 0.003, name="old plant")
    pp.create_load(net, at["far"], 0.5, name="off", in_service=False)
    pp.create_sgen(net, at["house"], 0.010, 0.001, name="PV_w2", type="PV", scaling=0.8)
    pp.create_sgen(net, at["far"], 0.05, name="mill", type="WP", controllable=False)
    pp.create_sgen(net, at["far"], -0.002, 0.0005, name="takes")
    pp.create_storage(net, at["house"], 0.0, 0.01, name="BAT_w1", soc_percent=25, min_e_mwh=0.001, sn_mva=0.005)
    pp.create_storage(net, at["far"], 0.0, 0.02, q_mvar=0.002, name="big", max_p_mw=0.006, min_p_mw=-0.008)
    net.bus.loc[at["dead"], "in_service"] = False
    return net


BUSES = (
    ("hv", 20.0),
    ("mv", 20.0),
    ("ring", 20.0),
    ("busbar", 0.4),
    ("busbar b", 0.4),
    ("lv 2", 0.4),
    ("house", 0.4),
    ("shop", 0.4),
    ("far", 0.4),
    ("dead", 0.4),
)
LINES = (
    ("feed", "hv", "mv", 2.0, 1),
    ("feed 2", "hv", "ring", 6.0, 1),
    ("spare", "mv", "ring", 5.0, 1),
    ("to house", "busbar b", "house", 0.12, 2),
    ("to far", "lv 2", "far", 0.25, 1),
    ("to dead", "far", "dead", 0.1, 1),
)


def freeze(name: str, net: pp.pandapowerNet) -> None:
    """Write a net, and its voltages and line loadings by element name."""
    (NETS / f"{name}.json.gz").write_bytes(gzip.compress(pp.to_json(net).encode(), 9, mtime=0))
    if "gen" in net and len(net.gen):
        return
    pp.runpp(net, trafo_model="pi", calculate_voltage_angles=True)
    voltage = {n: round(float(v), 9) for n, v in zip(net.bus.name, net.res_bus.vm_pu, strict=True) if v > 0}
    loading = zip(net.line.name, net.res_line.loading_percent / 100, strict=True)
    result = {"pandapower": pp.__version__, "v_pu": voltage, "loading_pu": {n: round(float(v), 7) for n, v in loading}}
    (HERE / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    if pp.__version__.startswith("2."):
        freeze("cigre_mv", pn.create_cigre_network_mv(with_der="pv_wind"))
    else:
        freeze("mixed", mixed())
        freeze("multivoltage", pn.example_multivoltage())
