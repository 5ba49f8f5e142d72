"""AC power flow of small networks by pandapower, kept beside as ``pandapower.json``.

Run in an environment of its own: ``python -m venv venv && venv/bin/pip install pandapower==3.5.6``, then
``venv/bin/python tests/verify/expected/make.py``.
"""

from __future__ import annotations

import json
import math
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandapower as pp

LINE = {"id": [], "bus_from": [], "bus_to": [], "r": [], "x": [], "b": [], "s_nom": []}


def lines(*rows: tuple[Any, ...]) -> dict[str, list[Any]]:
    """Line table from rows of bus_from, bus_to, r, x, b, s_nom."""
    names = list(LINE)[1:]
    return {"id": [f"l{i}" for i in range(len(rows))], **{n: [r[i] for r in rows] for i, n in enumerate(names)}}


def transformers(*rows: dict[str, Any]) -> dict[str, list[Any]]:
    """Transformer table from rows that override a 400 kVA, 20/0.4 kV one."""
    usual = {
        "bus_from": "hv",
        "bus_to": "a",
        "s_nom": 400.0,
        "v_nom_from": 20.0,
        "v_nom_to": 0.4,
        "r_pu": 0.01425,
        "x_pu": 0.05828,
        "p_no_load": 1.35,
        "i_no_load_pu": 0.0033,
        "tap_side": "from",
        "tap_position": 0,
        "tap_neutral": 0,
        "tap_step_pu": 0.025,
        "phase_shift": 150.0,
    }
    full = [{**usual, **row} for row in rows]
    return {"id": [f"t{i}" for i in range(len(rows))], **{n: [r[n] for r in full] for n in usual}}


def buses(hv: bool = True, names: str = "abcd", v_nom: float = 0.4) -> dict[str, list[Any]]:
    """Bus table: ``hv`` at 20 kV, then one bus a letter."""
    ids = (["hv"] if hv else []) + list(names)
    return {"id": ids, "v_nom": ([20.0] if hv else []) + [v_nom] * len(names)}


def source(bus: str = "hv", v_pu: float = 1.0) -> dict[str, list[Any]]:
    """Source table with one source."""
    return {"id": ["s"], "bus": [bus], "v_pu": [v_pu]}


LV = (("a", "b", 0.04, 0.016, 2e-5, 150.0), ("b", "c", 0.06, 0.02, 2e-5, 150.0), ("c", "d", 0.05, 0.018, 1e-5, 120.0))
USE = {"b": [[-30, -8], [45, 0]], "c": [[-20, -5], [60, 4]], "d": [[-25, -6], [38, -3]]}
CASES = {
    "line alone": {
        "bus": buses(hv=False, names="ab"),
        "source": source("a", 1.03),
        "line": lines(("a", "b", 0.1, 0.04, 5e-4, 100.0)),
    },
    "cable of 20 kV with much capacitance": {
        "bus": buses(hv=False, names="abc", v_nom=20.0),
        "source": source("a", 1.02),
        "line": lines(("a", "b", 1.9, 1.5, 1.2e-3, 9000.0), ("c", "b", 2.5, 2.1, 1.5e-3, 7000.0)),
    },
    "transformer, rated ratio": {
        "bus": buses(),
        "source": source(),
        "transformer": transformers({}),
        "line": lines(*LV),
    },
    "transformer, tap on the high side": {
        "bus": buses(),
        "source": source(v_pu=1.04),
        "transformer": transformers({"tap_position": -2}),
        "line": lines(*LV),
    },
    "transformer, tap on the low side": {
        "bus": buses(),
        "source": source(v_pu=0.98),
        "transformer": transformers({"tap_side": "to", "tap_position": 3, "tap_neutral": 1, "phase_shift": 330.0}),
        "line": lines(*LV),
    },
    "transformer whose rated voltages are not those of its buses": {
        "bus": buses(),
        "source": source(),
        "transformer": transformers({"v_nom_from": 21.0, "v_nom_to": 0.42, "tap_position": 1}),
        "line": lines(*LV),
    },
    "loop of lines": {
        "bus": buses(),
        "source": source(),
        "transformer": transformers({}),
        "line": lines(*LV, ("a", "d", 0.09, 0.02, 3e-5, 100.0)),
    },
    "two unequal transformers in parallel": {
        "bus": buses(),
        "source": source(),
        "transformer": transformers({}, {"s_nom": 250.0, "x_pu": 0.04, "tap_position": 1}),
        "line": lines(*LV),
    },
    "loop through two transformers": {
        "bus": buses(),
        "source": source(),
        "transformer": transformers({}, {"bus_to": "d", "s_nom": 160.0, "phase_shift": 150.0}),
        "line": lines(*LV),
    },
}


def net_of(tables: dict[str, Any]) -> tuple[Any, dict[str, int]]:
    """Build the pandapower net of a case."""
    net = pp.create_empty_network(sn_mva=0.1)
    bus = {i: pp.create_bus(net, v) for i, v in zip(tables["bus"]["id"], tables["bus"]["v_nom"], strict=True)}
    for i, v in zip(tables["source"]["bus"], tables["source"]["v_pu"], strict=True):
        pp.create_ext_grid(net, bus[i], vm_pu=v)
    v_nom = dict(zip(tables["bus"]["id"], tables["bus"]["v_nom"], strict=True))
    for a, b, r, x, sus, s in zip(*list(tables.get("line", LINE).values())[1:], strict=True):
        pp.create_line_from_parameters(
            net,
            bus[a],
            bus[b],
            1.0,
            r,
            x,
            sus / (2 * math.pi * 50) * 1e9,
            s / math.sqrt(3) / v_nom[a] / 1e3,
        )
    t = tables.get("transformer", {"id": []})
    for i in range(len(t["id"])):
        row = {k: v[i] for k, v in t.items()}
        pp.create_transformer_from_parameters(
            net,
            bus[row["bus_from"]],
            bus[row["bus_to"]],
            row["s_nom"] / 1e3,
            row["v_nom_from"],
            row["v_nom_to"],
            100 * row["r_pu"],
            100 * math.hypot(row["r_pu"], row["x_pu"]),
            row["p_no_load"],
            100 * row["i_no_load_pu"],
            shift_degree=row["phase_shift"],
            tap_side={"from": "hv", "to": "lv"}[row["tap_side"]],
            tap_neutral=row["tap_neutral"],
            tap_pos=row["tap_position"],
            tap_min=-5,
            tap_max=5,
            tap_step_percent=100 * row["tap_step_pu"],
            tap_changer_type="Ratio",
        )
    return net, bus


def solve(net: Any, bus: dict[str, int], p: list[float], q: list[float], model: str) -> dict[str, list[float]]:
    """Voltages, flows and loadings of one step."""
    net.sgen = net.sgen.iloc[:0]
    for number, p_bus, q_bus in zip(bus.values(), p, q, strict=True):
        if p_bus or q_bus:
            pp.create_sgen(net, number, p_bus / 1e3, q_bus / 1e3)
    pp.runpp(net, tolerance_mva=1e-12, trafo_model=model, trafo_loading="power", numba=False)
    line, trafo = net.res_line, net.res_trafo
    return {
        "v_pu": net.res_bus.vm_pu.tolist(),
        "p_from": [*(1e3 * line.p_from_mw), *(1e3 * trafo.p_hv_mw)],
        "loading_pu": [*(line.loading_percent / 100), *(trafo.loading_percent / 100)],
    }


def main() -> None:
    """Write the file."""
    found = {}
    for name, tables in CASES.items():
        factor = 40 if "20 kV" in name else 1
        use = {b: [[factor * a for a in row] for row in rows] for b, rows in USE.items()}
        steps = range(2)
        p = [[use.get(b, [[0, 0]] * 2)[t][0] for t in steps] for b in tables["bus"]["id"]]
        q = [[use.get(b, [[0, 0]] * 2)[t][1] for t in steps] for b in tables["bus"]["id"]]
        net, bus = net_of(tables)
        states = {
            model: [solve(net, bus, [row[t] for row in p], [row[t] for row in q], model) for t in steps]
            for model in ("pi", "t")
        }
        found[name] = {"tables": tables, "p": p, "q": q, **states}
    out = {"made_by": f"pandapower {version('pandapower')}", "cases": found}
    Path(__file__).with_name("pandapower.json").write_text(json.dumps(out, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
