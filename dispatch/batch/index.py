"""The index of a folder of results: one row a feeder, with the file of its group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.batch.group_file import NO_CURRENCY, labelled
from dispatch.batch.kill_points import passing
from dispatch.batch.outcome import FIGURES
from dispatch.batch.task import FOLDER
from dispatch.case.attributes import attribute_table
from dispatch.case.netcdf import move_into_place, save_case
from dispatch.case.schema import as_bytes, kind_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import xarray as xr

    from dispatch.batch.plan import Plan
    from dispatch.batch.record import Record

NAME = "index.nc"
NOT_RUN = {"status": "not_run", "prosumers": 0, "says": ""}


def write_index(folder: Path, plan: Plan, done: Mapping[str, Record]) -> None:
    """Write the index anew from the plan and what is done, and remove results that belong to no group any more.

    Parameters
    ----------
    folder : Path
        Of results.
    plan : Plan
        All groups.
    done : mapping of str to dict
        Records of the journal by group.
    """
    rows: list[tuple[str, dict[str, Any]]] = []
    for group in plan.groups:
        record = done.get(group.key)
        found = record["feeders"] if record else [{**NOT_RUN, "name": name} for name in group.names]
        rows += [(record["file"] if record else "", row) for row in found]
    written = folder / FOLDER / NAME
    save_case(labelled({"/feeder": _table(rows)}, NO_CURRENCY), written)
    passing("in index")
    move_into_place(written, folder / NAME)
    kept = {group.key for group in plan.groups}
    for file in (folder / "groups").glob("*.nc"):
        if file.stem not in kept:
            file.unlink()
    for file in (folder / FOLDER).iterdir():
        file.unlink()


def _table(rows: list[tuple[str, dict[str, Any]]]) -> xr.Dataset:
    names = [row["name"] for _, row in rows]
    parts = [name.partition("/") for name in names]
    texts = {
        "case": [case for case, _, _ in parts],
        "source": [source for _, _, source in parts],
        "status": [row["status"] for _, row in rows],
        "explanation": [row.get("says", "") for _, row in rows],
    }
    columns: dict[str, Any] = {k: as_bytes(np.array(v, object)) for k, v in texts.items()}
    columns |= {k: np.array([row.get(k, np.nan) for _, row in rows], float) for k in FIGURES}
    columns["prosumers"] = np.array([row["prosumers"] for _, row in rows], np.int32)
    data = kind_dataset(attribute_table()["feeder"], columns, currency=NO_CURRENCY, sizes={"feeder": len(rows)})
    data["file"] = ("feeder", as_bytes(np.array([file for file, _ in rows], object)))
    return data.assign_coords({"feeder": as_bytes(np.array(names, object))})
