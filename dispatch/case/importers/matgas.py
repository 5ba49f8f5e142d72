"""Importer of MatGas cases (GasModels.jl): absolute pascal, kg/s and metres, read as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.importers.gas_grid import GasGrid, finish
from dispatch.case.importers.grid import joined, named
from dispatch.case.importers.matgas_gas import SECONDS_AN_HOUR, gas_of
from dispatch.case.importers.matgas_text import MatGas, read_matgas
from dispatch.case.importers.naming import clean
from dispatch.case.importers.reading import Reader, problem_at

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import xarray as xr

    from dispatch.case.importers.grid import Table
    from dispatch.errors import Problem

COLUMNS = {  # those that are read, with their place
    "junction": {"id": 0, "p_min": 1, "p_max": 2, "p_nominal": 3, "junction_type": 4, "status": 5},
    "pipe": {"id": 0, "from": 1, "to": 2, "diameter": 3, "length": 4, "friction_factor": 5, "status": 8},
    "short_pipe": {"id": 0, "from": 1, "to": 2, "status": 3},
    "valve": {"id": 0, "from": 1, "to": 2, "status": 3},
    "compressor": {"id": 0, "from": 1, "to": 2, "ratio_low": 3, "ratio_high": 4, "flow_max": 7, "status": 12},
    "regulator": {"id": 0, "from": 1, "to": 2, "flow_max": 6, "status": 7},
    "receipt": {"id": 0, "junction": 1, "nominal": 4, "dispatchable": 5, "status": 6},
    "delivery": {"id": 0, "junction": 1, "nominal": 4, "status": 6},
    "transfer": {"id": 0, "junction": 1, "nominal": 4, "status": 6},
}
OPTIONAL = ("status",)
REFUSED = ("resistor", "loss_resistor", "storage")
LOWEST_ABSOLUTE = 0.5
KINDS = "junction, pipe, short_pipe, valve, compressor, regulator, receipt, delivery, transfer"


@dataclass
class Reading:
    """A file on its way in.

    Attributes
    ----------
    file : MatGas
        Its literals.
    air : float
        Pressure added to every pressure of the file. [bar]
    """

    file: MatGas
    air: float = 0.0
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare the reader and the rows of the junctions."""
        self.reader = Reader(self.problems)
        self.row_at = {_key(row[0]): k for k, row in enumerate(self.file.tables.get("junction", []))}

    def labels(self, table: str) -> list[str]:
        """Name each row of a table by its number."""
        return [str(_key(row[0])) for row in self.file.tables.get(table, [])]

    def column(self, table: str, name: str) -> list[object] | None:
        """Cells of a column; None where a row is too short."""
        at, rows = COLUMNS[table][name], self.file.tables.get(table, [])
        return [row[at] for row in rows] if all(len(row) > at for row in rows) else None

    def numbers(self, table: str, name: str, default: float | None = None, **limits: float) -> np.ndarray:
        """Floats of a column."""
        return self.reader.numbers(table, name, self.labels(table), self.column(table, name), default=default, **limits)

    def used(self, table: str) -> np.ndarray:
        """Whether each row is in service."""
        return self.reader.flags(table, "status", self.labels(table), self.column(table, "status"))

    def ends(self, table: str, *names: str) -> list[np.ndarray]:
        """Rows of the junctions that a table refers to."""
        found = []
        for name in names:
            cells = self.column(table, name)
            found.append(self.reader.references(table, name, self.labels(table), cells, self.row_at))
        return found

    def ids(self, table: str, prefix: str) -> np.ndarray:
        """Id of each row."""
        return np.array([f"{prefix}{label}" for label in self.labels(table)], object)


def _key(cell: object) -> object:
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def import_matgas(
    path: str | os.PathLike[str], *, gauge: bool = False, bypass_compressors: bool = False, drop_isolated: bool = False
) -> tuple[xr.DataTree, list[str]]:
    """Read a MatGas case into a case that holds a gas network alone.

    Parameters
    ----------
    path : path
        Text of literal tables in SI units. Pressures are absolute pascal.
    gauge : bool
        Whether the file's pressures are gauge all the same, as in networks of some millibar; 1.01325 bar is added.
    bypass_compressors : bool
        Whether compressors in service are open bypasses.
    drop_isolated : bool
        Whether junctions without a way to a gate are left out instead of refused.

    Returns
    -------
    case : DataTree
        The slack junctions (``junction_type`` 1), or without one the junction of the first dispatchable receipt, are
        gates at ``p_nominal`` (at ``p_max`` where that is the lower limit); regulators hold ``p_nominal`` of the
        junction behind them, compressors hold what a gate would, as far as their ratios of pressures let them; nominal
        receipts, deliveries and transfers are injections and consumers.
    notes : list of str
        What was changed or left out, in words.

    Raises
    ------
    InputError
        If the file is damaged or holds what cannot be handled; everything in one pass.
    """
    path = Path(path)
    file = read_matgas(path)
    reading = Reading(file, 1.01325 if gauge else 0.0)
    return finish(_grid(reading, path, bypass=bypass_compressors), drop_isolated=drop_isolated, source=str(path))


def _grid(reading: Reading, path: Path, *, bypass: bool) -> GasGrid:
    for table in REFUSED:
        rows = reading.file.tables.get(table, [])
        labels = [str(_key(row[0])) for row in rows]
        hint = "Replace it by pipes, receipts and deliveries, or remove it."
        reading.problems += problem_at(
            np.ones(len(rows), bool), labels, "unsupported", table, value="in the file", allowed=KINDS, hint=hint
        )
    compressors = reading.used("compressor")
    if bypass and compressors.any():
        reading.notes.append(f"compressor: {np.count_nonzero(compressors)} are open bypasses.")
    gas = gas_of(reading.file, reading.problems, reading.notes)
    junction = _junctions(reading)
    density = gas.get("density_normal", 0.78)
    consumer, injection, slack = _flows(reading, density)
    gate = _gates(reading, junction, slack)
    pairs = [np.stack(reading.ends(t, "from", "to"), axis=1)[reading.used(t)] for t in _joining(bypass=bypass)]
    tables = {
        "junction": junction,
        "pipe": _pipes(reading),
        "regulator": _regulators(reading, junction, density, compressors=not bypass),
        "gate": gate,
        "consumer": consumer,
        "injection": injection,
    }
    title = clean(reading.file.name) or path.name.split(".")[0]
    fused = np.concatenate(pairs).astype(int)
    return GasGrid(title, gas, tables, fused, notes=reading.notes, problems=reading.problems)


def _joining(*, bypass: bool) -> Sequence[str]:
    return ("short_pipe", "valve", "compressor") if bypass else ("short_pipe", "valve")


def _junctions(reading: Reading) -> Table:
    count = len(reading.labels("junction"))
    low, high, nominal = (
        reading.numbers("junction", n, low=0, high=2e7) / 1e5 + reading.air for n in ("p_min", "p_max", "p_nominal")
    )
    tiny = nominal < LOWEST_ABSOLUTE
    hint = "MatGas pressures are absolute; if these are gauge pressures, import with --gauge."
    reading.problems += problem_at(
        tiny, reading.labels("junction"), "gauge-pressure", "junction", "p_nominal",
        value=f"{1e3 * nominal[tiny][:1].sum():.4g} mbar", allowed=f"at least {LOWEST_ABSOLUTE:g} bar", hint=hint,
    )  # fmt: skip
    odd = nominal > high
    if odd.any():
        reading.notes.append(f"junction: p_max of {np.count_nonzero(odd)} is below their p_nominal and is left out.")
    return {
        "id": reading.ids("junction", ""),
        "pressure_nom": nominal,
        "pressure_min": low,
        "pressure_max": np.where((high > low) & ~odd, high, np.nan),
        "in_service": reading.used("junction") if count else np.zeros(0, bool),
    }


def _pipes(reading: Reading) -> Table:
    start, stop = reading.ends("pipe", "from", "to")
    return {
        "id": reading.ids("pipe", "pipe_"),
        "junction_from": start,
        "junction_to": stop,
        "length": reading.numbers("pipe", "length", above=0, high=1e6),
        "inner_diameter": reading.numbers("pipe", "diameter", low=0.005, high=3),
        "friction_factor": reading.numbers("pipe", "friction_factor", above=0, high=1),
        "in_service": reading.used("pipe"),
    }


def _regulators(reading: Reading, junction: Table, density: float, *, compressors: bool) -> Table:
    """Regulators, and compressors as such that have ratios of pressures."""
    kinds = ("regulator", "compressor") if compressors else ("regulator",)
    lowest = junction["pressure_nom"] <= junction["pressure_min"]
    held = np.where(lowest, np.fmax(junction["pressure_max"], junction["pressure_nom"]), junction["pressure_nom"])
    found: list[Table] = []
    for kind in kinds:
        start, stop = reading.ends(kind, "from", "to")
        if len(start):
            within = "" if kind == "regulator" else ", within its ratios of pressures; never backwards"
            reading.notes.append(f"{kind}: each holds p_nominal of the junction behind it{within}.")
        ratio = {n: np.full(len(start), np.nan) for n in ("ratio_low", "ratio_high")}
        if kind == "compressor":
            ratio = {n: np.maximum(reading.numbers(kind, n, 1.0, low=0, high=100), 1.0) for n in ratio}
        found.append({
            "id": reading.ids(kind, f"{kind}_"),
            "junction_from": start,
            "junction_to": stop,
            "pressure": (held if kind == "compressor" else junction["pressure_nom"])[stop],
            "flow_max": reading.numbers(kind, "flow_max", np.inf, low=0) * SECONDS_AN_HOUR / density,
            "in_service": reading.used(kind),
            **ratio,
        })  # fmt: skip
    return joined("regulator", *found)


def _gates(reading: Reading, junction: Table, slack: int) -> Table:
    types = reading.numbers("junction", "junction_type", 0.0)
    at = np.nonzero((types == 1) & junction["in_service"])[0]
    if not len(at) and slack >= 0:
        at = np.array([slack])
        reading.notes.append(
            f"gate: no slack junction; that of the first dispatchable receipt, {junction['id'][slack]}."
        )
    nominal, low, high = (junction[n][at] for n in ("pressure_nom", "pressure_min", "pressure_max"))
    empty = (nominal <= low) & (high > low)
    if empty.any():
        reading.notes.append(
            f"gate: p_nominal is the lower limit, so p_max is held at {named(junction['id'][at][empty])}."
        )
    return {
        "id": np.array([f"gate_{junction['id'][k]}" for k in at], object),
        "junction": at,
        "pressure": np.where(empty, high, nominal),
    }


def _flows(reading: Reading, density: float) -> tuple[Table, Table, int]:
    """Consumers, injections, and the junction of the first dispatchable receipt that may be the slack (-1: none)."""
    parts: dict[str, list[tuple[np.ndarray, np.ndarray, np.ndarray]]] = {"consumer": [], "injection": []}
    types = reading.numbers("junction", "junction_type", 0.0)
    slack = -1
    for table, sign in (("delivery", 1.0), ("transfer", 1.0), ("receipt", -1.0)):
        (at,) = reading.ends(table, "junction")
        flow = sign * reading.numbers(table, "nominal", low=-1e5, high=1e5) * SECONDS_AN_HOUR / density
        keep = reading.used(table) & (flow != 0)
        if table == "receipt" and len(at):
            free = reading.numbers(table, "dispatchable", 0.0) == 1
            if not (types == 1).any() and (free & keep).any():
                slack = int(at[free & keep][0])
            held = keep & ((types[at] == 1) | (at == slack))
            if held.any():
                reading.notes.append(
                    "receipt: at a gate, which gives whatever is missing; its nominal flow is left out."
                )
            keep &= ~held
        ids = reading.ids(table, f"{table}_")
        for kind, chosen in (("consumer", keep & (flow > 0)), ("injection", keep & (flow < 0))):
            parts[kind].append((ids[chosen], at[chosen], np.abs(flow[chosen])))
    tables = {}
    for kind, found in parts.items():
        names, rows, flows = (np.concatenate(p) for p in zip(*found, strict=True))
        tables[kind] = {"id": names, "junction": rows, "flow_nom": flows}
    return tables["consumer"], tables["injection"], slack
