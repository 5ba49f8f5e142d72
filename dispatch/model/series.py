"""The series of `/forecast`, in the order of the case's elements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.attributes import Attribute, attribute_table
from dispatch.case.schema import Columns, columns, has, positions, protect, resolved, variables
from dispatch.errors import InputError, Problem
from dispatch.model.registry import own_components

if TYPE_CHECKING:
    import xarray as xr

GROUP = "/forecast"
OF_STORES = {"p_max_pu": 1.0, "p_withdrawn": 0.0, "state_of_charge_least": 0.0, "coefficient_of_performance": 1.0}
"""Series of cars and tanks, with what they are where they are not known."""


@dataclass(frozen=True)
class Series:
    """All series that are solved.

    Attributes
    ----------
    time : ndarray (step,) of datetime64
        Left edges. [UTC]
    p_load, q_load : ndarray (load, step)
        [kW, kvar]
    p_available : ndarray (pv, step)
        [kW]
    price_import, price_export : ndarray (tariff, step)
        The fee is part of the import price. [money kW-1 h-1]
    stores : dict of str to ndarray (store, step)
        Those of `OF_STORES`; none where the case has neither cars nor tanks.
    own : dict of str to dict of str to ndarray (element, step)
        Series of kinds that a user added, by kind and name.
    flow_consumer, flow_injection : ndarray (element, step)
        Normal cubic metres; none in a case without a gas network. [m3 h-1]
    """

    time: np.ndarray
    p_load: np.ndarray
    q_load: np.ndarray
    p_available: np.ndarray
    price_import: np.ndarray
    price_export: np.ndarray
    stores: dict[str, np.ndarray] = field(default_factory=dict)
    own: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    flow_consumer: np.ndarray = field(default_factory=lambda: np.zeros((0, 1)))
    flow_injection: np.ndarray = field(default_factory=lambda: np.zeros((0, 1)))

    def __post_init__(self) -> None:
        """Protect the arrays."""
        own = [a for series in (self.stores, *self.own.values()) for a in series.values()]
        protect(*own, *(held for held in vars(self).values() if isinstance(held, np.ndarray)))


def read_series(case: xr.DataTree) -> Series:
    """Read every series, matched by id.

    Parameters
    ----------
    case : DataTree
        With `/forecast`.

    Returns
    -------
    Series

    Raises
    ------
    InputError
        If `/forecast` is missing, or lacks an element that has a profile and so is not constant.
    """
    return resolved(case, "series", lambda: _read_series(case))


def _read_series(case: xr.DataTree) -> Series:
    if not has(case, "forecast"):
        hint = "Make one first, for example with dispatch.predict(case)."
        raise InputError([Problem("missing-group", GROUP, hint=hint)])
    section, data = attribute_table()["forecast"].attributes, _forecast(case)
    load, pv, tariff = (columns(case, kind) for kind in ("load", "pv", "tariff"))
    found = {
        "p_load": _series(data, section["p_load"], load["id"], _constant(load, "p_nom")),
        "q_load": _series(data, section["q_load"], load["id"], _constant(load, "q_nom")),
        "p_available": _series(data, section["p_available"], pv["id"], _constant(pv, "p_nom")),
        "price_import": _series(data, section["price_import"], tariff["id"], tariff.get("price_import")),
        "price_export": _series(data, section["price_export"], tariff["id"], tariff.get("price_export")),
    }
    found["price_import"] = found["price_import"] + tariff.get("network_fee", np.zeros(0))[:, None]
    own: dict[str, dict[str, np.ndarray]] = {}
    added = own_components()
    for name, attribute in section.items():
        if attribute.series and attribute.of in added:
            filler = np.full(
                len(columns(case, attribute.of)["id"]), np.nan if attribute.required else attribute.default
            )
            own.setdefault(attribute.of, {})[name] = _series(data, attribute, columns(case, attribute.of)["id"], filler)
    if has(case, "junction"):
        for kind in ("consumer", "injection"):
            table, name = columns(case, kind), f"flow_{kind}"
            otherwise = np.where(table["profile"] == b"", table["flow_nom"], np.nan)
            found[name] = _series(data, section[name], table["id"], otherwise)
    return Series(columns(case, "forecast")["time"], **found, stores=read_stores(case), own=own)


def read_stores(case: xr.DataTree) -> dict[str, np.ndarray]:
    """Read the series of cars and tanks.

    Parameters
    ----------
    case : DataTree
        With `/forecast`.

    Returns
    -------
    dict of str to ndarray (store, step)
        See `Series.stores`; rows of batteries say nothing.

    Raises
    ------
    InputError
        If a store has a series that is not known at all steps.
    """
    return dict(resolved(case, "series of stores", lambda: _read_stores(case)))


def _read_stores(case: xr.DataTree) -> dict[str, np.ndarray]:
    store, section = columns(case, "store"), attribute_table()["forecast"].attributes
    flexible = bool((store["kind"] != b"battery").any())
    data = _forecast(case)
    found = {name: _series(data, section[name], store["id"], None) for name in OF_STORES if flexible}
    protect(*found.values())
    return found


def _constant(table: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Values of elements without a profile; NaN where the profile has to say."""
    return np.where(table["profile"] == b"", table[name], np.nan if name == "p_nom" else 0.0)


def _forecast(case: xr.DataTree) -> Columns:
    return resolved(case, "variables of /forecast", lambda: variables(case, "forecast")[0])


def _series(data: Columns, attribute: Attribute, ids: np.ndarray, otherwise: np.ndarray | None) -> np.ndarray:
    """One series in the order of `ids`; `otherwise` where `/forecast`, `data`, does not have the element."""
    steps = len(data["time"])
    fill = np.full(len(ids), np.nan) if otherwise is None else otherwise
    values = np.repeat(fill[:, None], steps, axis=1)
    if attribute.name in data:
        given = data[attribute.name]
        at = positions(data.get(attribute.of, ids), ids)
        values[at >= 0] = given[at[at >= 0]]
    if attribute.can_be_unknown and otherwise is not None:
        blank = np.isnan(values).all(axis=1)
        values[blank] = otherwise[blank, None]
    if attribute.name in OF_STORES:
        values[np.isnan(values).all(axis=1)] = OF_STORES[attribute.name]
    lost = np.isnan(values).any(axis=1)
    if lost.any():
        names = tuple(i.decode(errors="replace") for i in ids[lost][:3])
        hint = "Give the whole horizon for each element, for example with dispatch.predict(case)."
        problem = Problem("missing-series", GROUP, attribute.name, names, int(lost.sum()), "not given", hint=hint)
        raise InputError([problem])
    return values


def step_hours(case: xr.DataTree) -> float:
    """Length of a step of `/forecast`, in hours."""
    return resolved(case, "step_hours", lambda: _step_hours(case))


def _step_hours(case: xr.DataTree) -> float:
    bounds = _forecast(case)["time_bounds"]
    return float((bounds[0, 1] - bounds[0, 0]) / np.timedelta64(1, "s")) / 3600.0
