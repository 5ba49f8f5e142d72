"""The last program that was solved, all of its rows, as an MPS file for any other solver."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.case.netcdf import write_atomically
from dispatch.case.network import Network, network_of
from dispatch.case.offsets import GasLimit, GasPoint, Offsets
from dispatch.case.schema import columns, has
from dispatch.errors import InputError, Problem
from dispatch.model.compiler import compile_program
from dispatch.model.gas_limits import LIMITED
from dispatch.model.inputs import LIMIT_PENALTY, make_inputs
from dispatch.model.plants import MINIMUM
from dispatch.solve.scaling import row_scale

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import xarray as xr

    from dispatch.model.elements import Elements, Inputs
    from dispatch.model.program import Program, Span

BY = ("injection", "regulator", "linepack", "compressor", "gate")
UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


def write_mps(result: xr.DataTree, path: Path) -> None:
    """Write the last program of a result in free MPS format, names as ``component.name.element.step``.

    Rows are scaled by powers of two; columns are not, so values read as they are. The objective's constant is the
    cost of a column ``constant`` that is fixed at 1. Steps and windows count from 0.

    Parameters
    ----------
    result : DataTree
        A result, any number of feeders.
    path : Path
        Written atomically.

    Raises
    ------
    InputError
        If there is no result in it.
    """
    if not has(result, "certificate") or not has(result, "offset"):
        hint = "Give a file that `dispatch run` wrote."
        raise InputError([Problem("no-result", "/certificate", value="missing", hint=hint)], str(path))
    network = network_of(result)
    inputs = last_inputs(result, network)
    program = compile_program(inputs, network=True)
    write_atomically(path, "".join(_sections(program, inputs)).encode("ascii"))


def last_inputs(result: xr.DataTree, network: Network) -> Inputs:
    """Make the inputs of the last program, with the offsets and limit penalties that stand in the result.

    Parameters
    ----------
    result : DataTree
        With /offset and /certificate.
    network : Network
        Of the same case.

    Returns
    -------
    Inputs
    """
    inputs = make_inputs(result, offsets=last_offsets(result))
    penalty = columns(result, "certificate")["limit_penalty"]
    of_bus = np.where(network.feeder >= 0, penalty[network.feeder], LIMIT_PENALTY)
    of_bus = np.where(np.isfinite(of_bus), of_bus, LIMIT_PENALTY)[:, None]
    kinds = dict(inputs.kinds)
    for name in ("bus", "line", "transformer"):
        elements = kinds[name]
        at = elements.index if name == "bus" else elements.nodes["bus_from"][1]
        kinds[name] = replace(elements, parameters=elements.parameters | {"limit_penalty": of_bus[at]})
    if "gas_limit" in kinds:
        kinds["gas_limit"] = _with_gas_penalty(kinds, of_bus)
    return replace(inputs, kinds=kinds)


def _with_gas_penalty(kinds: dict[str, Elements], of_bus: np.ndarray) -> Elements:
    """Limits of the gas network belong to the feeder on which the plants stand, without plants to the first."""
    meters = kinds["plant"].nodes["meter"][1] if kinds["plant"].count else np.zeros(1, np.int32)
    at = kinds["meter"].nodes["bus"][1][meters[:1]]
    limits = kinds["gas_limit"]
    return replace(limits, parameters=limits.parameters | {"limit_penalty": of_bus[at]})


def last_offsets(result: xr.DataTree) -> Offsets:
    """Read the offsets of the last program, and the room beside them; 0 where there is none.

    Parameters
    ----------
    result : DataTree
        With /offset.

    Returns
    -------
    Offsets
    """
    offset = columns(result, "offset")
    v_max, v_min = (np.nan_to_num(offset[n].astype(np.float64)) for n in ("v_max", "v_min"))
    none = np.zeros((0, v_max.shape[1]))

    def of_branches(stem: str) -> np.ndarray:
        parts = [offset.get(stem.format(kind), none) for kind in ("line", "transformer")]
        return np.concatenate([np.nan_to_num(part.astype(np.float64)) for part in parts])

    found = Offsets(v_max, v_min, of_branches("s_{}"), gas=_last_gas(offset), on=_last_on(offset))
    found = replace(found, point=_last_point(offset))
    if "room_v_max" not in offset:
        return found
    room_max, room_min = (np.nan_to_num(offset[n].astype(np.float64)) for n in ("room_v_max", "room_v_min"))
    room = of_branches("room_{}"), of_branches("room_{}_reverse")
    return found.plus(Offsets(room_max, -room_min, np.zeros_like(found.s), *room))


def _last_gas(offset: dict[str, np.ndarray]) -> dict[str, GasLimit]:
    """Read the limits of the gas network that are stated."""
    found = {}
    for name in LIMITED:
        if name in offset:
            elements, steps = offset[name].shape
            none = np.zeros((elements, 0, steps))
            found[name] = GasLimit(offset[name], *(np.nan_to_num(offset.get(f"{name}_by_{n}", none)) for n in BY))
    return found


def _last_point(offset: dict[str, np.ndarray]) -> GasPoint | None:
    """Read the state about which the gas network above 4 bar gauge is linear."""
    if "pressure_about" not in offset:
        return None
    reach = offset.get("pressure_reach", np.full(1, np.nan))
    most = float(np.fmin.reduce(reach)) if np.isfinite(reach).any() else np.inf
    return GasPoint(
        offset["pressure_about"],
        offset["flow_about"],
        offset["pressure_initial"],
        offset["pressure_final"],
        np.nan_to_num(offset.get("demand_most", np.zeros_like(offset["pressure_about"]))),
        most,
    )


def _last_on(offset: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Read what is held to run or not."""
    return {kind: offset[f"on_{kind}"] for kind in MINIMUM if f"on_{kind}" in offset}


def _sections(program: Program, inputs: Inputs) -> Iterator[str]:
    """Yield the sections of the file one after the other."""
    matrix = sp.csr_matrix(program.matrix)
    scale = row_scale(matrix)
    scaled = sp.csc_matrix(sp.diags(scale) @ matrix)
    scaled.sort_indices()
    low, high = program.row_lower * scale, program.row_upper * scale
    row_names = list(_names(program.rows, inputs, {"cost"}))
    column_names = list(_names(program.columns, inputs, {"constant"}))
    kind = np.where(low == high, "E", np.where(np.isfinite(high), "L", np.where(np.isfinite(low), "G", "N")))
    yield "NAME dispatch\nROWS\n N cost\n"
    yield "".join(f" {k} {name}\n" for k, name in zip(kind.tolist(), row_names, strict=True))
    yield "COLUMNS\n"
    yield from _columns(scaled, program.cost, column_names, row_names)
    yield f" constant cost {program.constant!r}\n"
    yield "RHS\n"
    right = np.where(kind == "G", low, high)
    yield "".join(
        f" rhs {row_names[i]} {right[i].item()!r}\n" for i in np.nonzero((right != 0) & (kind != "N"))[0].tolist()
    )
    both = np.nonzero((kind == "L") & np.isfinite(low))[0].tolist()
    if both:
        yield "RANGES\n" + "".join(f" range {row_names[i]} {(high[i] - low[i]).item()!r}\n" for i in both)
    yield "BOUNDS\n FX bound constant 1\n"
    yield "".join(_bounds(program.lower, program.upper, column_names))
    yield "ENDATA\n"


def _columns(scaled: sp.csc_matrix, cost: np.ndarray, names: list[str], row_names: list[str]) -> Iterator[str]:
    """Yield the entries of each column, its cost first (0 where it has nothing else, so that it exists)."""
    pointer, index, data = scaled.indptr.tolist(), scaled.indices.tolist(), scaled.data.tolist()
    for j, (name, price) in enumerate(zip(names, cost.tolist(), strict=True)):
        first, last = pointer[j], pointer[j + 1]
        head = f" {name} cost {price!r}\n" if price or first == last else ""
        yield head + "".join(f" {name} {row_names[index[k]]} {data[k]!r}\n" for k in range(first, last))


def _bounds(lower: np.ndarray, upper: np.ndarray, names: list[str]) -> Iterator[str]:
    """Yield the bounds that are not ``[0, inf)``."""
    for name, low, high in zip(names, lower.tolist(), upper.tolist(), strict=True):
        if low == high:
            yield f" FX bound {name} {low!r}\n"
            continue
        if low == -np.inf:
            yield f" {'FR' if high == np.inf else 'MI'} bound {name}\n"
        elif low != 0 or high < 0:
            yield f" LO bound {name} {low!r}\n"
        if high < np.inf:
            yield f" UP bound {name} {high!r}\n"


def _names(spans: Iterable[Span], inputs: Inputs, taken: set[str]) -> Iterator[str]:
    """Yield a readable name for each number; what is the same after replacing unsafe characters gets a count."""
    for span in spans:
        elements = inputs.kinds[span.component]
        for element in range(span.count):
            stem = f"{span.component}.{span.name}.{UNSAFE.sub('_', elements.label(element)) or '_'}"
            unique, count = stem, 1
            while unique in taken:
                count += 1
                unique = f"{stem}~{count}"
            taken.add(unique)
            yield from (f"{unique}.{step}" for step in span.steps.tolist())
