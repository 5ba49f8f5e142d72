"""Importer of pandapower nets: JSON of versions 2 and 3, read as data and without pandapower."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.importers import pandapower_branches as branches
from dispatch.case.importers import pandapower_elements as elements
from dispatch.case.importers import pandapower_switches as switches
from dispatch.case.importers.grid import Grid, Table, finish, joined
from dispatch.case.importers.metering import Tariff
from dispatch.case.importers.naming import clean
from dispatch.case.importers.pandapower_json import read_net
from dispatch.case.importers.pandapower_net import Net
from dispatch.case.importers.places import places

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
        "bus": joined("bus", bus),
        "line": joined("line", line, switched),
        "transformer": branches.transformers(net),
        "source": elements.sources(net),
        "load": joined("load", load, taken, reactive),
        "pv": joined("pv", pv, given),
        "store": store,
    }
    title = clean(net.file.settings.get("name")) or path.name.split(".")[0]
    return Grid(title, tables, fused, notes=net.notes, problems=net.problems)


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
    longitude, latitude = places(net, "bus")
    return {
        "id": net.ids("bus", "bus"),
        "v_nom": v_nom,
        "v_min_pu": np.where(sensible, low, 0.9),
        "v_max_pu": np.where(sensible, high, 1.1),
        "longitude": longitude,
        "latitude": latitude,
        "in_service": net.flags("bus", "in_service"),
    }
