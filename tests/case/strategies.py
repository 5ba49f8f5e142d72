"""Random cases, driven by the attribute table: any types, sizes, ids and values that a case file can hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr
from hypothesis import strategies as st

from dispatch.case.attributes import Attribute, attribute_table
from dispatch.case.schema import build_case, kind_dataset, time_axis

NAMES = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=0, max_size=6).filter(
    lambda name: not name.endswith("\0")
)
LEVELS = np.array([0.05, 0.5])
EXTREMES = np.array([0.0, -0.0, 5e-324, 1e-30, 1 / 3, 1e30, -1e30])


def kinds() -> list[str]:
    """Names of the kinds that have elements of their own."""
    return [name for name, kind in attribute_table().items() if kind.has_elements]


def values(row: Attribute, shape: tuple[int, ...], rng: np.random.Generator, ids: list[str]) -> np.ndarray:
    """Random values of an attribute: inside its range, odd floats among them, NaN where allowed."""
    if row.dtype == "bool":
        return rng.random(shape) < 0.5
    if row.dtype in {"id", "text"}:
        pool = list(row.choices) or [*ids, ""]
        return np.array(pool, object)[rng.integers(0, len(pool), shape)]
    low, high = max(row.range.low, -1e6), min(row.range.high, 1e6)
    if row.dtype == "int":
        return rng.integers(int(low), int(high) + 1, shape)
    found = low + (high - low) * rng.random(shape)
    odd = EXTREMES[rng.integers(0, len(EXTREMES), shape)].astype(row.memory_dtype if row.stored else float)
    found = np.where((rng.random(shape) < 0.2) & row.range.contains(odd), odd, found)
    if isinstance(row.default, float) and math.isnan(row.default):
        found = np.where(rng.random(shape) < 0.3, np.nan, found)
    return np.asarray(found)


@st.composite
def cases(draw: st.DrawFn, most: int = 4, *, most_kinds: int = 4, results: bool = True) -> xr.DataTree:
    """Cases that can be written, though hardly ever dispatched: some kinds, some of their optional columns.

    Parameters
    ----------
    most : int
        Largest number of elements of a kind, and of steps.
    most_kinds : int
        Largest number of kinds.
    results : bool
        Whether result groups occur too.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    chosen = draw(st.lists(st.sampled_from(kinds()), min_size=1, max_size=most_kinds, unique=True))
    ids = {k: draw(st.lists(NAMES, max_size=most, unique=True)) for k in chosen}
    steps = draw(st.integers(1, most))
    minutes = draw(st.sampled_from([1, 15, 60, 1440]))
    start = np.datetime64("1999-12-31T22:00:00", "s") + np.timedelta64(draw(st.integers(0, 10**9)), "s")
    time = start + np.arange(steps) * np.timedelta64(60 * minutes, "s")
    everything = [i for own in ids.values() for i in own]
    tables: dict[str, dict[str, Any]] = {}
    for name in [*chosen, *(["forecast"] if draw(st.booleans()) else [])]:
        columns: dict[str, Any] = {"id": ids[name]} if name in ids else {}
        for row in attribute_table()[name].attributes.values():
            owner = row.of or (name if name in ids else "")
            if (owner and owner not in ids) or (not row.required and rng.random() < 0.3):
                continue
            levels = (len(LEVELS),) if row.quantile else ()
            shape = ((len(ids[owner]),) if owner else ()) + levels + ((steps,) if row.series else ())
            columns |= {"quantile": LEVELS} if row.quantile else {}
            columns[row.name] = values(row, shape, rng, everything)
            if row.series:
                columns |= {"time": time, "time_step": np.timedelta64(60 * minutes, "s")}
        tables[name] = columns
    case = build_case(tables, title=draw(NAMES), currency=draw(st.sampled_from(["EUR", "CHF"])))
    if results and draw(st.booleans()):
        _add_results(case, ids, time, rng)
    return case


def _add_results(case: xr.DataTree, ids: dict[str, list[str]], time: np.ndarray, rng: np.random.Generator) -> None:
    for name in ("schedule", "certificate"):
        kind = attribute_table()[name]
        sizes = {**{k: len(v) for k, v in ids.items()}, "time": len(time)}
        rows = {n: r for n, r in kind.attributes.items() if r.of in ids}
        columns = {n: values(r, tuple(sizes[d] for d in r.dims), rng, []) for n, r in rows.items()}
        if not columns:
            continue
        data = kind_dataset(kind, columns, currency=case.attrs["currency"], sizes=sizes)
        owners = sorted({r.of for r in rows.values()})
        data = data.assign_coords({o: case[attribute_table()[o].group][o].to_numpy() for o in owners})
        if "time" in data.dims:
            data = data.assign_coords(time_axis(time))
        case[kind.group] = xr.DataTree(data)


def differences(one: xr.DataTree, other: xr.DataTree) -> list[str]:
    """What differs between two trees: bits, dtypes, attributes and their types, order; NaN equals NaN."""
    found = []
    left, right = ({n.path: n.to_dataset(inherit=False) for n in tree.subtree} for tree in (one, other))
    if list(left) != list(right):
        found.append(f"groups {list(left)} and {list(right)}")
    for path in left.keys() & right.keys():
        a, b = left[path], right[path]
        for what in ("variables", "coords", "data_vars", "attrs", "dims"):
            names = (list(getattr(a, what)), list(getattr(b, what)))
            found += [f"{what} of {path}: {names[0]} and {names[1]}"] if names[0] != names[1] else []
        for name in a.variables.keys() & b.variables.keys():
            found += _of_variable(f"{path}/{name}", a.variables[name], b.variables[name])
        found += [f"{path} {n}: {v!r}" for n, v in a.attrs.items() if not _same(v, b.attrs.get(n))]
    return found


def _of_variable(where: str, a: Any, b: Any) -> list[str]:
    x, y = a.to_numpy(), b.to_numpy()
    if (a.dims, x.dtype, x.shape) != (b.dims, y.dtype, y.shape):
        return [f"{where}: {a.dims} {x.dtype} {x.shape} and {b.dims} {y.dtype} {y.shape}"]
    found = [] if x.tobytes() == y.tobytes() else [f"{where}: {x} and {y}"]
    same = list(a.attrs) == list(b.attrs) and all(_same(a.attrs[n], b.attrs[n]) for n in a.attrs)
    return found if same else [*found, f"{where}: {a.attrs} and {b.attrs}"]


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)
