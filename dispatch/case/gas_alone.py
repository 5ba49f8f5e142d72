"""A gas network that stands alone: one bus without limits stands in for the electric network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from dispatch.case.attributes import attribute_table
from dispatch.case.instant import instant
from dispatch.case.schema import as_bytes, build_case, columns, has
from dispatch.case.trees import tree_of

if TYPE_CHECKING:
    from datetime import datetime

STAND_IN = "electricity"
"""Id of the bus and its source, and of meter, prosumer and tariff where the case has none."""
PRICES = {"price_import": [0.30], "price_export": [0.08]}
"""Of a kWh where the case has no tariff: those that importers of electric networks take."""
START = "2026-01-01T00:00"
"""First hour where no series says when, and nobody asks for another."""
DAY_H = 24.0
SERIES = ("profile", "forecast", "history")
USERS = ("plant", "compressor", "booster")
"""Kinds that take electricity from a meter."""


def stands_alone(case: xr.DataTree) -> bool:
    """Whether a case has a gas network and no electric one."""
    return has(case, "junction") and not has(case, "bus")


def with_stand_in(
    case: xr.DataTree, *, start: str | datetime | np.datetime64 | None = None, horizon_h: float | None = None
) -> xr.DataTree:
    """Give a gas network that stands alone what schedules are made of: a bus, a source and at least one meter.

    The bus knows no limits, and the meters of the case are connected to it. Where the case has none, all plants and
    compressors are behind one meter, with the first tariff of the case, or with `PRICES`. Where no series says when,
    /forecast gets steps of an hour.

    Parameters
    ----------
    case : DataTree
        Valid; one with an electric network comes back as it is.
    start : str, datetime or datetime64, optional
        First hour of a /forecast that is made. Default: `START`.
    horizon_h : float, optional
        Its length; default: a day. [h]

    Returns
    -------
    DataTree
        Other groups are shared with `case`.
    """
    if not stands_alone(case):
        return case
    tables: dict[str, dict[str, Any]] = {
        "bus": {"id": [STAND_IN], "v_nom": [20.0]},
        "source": {"id": [STAND_IN], "bus": [STAND_IN]},
    }
    meters = len(columns(case, "meter")["id"])
    if not meters:
        tables |= _one_meter(case)
    if not any(has(case, k) for k in SERIES):
        hours = np.arange(max(round(DAY_H if horizon_h is None else horizon_h), 1))
        tables["forecast"] = {"time": instant(START if start is None else start) + hours * np.timedelta64(1, "h")}
        tables["forecast"]["time_step"] = np.timedelta64(1, "h")
    made = build_case(tables, currency=str(case.attrs["currency"]))
    groups = {n.path: n.to_dataset(inherit=False) for n in case.subtree}
    fresh = {n.path: n.to_dataset(inherit=False) for n in made.subtree if n.dataset.variables}
    if len(columns(case, "prosumer")["id"]) and not meters:
        path = attribute_table()["prosumer"].group
        fresh[path] = xr.concat([groups[path], fresh[path]], "prosumer", combine_attrs="override", join="outer")
    groups |= fresh
    for kind, name, target in (("meter", "bus", STAND_IN), *((k, "meter", "" if meters else STAND_IN) for k in USERS)):
        if target and len(columns(case, kind)["id"]):
            groups[attribute_table()[kind].group] = _naming(groups[attribute_table()[kind].group], name, target)
    whole = tree_of(groups)
    whole.attrs = dict(case.attrs)
    return whole


def _one_meter(case: xr.DataTree) -> dict[str, dict[str, Any]]:
    """Make a meter, its prosumer, and a tariff where the case has none."""
    known, tariff = columns(case, "prosumer")["id"].tolist(), columns(case, "tariff")["id"]
    prosumer = STAND_IN
    while prosumer.encode() in known:
        prosumer += "_"
    paid = tariff[0].decode() if len(tariff) else STAND_IN
    tables: dict[str, dict[str, Any]] = {"prosumer": {"id": [prosumer]}}
    tables["meter"] = {"id": [STAND_IN], "bus": [STAND_IN], "prosumer": [prosumer], "tariff": [paid]}
    if not len(tariff):
        tables["tariff"] = {"id": [STAND_IN], **PRICES}
    return tables


def _naming(data: xr.Dataset, name: str, target: str) -> xr.Dataset:
    """Dataset whose rows all name one parent."""
    old = data[name]
    return data.assign({name: (old.dims, as_bytes([target] * old.size), old.attrs)})
