"""A folder of tables as plain columns, with every mistake noted by file, column and line."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import Attribute, Kind, attribute_table
from dispatch.case.migrate import CURRENT
from dispatch.case.rules.findings import nearest, text
from dispatch.case.schema import as_bytes, columns, unit_of
from dispatch.case.tables.csv_file import CsvFile, open_csv
from dispatch.case.units import Conversion, conversion
from dispatch.errors import Problem

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

MAX_TOML_BYTES = 1 << 20
OTHER_WORDS = {
    "battery.csv": "store.csv", "batteries.csv": "store.csv", "car.csv": "store.csv", "tank.csv": "store.csv",
    "heat_pump.csv": "store.csv", "house.csv": "prosumer.csv", "node.csv": "bus.csv", "cable.csv": "line.csv",
    "trafo.csv": "transformer.csv", "engine.csv": "chp.csv", "biogas.csv": "plant.csv",
}  # fmt: skip
"""What people call tables, and what they are called."""
TYPES: dict[str, type | tuple[type, ...]] = {"text": str, "int": int, "float": (int, float)}


@dataclass
class Folder:
    """What a folder holds, and what is wrong with it.

    Attributes
    ----------
    tables : dict of str to dict of str to array_like
        Columns of each kind, as `build_case` takes them.
    labels : dict
        Attributes of the whole case.
    """

    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    labels: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    currency: str = "EUR"


def file_names() -> dict[str, tuple[Kind, Attribute | None]]:
    """Every file name that a folder of tables can have, with its kind and, for a series, its attribute."""
    names: dict[str, tuple[Kind, Attribute | None]] = {}
    for kind in attribute_table().values():
        if kind.name == "case" or kind.result:
            continue
        if kind.has_elements:
            names[f"{kind.name}.csv"] = (kind, None)
        names |= {
            f"{kind.name}_{a.name}.csv": (kind, a) for a in kind.attributes.values() if a.series and not a.quantile
        }
    return names


def read_folder(path: Path, base: xr.DataTree | None) -> Folder:
    """Read all tables of a folder.

    Parameters
    ----------
    path : Path
        The folder.
    base : DataTree, optional
        Has the ids of kinds that the folder leaves out, and the currency.

    Returns
    -------
    Folder
        With problems; its tables are complete only if there are none.
    """
    read = Folder()
    if not path.is_dir():
        read.problems.append(Problem("no-folder", str(path), value="not a folder", hint="Give a folder of tables."))
        return read
    if base is not None:
        read.currency = str(base.attrs.get("currency", "EUR"))
    _toml(read, path / "case.toml", needed=base is None)
    names = file_names()
    for other in sorted(p.name for p in path.glob("*.csv") if p.name not in names):
        hint = f"{nearest(other, names, OTHER_WORDS)} Rename or remove it.".lstrip()
        read.problems.append(Problem("unknown-file", other, value="no table of a case", hint=hint))
    present = {name: what for name, what in names.items() if (path / name).exists()}
    if not present:
        hint = f"Tables are named after their kind, such as {', '.join(list(names)[:3])}."
        read.problems.append(Problem("no-tables", str(path), value="without any table", hint=hint))
    for name, (kind, attribute) in present.items():
        if attribute is None:
            _elements(read, path / name, kind)
    for name, (kind, attribute) in present.items():
        if attribute is not None:
            _series(read, path / name, kind, attribute, base)
    return read


def _toml(read: Folder, path: Path, *, needed: bool) -> None:
    """Read the attributes of the whole case, and single values of groups."""

    def refuse(code: str, variable: str, value: str, hint: str) -> None:
        read.problems.append(Problem(code, path.name, variable, value=value, hint=hint))

    if not path.exists():
        if needed:
            hint = 'Write it with title, time_zone and currency, each as name = "value".'
            refuse("missing-file", "", "missing", hint)
        return
    content = _toml_content(path, refuse)
    table = attribute_table()
    _labels(read, content, table["case"], refuse)
    version = read.labels.get("schema_version", CURRENT)
    if version != CURRENT:
        hint = (
            "Export the tables anew with this version."
            if version < CURRENT
            else "Upgrade: pip install --upgrade prosumer-dispatch."
        )
        refuse("schema-version", "schema_version", str(version), hint)
    read.currency = str(read.labels.get("currency", read.currency))
    for section, values in content.items():
        if isinstance(values, dict) and section in table:
            single = {n: a for n, a in table[section].attributes.items() if not a.dims}
            for name, value in values.items():
                kinds = TYPES[single[name].dtype] if name in single else ()
                if not isinstance(value, kinds) or isinstance(value, bool):
                    refuse("unknown-name", f"{section}.{name}", "not known here", nearest(name, single) or "Remove it.")
                else:
                    read.tables.setdefault(section, {})[name] = value
        elif isinstance(values, dict):
            refuse("unknown-name", section, "not a kind", nearest(section, table) or "Remove it.")


def _toml_content(path: Path, refuse: Any) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_TOML_BYTES:
            refuse("too-large", "", "larger than 1 MB", "It holds a few lines only.")
            return {}
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        refuse("unreadable", "", f"no TOML ({str(error)[:100]})", 'Write lines such as currency = "EUR".')
        return {}


def _labels(read: Folder, content: dict[str, Any], case: Kind, refuse: Any) -> None:
    for name, value in content.items():
        if isinstance(value, dict):
            continue
        row = case.attributes.get(name)
        if row is None and (close := nearest(name, case.attributes)):
            refuse("unknown-name", name, "not known", close)
        elif (row and (not isinstance(value, TYPES[row.dtype]) or isinstance(value, bool))) or (
            not isinstance(value, str | int | float)
        ):
            refuse("type", name, f"{value!r}", "Give a text in quotes, or a whole number for schema_version.")
        elif name == "schema_version":
            read.labels[name] = np.int32(value) if 0 < int(value) < 1 << 31 else value
        else:
            read.labels[name] = value


def _header(read: Folder, file: CsvFile, kind: Kind) -> dict[str, tuple[int, Attribute, Conversion]]:
    """Columns of an element table by attribute: position and how to convert."""
    found: dict[str, tuple[int, Attribute, Conversion]] = {}
    plain = {n: a for n, a in kind.attributes.items() if not a.series}
    for at, head in enumerate(file.header):
        name, _, unit = head.partition("[")
        name, unit = name.strip(), unit.rstrip("] ").strip()
        if name == "id":
            continue
        if name not in plain:
            hint = f"{nearest(name, ['id', *plain])} Columns of {file.name}: id, {', '.join(plain)}.".lstrip()
            file.refuse(read.problems, "unknown-column", head, "not known", hint)
            continue
        if name in found:
            file.refuse(read.problems, "double-column", name, "given twice", "Keep one of the columns.")
        wanted = unit_of(plain[name], read.currency)
        how = conversion(unit, wanted) if unit else Conversion()
        if how is None or (unit and not wanted):
            hint = (
                f"Give it in {wanted}, which needs no brackets." if wanted else "It has no unit: remove the brackets."
            )
            file.refuse(read.problems, "unit", name, f"in {unit!r}", hint)
            continue
        if not how.trivial:
            read.notes.append(f"{file.name}/{name}: converted from {unit} to {wanted}")
        found[name] = (at, plain[name], how)
    for name, row in plain.items():
        if row.required and name not in found and not any(h.partition("[")[0].strip() == name for h in file.header):
            file.refuse(read.problems, "missing-column", name, "missing", f"Add the column: {row.description}")
    if "id" not in file.header:
        file.refuse(read.problems, "missing-column", "id", "missing", "Add a column of ids.")
    return found


def _elements(read: Folder, path: Path, kind: Kind) -> None:
    file = open_csv(path, read.problems)
    if file is None:
        return
    header = _header(read, file, kind)
    if "id" not in file.header:
        return
    ids = file.column(file.header.index("id"))
    table = read.tables.setdefault(kind.name, {})
    table["id"] = as_bytes(ids) if ids else np.zeros(0, "S1")
    for name, (at, row, how) in header.items():
        table[name] = file.values(read.problems, at, row, how, ids)


def _series(read: Folder, path: Path, kind: Kind, row: Attribute, base: xr.DataTree | None) -> None:
    file = open_csv(path, read.problems)
    if file is None:
        return
    owner, table = row.of or kind.name, read.tables.setdefault(kind.name, {})
    times = [h for h in file.header if h in {"time", "time_end"}]
    if not times or file.header[: len(times)] != times or times[0] != "time":
        hint = "The first column is 'time', in ISO 8601 with Z or an offset."
        file.refuse(read.problems, "missing-column", "time", "missing", hint)
        return
    names = file.header[len(times) :]
    time = file.times(read.problems, 0)
    if len(times) > 1 and time is not None and (end := file.times(read.problems, 1)) is not None and len(time) == 1:
        table["time_step"] = (end - time)[0]
    if time is None:
        return
    if "time" in table and not np.array_equal(table["time"], time):
        hint = "All series of one group share their times: give every file the same."
        file.refuse(read.problems, "time", "time", f"other than in the other files of {kind.name}", hint)
        return
    table["time"] = time
    ids = _owner_ids(read, owner, names, base)
    table[row.name] = _aligned(read, file, row, names, ids, len(times))


def _owner_ids(read: Folder, owner: str, names: list[str], base: xr.DataTree | None) -> list[str]:
    """Ids of the elements in the order of their kind; a kind that is given nowhere takes those of the header."""
    if "id" in read.tables.get(owner, {}):
        return [text(i) for i in read.tables[owner]["id"]]
    if base is not None and len(known := columns(base, owner)["id"]) and owner not in read.tables:
        return [text(i) for i in known]
    if attribute_table()[owner].attributes and all(
        a.series or not a.required for a in attribute_table()[owner].attributes.values()
    ):
        read.tables.setdefault(owner, {})["id"] = as_bytes(names) if names else np.zeros(0, "S1")
    return names


def _aligned(read: Folder, file: CsvFile, row: Attribute, names: list[str], ids: list[str], first: int) -> np.ndarray:
    """Values (element, time) in the order of the ids."""
    at = {name: first + k for k, name in enumerate(names)}
    unknown = [n for n in at if n not in set(ids)]
    missing = [i for i in ids if i not in at]
    if unknown:
        hint = f"{nearest(unknown[0], ids)} Remove the column, or add the element to its table.".lstrip()
        allowed = f"ids of {row.of or row.kind}"
        file.refuse(read.problems, "unknown-column", row.name, "of elements that are not there", hint, unknown, allowed)
    if missing:
        file.refuse(read.problems, "missing-column", row.name, "missing", "Add a column for each element.", missing)
    if len(at) < len(names):
        file.refuse(read.problems, "double-column", row.name, "given twice", "Keep one column an element.")
    if missing or not ids:
        return np.zeros((len(ids), len(file.rows)), row.memory_dtype)
    stamps = file.column(0)
    return np.stack([file.values(read.problems, at[i], row, Conversion(), stamps) for i in ids])
