"""A case as labelled arrays: building one from plain columns and reading plain columns from one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import xarray as xr

from dispatch.case.attributes import Attribute, Kind, attribute_table
from dispatch.case.trees import tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

Made = TypeVar("Made")
Columns = dict[str, np.ndarray]
Arrays = dict[str, tuple[tuple["Hashable", ...], np.ndarray, dict[Any, Any]]]
"""Dims, values and attributes of the variables of a group."""


def as_bytes(values: Any) -> np.ndarray:
    """Turn ids or texts into fixed-width UTF-8 bytes, as wide as the longest, at least one byte wide."""
    array = np.asarray(values)
    if array.dtype.kind == "O":
        array = np.array([v if isinstance(v, bytes) else str(v) for v in array.ravel()]).reshape(array.shape)
    if array.dtype.kind == "U":
        array = np.char.encode(array, "utf-8")
    longest = int(np.char.str_len(array).max(initial=1)) if array.dtype.kind == "S" else 1
    return array.astype(f"S{longest}")


def unit_of(attribute: Attribute, currency: str) -> str:
    """Text of the ``units`` attribute, with the case's currency in place."""
    return attribute.unit.replace("{currency}", currency)


def _array(attribute: Attribute, values: Any, shape: tuple[int, ...]) -> np.ndarray:
    if attribute.dtype in {"id", "text"}:
        texts = np.broadcast_to(as_bytes(values), shape)
        return texts.copy() if texts.size else np.zeros(shape, "S1")
    return np.broadcast_to(np.asarray(values, dtype=attribute.memory_dtype), shape).copy()


def kind_dataset(kind: Kind, columns: Mapping[str, Any], *, currency: str, sizes: Mapping[str, int]) -> xr.Dataset:
    """Dataset of one kind or group from plain columns.

    Parameters
    ----------
    kind : Kind
        Its section of the attribute table.
    columns : mapping of str to array_like
        ``id`` (for kinds with elements), ``time`` where there are series, and any attributes; defaults fill the rest.
    currency : str
        Written into units of money.
    sizes : mapping of str to int
        Size of each dim that the columns use.

    Returns
    -------
    Dataset
        With ``units`` and ``description`` on every variable.
    """
    return xr.Dataset(_kind_variables(kind, columns, currency=currency, sizes=sizes))


def _kind_variables(
    kind: Kind, columns: Mapping[str, Any], *, currency: str, sizes: Mapping[str, int]
) -> dict[str, xr.Variable]:
    """Variables of `kind_dataset`."""
    variables = {}
    for name, attribute in kind.attributes.items():
        if name in columns:
            values = columns[name]
        elif attribute.required or kind.result or not set(attribute.dims) <= set(sizes):  # noqa: SIM114
            continue
        elif attribute.of and attribute.can_be_unknown:  # nobody knows the series
            continue
        else:
            values = attribute.default
        shape = tuple(sizes[d] for d in attribute.dims)
        labels = {"description": attribute.description}
        if attribute.unit:
            labels = {"units": unit_of(attribute, currency), **labels}
        variables[name] = xr.Variable(attribute.dims, _array(attribute, values, shape), labels)
    return variables


def build_case(
    tables: Mapping[str, Mapping[str, Any]],
    *,
    title: str = "",
    time_zone: str = "Europe/Berlin",
    currency: str = "EUR",
) -> xr.DataTree:
    """Make a case from plain columns; defaults are filled in and written out.

    Parameters
    ----------
    tables : mapping of str to mapping of str to array_like
        For each kind its columns: ``id`` and attributes of the attribute table; for kinds with series and for
        ``forecast`` also ``time`` (datetime64, UTC, left edges) and, for a single step, ``time_step`` (timedelta64).
        Kinds that are left out are empty and not stored.
    title, time_zone, currency : str
        Attributes of the whole file.

    Returns
    -------
    DataTree
        Not validated; see `dispatch.case.rules.check_case`.
    """
    ids = {kind: as_bytes(columns["id"]) for kind, columns in tables.items() if "id" in columns}
    groups: dict[str, xr.Dataset] = {"/": xr.Dataset()}
    for name, kind in attribute_table().items():
        if name == "case" or name not in tables:
            continue
        columns = tables[name]
        sizes = {k: len(v) for k, v in ids.items()}
        sizes |= {axis: len(columns[axis]) for axis in ("time", "quantile") if axis in columns}
        variables = _kind_variables(kind, columns, currency=currency, sizes=sizes)
        dims = dict.fromkeys(d for v in variables.values() for d in v.dims)
        owners = [str(d) for d in dims if d in ids] + [name] * kind.has_elements
        coords = {d: xr.Variable(d, ids[d]) for d in owners}
        coords |= time_axis(np.asarray(columns["time"]), columns.get("time_step")) if "time" in columns else {}
        coords |= quantile_axis(columns["quantile"]) if "quantile" in dims else {}
        groups[kind.group] = xr.Dataset(variables, coords)
    case = tree_of(groups)
    version = attribute_table()["case"].attributes["schema_version"].default
    case.attrs = {"title": title, "time_zone": time_zone, "currency": currency, "schema_version": np.int32(version)}
    return case


def time_axis(time: np.ndarray, step: np.timedelta64 | np.ndarray | None = None) -> dict[str, xr.Variable]:
    """Coordinates ``time`` (left edges, whole seconds) and ``time_bounds`` of a group.

    Parameters
    ----------
    time : ndarray (time,) of datetime64
        Left edges.
    step : timedelta64 or ndarray (1,), optional
        Length of a step; by default the distance of the first two edges, an hour where there is one edge.
    """
    edges = time.astype("datetime64[s]")
    if step is None:
        step = edges[1] - edges[0] if len(edges) > 1 else np.timedelta64(3600, "s")
    bounds = np.stack([edges, edges + step], axis=1)
    return {
        "time": xr.Variable("time", edges, {"standard_name": "time", "bounds": "time_bounds"}),
        "time_bounds": xr.Variable(("time", "bound"), bounds),
    }


def quantile_axis(levels: Any) -> dict[str, xr.Variable]:
    """Coordinate ``quantile`` of a group: levels in (0, 1)."""
    return {"quantile": xr.Variable("quantile", np.asarray(levels, np.float64), {"units": "1"})}


def has(case: xr.DataTree, kind: str) -> bool:
    """Whether the case has the group of a kind."""
    group = attribute_table()[kind].group
    plain, node = _plain(case), case
    if plain is not None:
        return bool(plain.get(group))
    for part in group.split("/"):
        if part and part not in node.children:
            return False
        node = node.children[part] if part else node
    return node.has_data


def columns(case: xr.DataTree, kind: str) -> Columns:
    """Plain arrays of one kind, defaults filled in; empty arrays where the case has none.

    Parameters
    ----------
    case : DataTree
        A valid case.
    kind : str
        Name of the kind, or ``forecast``.

    Returns
    -------
    dict of str to ndarray
        ``id`` and every attribute that is present or has a default; texts and ids as bytes; ``time`` and
        ``time_step`` (of one entry, the length of a step) where there are series, ``quantile`` where it has levels.
    """
    return dict(resolved(case, kind, lambda: _filled(attribute_table()[kind], *variables(case, kind))))


def resolved(case: xr.DataTree, name: str, make: Callable[[], Made]) -> Made:
    """Make something from a case, once while the case is only being read; see `reading`.

    Parameters
    ----------
    case : DataTree
        From which alone it is made.
    name : str
        Of what is made.
    make : callable
        Makes it; what it returns must not be changed.
    """
    held = _READ.get(id(case))
    if held is None:
        return make()
    if name not in held:
        held[name] = make()
    made: Made = held[name]
    return made


PLAIN = "plain"
_READ: dict[int, dict[str, Any]] = {}
"""What was resolved of the cases that are only being read."""


def protect(*arrays: np.ndarray) -> None:
    """Let nobody write to arrays."""
    for array in arrays:
        array.setflags(write=False)


def _plain(case: xr.DataTree) -> Mapping[str, Arrays] | None:
    """Return the groups that a case has beside its tree; see `reading`."""
    found: Mapping[str, Arrays] | None = _READ.get(id(case), {}).get(PLAIN)
    return found


@contextmanager
def reading(case: xr.DataTree, plain: Mapping[str, Arrays] | None = None) -> Iterator[None]:
    """Promise that a case does not change inside the block: its kinds, network and series are then resolved once.

    Parameters
    ----------
    case : DataTree
        A valid case.
    plain : mapping of str to dict, optional
        For each path the variables of the case, where the tree itself need not have them.
    """
    if id(case) in _READ:
        yield
        return
    _READ[id(case)] = {} if plain is None else {PLAIN: plain}
    try:
        yield
    finally:
        del _READ[id(case)]


def variables(case: xr.DataTree, kind: str) -> tuple[Columns, dict[str, int]]:
    """Plain arrays of one kind as they are, and the sizes of their dims; empty where the case has none.

    Parameters
    ----------
    case : DataTree
        A valid case.
    kind : str
        Name of the kind, or ``forecast``.
    """
    section, plain = attribute_table()[kind], _plain(case)
    if plain is not None:
        given = plain.get(section.group, {})
        sizes = {str(d): n for dims, values, _ in given.values() for d, n in zip(dims, values.shape, strict=True)}
        return {name: values for name, (_, values, _) in given.items()}, sizes
    node = case[section.group] if has(case, kind) else None
    data = node.to_dataset(inherit=False) if isinstance(node, xr.DataTree) else xr.Dataset()
    arrays = {str(name): np.asarray(variable.data) for name, variable in data.variables.items()}
    return arrays, {str(d): n for d, n in data.sizes.items()}


def _filled(section: Kind, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int]) -> Columns:
    """Choose the columns of a kind from the variables of its group, and fill in defaults."""
    found: Columns = {}
    if section.has_elements:
        found["id"] = arrays.get(section.name, np.zeros(0, "S1"))
    found |= {axis: arrays[axis] for axis in ("time", "quantile") if axis in arrays}
    if "time_bounds" in arrays:
        bounds = arrays["time_bounds"]
        found["time_step"] = (bounds[:1, 1] - bounds[:1, 0]).astype("timedelta64[s]")
    sizes = {section.name: len(found.get("id", ())), **sizes}
    for name, attribute in section.attributes.items():
        if name in arrays:
            found[name] = arrays[name]
        elif not attribute.series and not section.result and (not attribute.required or sizes.get(section.name) == 0):
            filler = attribute.default if not attribute.required else np.zeros((), attribute.memory_dtype)
            found[name] = _array(attribute, filler, tuple(sizes[d] for d in attribute.dims))
    return found


def positions(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Position of each wanted id among ids, -1 where it is not there.

    Parameters
    ----------
    ids : ndarray (element,) of bytes
        Unique.
    wanted : ndarray of bytes
        Any shape.

    Returns
    -------
    ndarray of int32
        In the shape of `wanted`.
    """
    if len(ids) == 0:
        return np.full(wanted.shape, -1, np.int32)
    if ids.shape == wanted.shape and (ids == wanted).all():
        return np.arange(len(ids), dtype=np.int32)
    order = np.argsort(ids, kind="stable")
    at = np.minimum(np.searchsorted(ids[order], wanted), len(ids) - 1)
    found = order[at]
    return np.where(ids[found] == wanted, found, -1).astype(np.int32)


def parent_index(case: xr.DataTree, kind: str, attribute: str) -> np.ndarray:
    """Position of each element's parent in the parent's kind.

    Returns
    -------
    ndarray (element,) of int32
        -1 where the id is empty or unknown.
    """

    def find() -> np.ndarray:
        parent = attribute_table()[kind].attributes[attribute].parent
        own, other = columns(case, kind), columns(case, parent)
        if attribute not in own:
            return np.full(len(own["id"]), -1, np.int32)
        found = positions(other["id"], own[attribute])
        protect(found)
        return found

    return resolved(case, f"{kind}.{attribute}", find)
