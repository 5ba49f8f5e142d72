"""Meters of import less export: how many with PV are found, how many without are taken for one, how well sized."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from benchmarks.load_sets import FOLDER, HOMES, DataMissingError, LoadSet, load_sets
from benchmarks.studies import Study, labels
from dispatch.forecast.net_load import TOP, separate_pv

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIMBENCH = FOLDER.parent / "networks" / "simbench_scenario1_extract" / "LoadProfile.csv.gz"
FONTANA, DEVON, KASSEL = (34.1, -117.4), (50.39, -4.07), (51.3, 9.5)
KWP = 4.0  # as in the schema of CityLearn; the fourth home has 5
WITHIN = 0.15
DRAWS = 1000
SHORTEST, LONGEST = 60, 365  # days of a mixture
QUARTER = np.timedelta64(900, "s")


@dataclass(frozen=True)
class Mixture:
    """One meter.

    Attributes
    ----------
    group : str
        For the table.
    source : str
        Home or series; mixtures of one source are drawn together in the bootstrap.
    time : ndarray (time,) of datetime64
        Left edges, UTC.
    load, pv : ndarray (time,)
        [kW]
    place : tuple of float
        Latitude and longitude.
    ghi : ndarray (time,) or None
        Measured irradiance. [W m-2]
    """

    group: str
    source: str
    time: np.ndarray
    load: np.ndarray
    pv: np.ndarray
    place: tuple[float, float]
    ghi: np.ndarray | None = None

    def window(self, rng: np.random.Generator) -> Mixture:
        """Two months to a year of it, whole days."""
        steps = int(np.timedelta64(86400, "s") // (self.time[1] - self.time[0]))
        days = len(self.time) // steps
        length = int(rng.integers(SHORTEST, min(LONGEST, days) + 1))
        first = int(rng.integers(0, days - length + 1))
        part = slice(first * steps, (first + length) * steps)
        ghi = None if self.ghi is None else self.ghi[part]
        cut = self.time[part], self.load[part], self.pv[part], self.place, ghi
        return Mixture(self.group, self.source, *cut)


def homes(sets: dict[str, LoadSet], rng: np.random.Generator) -> Iterator[Mixture]:
    """Homes with their own PV, with that of a neighbour in another size, and without."""
    load, pv = {}, {}
    for number in HOMES:
        table = pd.read_csv(FOLDER / f"citylearn2022/Building_{number}.csv.gz")
        load[number] = sets[f"home {number}"].load.ravel()
        pv[number] = np.full(load[number].shape, np.nan)
        pv[number][np.isfinite(load[number])] = table["solar_generation"] * (5.0 if number == 4 else KWP) / 1000
    time = sets["home 1"].time
    for number in HOMES:
        source = f"home {number}"
        for _ in range(11):
            yield Mixture("home, own PV", source, time, load[number], pv[number], FONTANA).window(rng)
            other = pv[int(rng.integers(1, 10))] * rng.uniform(0.3, 1.6)
            yield Mixture("home, a neighbour's PV", source, time, load[number], other, FONTANA).window(rng)
        for _ in range(5):
            nothing = np.zeros(len(time))
            yield Mixture("home without PV", source, time, load[number], nothing, FONTANA).window(rng)


def on_utc(file: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Time, and series in parts of their largest value, of a table of SimBench's profiles."""
    table = pd.read_csv(file, sep=";")
    local = pd.DatetimeIndex(pd.to_datetime(table.pop("time"), format="%d.%m.%Y %H:%M"))
    utc = local.tz_localize("Europe/Berlin", ambiguous="infer", nonexistent="shift_forward").tz_convert("UTC")
    whole = utc.tz_localize(None).to_numpy().astype("datetime64[s]")
    time = np.arange(whole[0], whole[-1] + QUARTER, QUARTER)
    series = {}
    for name in table:
        series[str(name)] = np.full(len(time), np.nan)
        series[str(name)][(whole - time[0]) // QUARTER] = table[name]
    return time, series


def used(series: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Active power of the loads that are not zero most of the time."""
    return {name: power for name, power in series.items() if name.endswith("_pload") and np.nanmedian(power) > 0}


def simbench(rng: np.random.Generator) -> Iterator[Mixture]:
    """Every load profile of SimBench that is not zero most of the time."""
    time, series = on_utc(SIMBENCH)
    for name, power in used(series).items():
        for _ in range(2):
            yield Mixture("SimBench load", name, time, power, np.zeros(len(time)), KASSEL).window(rng)


def simbench_with_pv(rng: np.random.Generator) -> Iterator[Mixture]:
    """SimBench's houses of 4,500 kWh/a, and its other loads of a mean of 3 kW, with its PV: nothing was set on them."""
    time, series = on_utc(SIMBENCH)
    roofs = [power for name, power in on_utc(SIMBENCH.parent / "RESProfile.csv.gz")[1].items() if name.startswith("PV")]
    for name, power in used(series).items():
        house = name.startswith("H0")
        load = power / np.nanmean(power) * (4500 / 8760 if house else 3.0)
        group = "SimBench house with PV" if house else "SimBench other load with PV"
        chosen = range(len(roofs)) if house else rng.integers(0, len(roofs), 2)
        for k in chosen:
            size = rng.uniform(3, 12) if house else rng.uniform(5, 30)
            yield Mixture(group, name, time, load, roofs[k] * size, KASSEL).window(rng)


def devon(given: LoadSet, rng: np.random.Generator) -> Iterator[Mixture]:
    """Give the substation alone, and with a part of the solar farm nearby, with and without its measured irradiance."""
    farm = pd.read_csv(FOLDER / "wpd_devon/pv_train_set3.csv.gz", index_col=0, parse_dates=True)
    on_steps = farm.reindex(pd.DatetimeIndex(given.time))
    power, light = on_steps["pv_power_mw"].to_numpy(float) * 1e3, on_steps["irradiance_Wm-2"].to_numpy(float)
    load = given.load.ravel() * 1e3
    for _ in range(20):
        size = rng.uniform(0.5, 2.0)
        yield Mixture("Devon with PV", "Devon", given.time, load, size * power, DEVON).window(rng)
        lit = Mixture("Devon with PV, irradiance measured", "Devon", given.time, load, size * power, DEVON, light)
        yield lit.window(rng)
        yield Mixture("Devon without PV", "Devon", given.time, load, np.zeros(len(load)), DEVON).window(rng)


def judged(mixture: Mixture) -> dict[str, Any]:
    """Separate one meter and compare with what was mixed."""
    unit = {"units": "kW"}
    net = xr.DataArray((mixture.load - mixture.pv)[None], {"time": mixture.time}, ("meter", "time"), attrs=unit)
    ghi = None
    if mixture.ghi is not None:
        ghi = xr.DataArray(mixture.ghi, {"time": mixture.time}, ("time",), attrs={"units": "W m-2"})
    found = separate_pv(net, latitude=mixture.place[0], longitude=mixture.place[1], ghi=ghi)
    there = bool(np.nanmax(mixture.pv) > 0)
    row = {"group": mixture.group, "source": mixture.source, "pv": there, "found": bool(found["prosumer"][0])}
    if there and row["found"]:
        row["capacity"] = float(found["p_nom"][0]) / float(np.nanquantile(mixture.pv, TOP))
        known = np.isfinite(mixture.pv + mixture.load)
        made = found["p_available"].to_numpy()[0]
        row["energy"] = float(np.nansum(made[known]) / mixture.pv[known].sum())
    return row


def interval(rows: list[dict[str, Any]], share: str) -> list[float]:
    """95 % bootstrap interval of a share, whole sources drawn where there are several."""
    rng = np.random.default_rng(7)
    by_source: dict[str, list[float]] = {}
    for row in rows:
        by_source.setdefault(row["source"], []).append(float(row[share]))
    units = list(by_source.values()) if len(by_source) > 1 else [[v] for v in next(iter(by_source.values()))]
    draws = rng.integers(0, len(units), (DRAWS, len(units)))
    means = [np.mean(np.concatenate([units[i] for i in draw])) for draw in draws]
    return [round(float(v), 3) for v in np.quantile(means, [0.025, 0.975])]


def summary(group: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """One row of the table."""
    found = {
        "group": group,
        "meters": len(rows),
        "with_pv": rows[0]["pv"],
        "found": float(np.mean([r["found"] for r in rows])),
        "interval": interval(rows, "found"),
    }
    sized = [{**r, "within": abs(r["capacity"] - 1) <= WITHIN} for r in rows if "capacity" in r]
    if sized:
        found["capacity_within_15"] = float(np.mean([r["within"] for r in sized]))
        found["capacity_interval"] = interval(sized, "within")
        found["capacity_error"] = float(np.mean([abs(r["capacity"] - 1) for r in sized]))
        found["energy"] = float(np.mean([r["energy"] for r in sized]))
        found["energy_error"] = float(np.mean([abs(r["energy"] - 1) for r in sized]))
    return found


def measure(small: bool) -> Iterator[dict[str, Any]]:
    """Give a row for each group, then for all with PV and all without."""
    tail, rng = labels(), np.random.default_rng(11)
    if small:
        yield {**summary("made", [judged(made(rng)) for _ in range(2)]), **tail}
        return
    try:
        sets = {s.name: s for s in load_sets()}
    except DataMissingError as error:
        yield {"group": "-", "failure": str(error), **tail}
        return
    rows: dict[str, list[dict[str, Any]]] = {}
    unseen = simbench_with_pv(np.random.default_rng(5))
    for source in (homes(sets, rng), simbench(rng), devon(sets["Devon substation"], rng), unseen):
        for mixture in source:
            rows.setdefault(mixture.group, []).append(judged(mixture))
    for group, some in rows.items():
        yield {**summary(group, some), **tail}
    every = [row for some in rows.values() for row in some]
    for there in (True, False):
        name = "all with PV" if there else "all without PV"
        yield {**summary(name, [row for row in every if row["pv"] == there]), **tail}


def made(rng: np.random.Generator) -> Mixture:
    """Two months of a house with 3 kW on its roof, made up."""
    time = np.datetime64("2023-05-01", "s") + np.arange(24 * 60) * np.timedelta64(3600, "s")
    hour = np.arange(len(time)) % 24
    pv = 3 * np.maximum(np.sin((hour - 5) * np.pi / 14), 0) * (hour < 19) * np.repeat(rng.uniform(0.2, 1, 60), 24)
    return Mixture("made", "made", time, rng.gamma(2, 0.2, len(time)), pv, (50.0, 8.0))


COLUMNS = (
    "group", "meters", "with_pv", "found", "interval", "capacity_within_15", "capacity_interval", "capacity_error",
    "energy", "energy_error", "failure",
)  # fmt: skip
STUDY = Study("net-load", "PV found behind meters that show import less export", COLUMNS, measure)
