"""From what the series of a forecast were made, as a label that stays with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import Columns, columns
from dispatch.forecast.weather import distances

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.forecast.pv_series import PvSeries

LABEL = "origins"
"""Attribute of ``/forecast`` that says from what it was made, as JSON."""


def origins(case: xr.DataTree, series: Columns, pv: PvSeries | None, issue: np.datetime64) -> dict[str, Any]:
    """Count from what loads and pv were forecast.

    Parameters
    ----------
    case : DataTree
        From which it was made.
    series : Columns
        Of ``/forecast``: those that were made, not those that were given.
    pv : PvSeries, optional
        None: the power of pv was given.
    issue : datetime64
        From when on no history was looked at.

    Returns
    -------
    dict
        ``load`` and ``pv``: how many from ``history``, ``weather``, ``profile``, or ``given``; ``history_days`` before
        the issue; ``weather``: by what a station says of its source, how many stations.
    """
    loads, systems = (len(columns(case, kind)["id"]) for kind in ("load", "pv"))
    said: dict[str, Any] = {"load": {"given": loads}, "pv": {"given": systems}}
    if "p_load" in series:
        known = np.isfinite(series.get("p_load_quantile", np.full((loads, 1, 1), np.nan))).all(axis=(1, 2)).sum()
        said["load"] = {"history": int(known), "profile": loads - int(known)}
    if pv is not None:
        weather, history = int(pv.by_weather.sum()), int(pv.by_history.sum())
        said["pv"] = {"weather": weather, "history": history, "profile": systems - weather - history}
        if weather:
            table = columns(case, "station")
            names, counts = np.unique(table["source"], return_counts=True)
            said["weather"] = {n.decode(): int(c) for n, c in zip(names, counts, strict=True)}
            said["weather_km"] = _far(case, table)
    past = columns(case, "history").get("time", np.zeros(0, "M8[s]"))
    before = past[past < issue]
    if len(before):
        said["history_days"] = round(float((before[-1] - before[0]) / np.timedelta64(1, "D")), 1)
    said["issue"] = str(issue.astype("datetime64[s]"))
    return {name: {k: n for k, n in v.items() if n} if isinstance(v, dict) else v for name, v in said.items()}


def label(said: dict[str, Any]) -> str:
    """As text for a file."""
    return json.dumps(said, sort_keys=True)


def _far(case: xr.DataTree, table: Columns) -> float | None:
    """Distance from the middle of the buses to the nearest station, None where a place is not known. [km]."""
    bus = columns(case, "bus")
    place = [np.nanmean(bus[n]) if np.isfinite(bus[n]).any() else np.nan for n in ("latitude", "longitude")]
    far = distances(table, np.array(place[:1]), np.array(place[1:]))
    return round(float(far.min()), 1) if np.isfinite(far).all() else None
