"""Elements of the prosumers' components; the bounds follow docs/formulation.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import Columns, columns, parent_index
from dispatch.errors import Problem, raise_if_any
from dispatch.model.elements import Elements
from dispatch.model.registry import STORES
from dispatch.model.series import OF_STORES
from dispatch.model.stores import battery_parameters, discharge_power, flexible_parameters
from kernels.scatter import add_to_rows

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.model.series import Series

METER_GROUP = "/prosumer/meter"


@dataclass(frozen=True)
class _Behind:
    """What is behind each meter: load D, available A, its part F that cannot be curtailed, powers S of the stores."""

    load: np.ndarray
    available: np.ndarray
    fixed: np.ndarray
    charging: np.ndarray
    discharging: np.ndarray

    @property
    def surplus(self) -> np.ndarray:
        """What is available above the load, in kW."""
        return np.asarray(np.maximum(self.available - self.load, 0.0))

    @property
    def deficit(self) -> np.ndarray:
        """Load above what is available, in kW."""
        return np.asarray(np.maximum(self.load - self.available, 0.0))


def sum_at(parent: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """Sum over the elements of each parent, (parent, step)."""
    total = np.zeros((count, values.shape[1]))
    add_to_rows(total, parent, values)
    return total


def meter_kinds(case: xr.DataTree, series: Series, own: dict[str, Elements]) -> dict[str, Elements]:
    """Elements of load, pv, every kind of store, meter and peak.

    Parameters
    ----------
    case : DataTree
        Valid.
    series : Series
        Its forecast.
    own : dict of str to Elements
        Kinds that a user added; they widen the bounds of the meters at which they are.

    Returns
    -------
    dict of str to Elements

    Raises
    ------
    InputError
        If a meter that is not green-only is paid more than it pays, or a green-only meter has a car, a tank or
        a kind that a user added: its direction in each step could not be known beforehand.
    """
    meter, load, pv, store = (columns(case, kind) for kind in ("meter", "load", "pv", "store"))
    count = len(meter["id"])
    at = {kind: parent_index(case, kind, "meter") for kind in ("load", "pv", "store")}
    fixed = np.where(pv["curtailable"][:, None], 0.0, series.p_available)
    behind = _Behind(
        sum_at(at["load"], series.p_load, count),
        sum_at(at["pv"], series.p_available, count),
        sum_at(at["pv"], fixed, count),
        _power(at["store"], store["p_nom"], own, count),
        _power(at["store"], discharge_power(store), own, count),
    )
    tariff = parent_index(case, "meter", "tariff")
    prices = series.price_import[tariff], series.price_export[tariff]
    stores = _stores(store, at["store"], series, behind, meter)
    not_green = own | {kind: stores[kind] for kind in STORES if kind != "battery"}
    raise_if_any([*_paid_more(meter, *prices), *_green_with(meter, not_green)])
    price_peak = columns(case, "tariff").get("price_peak", np.zeros(0))[tariff]
    peak = np.nonzero(price_peak > 0)[0]
    bus = parent_index(case, "meter", "bus")
    return {
        "load": _elements(load, {"p_load": series.p_load, "q_load": series.q_load}, ("meter", at["load"])),
        "pv": _elements(pv, _pv(pv, at["pv"], series, behind, meter), ("meter", at["pv"])),
        **stores,
        "meter": _elements(meter, _meter(meter, behind, *prices), ("bus", bus)),
        "peak": _elements(meter, {"price_peak": price_peak[:, None]}, ("meter", np.arange(count)), peak),
    }


def _elements(
    table: Columns, parameters: dict[str, np.ndarray], node: tuple[str, np.ndarray], index: np.ndarray | None = None
) -> Elements:
    """Elements with one node of the same name as its kind; a part of them where `index` is given."""
    chosen = np.arange(len(table["id"])) if index is None else index
    picked = {name: values[chosen] if index is not None else values for name, values in parameters.items()}
    ids = table["id"][chosen]
    return Elements(len(chosen), picked, {node[0]: (node[0], node[1][chosen])}, chosen.astype(np.int32), ids)


def _power(at: np.ndarray, p_nom: np.ndarray, own: dict[str, Elements], count: int) -> np.ndarray:
    """Power of the stores behind each meter, (meter, 1); what users added counts by its `p_nom`, or without limit."""
    power = np.bincount(at, p_nom, count).astype(np.float64)
    for elements in own.values():
        for kind, index in elements.nodes.values():
            if kind == "meter":
                most = elements.parameters.get("p_nom", np.full((elements.count, 1), np.inf)).max(axis=1, initial=0.0)
                power += np.bincount(index, most, count)
    return power[:, None]


def _pv(pv: Columns, at: np.ndarray, series: Series, behind: _Behind, meter: Columns) -> dict[str, np.ndarray]:
    """Curtailment: all, nothing, or at a green-only meter the share of the surplus."""
    available, free = series.p_available, behind.available - behind.fixed
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(free > 0, np.minimum(behind.surplus / free, 1.0), 0.0)
    share = np.where(meter["green_only"][:, None], share, 1.0)
    most = np.where(pv["curtailable"][:, None], available * share[at], 0.0)
    return {"p_available": available, "p_curtailed_max": most, "q_nom": pv["q_nom"][:, None]}


def _stores(store: Columns, at: np.ndarray, series: Series, behind: _Behind, meter: Columns) -> dict[str, Elements]:
    """Elements of each kind of store."""
    green = meter["green_only"][at][:, None]
    batteries = battery_parameters(store, behind.surplus[at], behind.deficit[at], green)
    node = ("meter", at)
    found = {"battery": _elements(store, batteries, node, np.nonzero(store["kind"] == b"battery")[0])}
    for kind in STORES[1:]:
        chosen = np.nonzero(store["kind"] == kind.encode())[0]
        own = {name: values[chosen] for name, values in store.items()}
        given = {n: series.stores[n][chosen] if series.stores else np.zeros((0, 1)) for n in OF_STORES}
        elements = _elements(store, {}, node, chosen)
        found[kind] = replace(elements, parameters=flexible_parameters(own, given, kind))
    return found


def _meter(
    meter: Columns, behind: _Behind, price_import: np.ndarray, price_export: np.ndarray
) -> dict[str, np.ndarray]:
    """Bounds that no optimum needs to pass, and what cannot be carried at all."""
    green = meter["green_only"][:, None]
    most_in, most_out = meter["p_import_max"][:, None], meter["p_export_max"][:, None]
    # Negative load (generation entered as load) is exported too, so it widens the export instead of narrowing both.
    free_in = np.maximum(behind.load + behind.charging, 0.0)
    free_out = behind.available + behind.discharging + np.maximum(-behind.load, 0.0)
    return {
        "p_import_max": np.minimum(most_in, np.where(green, behind.deficit, free_in)),
        "p_export_max": np.minimum(most_out, np.where(green, behind.surplus, free_out)),
        "p_unserved_max": np.maximum(np.maximum(behind.load - behind.fixed, 0.0) - most_in, 0.0),
        "p_spilled_max": np.maximum(np.maximum(behind.fixed - behind.load, 0.0) - most_out, 0.0),
        "price_import": price_import,
        "price_export": price_export,
    }


def _paid_more(meter: Columns, price_import: np.ndarray, price_export: np.ndarray) -> list[Problem]:
    bad = (price_export > price_import).any(axis=1) & ~meter["green_only"].astype(bool)
    if not bad.any():
        return []
    first = int(np.argmax(bad))
    step = int(np.argmax(price_export[first] > price_import[first]))
    value = f"an export price of {price_export[first, step]:g}"
    allowed = f"at most the import price, fee included ({price_import[first, step]:g})"
    hint = "Set green_only, or put the generation on a meter of its own."
    return [Problem("export-price", METER_GROUP, "tariff", _ids(meter, bad), int(bad.sum()), value, allowed, hint)]


def _green_with(meter: Columns, kinds: dict[str, Elements]) -> list[Problem]:
    found = []
    for name, elements in kinds.items():
        bad = np.zeros(len(meter["id"]), bool)
        for kind, index in elements.nodes.values():
            if kind == "meter":
                bad[index] = True
        bad &= meter["green_only"].astype(bool)
        if bad.any():
            hint = f"Put the {name} on a meter of its own: its direction is not known beforehand."
            found.append(
                Problem(
                    "green-only", METER_GROUP, "green_only", _ids(meter, bad), int(bad.sum()), "true", "false", hint
                )
            )
    return found


def _ids(meter: Columns, bad: np.ndarray) -> tuple[str, ...]:
    return tuple(i.decode(errors="replace") for i in meter["id"][bad][:3])
