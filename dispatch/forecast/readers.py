"""Weather files, through the parsers of pvlib: the only place that imports it.

Every format says in its own way what time a row is about; here each row becomes a step that begins at its left edge.
"""

from __future__ import annotations

import gzip
import importlib
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dispatch.case.schema import Columns, build_case, columns, has
from dispatch.case.trees import tree_of
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import xarray as xr

SERIES = ("ghi", "dni", "dhi", "temp_air", "wind_speed", "albedo")
LARGEST = 500_000_000
"""Bytes of a decompressed file."""
YEAR_OF_TYPICAL = 2018
"""A typical year is put together from months of many years; all get this one, which is no leap year."""


@dataclass(frozen=True)
class Format:
    """What there is to know of a file format.

    Attributes
    ----------
    read : str
        Function of ``pvlib.iotools``.
    source : str
        What its weather is, as in the attribute table.
    label : float
        Where in its step the time of a row lies after pvlib: 0 at the left edge, 0.5 in the middle, 1 at the right.
    options : dict
        Given to the function.
    """

    read: str
    source: str
    label: float
    options: dict[str, Any]


FORMATS = {
    "epw": Format("read_epw", "typical_year", 0.0, {}),
    "pvgis": Format("read_pvgis_tmy", "typical_year", 0.5, {"map_variables": True}),
    "nsrdb": Format("read_nsrdb_psm4", "reanalysis", 0.5, {"map_variables": True}),
    "surfrad": Format("read_surfrad", "measurement", 1.0, {"map_variables": True}),
}
"""EPW: pvlib moves the label of its hour to the left edge. PVGIS, NSRDB: a satellite's instant, taken as the middle of
the step (that of PVGIS at the instant its header states). SURFRAD: means that end at the label."""
MISSING = {"ghi": 9999.0, "dni": 9999.0, "dhi": 9999.0, "temp_air": 99.9, "wind_speed": 999.0, "albedo": 0.999}
"""What an EPW file writes where a value is missing, or more; of the albedo 999 without its point."""


def read_weather(path: Path, file_format: str) -> Columns:
    """Read a weather file as columns of one station.

    Parameters
    ----------
    path : Path
        File, also compressed by gzip.
    file_format : {"epw", "pvgis", "nsrdb", "surfrad"}
        Its format.

    Returns
    -------
    Columns
        Of kind ``station``: ``id``, place, ``source``, ``time`` (left edges, UTC), ``time_step`` and series.

    Raises
    ------
    InputError
        If pvlib is not installed, or the file is not of that format or its steps are not equal.
    """
    if file_format not in FORMATS:
        hint = "Choose one of these."
        raise InputError([Problem("format", str(path), "format", (), 0, file_format, ", ".join(FORMATS), hint)])
    chosen = FORMATS[file_format]
    try:
        function: Callable[..., Any] = getattr(importlib.import_module("pvlib.iotools"), chosen.read)
    except ModuleNotFoundError:
        hint = "Install it: pip install 'prosumer-dispatch[weather]'."
        raise InputError([Problem("missing-extra", "pvlib", value="not installed", hint=hint)]) from None
    try:
        with _plain(path) as plain, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pvlib about pandas: nothing that our users could change
            data, meta = function(plain, **chosen.options)[:2]
    except (OSError, InputError):
        raise
    except Exception as error:  # pvlib lets whatever its parsers meet pass through
        hint = f"Give a file that {file_format} describes, or another --format."
        problem = Problem("format", str(path), value=f"not readable as {file_format}: {error}"[:200], hint=hint)
        raise InputError([problem]) from error
    return _station(path, chosen, data, dict(meta.get("inputs", {})) | dict(meta))


def import_weather(
    path: Path, case: xr.DataTree, *, file_format: str, what: str | None = None
) -> tuple[xr.DataTree, list[str]]:
    """Read a weather file into a case.

    Parameters
    ----------
    path : Path
        File.
    case : DataTree
        Receives the station.
    file_format : {"epw", "pvgis", "nsrdb", "surfrad"}
        Its format.
    what : {"forecast", "reanalysis", "measurement", "typical_year"}, optional
        What the weather is; default: what the format usually holds.

    Returns
    -------
    DataTree, list of str
        The case with the station, and what was found.
    """
    station = read_weather(path, file_format)
    if what is not None:
        station["source"] = np.array([what])
    light = [name for name in SERIES if name in station]
    gaps = int(sum(np.isnan(station[name]).sum() for name in light))
    note = (
        f"station {station['id'][0]}: {len(station['time'])} steps of {station['time_step'][0]} from "
        f"{station['time'][0]} UTC ({station['source'][0]}), {', '.join(light)}; {gaps} values missing"
    )
    return add_weather(case, station), [note]


def add_weather(case: xr.DataTree, station: Columns) -> xr.DataTree:
    """Put a station into a case: beside others on the same times, instead of those on other times.

    Parameters
    ----------
    case : DataTree
        Any case.
    station : Columns
        From `read_weather`.

    Returns
    -------
    DataTree
        The case with the station in ``/weather``; other groups are shared.
    """
    held = columns(case, "station") if has(case, "station") else {}
    same = len(held.get("time", ())) and np.array_equal(held["time"].astype("datetime64[s]"), station["time"])
    joined = dict(station)
    if same:
        keep = held["id"] != station["id"][0].encode()
        for name, values in station.items():
            if name not in {"time", "time_step"}:
                joined[name] = np.concatenate([_like(held, name, keep, values), values])
        for name in SERIES:
            if name in held and name not in station:
                joined[name] = np.concatenate([held[name][keep], np.full((1, len(station["time"])), np.nan)])
    made = build_case({"station": joined}, currency=case.attrs["currency"])
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree}
    weather = next(node.to_dataset(inherit=False) for node in made.subtree if node.path == "/weather")
    return tree_of({**groups, "/weather": weather})


def _like(held: Columns, name: str, keep: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Give what the other stations have of a column: texts as texts, NaN where they lack a series."""
    if name not in held:
        return np.full((int(keep.sum()), *values.shape[1:]), np.nan)
    return np.char.decode(held[name][keep], "utf-8") if held[name].dtype.kind == "S" else held[name][keep]


@contextmanager
def _plain(path: Path) -> Iterator[Path]:
    """Give a file as pvlib reads it: without compression, and not endless."""
    if path.suffix != ".gz":
        yield path
        return
    with gzip.open(path, "rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        hint = "Decompress it and keep the years that are needed."
        raise InputError([Problem("too-large", str(path), allowed=f"{LARGEST // 10**6} MB decompressed", hint=hint)])
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / path.stem
        plain.write_bytes(content)
        yield plain


def _station(path: Path, chosen: Format, data: pd.DataFrame, meta: dict[str, Any]) -> Columns:
    index = pd.DatetimeIndex(data.index)
    if chosen.source == "typical_year":
        index = pd.DatetimeIndex([stamp.replace(year=YEAR_OF_TYPICAL) for stamp in index])
    time = index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[s]")
    steps = np.unique(np.diff(time))
    if len(steps) != 1 or steps[0] <= np.timedelta64(0, "s"):
        hint = "Give a file without gaps and repeated times."
        raise InputError([Problem("time-gap", str(path), "time", value="of unequal steps", hint=hint)])
    shift = chosen.label * float(steps[0] / np.timedelta64(1, "s"))
    shift -= 3600.0 * float(meta.get("irradiance time offset") or 0.0)
    place = {name: float(meta.get(name, np.nan)) for name in ("latitude", "longitude")}
    if chosen.read == "read_surfrad":  # its header counts degrees west, and all its stations lie there
        place["longitude"] = -abs(place["longitude"])
    place["altitude"] = float(meta.get("altitude", meta.get("elevation", 0.0)))
    name = path.name.split(".")[0]
    found: Columns = {"id": np.array([name]), "source": np.array([chosen.source])}
    found |= {k: np.array([v]) for k, v in place.items()}
    found |= {"time": time - np.timedelta64(round(shift), "s"), "time_step": steps[:1]}
    values = {k: data[k].to_numpy(float)[None] for k in SERIES if k in data}
    if chosen.read == "read_epw":
        values = {k: np.where(v >= MISSING[k], np.nan, v) for k, v in values.items()}
    return found | values
