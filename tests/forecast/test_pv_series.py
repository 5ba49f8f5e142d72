"""Quantiles of a case's PV: around the power of its weather, from what that got wrong before the issue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from test_pv_forecast import case_with

import dispatch
from dispatch.case.schema import columns
from dispatch.forecast.pv import pv_forecast

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = np.timedelta64(3600, "s")
TIME = np.datetime64("2024-06-01T00:00:00", "s") + np.arange(24 * 21) * HOUR
ISSUE, START = TIME[0] + np.timedelta64(19 * 24 + 12, "h"), TIME[0] + np.timedelta64(20 * 24, "h")


def measured(spoil: Callable[[np.ndarray], None] | None = None) -> xr.DataTree:
    """Twenty-one days of weather, and what the roof gave: up to 20 % less than that says."""
    rng = np.random.default_rng(3)
    ghi = np.maximum(0, 800 * np.sin((np.arange(len(TIME)) % 24 - 3) / 16 * np.pi)) * rng.uniform(0.4, 1, len(TIME))
    station = {"id": ["w"], "latitude": [48.0], "longitude": [11.0], "time": TIME, "ghi": ghi[None]}
    case = case_with(station, profile=False)
    power = pv_forecast(case, TIME, HOUR).to_numpy()[0] * rng.uniform(0.8, 1.0, len(TIME))
    if spoil is not None:
        spoil(power)
    history = {"id": ["sun"], "pv": ["roof"], "time": TIME, "p": power[None]}
    tables = {kind: columns(case, kind) for kind in ("bus", "source", "prosumer", "tariff", "meter", "pv", "inverter")}
    tables["pv"]["profile"][:] = b""
    tables |= {"plane": columns(case, "plane"), "station": station, "history": history}
    ends, size = {"bus_from": ["hv", "hv"], "bus_to": ["b1", "b2"]}, {"r": [0.1] * 2, "x": [0.1] * 2, "s_nom": [50] * 2}
    tables["line"] = {"id": ["l1", "l2"], **ends, **size}
    return dispatch.build_case(tables)


def test_quantiles_are_those_of_the_errors_before_the_issue() -> None:
    case = measured()
    series = columns(dispatch.predict(case, start=START, horizon_h=24, known_until=ISSUE), "forecast")
    assert series["quantile"].tolist() == [0.1, 0.5, 0.9]
    of_roof, of_profile = series["p_available_quantile"][1], series["p_available_quantile"][0]
    assert np.isnan(of_profile).all()
    past = TIME[TIME + HOUR <= ISSUE]
    expected, came = pv_forecast(case, past, HOUR).to_numpy()[0], columns(case, "history")["p"][0, : len(past)]
    hour, now = (past - past[0]) // HOUR % 24, series["p_available"][1]
    for t in (8, 12, 16):
        near = (np.abs(hour - t) <= 1) & (expected > 0)
        wanted = now[t] + np.quantile((came - expected)[near], [0.1, 0.5, 0.9], method="weibull")
        np.testing.assert_allclose(of_roof[:, t], np.clip(wanted, 0, came.max()), rtol=1e-4, atol=1e-4)
    assert (of_roof[:, now == 0] == 0).all()
    assert dispatch.check_case(dispatch.predict(case, start=START, horizon_h=24)) == []


def test_nothing_after_the_issue_is_looked_at() -> None:
    def scramble(power: np.ndarray) -> None:
        power[TIME >= ISSUE] = 99.0

    found = [
        columns(dispatch.predict(case, start=START, horizon_h=24, known_until=ISSUE), "forecast")[
            "p_available_quantile"
        ]
        for case in (measured(), measured(scramble))
    ]
    np.testing.assert_array_equal(*found)


def test_pvlib_free_quantiles_of_one_series_are_the_same() -> None:
    case = measured()
    model = pv_forecast(case, START + np.arange(24) * HOUR, HOUR)[0].drop_vars("pv")
    past = pv_forecast(case, TIME[TIME + HOUR <= ISSUE], HOUR)[0].drop_vars("pv")
    power = xr.DataArray(columns(case, "history")["p"][0], {"time": TIME}, ("time",), attrs={"units": "kW"})
    alone = dispatch.pv_quantiles(model, past, power, [0.1, 0.9]).to_numpy()
    assert (alone[0] <= alone[1]).all()
    assert alone.shape == (2, 24)
