"""The program of docs/formulation.md as an explicit Pyomo model, solved through appsi_highs (one thread).

Run by the Python of an environment with pyomo, highspy and numpy: ``python pyomo_day.py DAY.npz ANSWER.json``.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo

PRICE_UNMET = 10.0


def prosumers(m: Any, d: dict[str, Any]) -> Any:
    """Columns and rows behind the meters; returns their cost."""
    dt, steps = d["dt"], len(d["period"])
    m.t, m.h = pyo.RangeSet(0, steps - 1), pyo.RangeSet(0, len(d["meter_bus"]) - 1)
    m.g, m.s = pyo.RangeSet(0, len(d["pv_meter"]) - 1), pyo.RangeSet(0, len(d["store_meter"]) - 1)

    def bounded(kind: Any, name: str) -> Any:
        return pyo.Var(kind, m.t, bounds=lambda _, k, t: (0, d[name][k, t]))

    m.take, m.give = bounded(m.h, "meter_import_max"), bounded(m.h, "meter_export_max")
    m.unserved, m.spilled = bounded(m.h, "meter_unserved_max"), bounded(m.h, "meter_spilled_max")
    m.curtailed, m.charge = bounded(m.g, "pv_curtailed_max"), bounded(m.s, "store_charge_max")
    m.discharge = bounded(m.s, "store_discharge_max")
    m.content = pyo.Var(m.s, m.t, bounds=lambda _, s, _t: (0, d["store_energy_nom"][s]))
    m.shortfall = pyo.Var(m.s, bounds=(0, None))
    panels = [np.nonzero(d["pv_meter"] == h)[0].tolist() for h in m.h]
    stores = [np.nonzero(d["store_meter"] == h)[0].tolist() for h in m.h]
    m.meter = pyo.Constraint(
        m.h,
        m.t,
        rule=lambda m, h, t: (
            m.take[h, t] - m.give[h, t] + m.unserved[h, t] - m.spilled[h, t]
            - sum(m.curtailed[g, t] for g in panels[h])
            + sum(m.discharge[s, t] - m.charge[s, t] for s in stores[h])
            == -d["meter_given"][h, t]
        ),
    )  # fmt: skip
    into, out = d["store_efficiency_charge"], d["store_efficiency_discharge"]
    m.store = pyo.Constraint(
        m.s,
        m.t,
        rule=lambda m, s, t: (
            m.content[s, t]
            == d["store_kept"][s] * (m.content[s, t - 1] if t else d["store_initial"][s])
            + dt * (into[s] * m.charge[s, t] - m.discharge[s, t] / out[s])
        ),
    )
    m.final = pyo.Constraint(m.s, rule=lambda m, s: m.content[s, steps - 1] + m.shortfall[s] >= d["store_final"][s])
    tops = [h for h in m.h if d["meter_price_peak"][h] > 0]
    m.w = pyo.RangeSet(0, int(d["period"].max()))
    m.peak = pyo.Var(tops, m.w, bounds=(0, None))
    m.under_peak = pyo.Constraint(tops, m.t, rule=lambda m, h, t: m.take[h, t] <= m.peak[h, d["period"][t]])
    return (
        sum(dt * d["meter_price_import"][h, t] * m.take[h, t] for h in m.h for t in m.t)
        - sum(dt * d["meter_price_export"][h, t] * m.give[h, t] for h in m.h for t in m.t)
        + sum(dt * PRICE_UNMET * (m.unserved[h, t] + m.spilled[h, t]) for h in m.h for t in m.t)
        + sum(dt * d["store_wear_cost"][s] * (m.charge[s, t] + m.discharge[s, t]) for s in m.s for t in m.t)
        + sum(PRICE_UNMET * m.shortfall[s] for s in m.s)
        + sum(d["meter_price_peak"][h] * m.peak[h, w] for h in tops for w in m.w)
    )


def network(m: Any, d: dict[str, Any]) -> Any:
    """Balances, drops and elastic limits; returns the cost of the slacks."""
    dt, penalty = d["dt"], d["limit_penalty"]
    m.n, m.b = pyo.RangeSet(0, len(d["bus_v_squared_max"]) - 1), pyo.RangeSet(0, len(d["branch_from"]) - 1)
    start, stop = d["branch_from"], d["branch_to"]
    leaving = [np.nonzero(start == n)[0].tolist() for n in m.n]
    arriving = [np.nonzero(stop == n)[0].tolist() for n in m.n]
    here = [np.nonzero(d["meter_bus"] == n)[0].tolist() for n in m.n]
    held = {int(n): v for n, v in zip(d["source_bus"], d["source_v_squared"], strict=True)}
    m.p, m.source = pyo.Var(m.b, m.t), pyo.Var(list(held), m.t)
    m.v = pyo.Var(m.n, m.t)
    m.over, m.under = pyo.Var(m.n, m.t, bounds=(0, None)), pyo.Var(m.n, m.t, bounds=(0, None))
    m.forward, m.reverse = pyo.Var(m.b, m.t, bounds=(0, None)), pyo.Var(m.b, m.t, bounds=(0, None))
    m.balance = pyo.Constraint(
        m.n,
        m.t,
        rule=lambda m, n, t: (
            sum(m.give[h, t] - m.take[h, t] for h in here[n])
            + sum(m.p[b, t] for b in arriving[n])
            - sum(m.p[b, t] for b in leaving[n])
            + (m.source[n, t] if n in held else 0)
            == 0
        ),
    )
    m.held = pyo.Constraint(list(held), m.t, rule=lambda m, n, t: m.v[n, t] == held[n])
    r, x, squared, q = d["branch_r"], d["branch_x"], d["branch_ratio"] ** 2, d["branch_q"]
    m.drop = pyo.Constraint(
        m.b,
        m.t,
        rule=lambda m, b, t: squared[b] * m.v[stop[b], t] == m.v[start[b], t] - 2 * (r[b] * m.p[b, t] + x[b] * q[b, t]),
    )
    high, low, most, size = d["bus_v_squared_max"], d["bus_v_squared_min"], d["branch_p_max"], d["branch_s_nom"]
    m.v_max = pyo.Constraint(m.n, m.t, rule=lambda m, n, t: m.v[n, t] - m.over[n, t] <= high[n])
    m.v_min = pyo.Constraint(m.n, m.t, rule=lambda m, n, t: m.v[n, t] + m.under[n, t] >= low[n])
    m.most = pyo.Constraint(m.b, m.t, rule=lambda m, b, t: m.p[b, t] - m.forward[b, t] <= most[b, t])
    m.least = pyo.Constraint(m.b, m.t, rule=lambda m, b, t: -m.p[b, t] - m.reverse[b, t] <= most[b, t])
    return dt * penalty * (
        sum(m.over[n, t] / high[n] + m.under[n, t] / low[n] for n in m.n for t in m.t)
        + sum((m.forward[b, t] + m.reverse[b, t]) / size[b] for b in m.b for t in m.t)
    )  # fmt: skip


def solve(d: dict[str, Any]) -> dict[str, float]:
    """Time from arrays in memory to the optimum."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    m = pyo.ConcreteModel()
    m.cost = pyo.Objective(expr=prosumers(m, d) + network(m, d))
    solver = pyo.SolverFactory("appsi_highs")
    solver.highs_options = {"solver": "simplex", "threads": 1}
    solver.solve(m)
    clock = {"seconds": time.perf_counter() - begin, "cpu_s": time.process_time() - begin_cpu}
    return clock | {"objective": float(pyo.value(m.cost))}


def main(given: str, answer: str) -> None:
    """Warm up on two steps, then solve the day."""
    d: dict[str, Any] = dict(np.load(given, allow_pickle=False))
    d["dt"], d["limit_penalty"] = float(d["dt"]), float(d["limit_penalty"])
    series = {k for k, v in d.items() if np.ndim(v) == 2} | {"period"}
    solve({k: v[..., :2] if k in series else v for k, v in d.items()})
    found = solve(d)
    versions = {name: metadata.version(name) for name in ("pyomo", "highspy")}
    report = found | {"versions": versions, "note": "appsi_highs, simplex"}
    Path(answer).write_text(json.dumps(report), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
