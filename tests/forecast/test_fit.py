from __future__ import annotations

import numpy as np
import pvlib
import pytest
import xarray as xr
from pv_sites import SHARED, devon, figures, serf

import dispatch
from dispatch.errors import InputError
from dispatch.forecast.fit import apply_fit, fit_pv, outages
from dispatch.forecast.pv_quantiles import pv_quantiles

needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the shared data is not there")


def clear_days(tilt: float, azimuth: float) -> tuple[xr.DataArray, xr.DataArray]:
    """Power by pvlib of a 5 kW system under clear and hazy skies at 48 N, 11 E, 30 days at 30 minutes."""
    time = np.arange("2023-04-01", "2023-05-01", 30, dtype="datetime64[m]").astype("datetime64[ns]")
    middle = xr.DataArray(time + np.timedelta64(15, "m")).to_index().tz_localize("UTC")
    place = pvlib.location.Location(48.0, 11.0)
    sun = place.get_solarposition(middle)
    haze = np.repeat(np.random.default_rng(1).uniform(0.4, 1, 30), 48)
    ghi = place.get_clearsky(middle, model="haurwitz")["ghi"] * haze
    both = pvlib.irradiance.erbs(ghi, sun["zenith"], middle)
    poa = pvlib.irradiance.get_total_irradiance(
        tilt, azimuth, sun["apparent_zenith"], sun["azimuth"], both["dni"], ghi, both["dhi"], albedo=0.2,
        dni_extra=pvlib.irradiance.get_extra_radiation(middle), model="perez",
    )  # fmt: skip
    cell = pvlib.temperature.faiman(poa["poa_global"], 15.0, 1.0)
    dc = pvlib.pvsystem.pvwatts_dc(poa["poa_global"], cell, 5000.0, -0.004) * 0.9
    power = pvlib.inverter.pvwatts(dc.fillna(0), 5000.0)
    labels = {"time": time}
    return (
        xr.DataArray(power.fillna(0).to_numpy(), labels, ("time",), attrs={"units": "W"}),
        xr.DataArray(ghi.to_numpy(), labels, ("time",), attrs={"units": "kW m-2"}) / 1000,
    )


def with_units(array: xr.DataArray, units: str) -> xr.DataArray:
    return array.assign_attrs(units=units)


@pytest.mark.parametrize(("tilt", "azimuth"), [(30, 180), (45, 250)])
def test_orientation_of_a_system_made_by_pvlib_is_found(tilt: float, azimuth: float) -> None:
    power, ghi = clear_days(tilt, azimuth)
    fit = dispatch.fit_pv(power, with_units(ghi, "kW m-2"), latitude=48.0, longitude=11.0, p_dc_nom=5.0)
    assert abs(float(fit["surface_tilt"]) - tilt) < 6
    assert abs(float(fit["surface_azimuth"]) - azimuth) < 8
    assert 0.0 < float(fit["losses"]) < 0.15
    assert float(fit["correlation"]) > 0.995


def test_units_are_converted_or_refused() -> None:
    power, ghi = clear_days(30, 180)
    place = {"latitude": 48.0, "longitude": 11.0}
    in_watts = fit_pv(power, with_units(ghi * 1000, "W m-2"), **place)
    in_megawatts = fit_pv(with_units(power / 1e6, "MW"), with_units(ghi, "kW/m2"), **place)
    assert float(in_megawatts["p_dc_nom"]) == pytest.approx(float(in_watts["p_dc_nom"]), rel=1e-3)
    with pytest.raises(InputError, match=r"(?s)power: units.*ghi: units"):
        fit_pv(with_units(power, "kWh"), with_units(ghi, "J cm-2"), **place)
    with pytest.raises(InputError, match="units"):
        fit_pv(power.drop_attrs(), with_units(ghi, "kW m-2"), **place)
    with pytest.raises(InputError, match="short-history"):
        fit_pv(power[:48], with_units(ghi, "kW m-2"), **place)
    with pytest.raises(InputError, match="no-output"):
        fit_pv((0 * power).assign_attrs(power.attrs), with_units(ghi, "kW m-2"), **place)


def test_outages_follow_the_stated_rule() -> None:
    ghi = np.array([0.0, 40.0, 60.0, 300.0, 400.0, 500.0, 800.0])
    power = np.array([0.0, 0.0, 0.0, 3.0, 4.0, 0.4, 8.0])
    assert outages(power, ghi).tolist() == [False, False, True, False, False, True, False]


@needs_shared
def test_devon_farm_out_of_sample() -> None:
    power, ghi, place = devon()
    past = slice(None, "2018-12-31")
    fit = fit_pv(power.sel(time=past), ghi.sel(time=past), **place)
    later = slice("2019-01-01", None)
    came, light = power.sel(time=later) * 1000, ghi.sel(time=later)
    model = apply_fit(fit, light)
    nrmse, correlation = figures(model, came.to_numpy(), light, outages(came.to_numpy(), light.to_numpy()))
    assert correlation >= 0.985
    assert nrmse <= 0.05
    gap = np.isnan(light.to_numpy())
    assert gap.any()
    assert (np.isnan(model.to_numpy()) == gap).all()


@needs_shared
def test_devon_quantiles_hold_what_they_promise_week_by_week() -> None:
    power, ghi, place = devon()
    past, later = slice(None, "2018-12-31"), slice("2019-01-01", None)
    fit = fit_pv(power.sel(time=past), ghi.sel(time=past), **place)
    model = xr.concat([fit["p_model_out_of_sample"], apply_fit(fit, ghi.sel(time=later))], "time")
    out = outages((power * 1000).to_numpy(), ghi.to_numpy())
    came = (power * 1000).where(~xr.DataArray(out, dims="time"))
    inside, loss, plain = [], [], []
    for week in np.arange("2019-01-01", "2019-12-10", 7, dtype="datetime64[D]"):
        now = slice(week, week + np.timedelta64(7 * 24 * 60 - 30, "m"))
        found = pv_quantiles(model.sel(time=now), model, came).to_numpy()
        true, middle = came.sel(time=now).to_numpy(), model.sel(time=now).to_numpy()
        day = (middle > 20) & np.isfinite(true)
        inside.append(((true >= found[0]) & (true <= found[2]))[day])
        levels = np.array([0.1, 0.5, 0.9])[:, None]
        for total, values in ((loss, found), (plain, np.broadcast_to(middle, found.shape))):
            error = (true - values)[:, day]
            total.append(np.maximum(levels * error, (levels - 1) * error).mean(axis=0))
    assert 0.76 <= np.concatenate(inside).mean() <= 0.84
    assert np.concatenate(loss).mean() < 0.8 * np.concatenate(plain).mean()


def test_quantiles_look_at_nothing_later_and_take_any_list() -> None:
    time = np.arange("2024-06-01", "2024-07-11", 60, dtype="datetime64[m]").astype("datetime64[ns]")
    hour = np.arange(len(time)) % 24
    sun = xr.DataArray(np.maximum(np.sin((hour - 5) / 14 * np.pi), 0.0), {"time": time}, ("time",))
    noise = np.random.default_rng(2).normal(1, 0.2, len(time))
    came, now = sun * noise, sun[-48:]
    scrambled = came.copy()
    scrambled[-48:] = 99.0
    for by in ("time_of_day", "power"):
        found = pv_quantiles(now, sun, came, [0.75, 0.05, 0.25], by=by)
        assert found["quantile"].to_numpy().tolist() == [0.05, 0.25, 0.75]
        assert (np.diff(found, axis=0) >= 0).all()
        assert (found.to_numpy()[:, now == 0] == 0).all()
        assert found.identical(pv_quantiles(now, sun, scrambled, [0.75, 0.05, 0.25], by=by))
    with pytest.raises(InputError, match="short-history"):
        pv_quantiles(sun[:24], sun, came)
    with pytest.raises(InputError, match="quantile"):
        pv_quantiles(now, sun, came, [10, 90])


@needs_shared
@pytest.mark.parametrize("first", [True, False])
def test_serf_east_out_of_sample_with_satellite_irradiance(first: bool) -> None:
    power, ghi, air, place = serf()
    halves = slice(None, "2016-08-20"), slice("2016-08-21", None)
    past, later = halves if first else halves[::-1]
    fit = fit_pv(power.sel(time=past), ghi.sel(time=past), temp_air=air.sel(time=past), **place)
    assert 40 < float(fit["surface_tilt"]) < 55
    assert 158 < float(fit["surface_azimuth"]) < 178
    came, light = power.sel(time=later).to_numpy() / 1000, ghi.sel(time=later)
    model = apply_fit(fit, light, temp_air=air.sel(time=later))
    nrmse, _ = figures(model, came, light, outages(came, light.to_numpy()))
    assert nrmse <= 0.145
