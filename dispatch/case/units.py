"""Units as texts: read, compared and converted exactly, never assumed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import numpy as np

# Active, reactive and apparent power are kept apart: nobody means kvar where it says kW.
# Name: (dimensions, factor to the base unit). Names in PREFIXED take SI prefixes.
PREFIXED: dict[str, tuple[dict[str, int], Fraction]] = {
    "W": ({"W": 1}, Fraction(1)),
    "Wh": ({"W": 1, "h": 1}, Fraction(1)),
    "J": ({"W": 1, "h": 1}, Fraction(1, 3600)),
    "var": ({"var": 1}, Fraction(1)),
    "VA": ({"VA": 1}, Fraction(1)),
    "V": ({"V": 1}, Fraction(1)),
    "ohm": ({"ohm": 1}, Fraction(1)),
    "S": ({"ohm": -1}, Fraction(1)),
    "m": ({"m": 1}, Fraction(1)),
    "bar": ({"bar": 1}, Fraction(1)),
    "Pa": ({"bar": 1}, Fraction(1, 100000)),
    "g": ({"g": 1}, Fraction(1)),
    "t": ({"g": 1}, Fraction(10**6)),
}
PLAIN: dict[str, tuple[dict[str, int], Fraction]] = {
    "1": ({}, Fraction(1)),
    "%": ({}, Fraction(1, 100)),
    "percent": ({}, Fraction(1, 100)),
    "permille": ({}, Fraction(1, 1000)),
    "pu": ({}, Fraction(1)),
    "p.u.": ({}, Fraction(1)),
    "h": ({"h": 1}, Fraction(1)),
    "hr": ({"h": 1}, Fraction(1)),
    "hour": ({"h": 1}, Fraction(1)),
    "min": ({"h": 1}, Fraction(1, 60)),
    "minute": ({"h": 1}, Fraction(1, 60)),
    "s": ({"h": 1}, Fraction(1, 3600)),
    "sec": ({"h": 1}, Fraction(1, 3600)),
    "second": ({"h": 1}, Fraction(1, 3600)),
    "d": ({"h": 1}, Fraction(24)),
    "day": ({"h": 1}, Fraction(24)),
    "Nm3": ({"m": 3}, Fraction(1)),
    "l": ({"m": 3}, Fraction(1, 1000)),
    "degree": ({"angle": 1}, Fraction(1)),
    "deg": ({"angle": 1}, Fraction(1)),
    "°": ({"angle": 1}, Fraction(1)),
    "rad": ({"angle": 1}, Fraction(180.0 / np.pi)),
    "degree_east": ({"east": 1}, Fraction(1)),
    "degree_E": ({"east": 1}, Fraction(1)),
    "degree_north": ({"north": 1}, Fraction(1)),
    "degree_N": ({"north": 1}, Fraction(1)),
    "ct": ({"EUR": 1}, Fraction(1, 100)),
    "K": ({"kelvin": 1}, Fraction(1)),
}
SPELLINGS = {
    "VAr": "var", "Var": "var", "VAR": "var", "Ohm": "ohm", "ohms": "ohm", "Ω": "ohm", "€": "EUR",
    "hours": "h", "hrs": "h", "minutes": "min", "mins": "min", "seconds": "s", "days": "d", "degrees": "degree",
    "degrees_east": "degree_east", "degrees_E": "degree_east", "degrees_north": "degree_north", "kelvin": "K",
    "degrees_N": "degree_north", "metre": "m", "meter": "m", "metres": "m", "meters": "m", "siemens": "S", "volt": "V",
    "watt": "W", "liter": "l", "litre": "l", "L": "l",
}  # fmt: skip
PREFIXES = {"T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "c": -2, "m": -3, "u": -6, "µ": -6, "μ": -6, "n": -9}
# Temperatures have an offset as well: to degree_C as (value + before) * factor.
TEMPERATURES = {
    **dict.fromkeys(
        ("degree_C", "degC", "celsius", "Celsius", "°C", "degrees_C", "degree_Celsius"), (0.0, Fraction(1))
    ),
    **dict.fromkeys(("K", "kelvin", "Kelvin"), (-273.15, Fraction(1))),
    **dict.fromkeys(("degF", "degree_F", "fahrenheit", "°F"), (-32.0, Fraction(5, 9))),
}
FACTOR = re.compile(r"(Nm3|p\.u\.|%|°C?|€|1|[^\W\d]+?)(?:(?:\^|\*\*)?([+-]?\d))?")
SUPERSCRIPTS = str.maketrans("⁻¹²³", "-123")


@dataclass(frozen=True)
class Conversion:
    """How to come from one unit to another: ``(value + before) * factor``."""

    factor: Fraction = Fraction(1)
    before: float = 0.0

    @property
    def trivial(self) -> bool:
        """Whether nothing changes."""
        return self.factor == 1 and self.before == 0

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Convert values to float64, rounded once per multiplication and division."""
        shifted = values.astype(np.float64) + self.before if self.before else values.astype(np.float64)
        if self.factor.denominator < 1 << 53 and self.factor.numerator < 1 << 53:
            return np.asarray(shifted * float(self.factor.numerator) / float(self.factor.denominator))
        return np.asarray(shifted * float(self.factor))


def conversion(found: str, wanted: str) -> Conversion | None:
    """How to convert one unit to another.

    Parameters
    ----------
    found, wanted : str
        Such as ``"MW"``, ``"EUR/MWh"`` or ``"EUR kW-1 h-1"``.

    Returns
    -------
    Conversion or None
        None if a unit is not known or they measure different things.
    """
    found, wanted = found.strip(), wanted.strip()
    if found == wanted:
        return Conversion()
    if wanted in TEMPERATURES:
        before, factor = TEMPERATURES.get(found, (0.0, None))
        return Conversion(factor, before) if factor is not None else None
    left, right = _parsed(found), _parsed(wanted)
    if left is None or right is None or left[0] != right[0]:
        return None
    factor = left[1] / right[1]
    if wanted == "h-1" and factor not in {1, Fraction(1, 100), Fraction(1, 1000)}:
        return None  # a loss compounds: a tenth a day is not a 240th an hour
    return Conversion(factor)


@cache
def _parsed(text: str) -> tuple[dict[str, int], Fraction] | None:
    """Dimensions and factor of a product of units; as in UDUNITS a slash divides by the next one only."""
    plain = text.translate(SUPERSCRIPTS).replace("·", " ").replace("**", "^").replace("*", " ")
    plain = re.sub(r"\s*/\s*", " /", plain)
    dimensions: dict[str, int] = {}
    factor = Fraction(1)
    words = plain.split()
    for word in words:
        match = FACTOR.fullmatch(word.removeprefix("/"))
        unit = _unit(match[1]) if match else None
        if match is None or unit is None:
            return None
        power = int(match[2] or 1) * (-1 if word.startswith("/") else 1)
        factor *= unit[1] ** power
        for name, exponent in unit[0].items():
            dimensions[name] = dimensions.get(name, 0) + exponent * power
    return ({n: e for n, e in dimensions.items() if e}, factor) if words else None


def _unit(name: str) -> tuple[dict[str, int], Fraction] | None:
    name = SPELLINGS.get(name, name)
    if name in PLAIN:
        return PLAIN[name]
    for prefix, exponent in {"": 0, **PREFIXES}.items():
        rest = name.removeprefix(prefix)
        rest = SPELLINGS.get(rest, rest) if rest in {"VAr", "Var", "VAR", "Ohm", "Ω"} else rest
        if name.startswith(prefix) and rest in PREFIXED:
            dimensions, factor = PREFIXED[rest]
            return dimensions, factor * Fraction(10) ** exponent
    if re.fullmatch("[A-Z]{3}", name):
        return {name: 1}, Fraction(1)
    return None
