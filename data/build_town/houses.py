"""Gas that each house of the electric network uses, from the gas network of the same town."""

from __future__ import annotations

import gzip
import io
import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

METRES_PER_DEGREE = 111_200.0


def gas_tables(path: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of a pandapipes JSON file as data."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    net = json.loads(raw)["_object"]
    return {
        name: pd.read_json(io.StringIO(net[name]["_object"]), orient="split", precise_float=True)
        for name in ("sink", "junction_geodata")
    }


def gas_by_house(path: Path, tables: dict[str, dict[str, np.ndarray]]) -> np.ndarray:
    """Yearly gas of each prosumer: row i of the gas sinks is the i-th house of the electric file.

    The places of both are compared (after a fit of one plane's coordinates to the other's) and printed.

    Parameters
    ----------
    path : Path
        pandapipes file.
    tables : dict
        Of the imported electric network.

    Returns
    -------
    ndarray (prosumer,)
        NaN where a prosumer is no house. [m3]
    """
    gas, load, meter = gas_tables(path), tables["load"], tables["meter"]
    house = np.nonzero(load["kind"] == b"household")[0]
    if len(house) != len(gas["sink"]):
        message = f"{len(house)} houses but {len(gas['sink'])} gas consumers."
        raise SystemExit(message)
    where = pd.Index(meter["id"]).get_indexer(load["meter"][house])
    bus = pd.Index(tables["bus"]["id"]).get_indexer(meter["bus"][where])
    place = gas["junction_geodata"].loc[gas["sink"]["junction"], ["x", "y"]].to_numpy(float)
    lon, lat = tables["bus"]["longitude"][bus], tables["bus"]["latitude"][bus]
    metres = np.stack([(lon - lon.mean()) * np.cos(np.radians(lat.mean())), lat - lat.mean()], 1) * METRES_PER_DEGREE
    apart = _distance(metres, place - place.mean(axis=0))
    print(f"same house in both files: median {np.median(apart):.0f} m apart, {(apart > 100).sum()} by more than 100 m")
    found = np.full(len(tables["prosumer"]["id"]), np.nan)
    found[pd.Index(tables["prosumer"]["id"]).get_indexer(meter["prosumer"][where])] = gas["sink"]["demand_m3_per_a"]
    return found


def _distance(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Distance after the best affine fit, the few far ones left out of it."""
    near = np.ones(len(here), bool)
    wide = np.column_stack([there, np.ones(len(there))])
    apart = np.zeros(len(here))
    for _ in range(5):
        fit, *_ = np.linalg.lstsq(wide[near], here[near], rcond=None)
        apart = np.hypot(*(here - wide @ fit).T)
        near = apart < 50 + np.median(apart)
    return apart
