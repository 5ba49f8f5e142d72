"""Measured sites of the shared data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def series(frame: pd.Series, units: str) -> xr.DataArray:
    stamps = frame.index.tz_convert("UTC").tz_localize(None) if frame.index.tz else frame.index
    return xr.DataArray(frame.to_numpy(float), {"time": stamps.to_numpy()}, ("time",), attrs={"units": units})


def devon() -> tuple[xr.DataArray, xr.DataArray, dict[str, float]]:
    """Power and measured irradiance of the 5 MW farm in Devon, half-hourly."""
    folder = SHARED / "load_pv" / "wpd_devon"
    frame = pd.read_csv(folder / "pv_train_set3.csv.gz", index_col=0, parse_dates=True)
    place = {"latitude": 50.33, "longitude": -4.03}
    return series(frame["pv_power_mw"], "MW"), series(frame["irradiance_Wm-2"], "W m-2"), place


def serf() -> tuple[xr.DataArray, xr.DataArray, xr.DataArray, dict[str, float]]:
    """Power, satellite irradiance and temperature of the SERF East array, quarter-hourly."""
    folder = SHARED / "pv_validation"
    power = pd.read_csv(folder / "serf_east_15min_ac_power.csv.gz", index_col=0, parse_dates=True)["ac_power"]
    sky = pd.read_csv(folder / "serf_east_psm3_data.csv.gz", index_col=0, parse_dates=True)
    place = {"latitude": 39.742, "longitude": -105.173}
    return series(power.clip(lower=0), "W"), series(sky["ghi"], "W m-2"), series(sky["temp_air"], "degC"), place


def figures(model: xr.DataArray, power: np.ndarray, ghi: xr.DataArray, outage: np.ndarray) -> tuple[float, float]:
    """Daytime root mean square error per unit of peak, and correlation, without outages."""
    day = (ghi.to_numpy() > 0) & np.isfinite(power) & np.isfinite(model.to_numpy()) & ~outage
    error = model.to_numpy()[day] - power[day]
    return float(np.sqrt(np.mean(error**2)) / power[day].max()), float(
        np.corrcoef(model.to_numpy()[day], power[day])[0, 1]
    )
