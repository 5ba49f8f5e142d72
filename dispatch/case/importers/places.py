"""Places of buses and junctions in files of pandapower and pandapipes, where they are geographic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.importers.pandapower_json import parse

if TYPE_CHECKING:
    from dispatch.case.importers.pandapower_net import Net


def places(net: Net, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of each bus or junction.

    Parameters
    ----------
    net : Net
        The file; receives a note where its coordinates are not geographic.
    kind : {"bus", "junction"}
        Table of the points.

    Returns
    -------
    longitude, latitude : ndarray (row,)
        NaN where the file has none or they are not geographic. [degree]
    """
    place = np.full((len(net.frame(kind)), 2), np.nan)
    for k, text in enumerate(net.frame(kind).columns.get("geo", [])):
        place[k] = _point(text)
    geodata = net.frame(f"{kind}_geodata")
    at = np.array([net.row_at.get(number, -1) for number in geodata.index], dtype=int)
    found = np.stack([net.optional(f"{kind}_geodata", c) for c in "xy"], axis=1)
    place[at[at >= 0]] = found[at >= 0]
    known = np.isfinite(place).all(axis=1)
    if known.any() and not _geographic(place[known]):
        net.notes.append(f"{kind}: coordinates do not look like longitude and latitude and are left out.")
        place[:] = np.nan
    return place[:, 0], place[:, 1]


def _point(text: Any) -> tuple[float, float]:
    """Coordinates of a GeoJSON point, NaN for anything else."""
    try:
        point = parse(text) if isinstance(text, str) else text
        x, y = point["coordinates"][:2]
        return float(x), float(y)
    except (ValueError, TypeError, KeyError, IndexError, OverflowError):
        return np.nan, np.nan


def _geographic(place: np.ndarray) -> bool:
    """Whether points can be longitude and latitude of one region: in range, within 10 degrees, not about (0, 0)."""
    low, high = place.min(axis=0), place.max(axis=0)
    inside = bool((np.abs(place) <= (180, 90)).all())
    return inside and bool((high - low <= 10).all()) and bool(np.abs((low + high) / 2).max() > 5) and not _drawn(place)


def _drawn(place: np.ndarray) -> bool:
    """Whether points stand on whole numbers, as those of hand-drawn diagrams do."""
    return bool((place * 4 == np.round(place * 4)).all())
