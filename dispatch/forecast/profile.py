"""Expanding the case's shapes into the series that are solved."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.instant import instant
from dispatch.case.schema import Columns, columns, has, kind_dataset, positions, quantile_axis, time_axis
from dispatch.case.trees import tree_of
from dispatch.errors import InputError, Problem, raise_if_any
from dispatch.forecast.history import series_of_loads
from dispatch.forecast.origins import LABEL, label, origins
from dispatch.forecast.pv_series import series_of_pv
from dispatch.forecast.quantiles import QUANTILES, checked_quantiles
from dispatch.forecast.stores import store_series

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import xarray as xr

PRICES = ("price_import", "price_export")
OF_STORES = ("p_max_pu", "p_withdrawn", "state_of_charge_least", "coefficient_of_performance")
OF_GAS = ("flow_consumer", "flow_injection")
SERIES = ("p_load", "q_load", "p_available", *OF_STORES, *OF_GAS, "feed_given", *PRICES)
QUANTILE_SERIES = ("p_load_quantile", "p_available_quantile")
SPARSE = {"store", "consumer", "injection", "substrate"}  # whose ids stand in /forecast only where they have series
DAY_H = 24.0
FURTHEST = np.timedelta64(14 * 24 * 3600, "s")  # after the end of a history, how far its loads are forecast


@dataclass(frozen=True)
class Axis:
    """A regular time axis: left edges at whole multiples of `step` after `first`."""

    group: str
    first: np.datetime64
    step: np.timedelta64
    count: int

    @property
    def end(self) -> np.datetime64:
        """Right edge of the last step."""
        return self.first + self.count * self.step

    def __str__(self) -> str:
        minutes = self.step / np.timedelta64(1, "m")
        return f"{self.first} to {self.end} UTC in steps of {minutes:g} min"


def predict(
    case: xr.DataTree,
    *,
    start: str | datetime | np.datetime64 | None = None,
    horizon_h: float | None = None,
    quantiles: Sequence[float] = QUANTILES,
    known_until: str | datetime | np.datetime64 | None = None,
    progress: Callable[[float], None] | None = None,
) -> xr.DataTree:
    """Fill ``/forecast`` for a span, from ``/history`` and ``/weather`` where there are any, else from ``/profile``.

    A load with a history takes what the regressions of ``docs/forecast.md`` say, with its `quantiles` as
    ``p_load_quantile``; `source` is then ``model``.

    A load or pv takes ``p_nom * p_pu`` (and ``q_nom * q_pu``) of its profile, moved later by ``profile_shift``
    (rounded to whole steps); what is moved over one end of the profile's whole span comes in again at its other end.
    One without a profile is constant at ``p_nom`` and ``q_nom``. A pv with planes, where ``/weather`` has irradiance
    over the whole span, takes the power that this gives instead (`dispatch.forecast.pv.pv_forecast`); one without, but
    with a history, what `series_of_pv` makes of it; ``p_available_quantile`` of both where they were measured. Cars and
    tanks follow `store_series`. Prices are those of the tariff table, constant. Each series that ``/forecast`` already
    has is kept instead and cropped to the span, never resampled. Its attribute ``origins`` says from what all came.

    Parameters
    ----------
    case : DataTree
        A valid case with ``/profile``, ``/history`` or ``/forecast``.
    start : str, datetime or datetime64, optional
        Left edge of the first step; UTC unless it carries an offset. Default: the first time that is covered.
    horizon_h : float, optional
        Length of the span; default: a day, or all that is covered if that is less. [h]
    quantiles : sequence of float
        Of the loads and pv with a history, each in (0, 1).
    known_until : str, datetime or datetime64, optional
        From when on the history is not looked at, such as noon of the day before; default: `start`.
    progress : callable, optional
        Told the part of the regressions that is done, in [0, 1].

    Returns
    -------
    DataTree
        The case with ``/forecast`` (time) covering exactly the span; other groups are shared with `case`, which is
        itself returned where it has that already.

    Raises
    ------
    InputError
        If there is none of these groups, their time steps differ or are irregular, the span is not covered or does not
        fall on whole steps, a profile is unknown, or the available power of a pv would be negative.
    """
    library, given = columns(case, "profile"), columns(case, "forecast")
    past = columns(case, "history")
    axes = [a for a in (_axis("/forecast", given), _axis("/profile", library)) if a]
    learnt = _axis("/history", past)
    if learnt and not any(a.group == "/profile" for a in axes):  # what comes after it, and any part of it again
        start = learnt.end if start is None and not axes else start
        axes.append(replace(learnt, count=learnt.count + round(FURTHEST / learnt.step)))
        horizon_h = DAY_H if horizon_h is None else horizon_h
    missing = [k for k, name in (("load", "p_load"), ("pv", "p_available")) if name not in given]
    needs_library = any(len(columns(case, kind)["id"]) for kind in missing) or _shaped_gas(case, given)
    first, span = _span(axes if needs_library else axes[:1], start, horizon_h)
    time = first + span.step * np.arange(span.count)
    issue = first if known_until is None else min(first, instant(known_until))
    levels = checked_quantiles(quantiles)
    series, said = _made(case, missing, time, span.step, levels, issue, progress)
    if not set(OF_STORES) <= set(given):
        series |= store_series(case, time, float(span.step / np.timedelta64(1, "h")))
    series |= _gas(case, library, time, span.step)
    # Reactive power belongs to its active power: zeros that fill a /forecast of prices alone are no series of loads.
    stated = [name for name in SERIES if name in given and (name != "q_load" or "p_load" in given)]
    if not missing or np.array_equal(given.get("quantile", ()), levels):
        stated += [name for name in QUANTILE_SERIES if name in given and name not in series]
    kept = {name: _cropped(given, name, time) for name in stated}
    if not missing:
        said = str(case[attribute_table()["forecast"].group].attrs.get(LABEL, said))
        kept |= {"quantile": given["quantile"]} if "quantile" in given else {}
    by_model = "p_load_quantile" in series or json.loads(said)["pv"].get("weather", 0) > 0
    source = b"model" if by_model and missing else given.get("source", b"profile")
    labels = {"quantile": levels, "time": time, "time_step": span.step, "source": source}
    made = {**labels, **series, **kept}
    return case if not missing and _holds(given, made) else _with_forecast(case, made, said)


def _holds(given: Columns, made: Columns) -> bool:
    """Whether /forecast is what would be made: a forecast of the same span that was made before."""
    if not set(QUANTILE_SERIES) & made.keys():
        made = {name: values for name, values in made.items() if name != "quantile"}
    return given.keys() == made.keys() and all(
        np.array_equal(np.ravel(given[n]), np.ravel(v), equal_nan=given[n].dtype.kind == "f") for n, v in made.items()
    )


def _made(
    case: xr.DataTree,
    missing: list[str],
    time: np.ndarray,
    step: np.timedelta64,
    levels: np.ndarray,
    issue: np.datetime64,
    progress: Callable[[float], None] | None,
) -> tuple[dict[str, Any], str]:
    """Series of what is missing of loads and pv, and prices; and from what they were made."""
    series, library, pv = _flat_prices(columns(case, "tariff"), len(time)), columns(case, "profile"), None
    for kind in missing:
        series |= _expanded(kind, columns(case, kind), library, time, step)
    if "load" in missing and len(columns(case, "history").get("time", ())):
        series |= series_of_loads(case, series["p_load"], time, levels, issue, progress)
    if "pv" in missing:
        pv = series_of_pv(case, series["p_available"], time, step, levels, issue)
        series["p_available"] = pv.p_available
        if np.isfinite(pv.quantiles).any():
            series["p_available_quantile"] = pv.quantiles
    return series, label(origins(case, series, pv, issue))


def _axis(group: str, table: Columns) -> Axis | None:
    """Read the axis of a group; None where it has none."""
    if "time" not in table or not len(table["time"]):
        return None
    time = table["time"].astype("datetime64[s]")
    steps = np.unique(np.diff(time)) if len(time) > 1 else table["time_step"]
    if len(steps) != 1 or steps[0] <= np.timedelta64(0, "s"):
        found = f"steps between {steps.min()} and {steps.max()}"
        hint = "Fill the gaps, or keep the part of the axis without gaps."
        raise InputError([Problem("time-gap", group, "time", value=found, allowed="equal steps", hint=hint)])
    return Axis(group, time[0], steps[0], len(time))


def _span(axes: list[Axis], start: Any, horizon_h: float | None) -> tuple[np.datetime64, Axis]:
    """First time and axis of the span that is asked for, checked against what all axes cover."""
    if not axes:
        hint = "Equip the case first (dispatch scenario CASE.nc -o OUT.nc), or add a /profile or /forecast group."
        raise InputError([Problem("no-series", "/profile", hint=f"Neither it nor /forecast is in the case. {hint}")])
    common = axes[0]
    if any(a.step != common.step for a in axes):
        found = " and ".join(f"{a.step} in {a.group}" for a in axes)
        hint = "Resample one of the two; nothing is resampled silently."
        raise InputError([Problem("time-step", common.group, "time", value=found, allowed="one step", hint=hint)])
    low, high = max(a.first for a in axes), min(a.end for a in axes)
    first = low if start is None else instant(start)
    if horizon_h is None:
        horizon_h = min(DAY_H, float((high - first) / np.timedelta64(1, "h"))) if high > first else DAY_H
    count = horizon_h / (common.step / np.timedelta64(1, "h"))
    problems = []
    if not np.isfinite(count) or count < 1 or abs(count - round(count)) > 1e-9:
        allowed = f"a positive multiple of {common.step / np.timedelta64(1, 'm'):g} min"
        hint = "Choose a horizon of whole steps."
        problems.append(Problem("horizon", common.group, "time", (), 0, f"{horizon_h:g} h long", allowed, hint))
    elif first < low or first + round(count) * common.step > high:
        covered = " and ".join(f"{a.group} covers {a}" for a in axes)
        asked = f"asked from {first} to {first + round(count) * common.step} UTC"
        hint = f"{covered}. Choose start and horizon inside."
        problems.append(Problem("span", common.group, "time", (), 0, asked, f"{low} to {high} UTC", hint))
    for axis in axes:
        if (first - axis.first) % axis.step:
            hint = f"{axis.group} covers {axis}. Start at one of its left edges."
            problems.append(Problem("start", axis.group, "time", (), 0, f"asked from {first} UTC", hint=hint))
    raise_if_any(problems)
    return first, Axis(common.group, first, common.step, round(count))


def _cropped(given: Columns, name: str, time: np.ndarray) -> np.ndarray:
    first = int(np.searchsorted(given["time"].astype("datetime64[s]"), time[0]))
    return given[name][..., first : first + len(time)]


def _expanded(kind: str, table: Columns, library: Columns, time: np.ndarray, step: np.timedelta64) -> Columns:
    """Series of all loads, or of all pv, from their profiles."""
    raise_if_any(_unknown(kind, table, library))
    p, q = _shaped(table, library, time, step)
    if kind == "load":
        return {"p_load": p, "q_load": q}
    if (bad := (p < 0).any(axis=1)).any():
        hint = "Available power is never negative; correct the profile or p_nom."
        raise InputError([_problem("range", "pv", "profile", table["id"][bad], f"{p.min():g} kW", hint)])
    return {"p_available": p}


def _gas(case: xr.DataTree, library: Columns, time: np.ndarray, step: np.timedelta64) -> Columns:
    """Gas that consumers take and injections give. [m3 h-1]."""
    found = {}
    for kind in ("consumer", "injection") if has(case, "junction") else ():
        table = columns(case, kind)
        if len(table["id"]):
            raise_if_any(_unknown(kind, table, library))
            flow = {**table, "p_nom": table["flow_nom"], "q_nom": np.zeros(len(table["id"]))}
            found[f"flow_{kind}"] = _shaped(flow, library, time, step)[0]
    return found


def _shaped_gas(case: xr.DataTree, given: Columns) -> bool:
    """Whether gas flows that the case does not give follow profiles."""
    kinds = [k for k in ("consumer", "injection") if has(case, "junction") and f"flow_{k}" not in given]
    return any((columns(case, k).get("profile", np.zeros(0, "S1")) != b"").any() for k in kinds)


def _shaped(table: Columns, library: Columns, time: np.ndarray, step: np.timedelta64) -> tuple[np.ndarray, np.ndarray]:
    """Active and reactive power of each element. [kW, kvar]."""
    shape = np.ones((len(table["id"]), len(time)), np.float32)
    p, q = shape * table["p_nom"][:, None], shape * table["q_nom"][:, None]
    at = positions(library["id"], table["profile"])
    own = np.nonzero(at >= 0)[0]
    if not len(own):
        return p.astype(np.float32), q.astype(np.float32)
    edges = library["time"].astype("datetime64[s]")
    shift = np.rint(table["profile_shift"][own] / (step / np.timedelta64(1, "h"))) if "profile_shift" in table else 0
    # Few elements differ in both profile and shift: each pair is gathered once, then scaled.
    pairs, which = np.unique(np.stack([at[own], np.broadcast_to(shift, len(own))]), axis=1, return_inverse=True)
    profile, moved = pairs.astype(np.int64)
    steps = (np.searchsorted(edges, time)[None, :] - moved[:, None]) % len(edges)
    p_pu = library["p_pu"][profile[:, None], steps]
    q_pu = library["q_pu"][profile[:, None], steps] if "q_pu" in library else np.zeros_like(p_pu)
    p[own] = table["p_nom"][own, None] * p_pu[which.ravel()]
    q[own] = table["q_nom"][own, None] * q_pu[which.ravel()]
    return p.astype(np.float32), q.astype(np.float32)


def _unknown(kind: str, table: Columns, library: Columns) -> list[Problem]:
    bad = (positions(library["id"], table["profile"]) < 0) & (table["profile"] != b"")
    names = b", ".join(np.unique(table["profile"][bad])[:3]).decode()
    hint = "Add the profile to /profile, or leave it empty for constant power."
    return [_problem("unknown-parent", kind, "profile", table["id"][bad], names, hint)] if bad.any() else []


def _problem(code: str, kind: str, variable: str, ids: np.ndarray, value: str, hint: str) -> Problem:
    first = tuple(i.decode() for i in ids[:3])
    return Problem(code, attribute_table()[kind].group, variable, first, len(ids), value, hint=hint)


def _flat_prices(tariff: Columns, steps: int) -> Columns:
    return {name: np.repeat(tariff[name][:, None], steps, axis=1) for name in PRICES}


def _with_forecast(case: xr.DataTree, series: dict[str, Any], said: str) -> xr.DataTree:
    """Replace ``/forecast``; the other groups are shared. `said` is from what it was made."""
    section = attribute_table()["forecast"]
    owners = list(dict.fromkeys(a.of for a in section.attributes.values() if a.of))
    ids = {kind: columns(case, kind)["id"] for kind in owners}
    sizes = {**{kind: len(i) for kind, i in ids.items()}, "time": len(series["time"])}
    sizes["quantile"] = len(series["quantile"])
    data = kind_dataset(section, series, currency=case.attrs["currency"], sizes=sizes)
    data = data.assign_coords({k: i for k, i in ids.items() if k not in SPARSE or k in data.dims}).assign_coords(
        time_axis(series["time"], series["time_step"])
    )
    if "quantile" in data.dims:
        data = data.assign_coords(quantile_axis(series["quantile"]))
    groups = {node.path: node.to_dataset(inherit=False) for node in case.subtree}
    return tree_of({**groups, section.group: data.assign_attrs({LABEL: said})})
