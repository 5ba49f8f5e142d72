"""From the groups of a file to a case: versions migrated, units converted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from dispatch.case.attributes import Attribute, attribute_table
from dispatch.case.migrate import migrate
from dispatch.case.rules.layout import CURRENCY
from dispatch.case.schema import unit_of
from dispatch.case.trees import tree_of
from dispatch.case.units import conversion
from dispatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping


def assemble(groups: dict[str, xr.Dataset], problems: list[Problem], notes: list[str]) -> xr.DataTree | None:
    """Migrate and convert the groups of a file.

    Parameters
    ----------
    groups : dict of str to Dataset
        By path, as read.
    problems : list of Problem
        Receives what cannot be migrated or converted.
    notes : list of str
        Receives a line for each thing that was changed.

    Returns
    -------
    DataTree or None
        None if the groups do not form a tree or their schema version is not known.
    """
    known = len(problems)
    groups = migrate(groups, problems, notes)
    if len(problems) > known:
        return None
    currency = str(groups["/"].attrs.get("currency", ""))
    for kind in attribute_table().values():
        path = kind.group
        if path in groups and path != "/":
            groups[path] = _converted(groups[path], path, kind.attributes, currency, problems, notes)
    try:
        return tree_of(groups)
    except ValueError as error:
        hint = "A group repeats a dim of the group above it with other ids: build the file again."
        problems.append(Problem("tree", "/", value=str(error).splitlines()[0][:200], hint=hint))
        return None


def _converted(
    data: xr.Dataset,
    path: str,
    rows: Mapping[str, Attribute],
    currency: str,
    problems: list[Problem],
    notes: list[str],
) -> xr.Dataset:
    changed = {}
    for name, row in rows.items():
        if not row.unit or name not in data.variables or data.variables[name].dtype.kind not in "iuf":
            continue
        if "{currency}" in row.unit and not CURRENCY.fullmatch(currency):
            continue  # the currency itself is refused, once
        wanted = unit_of(row, currency)
        outcome = convert(data.variables[name], row, wanted)
        if isinstance(outcome, str):
            hint = f"Set its attribute units to what the values are in; {wanted!r} needs no conversion."
            code = "unit-missing" if outcome == "without units" else "unit"
            problems.append(
                Problem(code, path, name, value=outcome, allowed=f"units convertible to {wanted}", hint=hint)
            )
        elif outcome is not data.variables[name]:
            found = data.variables[name].attrs["units"]
            if (outcome.to_numpy() is not data.variables[name].to_numpy()) and found != wanted:
                notes.append(f"{path}/{name}: converted from {found} to {wanted}")
            changed[name] = outcome
    return data.assign(changed) if changed else data


def convert(variable: xr.Variable, row: Attribute, wanted: str) -> xr.Variable | str:
    """Bring a variable to the unit of its attribute.

    Parameters
    ----------
    variable : Variable
        With its ``units``.
    row : Attribute
        Its row of the attribute table.
    wanted : str
        The unit it should have.

    Returns
    -------
    Variable or str
        The same one if nothing had to be done; a text that says what is wrong with the unit.
    """
    found = variable.attrs.get("units")
    if not isinstance(found, str) or not found.strip():
        return "without units"
    if found == wanted:
        return variable
    how = conversion(found, wanted)
    if how is None:
        return f"in {found!r}"
    labels = {**variable.attrs, "units": wanted}
    values = variable.to_numpy()
    if how.trivial:
        return xr.Variable(variable.dims, values, labels)
    converted = how.apply(values)
    if row.dtype == "int" and (converted != np.rint(converted)).any():
        return f"in {found!r}, not whole in {wanted!r}"
    return xr.Variable(variable.dims, converted.astype(row.memory_dtype), labels)
