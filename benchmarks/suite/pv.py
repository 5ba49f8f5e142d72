"""The whole PV chain (sun, Perez, incidence losses, Faiman, PVWatts) against pvlib; all sites share the time axis."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from benchmarks.registry import Benchmark, Reference, Subject, Timing
from benchmarks.solving import timed
from kernels.pv import PEREZ, pv_power
from kernels.pv_arrays import Systems, Weather, make_sky
from kernels.solar import sites_at, solar_position, sun_at

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS = 7
MOST_BY_SITE = 20  # sites that pvlib does one by one; the rest is reckoned from them
QUARTER = np.timedelta64(900, "s")


def sites(count: int, days: int, *, seed: int = 1) -> xr.DataTree:
    """Roofs in central Europe from 20 June on, at 15 minutes, cloudier and clearer."""
    rng = np.random.default_rng(seed)
    first = np.datetime64("2024-06-20T00:00:00", "s")
    when = first + np.arange(96 * days) * QUARTER
    shape = (count, len(when))
    place = {"latitude": rng.uniform(47, 55, count), "longitude": rng.uniform(6, 14, count)}
    zenith, apparent, azimuth = np.empty((3, *shape))
    solar_position(sun_at(when + QUARTER // 2), sites_at(*place.values()), zenith, apparent, azimuth)
    ghi = 1000 * np.maximum(np.cos(np.radians(zenith)), 0) * rng.uniform(0.2, 1.0, shape)
    data = xr.Dataset(
        {
            "ghi": (("site", "time"), ghi),
            "temp_air": (("site", "time"), rng.uniform(5, 30, shape)),
            "wind_speed": (("site", "time"), rng.uniform(0, 8, shape)),
            "surface_tilt": ("site", rng.uniform(10, 50, count)),
            "surface_azimuth": ("site", rng.uniform(90, 270, count)),
            "p_dc_nom": ("site", rng.uniform(3, 10, count)),
            **{name: ("site", values) for name, values in place.items()},
        },
        {"time": when},
        {"daylight": int((apparent <= 90).sum())},
    )
    return xr.DataTree(data)


def arrays(tree: xr.DataTree) -> tuple[Weather, Systems, tuple[np.ndarray, np.ndarray]]:
    """Give what the kernel takes."""
    d = {str(name): np.ascontiguousarray(values.to_numpy()) for name, values in tree.data_vars.items()}
    none, count = np.full(d["ghi"].shape, np.nan), len(d["latitude"])
    weather = Weather(d["ghi"], none, none, d["temp_air"], d["wind_speed"], np.full(d["ghi"].shape, 0.2))
    tilt, azimuth, one, each = np.radians(d["surface_tilt"]), np.radians(d["surface_azimuth"]), np.ones(count), None
    each = np.arange(count + 1)
    turned = np.sin(tilt), np.cos(tilt), np.sin(azimuth), np.cos(azimuth)
    size = d["p_dc_nom"]
    systems = Systems(
        each, each[:-1], each, size, 0.96 * one, *turned, size * 0.86, -0.004 * one, 25.0 * one, 6.84 * one
    )
    return weather, systems, (d["latitude"], d["longitude"])


def ours(tree: xr.DataTree) -> Timing:
    """Time from places, times and weather to power, on one core."""
    weather, systems, place = arrays(tree)
    when = tree["time"].to_numpy().astype("datetime64[s]")
    power = np.empty(weather.ghi.shape)

    def work() -> None:
        pv_power(sun_at(when + QUARTER // 2), sites_at(*place), weather, systems, PEREZ, make_sky(len(when)), power)

    clock, _ = timed(work, REPEATS)
    each = clock.cpu_s / tree.attrs["daylight"] * 1e9
    return Timing(*clock, note=f"{each:.1f} ns a daylight site-step, the sun's share included")


def chain(when: pd.DatetimeIndex, sun: Any, d: dict[str, Any]) -> Any:
    """Compute the same in pvlib, for one site (vectors) or many (matrices); the sun's angles are given."""
    import pvlib  # noqa: PLC0415  (the peer; not needed to list the benchmarks)

    erbs_day = when.dayofyear.to_numpy() if np.ndim(d["ghi"]) == 2 else when
    both = pvlib.irradiance.erbs(d["ghi"], sun["zenith"], erbs_day)
    extra = np.asarray(pvlib.irradiance.get_extra_radiation(when))
    airmass = pvlib.atmosphere.get_relative_airmass(sun["apparent_zenith"])
    poa = pvlib.irradiance.get_total_irradiance(
        d["surface_tilt"], d["surface_azimuth"], sun["apparent_zenith"], sun["azimuth"], both["dni"], d["ghi"],
        both["dhi"], dni_extra=extra, airmass=airmass, albedo=0.2, model="perez",
    )  # fmt: skip
    aoi = pvlib.irradiance.aoi(d["surface_tilt"], d["surface_azimuth"], sun["apparent_zenith"], sun["azimuth"])
    effective = poa["poa_direct"] * pvlib.iam.physical(aoi) + poa["poa_diffuse"]
    cell = pvlib.temperature.faiman(poa["poa_global"], d["temp_air"], d["wind_speed"])
    return pvlib.inverter.pvwatts(
        pvlib.pvsystem.pvwatts_dc(effective, cell, d["p_dc_nom"] * 0.86, -0.004), d["p_dc_nom"]
    )


def _quiet(work: Callable[[], None]) -> tuple[float, float]:
    """Wall-clock and processor time of the better of two goes."""
    best = (np.inf, np.inf)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for _ in range(2):
            begin, cpu = time.perf_counter(), time.process_time()
            work()
            best = min(best, (time.perf_counter() - begin, time.process_time() - cpu))
    return best


def by_site(tree: xr.DataTree) -> Timing:
    """Call pvlib for one site after another, on vectors."""
    import pvlib  # noqa: PLC0415

    when = pd.DatetimeIndex(tree["time"].to_numpy() + QUARTER // 2, tz="UTC")
    data, count = tree.to_dataset(), tree.sizes["site"]
    some = min(count, MOST_BY_SITE)
    rows = [{str(k): data[k][s].to_numpy() for k in data.data_vars} for s in range(some)]

    def work() -> None:
        for row in rows:
            sun = pvlib.solarposition.spa_python(when, float(row["latitude"]), float(row["longitude"]))
            chain(when, sun, row)

    seconds, cpu_s = _quiet(work)
    share = count / some
    return Timing(
        seconds * share, cpu_s * share, note=f"pvlib {pvlib.__version__}, {some} sites done, {count} reckoned"
    )


def _matrix_sun(spa: Any, unix: np.ndarray, latitude: np.ndarray, longitude: np.ndarray) -> dict[str, np.ndarray]:
    """Angles by pvlib's own functions, with what depends on time alone done once: the best it can."""
    place = latitude, longitude, 0.0, 1013.25, 12.0, 67.0, 0.5667, 1
    sidereal, ascension, declination = spa.solar_position_numpy(unix, *place, sst=True)
    parallax = spa.equatorial_horizontal_parallax(spa.solar_position_numpy(unix, *place, esd=True)[0])
    hour = spa.local_hour_angle(sidereal, longitude, ascension)
    u = spa.uterm(latitude)
    x, y = spa.xterm(u, latitude, 0.0), spa.yterm(u, latitude, 0.0)
    shift = spa.parallax_sun_right_ascension(x, parallax, hour, declination)
    declination = spa.topocentric_sun_declination(declination, x, y, parallax, shift, hour)
    hour = spa.topocentric_local_hour_angle(hour, shift)
    elevation = spa.topocentric_elevation_angle_without_atmosphere(latitude, declination, hour)
    lift = spa.atmospheric_refraction_correction(1013.25, 12.0, elevation, 0.5667)
    azimuth = spa.topocentric_azimuth_angle(spa.topocentric_astronomers_azimuth(hour, declination, latitude))
    return {"zenith": 90.0 - elevation, "apparent_zenith": 90.0 - elevation - lift, "azimuth": azimuth}


def in_matrices(tree: xr.DataTree) -> Timing:
    """Call pvlib once for all sites, on matrices; the sun's share of all sites by pvlib's own functions on matrices."""
    import pvlib  # noqa: PLC0415

    when = pd.DatetimeIndex(tree["time"].to_numpy() + QUARTER // 2, tz="UTC")
    data = tree.to_dataset()
    unix = when.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64) / 1e9
    held = {str(k): data[k].to_numpy() for k in data.data_vars}
    d = {k: v[:, None] if v.ndim == 1 else v for k, v in held.items()}

    def work() -> None:
        chain(when, _matrix_sun(pvlib.spa, unix, d["latitude"], d["longitude"]), d)

    return Timing(*_quiet(work), note=f"pvlib {pvlib.__version__}")


def _subject(count: int, days: int = 1) -> Subject:
    return Subject(f"{count} sites", f"{days} day{'s' * (days > 1)} at 15 min, one plane", lambda: sites(count, days))


BENCHMARK = Benchmark(
    name="pv",
    about="weather to PV power (targets: 80 ns a daylight site-step; 1,000 times pvlib by site, 30 times in matrices)",
    measures={"chain": ours},
    subjects=lambda: (_subject(500), _subject(2000), _subject(8000)),
    small=lambda: (_subject(3),),
    references=(Reference("pvlib, site by site", by_site), Reference("pvlib, in matrices", in_matrices)),
)
