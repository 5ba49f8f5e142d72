"""What the town does in its week without control, by AC power flow."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dispatch.case.schema import columns, parent_index
from dispatch.forecast.profile import predict
from dispatch.model.baseline import self_use
from dispatch.verify.electric import ac_flow, injections
from kernels.scatter import add_to_rows


def report(case: xr.DataTree) -> str:
    """Sum up a town and its week under self-use of PV without control.

    Parameters
    ----------
    case : DataTree
        Equipped, with ``/profile``: what came, whatever was forecast.

    Returns
    -------
    str
        Several lines.
    """
    days = len(columns(case, "profile")["time"]) // 96
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree if node.path != "/history"}
    came = xr.DataTree.from_dict(groups)
    came.attrs = dict(case.attrs)
    week = predict(came, horizon_h=24.0 * days)
    series, load, pv, store = (columns(week, k) for k in ("forecast", "load", "pv", "store"))
    pump, battery = store["kind"] == b"tank", store["kind"] == b"battery"
    energy = series["p_load"].sum(axis=1, dtype=float) / 4000
    year = np.nansum(columns(case, "prosumer")["energy_year"]) / 1000
    plan = self_use(week)
    state = ac_flow(week, *injections(week, plan.p_import, plan.p_export))
    demand = np.zeros_like(plan.p_import)
    add_to_rows(demand, parent_index(week, "load", "meter"), series["p_load"].astype(float))
    add_to_rows(demand, parent_index(week, "store", "meter")[pump], plan.p_charge[pump])
    pumped, heat = plan.p_charge[pump].sum() / 4000, series["p_withdrawn"][pump].sum(dtype=float) / 4000
    alone = ac_flow(week, *injections(week, demand, np.zeros_like(demand)))
    lines = len(columns(case, "line")["id"])
    gas = series["flow_consumer"].sum(axis=0, dtype=float)
    sun = series["p_available"].sum(dtype=float) / 4000
    return "\n".join(
        [
            f"  yearly use {year:.0f} MWh; {pump.sum()} heat pumps, {len(load['id'])} loads",
            f"  {len(pv['id'])} PV of {pv['p_nom'].sum():.0f} kWp",
            _sizes("batteries", store, battery),
            _sizes("heat pumps with tanks", store, pump),
            f"  the week: loads {energy.sum():.1f} MWh, PV {sun:.1f} MWh",
            f"  heat pumps without control {pumped:.1f} MWh for {heat:.1f} MWh of heat",
            f"  gas taken: mean {gas.mean():.0f}, lowest {gas.min():.0f}, highest {gas.max():.0f} m3/h",
            "  loads alone: " + _excess(case, alone.v_pu, alone.loading_pu, lines),
            "  without control: " + _excess(case, state.v_pu, state.loading_pu, lines),
            "  first day alone: " + _excess(case, state.v_pu[:, :96], state.loading_pu[:, :96], lines),
        ]
    )


def _sizes(what: str, store: dict[str, np.ndarray], chosen: np.ndarray) -> str:
    size, power = (store[name][chosen].sum() for name in ("energy_nom", "p_nom"))
    return f"  {chosen.sum()} {what} of {size:.0f} kWh, {power:.0f} kW"


def _excess(case: xr.DataTree, v_pu: np.ndarray, loading: np.ndarray, lines: int) -> str:
    bus = columns(case, "bus")
    high = np.nanmax(v_pu - bus["v_max_pu"][:, None], axis=1) > 0
    low = np.nanmin(v_pu - bus["v_min_pu"][:, None], axis=1) < 0
    over = loading.max(axis=1) > 1
    return (
        f"{over[lines:].sum()} of {len(over) - lines} transformers and {over[:lines].sum()} lines above rating "
        f"(highest {loading[lines:].max():.2f} and {loading[:lines].max():.2f}), {high.sum()} buses above v_max_pu "
        f"(highest {np.nanmax(v_pu):.3f}), {low.sum()} below v_min_pu (lowest {np.nanmin(v_pu):.3f})"
    )
