"""Shapes of one week and of the weeks before it, from the SimBench load profiles and the weather."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = "networks/1-complete_data-mixed-all-1-sw"
STEP = np.timedelta64(900, "s")
START = np.datetime64("2015-12-31T23:00:00", "s")  # the file's first row, 01.01.2016 00:00 in Germany
HOUSES = ("H0-A", "H0-B", "H0-C", "H0-G", "H0-L")
WEEKS = (-2, -1, 0, 1, 2)  # neighbouring weeks of the same archetypes stand for other houses


def simbench_folder() -> Path:
    """Folder of the SimBench tables in the installed package, which is not imported."""
    spec = importlib.util.find_spec("simbench")
    if spec is None or spec.origin is None:
        message = "Install simbench==1.6.3 (pip install --no-deps), or give --simbench FOLDER."
        raise SystemExit(message)
    return Path(spec.origin).parent / FOLDER


def table_file(folder: Path, name: str) -> Path:
    """Find a table, plain or gzip-compressed."""
    plain = folder / f"{name}.csv"
    return plain if plain.exists() else folder / f"{name}.csv.gz"


def read_series(folder: Path, name: str) -> pd.DataFrame:
    """Read a year of profiles on a UTC axis.

    The file's clock is local German time with its two changes; its rows follow each other in steps of 15 minutes
    without gap, so that the row number gives the time. The local stamps are compared with that.

    Parameters
    ----------
    folder : Path
        Of the SimBench tables.
    name : str
        ``LoadProfile``.

    Returns
    -------
    DataFrame
        Index of left edges in UTC, rounded to 5 decimals (the resolution of the shared extract).
    """
    table = pd.read_csv(table_file(folder, name), sep=";")
    utc = pd.DatetimeIndex(START + STEP * np.arange(len(table)))
    local = utc.tz_localize("UTC").tz_convert("Europe/Berlin").strftime("%d.%m.%Y %H:%M")
    if not (local == table["time"].to_numpy()).all():
        message = f"{name}: the clock of the file is not that of Europe/Berlin."
        raise SystemExit(message)
    return table.drop(columns="time").set_index(utc).round(5)


def week_of(series: pd.DataFrame, first: np.datetime64, days: int) -> slice:
    """Rows of a span."""
    at = int(series.index.get_indexer(pd.DatetimeIndex([first]))[0])
    return slice(at, at + days * 96)


def household_shapes(load: pd.DataFrame, rows: slice) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Active and reactive power of each household shape over some rows, each with a mean of 1 over the year."""
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name in HOUSES:
        p, q = (load[f"{name}_{part}load"].to_numpy() for part in "pq")
        for week in WEEKS:
            other = slice(rows.start + week * 672, rows.stop + week * 672)
            found[f"{name}{week:+d}w" if week else name] = (p[other] / p.mean(), q[other] / q.mean())
    mix = np.mean([np.array(found[name]) for name in found], axis=0)
    return {**found, "household_mix": (mix[0], mix[1])}


def shapes(load: pd.DataFrame, first: np.datetime64, days: int, roofs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Columns of ``/profile`` for a span.

    Loads have a mean of 1 over the year 2016, so that ``p_nom`` is the mean power; PV is per kWp.

    Parameters
    ----------
    load : DataFrame
        From `read_series`.
    first : datetime64
        First left edge, UTC.
    days : int
        Length. [d]
    roofs : dict of str to ndarray
        PV shapes over the span.

    Returns
    -------
    dict of str to ndarray
        ``id``, ``time``, ``p_pu`` and ``q_pu``.
    """
    rows = week_of(load, first, days)
    found = household_shapes(load, rows)
    for column in load.columns:
        if column.startswith(("Air_", "Soil_")) and column.endswith("_pload"):
            p = load[column].to_numpy()
            found[column.removesuffix("_pload")] = (p[rows] / p.mean(), p[rows] / p.mean())
    found |= {name: (p, np.zeros(days * 96)) for name, p in roofs.items()}
    return {
        "id": np.array(list(found)).astype("S"),
        "time": load.index[rows].to_numpy().astype("datetime64[s]"),
        "p_pu": np.array([p for p, _ in found.values()], np.float32),
        "q_pu": np.array([q for _, q in found.values()], np.float32),
    }


def history(load: pd.DataFrame, first: np.datetime64, days: int, past: int) -> dict[str, np.ndarray]:
    """Columns of ``/history``: what meters of each household shape showed in the days before a span and in it.

    Parameters
    ----------
    load : DataFrame
        From `read_series`.
    first : datetime64
        First left edge of the span, UTC.
    days, past : int
        Length of the span, and of what came before it. [d]

    Returns
    -------
    dict of str to ndarray
        ``id``, ``profile``, ``time`` and ``p``, per unit of ``p_nom`` and to three decimals.
    """
    rows = week_of(load, first - np.timedelta64(past, "D"), past + days)
    found = household_shapes(load, rows)
    names = np.array(list(found)).astype("S")
    return {
        "id": names,
        "profile": names,
        "time": load.index[rows].to_numpy().astype("datetime64[s]"),
        "p": np.round([p for p, _ in found.values()], 3).astype(np.float32),
    }
