"""The electric and the gas network of one place as one case."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from dispatch.case.attributes import attribute_table
from dispatch.case.gas_alone import USERS
from dispatch.case.rules.findings import nearest, text
from dispatch.case.schema import as_bytes, columns, has, positions
from dispatch.case.tables.csv_file import CsvFile, open_csv
from dispatch.case.trees import tree_of
from dispatch.errors import Problem, raise_if_any

if TYPE_CHECKING:
    import os

COLUMNS = ["consumer", "prosumer"]
THEIRS = ("/gas", "/plant")
"""Groups that are taken over with all that is in them."""


def merge_cases(
    electric: xr.DataTree, gas: xr.DataTree, match: str | os.PathLike[str], *, meter: str | None = None
) -> tuple[xr.DataTree, list[str]]:
    """Join a gas network to an electric one, house by house.

    Parameters
    ----------
    electric : DataTree
        Valid, with prosumers; everything in it is kept.
    gas : DataTree
        Valid, with a gas network; its groups under ``/gas`` and ``/plant`` are taken over.
    match : path
        CSV with the columns ``consumer`` (of the gas network) and ``prosumer`` (of the electric one).
    meter : str, optional
        Meter of the electric case behind which are plants and compressors of the gas network that name none.

    Returns
    -------
    case : DataTree
        Each matched consumer names its prosumer. A prosumer whose `gas_year` is not known gets the sum of its
        consumers' `volume_year`; one whose `heating` is unknown heats with gas. Where a prosumer heats with a heat
        pump, its consumers take nothing.
    notes : list of str
        What was set or left as it was.

    Raises
    ------
    InputError
        Unknown or repeated ids, a case that lacks what it is named for, profiles on other times: all in one pass.
    """
    problems: list[Problem] = []
    _require(electric, gas, problems)
    pairs = _pairs(Path(match), electric, gas, problems)
    if meter is not None:
        _require_meter(electric, meter, problems)
    groups = {node.path: node.to_dataset(inherit=False) for node in electric.subtree}
    theirs = {node.path: node.to_dataset(inherit=False) for node in gas.subtree if node.path.startswith(THEIRS)}
    profile = attribute_table()["profile"].group
    used = {i for k in ("consumer", "injection") for i in columns(gas, k).get("profile", np.zeros(0, "S1")).tolist()}
    if has(gas, "profile") and used - {b""}:
        groups[profile] = _profiles(electric, gas, problems)
    raise_if_any(problems, str(match))
    notes: list[str] = []
    if meter is not None:
        _behind(gas, meter, theirs, notes)
    groups |= _matched(electric, gas, *pairs, groups, theirs, notes)
    case = tree_of(groups)
    case.attrs = dict(electric.attrs)
    return case, notes


def _behind(gas: xr.DataTree, meter: str, theirs: dict[str, xr.Dataset], notes: list[str]) -> None:
    """Put what takes electricity and names no meter behind one."""
    for kind in USERS:
        own, group = columns(gas, kind)["meter"], attribute_table()[kind].group
        if (own == b"").any() and group in theirs:
            theirs[group] = _with(theirs[group], {"meter": as_bytes(np.where(own == b"", meter.encode(), own))})
            notes.append(f"{kind}: {np.count_nonzero(own == b'')} without a meter are behind {meter!r}.")


def _require(electric: xr.DataTree, gas: xr.DataTree, problems: list[Problem]) -> None:
    for case, kind, other in ((electric, "bus", "an electric network"), (gas, "junction", "a gas network")):
        if not has(case, kind):
            hint = f"Give a case with {other} in this place; the order is ELECTRIC, then GAS."
            problems.append(Problem("merge", attribute_table()[kind].group, value="missing", allowed=other, hint=hint))
    if has(electric, "junction"):
        hint = "Give a case without a gas network, or replace its kinds with `dispatch import tables --onto`."
        problems.append(Problem("merge", "/gas/junction", value="in the electric case already", hint=hint))

    if has(electric, "plant") and has(gas, "plant"):
        hint = "Take the plants out of one of the cases, and add them with `dispatch import tables --onto`."
        problems.append(Problem("merge", "/plant/plant", value="in both cases", hint=hint))


def _require_meter(electric: xr.DataTree, meter: str, problems: list[Problem]) -> None:
    """Refuse a meter that the electric case does not have."""
    known = [text(i) for i in columns(electric, "meter")["id"]] if has(electric, "meter") else []
    if meter not in known:
        hint = f"{nearest(meter, known[:2000])} Give the id of a meter of the electric case.".lstrip()
        problems.append(Problem("unknown-id", "/prosumer/meter", "id", (meter,), 1, "not known", hint=hint))


def _pairs(
    path: Path, electric: xr.DataTree, gas: xr.DataTree, problems: list[Problem]
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the consumers and prosumers that belong together."""
    none = np.zeros(0, np.int32)
    file = open_csv(path, problems) if path.exists() else None
    if file is None:
        if not path.exists():
            hint = f"Correct the path {str(path)!r}."
            problems.append(Problem("no-file", path.name, value="not there", allowed="a CSV file", hint=hint))
        return none, none
    if sorted(file.header) != COLUMNS:
        hint = "The file has exactly these two columns, with ids of both cases."
        file.refuse(
            problems, "missing-column", "", f"with columns {', '.join(file.header)}", hint, allowed="consumer, prosumer"
        )
        return none, none
    sides = [(kind, case) for kind, case in (("consumer", gas), ("prosumer", electric)) if has(case, kind)]
    found = {kind: _known(file, kind, columns(case, kind)["id"], problems) for kind, case in sides}
    consumer = found.get("consumer", none)
    repeated = [text(i) for i in _twice(np.array(file.column(file.header.index("consumer"))))]
    if repeated:
        file.refuse(problems, "duplicate-id", "consumer", "used more than once", "Keep one row a consumer.", repeated)
    return consumer, found.get("prosumer", none)


def _known(file: CsvFile, kind: str, ids: np.ndarray, problems: list[Problem]) -> np.ndarray:
    cells = file.column(file.header.index(kind))
    at = positions(ids, as_bytes(cells)) if cells else np.zeros(0, np.int32)
    unknown = [cells[int(k)] for k in np.nonzero(at < 0)[0]]
    if unknown:
        close = nearest(unknown[0], [text(i) for i in ids[:2000]])
        hint = f"{close} Correct the id or remove the row.".lstrip()
        allowed = f"ids of {attribute_table()[kind].group}"
        file.refuse(problems, "unknown-id", kind, "not known", hint, unknown, allowed)
    return at


def _twice(values: np.ndarray) -> np.ndarray:
    unique, counts = np.unique(values, return_counts=True)
    return np.asarray(unique[counts > 1])


def _profiles(electric: xr.DataTree, gas: xr.DataTree, problems: list[Problem]) -> xr.Dataset:
    """Profiles of both, which must be on the same times and bear different ids."""
    path = attribute_table()["profile"].group
    other = gas.children[path.strip("/")].to_dataset(inherit=False)
    if not has(electric, "profile"):
        return other
    own = electric.children[path.strip("/")].to_dataset(inherit=False)
    if not np.array_equal(own["time"].to_numpy(), other["time"].to_numpy()):
        hint = "Give the profiles of both cases on the same times."
        problems.append(Problem("time", path, "time", value="other in the two cases", hint=hint))
        return own
    same = np.intersect1d(own["profile"].to_numpy(), other["profile"].to_numpy())
    if len(same):
        names = tuple(text(i) for i in same[:3])
        hint = "Rename them in one of the cases."
        problems.append(Problem("duplicate-id", path, "profile", names, len(same), "in both cases", hint=hint))
        return own
    return xr.concat([own, other], "profile", data_vars="minimal", combine_attrs="override", join="override")


def _matched(
    electric: xr.DataTree,
    gas: xr.DataTree,
    consumer: np.ndarray,
    prosumer: np.ndarray,
    groups: dict[str, xr.Dataset],
    theirs: dict[str, xr.Dataset],
    notes: list[str],
) -> dict[str, xr.Dataset]:
    """Name prosumers in the groups of the gas network, and tell prosumers what their gas says about them."""
    house, ids = columns(electric, "prosumer"), columns(gas, "consumer")
    names = np.full(len(ids["id"]), b"", house["id"].dtype)
    names[consumer] = house["id"][prosumer]
    pump = house["heating"][prosumer] == b"heat_pump"
    flow = ids["flow_nom"].copy()
    flow[consumer[pump]] = 0.0
    volume = np.bincount(prosumer, np.nan_to_num(ids["volume_year"][consumer]), len(house["id"]))
    touched = np.isin(np.arange(len(house["id"])), prosumer)
    year = np.where(np.isnan(house["gas_year"]) & touched & (volume > 0), volume, house["gas_year"])
    heating = np.where((house["heating"] == b"unknown") & touched, b"gas", house["heating"])
    notes.append(f"consumer: {len(consumer)} of {len(ids['id'])} belong to a prosumer.")
    if pump.any():
        notes.append(f"consumer: {np.count_nonzero(pump)} take nothing, because their prosumer heats with a heat pump.")
    group = attribute_table()["consumer"].group
    theirs[group] = _with(theirs[group], {"prosumer": names, "flow_nom": flow})
    own = attribute_table()["prosumer"].group
    return {**theirs, own: _with(groups[own], {"gas_year": year, "heating": as_bytes(heating)})}


def _with(data: xr.Dataset, values: dict[str, np.ndarray]) -> xr.Dataset:
    """Dataset with some of its variables replaced, attributes kept."""
    return data.assign({n: (data[n].dims, v, data[n].attrs) for n, v in values.items()})
