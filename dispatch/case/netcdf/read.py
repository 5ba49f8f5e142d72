"""netCDF4 to labelled arrays, with nothing believed that was not checked first."""

from __future__ import annotations

import math
import mmap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import netCDF4
import numpy as np
import xarray as xr

from dispatch.case.attributes import attribute_table
from dispatch.case.embedded import embedded_names
from dispatch.case.netcdf.hdf5 import SIGNATURE, check_plain
from dispatch.case.netcdf.hdf5_heap import NotPlainError
from dispatch.case.netcdf.timestamps import decode_time
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

# A file may not claim more memory than this, nor this many times its own size beyond the first part: results full of
# zeros shrink about a hundredfold, a bomb a thousandfold.
MAX_BYTES = 8 << 30
FREE_BYTES = 256 << 20
MAX_RATIO = 300
MAX_DEPTH = 6
MAX_GROUPS = 200
MAX_VARIABLES = 5000
MAX_LABEL = 16 << 20

PACKED = ("scale_factor", "add_offset", "_Unsigned")
MISSING = ("_FillValue", "missing_value")


@dataclass(frozen=True)
class Excerpt:
    """Which part of a file is read.

    Attributes
    ----------
    rows : mapping of str to ndarray of int
        For some dims the positions to take, in rising order; all of the others.
    wanted : callable, optional
        Told group, name and dims of a variable, whether it is read.
    """

    rows: Mapping[str, np.ndarray] = field(default_factory=dict)
    wanted: Callable[[str, str, tuple[str, ...]], bool] | None = None

    def takes(self, where: str, name: str, dims: tuple[str, ...]) -> bool:
        """Whether a variable is read."""
        return self.wanted is None or self.wanted(where, name, dims)

    def part(self, dim: str, size: int) -> float:
        """Which part of a dim is read, as a fraction."""
        if dim not in self.rows or not size:
            return 1.0
        rows = self.rows[dim]
        return (int(rows[-1]) + 1 - int(rows[0])) / size if len(rows) else 0.0

    def values(self, variable: netCDF4.Variable[Any]) -> np.ndarray:
        """Values of a variable; of a dim with chosen rows only what lies between the first and the last is read."""
        key: list[slice] = []
        then: list[np.ndarray | None] = []
        for dim in variable.dimensions:
            rows = self.rows.get(dim)
            if rows is None:
                key.append(slice(None))
                then.append(None)
                continue
            low = int(rows[0]) if len(rows) else 0
            key.append(slice(low, int(rows[-1]) + 1 if len(rows) else 0))
            then.append(None if len(rows) and len(rows) == rows[-1] + 1 - low else rows - low)
        values = np.asarray(variable[tuple(key)] if key else variable[...])
        for axis, rows in enumerate(then):
            if rows is not None:
                values = values.take(rows, axis=axis)
        return values


ALL = Excerpt()


def read_groups(path: Path, problems: list[Problem], excerpt: Excerpt = ALL) -> dict[str, xr.Dataset]:
    """Every group of a file, decoded, in memory.

    Parameters
    ----------
    path : Path
        The file.
    problems : list of Problem
        Receives what is wrong with single variables; those are left out.
    excerpt : Excerpt
        Which part is read; default: all.

    Returns
    -------
    dict of str to Dataset
        By path, in the order of the file.

    Raises
    ------
    InputError
        If the file as a whole cannot be read.
    """
    size = sized_file(path)
    # The netCDF library reports damage by many classes (OSError, RuntimeError, KeyError, UnicodeDecodeError, ...).
    try:
        with netCDF4.Dataset(path, "r") as file:
            file.set_auto_maskandscale(False)
            file.set_auto_chartostring(False)
            nodes = _walk(file, path)
            _limit(nodes, size, path, excerpt)
            return {where: _dataset(node, where, problems, excerpt) for where, node in nodes.items()}
    except InputError:
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {error}".splitlines()[0][:200]
        hint = "It is damaged or incomplete: copy or build it again."
        raise _refusal("unreadable", path, f"not readable ({text})", hint) from error


def _refusal(code: str, path: Path | str, value: str, hint: str, allowed: str = "") -> InputError:
    return InputError([Problem(code, str(path), value=value, allowed=allowed, hint=hint)], str(path))


def _where(path: Path) -> str:
    """Advise where there is no file: a name without an ending may be meant for a case that comes with the project."""
    if path.suffix:
        return "Give the path of a case file."
    return f"Give the path of a case file, or the name of an embedded case: {', '.join(embedded_names())}."


def sized_file(path: Path) -> int:
    """Size of the file, if it looks like netCDF4 at all."""
    try:
        if not path.exists():
            raise _refusal("no-file", path, "not there", _where(path))
        if not path.is_file():
            raise _refusal("no-file", path, "not a regular file", "Give the path of a case file.")
        with path.open("rb") as file:
            head = file.read(8)
            if head == SIGNATURE:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    check_plain(data)
        size = path.stat().st_size
    except NotPlainError as error:
        hint = "Copy it again if it was written by this project; build it anew from your own data if not."
        raise _refusal("not-plain", path, str(error), hint, "plain netCDF4 as this project writes it") from error
    except (OSError, ValueError) as error:
        raise _refusal("no-file", path, f"not readable ({error})", "Give the path of a readable case file.") from error
    if head != SIGNATURE:
        raise _refusal("not-netcdf", path, f"no netCDF4 file (begins with {head!r})", _advice(head), "netCDF4")
    return size


def _advice(head: bytes) -> str:
    if not head:
        return "The file is empty: copy or build it again."
    if head[:3] == b"CDF":
        return "It is netCDF3; case files are netCDF4: build it with `dispatch import`."
    if head.lstrip()[:1] == b"{":
        return "It looks like JSON; a pandapower file is read by `dispatch import pandapower`."
    if head[:2] == b"PK":
        return "It looks like a zip archive: unpack it first."
    return "Build a case with `dispatch import`."


def _walk(file: netCDF4.Dataset, path: Path) -> dict[str, netCDF4.Dataset]:
    nodes: dict[str, netCDF4.Dataset] = {}
    waiting: list[tuple[str, netCDF4.Dataset, int]] = [("/", file, 0)]
    while waiting:
        where, node, depth = waiting.pop(0)
        nodes[where] = node
        if depth > MAX_DEPTH or len(nodes) > MAX_GROUPS:
            hint = "It was not written by this project."
            raise _refusal("too-many-groups", path, "nested too deeply or of too many groups", hint)
        waiting += [(f"{where.rstrip('/')}/{name}", child, depth + 1) for name, child in node.groups.items()]
    return nodes


def _limit(nodes: dict[str, netCDF4.Dataset], size: int, path: Path, excerpt: Excerpt) -> None:
    """Refuse what claims too much memory, before any is taken."""
    variables = [v for node in nodes.values() for v in node.variables.values()]
    read = [v for where, n in nodes.items() for k, v in n.variables.items() if excerpt.takes(where, k, v.dimensions)]
    claimed = sum(_claim(v, excerpt) for v in read)
    allowed = min(MAX_BYTES, max(FREE_BYTES, MAX_RATIO * size))
    if claimed > allowed or len(variables) > MAX_VARIABLES:
        value = f"of {len(variables)} variables with {claimed / 1e6:.4g} MB for a file of {size / 1e6:.4g} MB"
        limit = f"{MAX_VARIABLES} variables, {allowed / 1e6:.4g} MB"
        raise _refusal("too-large", path, value, "Split the case, or shorten its series.", limit)


def _claim(variable: netCDF4.Variable[Any], excerpt: Excerpt) -> int:
    """Bytes that reading would take, a whole chunk at least."""
    width = getattr(variable.dtype, "itemsize", 0) if isinstance(variable.dtype, np.dtype) else 0
    chunk = variable.chunking()
    chunked = math.prod(chunk) if isinstance(chunk, list) else 1
    part = math.prod(excerpt.part(d, n) for d, n in zip(variable.dimensions, variable.shape, strict=True))
    return int(max(part * math.prod(variable.shape), chunked) * max(width, 1))


def _dataset(node: netCDF4.Dataset, where: str, problems: list[Problem], excerpt: Excerpt) -> xr.Dataset:
    labels = _labels(node, where, "", problems)
    others = set(str(labels.pop("coordinates", "")).split()) | {"time_bounds"}
    found: dict[str, xr.Variable] = {}
    for name, variable in node.variables.items():
        if not excerpt.takes(where, name, variable.dimensions):
            continue
        decoded = _variable(variable, where, name, problems, excerpt)
        if decoded is not None:
            found[name] = decoded
    try:
        return xr.Dataset(found, attrs=labels).set_coords([n for n in found if n in others])
    except ValueError as error:
        hint = "Every dim must have one size: build the file again."
        problems.append(Problem("dims", where, value=str(error).splitlines()[0][:200], hint=hint))
        return xr.Dataset(attrs=labels)


def _labels(item: Any, where: str, name: str, problems: list[Problem]) -> dict[str, Any]:
    labels = {}
    for label in item.ncattrs():
        value = item.getncattr(label)
        if not _plain_label(value):
            hint = "Attributes are texts and numbers: remove it."
            problems.append(Problem("label", where, name, value=f"labelled by {label!r}", hint=hint))
            continue
        labels[label] = value
    return labels


def _plain_label(value: Any) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_LABEL
    return isinstance(value, np.generic | np.ndarray) and value.size <= MAX_LABEL and value.dtype.kind in "iufSU"


def _variable(
    variable: netCDF4.Variable[Any], where: str, name: str, problems: list[Problem], excerpt: Excerpt
) -> xr.Variable | None:
    def refuse(code: str, value: str, allowed: str, hint: str) -> None:
        problems.append(Problem(code, where, name, value=value, allowed=allowed, hint=hint))

    plain = isinstance(variable.dtype, np.dtype) and variable.dtype.kind in "iufS"
    if not plain or not isinstance(variable.datatype, np.dtype):
        hint = "Store ids and texts as char arrays of fixed width and numbers plainly."
        refuse(
            "dtype", "of a variable-length, compound or other user-defined type", "numbers and fixed-width bytes", hint
        )
        return None
    labels = _labels(variable, where, name, problems)
    if any(label in labels for label in PACKED):
        refuse("packed", "packed by scale_factor or add_offset", "plain numbers", "Unpack it before saving.")
        return None
    values, dims = excerpt.values(variable), variable.dimensions
    for label in MISSING:
        mark = labels.pop(label, None)
        if mark is not None and values.dtype.kind != "S" and bool(np.any(values == mark)):
            refuse(
                "missing", f"missing where it is {mark}", "values, or NaN where allowed", "Fill the gaps with values."
            )
            return None
    if values.dtype.kind == "S":
        values, dims = _joined(values, dims)
    return _decoded(values, dims, labels, refuse)


def _joined(values: np.ndarray, dims: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Characters to fixed-width bytes; the last dim is the width unless it counts elements."""
    if not dims or dims[-1] in attribute_table() or dims[-1] in {"time", "bound"} or values.dtype.itemsize != 1:
        return values, dims
    shape, width = values.shape[:-1], max(values.shape[-1], 1)
    if not values.size:
        return np.zeros(shape, f"S{width}"), dims[:-1]
    return np.ascontiguousarray(values).view(f"S{width}").reshape(shape), dims[:-1]


def _decoded(values: np.ndarray, dims: tuple[str, ...], labels: dict[str, Any], refuse: Any) -> xr.Variable | None:
    if labels.get("dtype") == "bool":
        del labels["dtype"]
        if not np.isin(values, (0, 1)).all():
            refuse("bool", "neither 0 nor 1 somewhere", "0 or 1", "Store false as 0 and true as 1.")
            return None
        return xr.Variable(dims, values.astype(bool), labels)
    if " since " in str(labels.get("units", "")):
        units, calendar = str(labels.pop("units")), str(labels.pop("calendar", "standard"))
        time = decode_time(values, units, calendar)
        if isinstance(time, str):
            refuse("time-units", time, "seconds since 1970-01-01, UTC", "Store whole seconds in UTC.")
            return None
        return xr.Variable(dims, time, labels)
    return xr.Variable(dims, values, labels)
