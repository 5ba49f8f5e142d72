"""One day of a case as the plain arrays that peers solve; docs/formulation.md names every one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from dispatch.case.network import network_of
from dispatch.case.schema import columns, parent_index
from dispatch.model.linear import linear_flow

if TYPE_CHECKING:
    import xarray as xr

Arrays = dict[str, np.ndarray]


def day_arrays(case: xr.DataTree, *, limit_penalty: float = 1e4) -> Arrays:
    """Everything that the program needs, resolved to positions and bounds.

    Parameters
    ----------
    case : DataTree
        One or more feeders without isolated buses, with /forecast.
    limit_penalty : float
        Money per hour of relaxing a limit by its own size.

    Returns
    -------
    dict of str to ndarray
        ``dt``, ``limit_penalty``, ``period`` (step,), then by kind ``meter_*``, ``pv_*``, ``store_*``, ``branch_*``,
        ``bus_*``, ``source_*``; series are (element, step).
    """
    series = columns(case, "forecast")
    edges = case["/forecast"].dataset["time_bounds"].to_numpy()
    zone = ZoneInfo(str(case.attrs["time_zone"]))
    local = pd.DatetimeIndex(series["time"]).tz_localize("UTC").tz_convert(zone)
    arrays: Arrays = {
        "dt": np.array((edges[0, 1] - edges[0, 0]) / np.timedelta64(3600, "s")),
        "limit_penalty": np.array(limit_penalty),
        "period": np.unique(local.year * 12 + local.month, return_inverse=True)[1],
    }
    given = _given(case, series)
    arrays |= _meters(case, series, given)
    arrays |= _generation(case, series, given)
    arrays |= _stores(case, given, float(arrays["dt"]))
    return arrays | _network(case, series)


def _given(case: xr.DataTree, series: Arrays) -> Arrays:
    """D, A, F and S of each meter, and whether it is green-only."""
    meter, pv = columns(case, "meter"), columns(case, "pv")
    steps, count = len(series["time"]), len(meter["id"])

    def total(kind: str, amount: np.ndarray) -> np.ndarray:
        sums = np.zeros((count, steps))
        np.add.at(sums, parent_index(case, kind, "meter"), amount)
        return sums

    available = series.get("p_available", np.zeros((0, steps))).astype(float)
    return {
        "D": total("load", series["p_load"].astype(float)),
        "A": total("pv", available),
        "F": total("pv", available * ~pv["curtailable"][:, None]),
        "S": total("store", columns(case, "store").get("p_nom", np.zeros(0))[:, None]),
        "green": meter["green_only"][:, None] & np.ones(steps, bool),
    }


def _meters(case: xr.DataTree, series: Arrays, given: Arrays) -> Arrays:
    meter, tariff = columns(case, "meter"), columns(case, "tariff")
    kind = parent_index(case, "meter", "tariff")
    D, A, F, S, green = (given[k] for k in ("D", "A", "F", "S", "green"))
    most, least = meter["p_import_max"][:, None], meter["p_export_max"][:, None]
    need = np.where(green, np.maximum(D - A, 0), np.maximum(D + S, 0))
    spare = np.where(green, np.maximum(A - D, 0), A + np.maximum(-D, 0) + S)
    return {
        "meter_bus": parent_index(case, "meter", "bus"),
        "meter_price_import": (series["price_import"] + tariff["network_fee"][:, None])[kind],
        "meter_price_export": series["price_export"][kind],
        "meter_price_peak": tariff["price_peak"][kind],
        "meter_given": A - D,
        "meter_import_max": np.minimum(most, need),
        "meter_export_max": np.minimum(least, spare),
        "meter_unserved_max": np.maximum(np.maximum(D - F, 0) - most, 0),
        "meter_spilled_max": np.maximum(np.maximum(F - D, 0) - least, 0),
    }


def _generation(case: xr.DataTree, series: Arrays, given: Arrays) -> Arrays:
    pv, meter = columns(case, "pv"), parent_index(case, "pv", "meter")
    D, A, F, green = (given[k][meter] for k in ("D", "A", "F", "green"))
    share = np.minimum(np.maximum(A - D, 0) / np.where(A > F, A - F, np.inf), 1)
    available = series.get("p_available", np.zeros((0, D.shape[1]))).astype(float)
    return {
        "pv_meter": meter,
        "pv_available": available,
        "pv_curtailed_max": available * np.where(green, share, 1.0) * pv["curtailable"][:, None],
    }


def _stores(case: xr.DataTree, given: Arrays, dt: float) -> Arrays:
    store, meter = columns(case, "store"), parent_index(case, "store", "meter")
    D, A, green = (given[k][meter] for k in ("D", "A", "green"))
    names = ("energy_nom", "efficiency_charge", "efficiency_discharge", "wear_cost")
    power = store.get("p_nom", np.zeros(0))[:, None] * np.ones(D.shape[1])
    size = store.get("energy_nom", np.zeros(0))
    initial = np.where(np.isnan(store["state_of_charge_initial"]), size / 2, store["state_of_charge_initial"])
    final = np.where(np.isnan(store["state_of_charge_final"]), initial, store["state_of_charge_final"])
    return {
        "store_meter": meter,
        **{f"store_{name}": store.get(name, np.zeros(0)) for name in names},
        "store_charge_max": np.where(green, np.minimum(power, np.maximum(A - D, 0)), power),
        "store_discharge_max": np.where(green, np.minimum(power, np.maximum(D - A, 0)), power),
        "store_kept": (1 - store["standing_loss"]) ** dt,
        "store_initial": initial,
        "store_final": final,
    }


def _network(case: xr.DataTree, series: Arrays) -> Arrays:
    """Branches in service, with the reactive flow that is known before solving and what it leaves of the rating."""
    network, bus = network_of(case), columns(case, "bus")
    meter_bus = parent_index(case, "meter", "bus")
    q_bus = np.zeros((network.buses, len(series["time"])))
    np.add.at(q_bus, meter_bus[parent_index(case, "load", "meter")], -series["q_load"].astype(float))
    pv_q = columns(case, "pv").get("q_nom", np.zeros(0))
    np.add.at(q_bus, meter_bus[parent_index(case, "pv", "meter")], pv_q[:, None])
    used = np.nonzero(network.in_service)[0]
    q = linear_flow(network, np.zeros_like(q_bus), q_bus).q[used]
    return {
        "bus_v_squared_min": bus["v_min_pu"] ** 2,
        "bus_v_squared_max": bus["v_max_pu"] ** 2,
        "source_bus": network.source_bus,
        "source_v_squared": network.source_v_pu**2,
        "branch_from": network.branch_from[used],
        "branch_to": network.branch_to[used],
        "branch_r": network.r[used],
        "branch_x": network.x[used],
        "branch_ratio": network.ratio[used],
        "branch_s_nom": network.s_nom[used],
        "branch_q": q,
        "branch_p_max": np.sqrt(np.maximum(network.s_nom[used, None] ** 2 - q**2, 0)),
    }
