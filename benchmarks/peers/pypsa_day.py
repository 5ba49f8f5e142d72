"""The same day in PyPSA: linopy straight to HiGHS, one thread, the better of simplex and interior point.

PyPSA has no voltage limits and no price of the highest import, so this is a relaxation; ratings are hard bounds of
links without losses. Batteries are a store and two links each, so that wear and final content are those of the page.
Run by the Python of an environment with pypsa: ``python pypsa_day.py DAY.npz ANSWER.json``.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pypsa

BIG = 1e5  # kW, beyond any feeder
PRICE_UNMET = 10.0


class Day:
    """A PyPSA network under construction; names are a letter and a number."""

    def __init__(self, d: dict[str, Any]) -> None:
        self.d, self.n, steps = d, pypsa.Network(), len(d["period"])
        self.n.set_snapshots(pd.date_range("2026-01-01", periods=steps, freq=pd.Timedelta(hours=d["dt"])))
        self.n.snapshot_weightings = self.n.snapshot_weightings.astype(float) * 0 + d["dt"]

    def frame(self, names: list[str] | np.ndarray, values: np.ndarray) -> pd.DataFrame:
        """Series of several elements, as PyPSA takes them."""
        return pd.DataFrame(np.asarray(values).T, self.n.snapshots, names)

    def bounded(self, names: list[str], most: np.ndarray) -> dict[str, Any]:
        """Largest power, as a series only where it varies: fewer series build faster."""
        top = np.maximum(most.max(1), 1e-9)
        varies = (most != top[:, None]).any()
        return {"p_nom": top} | ({"p_max_pu": self.frame(names, most / top[:, None])} if varies else {})

    def network(self) -> None:
        """Buses, sources and branches."""
        d, n = self.d, self.n
        self.bus = np.array([f"b{i}" for i in range(len(d["bus_v_squared_max"]))])
        n.add("Bus", self.bus)
        sources = [f"g{i}" for i in range(len(d["source_bus"]))]
        n.add("Generator", sources, bus=self.bus[d["source_bus"]], p_nom=BIG, p_min_pu=-1)
        links = [f"l{i}" for i in range(len(d["branch_from"]))]
        most = self.frame(links, d["branch_p_max"] / d["branch_s_nom"][:, None])
        ends = {"bus0": self.bus[d["branch_from"]], "bus1": self.bus[d["branch_to"]]}
        n.add("Link", links, **ends, p_nom=d["branch_s_nom"], p_max_pu=most, p_min_pu=-most)

    def meters(self) -> None:
        """Import and export as links with prices, what is given as a load, surplus as generation."""
        d, n, count = self.d, self.n, len(self.d["meter_bus"])
        meter, take, give, rest = (np.array([f"{k}{i}" for i in range(count)]) for k in "mied")
        self.meter = meter
        n.add("Bus", meter)
        at = self.bus[d["meter_bus"]]
        buy = self.frame(take, d["meter_price_import"])
        sell = self.frame(give, -d["meter_price_export"])
        n.add("Link", take, bus0=at, bus1=meter, p_nom=d["meter_import_max"].max(1), marginal_cost=buy)
        n.add("Link", give, bus0=meter, bus1=at, p_nom=d["meter_export_max"].max(1), marginal_cost=sell)
        # What cannot be curtailed is part of the load.
        fixed = d["meter_given"].copy()
        np.add.at(fixed, d["pv_meter"], -d["pv_curtailed_max"])
        n.add("Load", rest, bus=meter, p_set=self.frame(rest, -fixed))
        for letter, name, sign in (("u", "meter_unserved_max", 1.0), ("w", "meter_spilled_max", -1.0)):
            who = np.nonzero(d[name].max(1) > 0)[0]
            if len(who):
                names = [f"{letter}{i}" for i in who]
                bound = self.bounded(names, d[name][who])
                n.add("Generator", names, bus=meter[who], marginal_cost=PRICE_UNMET, sign=sign, **bound)
        roof = [f"p{i}" for i in range(len(d["pv_meter"]))]
        if roof:
            n.add("Generator", roof, bus=meter[d["pv_meter"]], **self.bounded(roof, d["pv_curtailed_max"]))

    def stores(self) -> None:
        """Add a store and two links for each battery."""
        d, n, count = self.d, self.n, len(self.d["store_meter"])
        if not count:
            return
        cell, into, out, store = ([f"{k}{i}" for i in range(count)] for k in "xcos")
        n.add("Bus", cell)
        at, wear, efficiency = self.meter[d["store_meter"]], d["store_wear_cost"], d["store_efficiency_discharge"]
        charge = self.bounded(into, d["store_charge_max"])
        discharge = self.bounded(out, d["store_discharge_max"] / efficiency[:, None])
        n.add("Link", into, bus0=at, bus1=cell, efficiency=d["store_efficiency_charge"], marginal_cost=wear, **charge)
        n.add("Link", out, bus0=cell, bus1=at, efficiency=efficiency, marginal_cost=wear * efficiency, **discharge)
        floor = np.zeros((count, len(d["period"])))
        floor[:, -1] = d["store_final"] / d["store_energy_nom"]
        loss = 1 - d["store_kept"] ** (1 / d["dt"])
        size = {"e_nom": d["store_energy_nom"], "e_initial": d["store_initial"], "standing_loss": loss}
        n.add("Store", store, bus=cell, e_min_pu=self.frame(store, floor), **size)


def solve(d: dict[str, Any], solver: str) -> dict[str, float]:
    """Time from arrays in memory to the optimum."""
    begin, begin_cpu = time.perf_counter(), time.process_time()
    day = Day(d)
    day.network()
    day.meters()
    day.stores()
    status, condition = day.n.optimize(
        solver_name="highs", io_api="direct", output_flag=False, threads=1, solver=solver, progress=False
    )
    if status != "ok":
        raise RuntimeError(f"{solver}: {condition}")
    clock = {"seconds": time.perf_counter() - begin, "cpu_s": time.process_time() - begin_cpu}
    return clock | {"objective": float(day.n.objective)}


def main(given: str, answer: str) -> None:
    """Warm up on two steps, then solve the day both ways."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    d: dict[str, Any] = dict(np.load(given, allow_pickle=False))
    d["dt"], d["limit_penalty"] = float(d["dt"]), float(d["limit_penalty"])
    series = {k for k, v in d.items() if np.ndim(v) == 2} | {"period"}
    begin = {k: v[..., :2] if k in series else v for k, v in d.items()}
    solve(begin | {"store_final": d["store_final"] * 0}, "simplex")
    found = {solver: solve(d, solver) for solver in ("simplex", "ipm")}
    best = min(found, key=lambda solver: found[solver]["seconds"])
    versions = {name: metadata.version(name) for name in ("pypsa", "linopy", "highspy")}
    note = ", ".join(f"{solver} {run['seconds']:.2f} s" for solver, run in found.items())
    report = found[best] | {"versions": versions, "note": note}
    Path(answer).write_text(json.dumps(report), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
