"""A case file as the plain arrays that the oracle takes, by xarray alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

GROUPS = {
    "bus": "/electric/bus",
    "source": "/electric/source",
    "line": "/electric/line",
    "transformer": "/electric/transformer",
    "meter": "/prosumer/meter",
    "load": "/prosumer/load",
    "pv": "/prosumer/pv",
    "store": "/prosumer/store",
    "tariff": "/tariff",
    "forecast": "/forecast",
}
# Only where the case has them.
OPTIONAL = {
    "gas_network": "/gas",
    **{
        k: f"/gas/{k}"
        for k in ("junction", "gate", "pipe", "regulator", "consumer", "injection", "account", "compressor", "booster")
    },
    **{k: f"/plant/{k}" for k in ("plant", "substrate", "chp", "upgrader")},
}
# What an empty kind still has to offer: columns that are read by name.
EMPTY = {
    "line": ("bus_from", "bus_to", "r", "x", "s_nom", "in_service"),
    "transformer": (
        "bus_from", "bus_to", "s_nom", "v_nom_from", "v_nom_to", "r_pu", "x_pu", "tap_side", "tap_position",
        "tap_neutral", "tap_step_pu", "in_service",
    ),
    "load": ("meter",),
    "pv": ("meter", "q_nom", "curtailable"),
    "store": (
        "meter", "kind", "energy_nom", "p_nom", "efficiency_charge", "efficiency_discharge", "standing_loss",
        "wear_cost", "state_of_charge_initial", "state_of_charge_final", "p_discharge_nom",
    ),
}  # fmt: skip


# Series of cars and tanks where they are not known.
UNKNOWN = {"p_max_pu": 1.0, "p_withdrawn": 0.0, "state_of_charge_least": 0.0, "coefficient_of_performance": 1.0}


def plain_kinds(case: xr.DataTree, kinds: tuple[str, ...]) -> dict[str, dict[str, np.ndarray]]:
    """Columns of some kinds."""
    found: dict[str, dict[str, np.ndarray]] = {}
    present = {node.path for node in case.subtree}
    for kind in kinds:
        group = GROUPS[kind]
        data = case[group].to_dataset(inherit=False) if group in present else None
        if data is None or not data.variables:
            text = {"tap_side", "kind", "meter", "bus_from", "bus_to"}
            found[kind] = {name: np.zeros(0, "S1" if name in text else float) for name in EMPTY[kind]}
            found[kind]["id"] = np.zeros(0, "S1")
            continue
        found[kind] = {str(name): np.asarray(values) for name, values in data.variables.items() if name != kind}
        if kind == "store":
            found[kind].setdefault("p_discharge_nom", np.full(data.sizes["store"], np.nan))
        if kind in data.variables:
            found[kind]["id"] = data[kind].to_numpy()
    return found


def plain(case: xr.DataTree) -> dict[str, dict[str, np.ndarray]]:
    """Each kind's columns; ``settings`` holds ``dt`` and ``time_zone``."""
    found, present = plain_kinds(case, tuple(GROUPS)), {node.path for node in case.subtree}
    for kind, group in OPTIONAL.items():
        if group in present and len(case[group].to_dataset(inherit=False).variables):
            data = case[group].to_dataset(inherit=False)
            found[kind] = {str(n): np.asarray(v) for n, v in data.variables.items() if n != kind}
            if kind in data.variables:
                found[kind]["id"] = data[kind].to_numpy()
    series, bounds = found["forecast"], found["forecast"]["time_bounds"].astype("datetime64[s]")
    steps = len(series["time"])
    for name, kind in (("p_load", "load"), ("q_load", "load"), ("p_available", "pv")):
        series.setdefault(name, np.zeros((len(found[kind]["id"]), steps)))
    for name in ("price_import", "price_export"):
        series.setdefault(name, np.repeat(found["tariff"][name][:, None], steps, axis=1))
    for name, value in UNKNOWN.items():
        given = np.array(series.get(name, np.full((len(found["store"]["id"]), steps), np.nan)), float)
        given[np.isnan(given).all(axis=1)] = value
        series[name] = given
    dt = (bounds[0, 1] - bounds[0, 0]) / np.timedelta64(3600, "s")
    found["settings"] = {"dt": np.array(dt), "time_zone": np.array(str(case.attrs["time_zone"]))}
    return found
