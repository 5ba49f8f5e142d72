"""Importer of SimBench grids from their CSV folders, with their profiles and without simbench or pandapower."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.importers import simbench_elements as elements
from dispatch.case.importers.grid import Grid, finish
from dispatch.case.importers.metering import Tariff
from dispatch.case.importers.simbench_csv import Folder
from dispatch.case.importers.simbench_profiles import read_profiles
from dispatch.errors import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    import os

    import xarray as xr

REQUIRED = ("Node", "Line", "LineType", "Load", "Switch", "Transformer", "TransformerType", "ExternalNet")


def import_simbench(
    folder: str | os.PathLike[str],
    grid: str,
    *,
    drop_isolated: bool = False,
    start: str | None = None,
    days: int | None = None,
    price_import: float = 0.30,
    price_export: float = 0.08,
) -> tuple[xr.DataTree, list[str]]:
    """Read one SimBench grid into a case.

    Parameters
    ----------
    folder : path
        SimBench tables, ``;``-separated, ``.csv`` or ``.csv.gz``: a downloaded grid, or a folder of all grids such as
        ``simbench/networks/1-complete_data-mixed-all-1-sw`` of the PyPI package.
    grid : str
        Subnet, such as ``LV3.101`` or ``MV1.101``; its transformers to the upper grid belong to it. Lower grids are
        the loads and generation that SimBench lumps in their place.
    drop_isolated : bool
        Whether buses without a way to the upper grid are left out instead of refused.
    start : str, optional
        First local day of the profiles to keep, ``YYYY-MM-DD``; the file's first without it.
    days : int, optional
        How many local days of the profiles to keep; all without it.
    price_import, price_export : float
        The one tariff that every meter gets. [EUR/kWh]

    Returns
    -------
    case : DataTree
        With ``/profile`` in UTC.
    notes : list of str
        What was changed or left out, in words.

    Raises
    ------
    InputError
        If files are damaged or hold what cannot be handled; everything in one pass.
    """
    path = Path(folder)
    if not path.is_dir():
        hint = "Give the folder in which Node.csv (or Node.csv.gz) stands."
        raise InputError([Problem("no-folder", path.name, value="not a folder", hint=hint)], str(path))
    data = Folder(path, grid)
    data.require(*REQUIRED)
    raise_if_any(data.problems, str(path))
    _known_grid(data)
    drawn = _grid(data, start, days)
    tariff = Tariff(price_import, price_export)
    return finish(drawn, drop_isolated=drop_isolated, tariff=tariff, source=str(path))


def _known_grid(data: Folder) -> None:
    subnets = data.read("Node").get("subnet")
    names: list[Any] = [] if subnets is None else sorted({str(s).split("_")[0] for s in subnets.dropna()})
    if data.grid not in names:
        shown = ", ".join(names[:12]) + (" ..." if len(names) > 12 else "")
        problem = Problem("grid", "Node", "subnet", value=repr(data.grid), allowed=shown, hint="Choose one of these.")
        raise InputError([problem], str(data.path))


def _grid(data: Folder, start: str | None, days: int | None) -> Grid:
    notes: list[str] = []
    bus, bus_at = elements.buses(data, notes)
    profiles = read_profiles(
        data, list(data.texts("Load", "profile")), list(data.texts("RES", "profile")), start=start, days=days
    )
    elements.refuse_others(data)
    tables = {
        "bus": bus,
        "line": elements.lines(data, bus_at, bus["v_nom"]),
        "transformer": elements.transformers(data, bus_at),
        "source": elements.sources(data, bus_at, notes),
        "load": elements.loads(data, bus_at, profiles),
        "pv": elements.generators(data, bus_at, profiles, notes),
        "store": elements.storages(data, bus_at, notes),
    }
    closed = data.numbers("Switch", "cond", 1) == 1
    ends = [data.rows("Switch", c, bus_at) for c in ("nodeA", "nodeB")]
    fused = np.stack(ends, axis=1)[closed]
    title = f"SimBench {data.grid}"
    return Grid(title, tables, fused, profiles=profiles.columns, notes=notes, problems=data.problems)
