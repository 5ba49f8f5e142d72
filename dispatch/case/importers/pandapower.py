"""Importer of pandapower nets: JSON of versions 2 and 3, read as data and without pandapower."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.importers import pandapower_branches as branches
from dispatch.case.importers import pandapower_elements as elements
from dispatch.case.importers import pandapower_switches as switches
from dispatch.case.importers.grid import Grid, Table, finish
from dispatch.case.importers.metering import Tariff
from dispatch.case.importers.naming import clean
from dispatch.case.importers.pandapower_json import parse, read_net
from dispatch.case.importers.pandapower_net import Net

if TYPE_CHECKING:
    import os

    import xarray as xr

HANDLED = ("bus", "bus_geodata", "line", "trafo", "switch", "load", "sgen", "storage", "ext_grid")


def import_pandapower(
    path: str | os.PathLike[str],
    *,
    drop_isolated: bool = False,
    price_import: float = 0.30,
    price_export: float = 0.08,
) -> tuple[xr.DataTree, list[str]]:
    """Read a pandapower net into a case.

    Parameters
    ----------
    path : path
        JSON written by ``pandapower.to_json``, gzip-compressed or not.
    drop_isolated : bool
        Whether buses without a way to an external grid are left out instead of refused.
    price_import, price_export : float
        The one tariff that every meter gets. [EUR/kWh]

    Returns
    -------
    case : DataTree
        Loads and generation constant at the file's power; see `dispatch.case.importers.metering` for whose meter
        they stand behind.
    notes : list of str
        What was changed or left out, in words.

    Raises
    ------
    InputError
        If the file is damaged or holds what cannot be handled; everything in one pass.
    """
    path = Path(path)
    net = Net(read_net(path, (*HANDLED, *elements.REFUSED)))
    return finish(
        _grid(net, path), drop_isolated=drop_isolated, tariff=Tariff(price_import, price_export), source=str(path)
    )


def _grid(net: Net, path: Path) -> Grid:
    bus = _buses(net)
    elements.refuse_others(net)
    fused, switched = switches.bus_switches(net, bus["v_nom"])
    line = branches.lines(net, bus["v_nom"])
    bus, line = switches.keep_open_ends(net, bus, line, switches.open_ends(net, "line", "l", ("from_bus", "to_bus")))
    load, given = elements.loads(net)
    pv, taken = elements.generators(net)
    store, reactive = elements.storages(net)
    tables = {
        "bus": _joined("bus", bus),
        "line": _joined("line", line, switched),
        "transformer": branches.transformers(net),
        "source": elements.sources(net),
        "load": _joined("load", load, taken, reactive),
        "pv": _joined("pv", pv, given),
        "store": store,
    }
    title = clean(net.file.settings.get("name")) or path.name.split(".")[0]
    return Grid(title, tables, fused, notes=net.notes, problems=net.problems)


def _joined(kind: str, *tables: Table) -> Table:
    """Rows of all tables, ids made unique in their kind."""
    out = {name: np.concatenate([t[name] for t in tables]) for name in tables[0]}
    taken: set[str] = set()
    for k, own in enumerate(out["id"]):
        while own in taken:
            own = f"{kind}_{own}"  # noqa: PLW2901 - the id grows until it is free
        taken.add(own)
        out["id"][k] = own
    return out


def _buses(net: Net) -> Table:
    v_nom = net.numbers("bus", "vn_kv", low=1e-3, high=1000)
    low, high = net.optional("bus", "min_vm_pu"), net.optional("bus", "max_vm_pu")
    sensible = (low >= 0.5) & (low < high) & (high <= 1.5)
    given = np.isfinite(low) | np.isfinite(high)
    if (given & ~sensible).any():
        count = np.count_nonzero(given & ~sensible)
        net.notes.append(
            f"bus: {count} voltage limits that leave no room or are not within 0.5 to 1.5 are 0.90 to 1.10 instead."
        )
    longitude, latitude = _places(net)
    return {
        "id": net.ids("bus", "bus"),
        "v_nom": v_nom,
        "v_min_pu": np.where(sensible, low, 0.9),
        "v_max_pu": np.where(sensible, high, 1.1),
        "longitude": longitude,
        "latitude": latitude,
        "in_service": net.flags("bus", "in_service"),
    }


def _places(net: Net) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude of each bus; NaN where the file has none or they are not geographic."""
    place = np.full((len(net.frame("bus")), 2), np.nan)
    for k, text in enumerate(net.frame("bus").columns.get("geo", [])):
        place[k] = _point(text)
    geodata = net.frame("bus_geodata")
    at = np.array([net.bus_at.get(number, -1) for number in geodata.index], dtype=int)
    found = np.stack([net.optional("bus_geodata", c) for c in "xy"], axis=1)
    place[at[at >= 0]] = found[at >= 0]
    known = np.isfinite(place).all(axis=1)
    if known.any() and not _geographic(place[known]):
        net.notes.append("bus: coordinates do not look like longitude and latitude and are left out.")
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
