"""Properties of the gas in a pandapipes net, read as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.importers.pandapower_json import parse
from dispatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

NORMAL_KELVIN = 273.15
MOST_POINTS = 10_000
# Of every property: attribute, and the range in which its values are believed.
RANGES = {"density": (0.05, 3.0), "viscosity": (1e-6, 1e-4), "compressibility": (0.2, 1.5)}
HINT = "Give a net of one gas, written by pandapipes.to_json."


def gas_of(fluid: Any, kelvin: float, problems: list[Problem], notes: list[str]) -> dict[str, float]:
    """Columns of the kind ``gas_network`` from the fluid of a net.

    Parameters
    ----------
    fluid : object
        Entry of the file.
    kelvin : float
        Temperature at which the viscosity is taken. [K]
    problems, notes : list
        Receive what is wrong, and what was assumed.

    Returns
    -------
    dict
        What could be read; defaults of the attribute table hold for the rest.
    """
    found: dict[str, float] = {}
    try:
        inner = _content(fluid)
        if inner.get("fluid_type") != "gas":
            kind = str(inner.get("fluid_type"))[:40]
            problems.append(Problem("fluid", "fluid", "fluid_type", value=repr(kind), allowed="'gas'", hint=HINT))
            return found
        properties = inner["all_properties"]
        found["density_normal"] = _value("density", _curve(properties["density"])(NORMAL_KELVIN))
        found["viscosity"] = _value("viscosity", _curve(properties["viscosity"])(kelvin))
        compressibility = _curve(properties["compressibility"])
        at_zero = compressibility(0.0)
        slope = compressibility(1.0) - at_zero
        if abs(compressibility(10.0) - at_zero - 10 * slope) > 1e-9:
            raise ValueError("compressibility is not linear in pressure")  # noqa: TRY301 - told with all others
        found |= {"compressibility": _value("compressibility", at_zero), "compressibility_slope": slope}
        _heating_values(properties, found, notes)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        value = f"not readable ({type(error).__name__}: {str(error)[:80]})"
        problems.append(Problem("fluid", "fluid", value=value, allowed="a gas with its properties", hint=HINT))
    return found


def _content(entry: Any) -> dict[str, Any]:
    """Return what an object of the file holds, whether as text or as it is."""
    inner = entry["_object"]
    inner = parse(inner) if isinstance(inner, str) else inner
    if not isinstance(inner, dict):
        raise TypeError("it is not an object")
    return inner


def _value(name: str, value: float) -> float:
    low, high = RANGES[name]
    if not low <= value <= high:
        raise ValueError(f"{name} is {value:g}, allowed {low:g} to {high:g}")
    return value


def _curve(entry: Any) -> Callable[[float], float]:
    """Property as a function of its argument: constant, linear or a table."""
    inner, kind = _content(entry), str(entry.get("_class"))
    if kind == "FluidPropertyConstant":
        constant = _single(inner["value"])
        return lambda _at: constant
    if kind == "FluidPropertyLinear":
        slope, offset = _single(inner["slope"]), _single(inner["offset"])
        return lambda at: offset + slope * at
    if kind == "FluidPropertyInterExtra":
        x, y = (_numbers(inner[name]) for name in ("x", "y"))
        if not 2 <= len(x) == len(y) <= MOST_POINTS or (np.diff(x) <= 0).any():
            raise ValueError("a table without rising points")
        return lambda at: _interpolated(at, x, y)
    raise ValueError(f"a property of class {kind[:40]!r}; handled are constant, linear and interpolated ones")


def _single(entry: Any) -> float:
    found = _numbers(entry)
    if len(found) != 1:
        raise ValueError("a constant of several numbers")
    return float(found[0])


def _plain(entry: Any) -> Any:
    values = entry["_object"] if isinstance(entry, dict) else entry
    return parse(values) if isinstance(values, str) else values


def _numbers(entry: Any) -> np.ndarray:
    """Return one number or a list of them, plain or as the file writes what belongs to NumPy."""
    values = _plain(entry)
    values = [_plain(v) for v in values] if isinstance(values, list) else values
    found = np.atleast_1d(np.asarray(values, float))
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError("a table that is not of finite numbers")
    return found


def _interpolated(at: float, x: np.ndarray, y: np.ndarray) -> float:
    """Interpolate, and extrapolate beyond the ends by the last two points."""
    k = int(np.clip(np.searchsorted(x, at), 1, len(x) - 1))
    return float(y[k - 1] + (at - x[k - 1]) * (y[k] - y[k - 1]) / (x[k] - x[k - 1]))


def _heating_values(properties: dict[str, Any], found: dict[str, float], notes: list[str]) -> None:
    """Take heating values over, given per kg; say so where the file has none."""
    names = ("heating_value_higher", "heating_value_lower")
    given = ("hhv", "lhv")
    if not all(g in properties for g in given):
        notes.append("fluid: the file has no heating values; 11.2 and 10.1 kWh/m3 of natural gas are taken.")
        return
    density = found["density_normal"]
    for name, other in zip(names, given, strict=True):
        found[name] = _curve(properties[other])(NORMAL_KELVIN) * density
