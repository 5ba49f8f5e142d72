"""Cases as folders of CSV files: one a kind, one a series, and ``case.toml`` for the whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from dispatch.case.attributes import Attribute, attribute_table
from dispatch.case.netcdf import write_atomically
from dispatch.case.rules.findings import text
from dispatch.case.schema import build_case, has
from dispatch.case.tables.read import Folder, read_folder
from dispatch.case.tables.write import csv_text, elements_rows, series_rows
from dispatch.case.trees import tree_of
from dispatch.errors import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

# Series whose owners have changed are of no use any more.
SETTINGS = ("title", "time_zone", "currency")
FORECAST_OWNERS = ("load", "pv", "tariff")


def import_tables(
    folder: str | os.PathLike[str], base: xr.DataTree | None = None, notes: list[str] | None = None
) -> xr.DataTree:
    """Make a case from a folder of tables, or replace kinds of another case by them.

    ``bus.csv``, ``meter.csv`` and so on have a column ``id`` and columns named as in the attribute table, optionally
    with a unit as in ``p_nom [W]`` (without one it is the table's). An empty cell means the default. Series such as
    ``forecast_p_load.csv`` or ``profile_p_pu.csv`` have a column ``time`` in ISO 8601 with ``Z`` or an offset, and one
    column an element.

    Parameters
    ----------
    folder : path_like
        With ``case.toml`` unless there is a `base`.
    base : DataTree, optional
        Its kinds are kept where the folder has no file for them. Its ``/forecast`` is dropped if its loads, pv or
        tariffs change and the folder has none.
    notes : list of str, optional
        Receives a line for each conversion, and for a forecast that is dropped.

    Returns
    -------
    DataTree
        Not validated beyond its tables; see `dispatch.case.rules.check_case`.

    Raises
    ------
    InputError
        Unknown or missing files and columns, values that cannot be read (with line and id), units that cannot be
        converted, times without an offset: all in one pass.
    """
    path = Path(folder)
    read = read_folder(path, base)
    raise_if_any(read.problems, str(folder))
    kept = notes if notes is not None else []
    kept += read.notes
    labels: dict[str, Any] = {k: read.labels[k] for k in SETTINGS if k in read.labels}
    if base is None:
        return _labelled(build_case(read.tables, **labels), read)
    return _onto(base, read, labels, kept)


def _labelled(case: xr.DataTree, read: Folder) -> xr.DataTree:
    """Add labels of the user's own, and leave out series that were not given."""
    for name, given in read.tables.items():
        kind = attribute_table()[name]
        node = case[kind.group]
        assert isinstance(node, xr.DataTree)
        data = node.to_dataset(inherit=False)
        data = data.drop_vars([n for n, a in kind.attributes.items() if a.series and n in data and n not in given])
        used = {d for v in data.data_vars.values() for d in v.dims}
        owners = {a.of for a in kind.attributes.values() if a.of}
        node.dataset = data.drop_vars([o for o in owners if o in data.coords and o not in used])
    case.attrs |= {k: v for k, v in read.labels.items() if k not in case.attrs}
    return case


def _onto(base: xr.DataTree, read: Folder, labels: dict[str, Any], notes: list[str]) -> xr.DataTree:
    """Replace kinds of another case."""
    settings = {k: base.attrs[k] for k in SETTINGS if k in base.attrs} | labels
    own = _labelled(build_case(read.tables, **settings), read)
    groups = {node.path: node.to_dataset(inherit=False) for node in base.subtree}
    fresh = {attribute_table()[k].group: k for k in read.tables}
    groups |= {node.path: node.to_dataset(inherit=False) for node in own.subtree if node.path in fresh}
    forecast = attribute_table()["forecast"].group
    replaced = [k for k in FORECAST_OWNERS if k in read.tables and not _same_ids(base, own, k)]
    if replaced and forecast in groups and forecast not in fresh:
        del groups[forecast]
        notes.append(f"{forecast}: dropped, because it is not of the new {', '.join(replaced)}")
    case = tree_of(groups)
    case.attrs = {**base.attrs, **own.attrs}
    return case


def _same_ids(one: xr.DataTree, other: xr.DataTree, kind: str) -> bool:
    path = attribute_table()[kind].group
    if not has(one, kind):
        return False
    return bool(np.array_equal(one[path][kind].to_numpy(), other[path][kind].to_numpy()))


def export_tables(case: xr.DataTree, folder: str | os.PathLike[str]) -> list[Path]:
    """Write a case as a folder of tables; `import_tables` reads back the same.

    Widths of ids and texts are those of the longest. Results and quantiles, which forecasts make anew, are left out.

    Parameters
    ----------
    case : DataTree
        A valid case.
    folder : path_like
        Made if it is not there.

    Returns
    -------
    list of Path
        The files, ``case.toml`` first.

    Raises
    ------
    InputError
        If the folder has other tables, which would be read together with these.
    OSError
        If it cannot be written.
    """
    target = Path(folder)
    contents = {"case.toml": _toml(case), **dict(_tables(case))}
    stale = sorted(p.name for p in target.glob("*.csv") if p.name not in contents) if target.is_dir() else []
    if stale:
        hint = "Export to an empty folder."
        problem = Problem("stale-tables", str(folder), value=f"holding other tables: {', '.join(stale)}", hint=hint)
        raise InputError([problem], str(folder))
    target.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        write_atomically(target / name, content.encode())
    return [target / name for name in contents]


def _tables(case: xr.DataTree) -> Iterator[tuple[str, str]]:
    for kind in attribute_table().values():
        if kind.name == "case" or kind.result or not has(case, kind.name):
            continue
        node = case[kind.group]
        assert isinstance(node, xr.DataTree)
        data = node.to_dataset(inherit=False)
        rows = {n: a for n, a in kind.attributes.items() if n in data.variables}
        if kind.has_elements:
            plain = {n: (a, data[n].to_numpy()) for n, a in rows.items() if not a.series}
            yield f"{kind.name}.csv", csv_text(elements_rows(data[kind.name].to_numpy(), plain))
        if "time" not in data.variables:
            continue
        edges = data["time_bounds"].to_numpy() if "time_bounds" in data.variables else None
        series: list[Attribute] = [a for a in rows.values() if a.series and not a.quantile]
        for row in series:
            ids = data[row.of or row.kind].to_numpy()
            yield (
                f"{kind.name}_{row.name}.csv",
                csv_text(series_rows(data["time"].to_numpy(), edges, ids, data[row.name].to_numpy())),
            )


def _toml(case: xr.DataTree) -> str:
    """Attributes of the whole file, and single values of groups."""
    lines = [f"{name} = {_toml_value(value)}" for name, value in case.attrs.items()]
    for kind in attribute_table().values():
        single = [n for n, a in kind.attributes.items() if not a.dims and kind.name != "case"]
        if single and has(case, kind.name):
            lines += ["", f"[{kind.name}]"]
            found = [n for n in single if n in case[kind.group].data_vars]
            lines += [f"{n} = {_toml_value(case[kind.group][n].to_numpy()[()])}" for n in found]
    return "\n".join(lines) + "\n"


def _toml_value(value: Any) -> str:
    if isinstance(value, bytes | str):
        # A JSON string in ASCII is a TOML basic string, but for characters beyond the first plane.
        return json.dumps(text(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | np.integer):
        return str(int(value))
    return repr(float(value))
