"""A result as plain arrays: every series present, NaN where the result does not have it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.gas_network import gas_network_of
from dispatch.case.network import Network, network_of
from dispatch.case.schema import Columns, columns, has, parent_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

STATUS_ORDER = ("optimal", "gap", "limits_unmet", "not_run", "invalid", "failed")
"""Status of a feeder from best to worst; the worst one is the status of the run."""

KINDS = ("bus", "source", "line", "transformer", "prosumer", "meter", "load", "pv", "store")
GAS_KINDS = ("junction", "pipe", "gate", "compressor", "consumer", "injection", "plant", "chp", "upgrader")


@dataclass(frozen=True)
class Outcome:
    """What a report needs of a result.

    Attributes
    ----------
    title, time_zone, currency : str
        Of the case.
    time : ndarray (step,) of datetime64[s]
        Left edges, UTC.
    dt : float
        Length of a step. [h]
    tables : mapping of str to Columns
        Each kind's columns.
    series : mapping of str to ndarray
        Every attribute of ``/forecast``, ``/schedule`` and ``/price`` by name, (element, step) or (element,); NaN
        where the result lacks it.
    certificate : mapping of str to ndarray (source,)
        Figures by feeder; ``status`` as text.
    notes : mapping of str to Any
        Attributes of ``/certificate``.
    unmet : list of dict of str to Any
        Limits that cannot be held.
    network : Network
        Forest of buses.
    feeder : mapping of str to ndarray of int32
        Feeder of each element of bus, branch, transformer, meter, prosumer, load, pv and store; -1 where in none.
    origins : mapping of str to Any
        From what ``/forecast`` was made.
    gas_zone : ndarray (junction,) of int
        Part of the gas network that hangs together by pipes.
    heating_value : float
        Of a normal cubic metre of the network's gas, higher; NaN without one. [kW h m-3]
    """

    title: str
    time_zone: str
    currency: str
    time: np.ndarray
    dt: float
    tables: Mapping[str, Columns]
    series: Mapping[str, np.ndarray]
    certificate: Mapping[str, np.ndarray]
    notes: Mapping[str, Any]
    unmet: list[dict[str, Any]]
    network: Network
    feeder: Mapping[str, np.ndarray]
    origins: Mapping[str, Any] = field(default_factory=dict)
    gas_zone: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    heating_value: float = np.nan

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(self.time)

    @property
    def status(self) -> str:
        """The worst status of a feeder; ``not_run`` where there is no feeder."""
        ranks = [STATUS_ORDER.index(s) if s in STATUS_ORDER else len(STATUS_ORDER) - 1 for s in self.statuses]
        return STATUS_ORDER[max(ranks)] if ranks else "not_run"

    @property
    def statuses(self) -> list[str]:
        """Status of each feeder."""
        return [str(s) for s in self.certificate["status"]]

    @property
    def messages(self) -> list[str]:
        """What went wrong, in words."""
        return [str(m) for m in _json(self.notes.get("messages"), [])]

    @property
    def accounts(self) -> tuple[dict[str, Any], ...]:
        """Statements of gas accounts, one for each account and balancing period."""
        return tuple(entry for entry in _json(self.notes.get("accounts"), []) if isinstance(entry, dict))

    @property
    def limits_at(self) -> float:
        """Quantile of net load against which limits were held."""
        found = _json(self.notes.get("settings"), {}).get("limits_at", 0.5)
        return float(found) if isinstance(found, int | float) else 0.5

    @property
    def versions(self) -> dict[str, str]:
        """Versions of everything that can change a number."""
        found = _json(self.notes.get("versions"), {})
        return {str(k): str(v) for k, v in found.items()}

    @property
    def method(self) -> str:
        """How the program was solved."""
        return str(self.notes.get("method", "monolithic"))

    @property
    def gas_alone(self) -> bool:
        """Whether there is a gas network and no branch of an electric one: voltages then say nothing."""
        return self.count("junction") > 0 and not self.count("line") + self.count("transformer")

    def count(self, kind: str) -> int:
        """How many elements of a kind there are."""
        return len(self.tables[kind]["id"])

    def name(self, kind: str, position: int) -> str:
        """Id of an element as text."""
        return text(self.tables[kind]["id"][position])

    def branch_name(self, branch: int) -> tuple[str, str]:
        """Kind and id of a branch (lines first, then transformers)."""
        lines = self.network.lines
        kind, position = ("line", branch) if branch < lines else ("transformer", branch - lines)
        return kind, self.name(kind, position)

    def branch_series(self, suffix: str) -> np.ndarray:
        """Stack the loading of lines and transformers (branch, step); suffix such as ``_uncontrolled``."""
        both = [self.series[f"loading_{kind}{suffix}_pu"] for kind in ("line", "transformer")]
        return np.concatenate(both, axis=0)


def text(value: Any) -> str:
    """Text of an id or of a stored text; bytes that are not UTF-8 are shown, not refused."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def read_outcome(result: xr.DataTree) -> Outcome:
    """Read a result.

    Parameters
    ----------
    result : DataTree
        A case with ``/schedule``, ``/price`` and ``/certificate``; what is absent is taken as not known.

    Returns
    -------
    Outcome
    """
    tables = {kind: columns(result, kind) for kind in KINDS + GAS_KINDS}
    counts = {kind: len(table["id"]) for kind, table in tables.items()}
    groups = {name: columns(result, name) for name in ("forecast", "schedule", "price")}
    time = next((g["time"] for g in (groups["schedule"], groups["forecast"]) if "time" in g), np.zeros(0, "M8[s]"))
    series: Columns = {}
    for name, group in groups.items():
        _fill(name, group, counts, len(time), series)
    network = network_of(result) if counts["bus"] else _no_network()
    notes = dict(result["certificate"].attrs) if has(result, "certificate") else {}
    return Outcome(
        title=str(result.attrs.get("title", "")),
        time_zone=str(result.attrs.get("time_zone", "UTC")),
        currency=str(result.attrs.get("currency", "EUR")),
        time=time.astype("M8[s]"),
        dt=_step(result, time),
        tables=tables,
        series=series,
        certificate=_certificate(result, counts["source"]),
        notes=notes,
        unmet=read_unmet(notes.get("unmet", "")),
        network=network,
        feeder=_feeders(result, network, counts),
        origins=_json(result["forecast"].attrs.get("origins"), {}) if has(result, "forecast") else {},
        **_gas(result),
    )


def _gas(result: xr.DataTree) -> dict[str, Any]:
    """Zones and gas of the gas network; nothing without one."""
    if not has(result, "junction"):
        return {}
    energy = columns(result, "gas_network")["heating_value_higher"]
    return {"gas_zone": gas_network_of(result).zone, "heating_value": float(energy[()])}


def _json(source: Any, empty: Any) -> Any:
    """Read JSON text; `empty` where it is not of the same type."""
    try:
        found = json.loads(source)
    except (TypeError, ValueError):
        return empty
    return found if isinstance(found, type(empty)) else empty


def read_unmet(source: Any) -> list[dict[str, Any]]:
    """List of unmet limits from JSON text; what is not such a list is taken as one nameless entry."""
    if not source:
        return []
    try:
        found = json.loads(source) if isinstance(source, str | bytes) else source
    except ValueError:
        return [{"limit": text(source)}]
    rows = found if isinstance(found, list) else [found]
    return [row if isinstance(row, dict) else {"limit": str(row)} for row in rows]


def _step(result: xr.DataTree, time: np.ndarray) -> float:
    """Length of a step from the axis, or from its bounds where there is a single one, in hours."""
    if len(time) > 1:
        return float((time[1] - time[0]) / np.timedelta64(1, "h"))
    for group in ("schedule", "forecast"):
        if has(result, group) and "time_bounds" in result[group].variables and len(time):
            bounds = result[group]["time_bounds"].to_numpy()[0]
            return float((bounds[1] - bounds[0]) / np.timedelta64(1, "h"))
    return 1.0


def _fill(name: str, group: Columns, counts: dict[str, int], steps: int, series: Columns) -> None:
    for attribute in attribute_table()[name].attributes.values():
        if not attribute.of:
            continue
        if attribute.of not in counts:  # tariffs: the report does not draw them
            continue
        shape = (counts[attribute.of], steps) if attribute.series else (counts[attribute.of],)
        found = group.get(attribute.name)
        fits = found is not None and found.shape == shape
        series[attribute.name] = found if found is not None and fits else np.full(shape, np.nan, attribute.memory_dtype)


def _certificate(result: xr.DataTree, feeders: int) -> Columns:
    found = columns(result, "certificate")
    filled: Columns = {}
    for name, attribute in attribute_table()["certificate"].attributes.items():
        values = found.get(name)
        if values is None or values.shape != (feeders,):
            filled[name] = np.full(feeders, "not_run" if attribute.dtype == "text" else np.nan, object)
        else:
            filled[name] = values
        if attribute.dtype == "text":
            filled[name] = np.array([text(v) for v in filled[name]], object)
        else:
            # Counts of a feeder that did not run are -1.
            number = filled[name].astype(float)
            filled[name] = np.where(number < 0, np.nan, number) if attribute.dtype == "int" else number
    return filled


def _no_network() -> Network:
    index, number = np.zeros(0, np.int32), np.zeros(0)
    return Network(
        *(index,) * 6, *(number,) * 4, np.zeros(0, bool), index, lines=0, source_bus=index, source_v_pu=number
    )


def _feeders(result: xr.DataTree, network: Network, counts: dict[str, int]) -> dict[str, np.ndarray]:
    """Feeder of each element, by way of its meter and bus."""

    def through(parent: np.ndarray, of: np.ndarray) -> np.ndarray:
        return np.where(parent >= 0, np.append(of, -1)[parent], -1).astype(np.int32)

    ends = np.append(network.feeder, -1)
    branch = np.maximum(ends[network.branch_from], ends[network.branch_to]) if network.branches else np.zeros(0, int)
    meter = through(parent_index(result, "meter", "bus"), network.feeder)
    prosumer = np.full(counts["prosumer"], -1, np.int32)
    owner = parent_index(result, "meter", "prosumer")
    # Backwards, so that a prosumer with several meters is counted where its first meter is.
    known = np.nonzero(owner >= 0)[0][::-1]
    prosumer[owner[known]] = meter[known]
    behind = {kind: through(parent_index(result, kind, "meter"), meter) for kind in ("load", "pv", "store")}
    return {
        "bus": network.feeder,
        "branch": branch.astype(np.int32),
        "transformer": branch[network.lines :].astype(np.int32),
        "meter": meter,
        "prosumer": prosumer,
        **behind,
    }
