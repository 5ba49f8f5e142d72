"""The attribute table as Python objects; everything that knows a name, unit or range reads it from here."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMORY_DTYPE = {"float": "float64", "int": "int32", "bool": "bool", "id": "bytes", "text": "bytes"}


@dataclass(frozen=True)
class Interval:
    """An interval of allowed values, open or closed at each end."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = True
    high_open: bool = True

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read ``"[0, inf)"`` and the like."""
        low, high = text[1:-1].split(",")
        return cls(float(low), float(high), text[0] == "(", text[-1] == ")")

    def contains(self, values: np.ndarray) -> np.ndarray:
        """Tell for each value whether it lies inside; NaN never does."""
        low = values > self.low if self.low_open else values >= self.low
        high = values < self.high if self.high_open else values <= self.high
        return np.asarray(low & high)

    def __str__(self) -> str:
        return f"{'(' if self.low_open else '['}{self.low:g}, {self.high:g}{')' if self.high_open else ']'}"


@dataclass(frozen=True)
class Attribute:
    """One row of the attribute table."""

    kind: str
    name: str
    dtype: str
    description: str
    unit: str = ""
    range: Interval = Interval()
    default: Any = None
    required: bool = True
    parent: str = ""
    choices: tuple[str, ...] = ()
    of: str = ""
    by: str = ""
    series: bool = False
    stored: str = ""
    shared: bool = False
    quantile: bool = False
    source: str = ""

    @property
    def dims(self) -> tuple[str, ...]:
        """Dims of its array: the element's, that `by` which it is told apart, ``quantile`` for levels, ``time``."""
        element = self.of or self.kind
        own = () if self.shared and not self.of else (element,)
        own = (*own, self.by) if self.by else own
        levels = ("quantile",) if self.quantile else ()
        return (*own, *levels, "time") if self.series else own

    @property
    def can_be_unknown(self) -> bool:
        """Whether its default is NaN, which says that the value is not known."""
        return isinstance(self.default, float) and math.isnan(self.default)

    @property
    def memory_dtype(self) -> str:
        """Dtype of its array in memory (``"bytes"``: fixed-width bytes)."""
        return self.stored or MEMORY_DTYPE[self.dtype]


@dataclass(frozen=True)
class Kind:
    """One section of the attribute table: a kind of element, or a group of series."""

    name: str
    group: str
    description: str
    attributes: Mapping[str, Attribute]
    network: bool = False
    result: bool = False
    elementless: bool = False
    utility: bool = False
    given: bool = False

    @property
    def has_elements(self) -> bool:
        """Whether it has a dim of its own."""
        return not (self.elementless or self.result)


def _kind(name: str, section: dict[str, Any]) -> Kind:
    rows = {}
    for attribute, row in section["attributes"].items():
        fields = dict(row)
        if "range" in fields:
            fields["range"] = Interval.parse(fields["range"])
        if "choices" in fields:
            fields["choices"] = tuple(fields["choices"])
        required = "default" not in fields
        shared = section.get("elementless", False)
        rows[attribute] = Attribute(kind=name, name=attribute, required=required, shared=shared, **fields)
    flags = {k: section[k] for k in ("network", "result", "elementless", "utility", "given") if k in section}
    return Kind(name, section["group"], section["description"], MappingProxyType(rows), **flags)


_added: dict[str, dict[str, Any]] = {}


@cache
def attribute_table() -> Mapping[str, Kind]:
    """Every kind of the attribute table by name.

    Returns
    -------
    mapping of str to Kind
        In the order of the file, then what `add_sections` added.
    """
    text = resources.files(__package__).joinpath("attributes.toml").read_text(encoding="utf-8")
    sections = tomllib.loads(text)
    for name, section in _added.items():
        if name in sections:
            sections[name]["attributes"] |= section["attributes"]
        else:
            sections[name] = section
    return MappingProxyType({name: _kind(name, section) for name, section in sections.items()})


def add_sections(sections: Mapping[str, dict[str, Any]]) -> None:
    """Add kinds to the table for this process, and series of theirs to ``forecast`` and ``schedule``.

    Parameters
    ----------
    sections : mapping of str to dict
        As parsed from TOML of the form of the attribute table; see `dispatch.case.own_sections.parse_sections`.
    """
    for name, section in sections.items():
        both = {**_added.get(name, {}).get("attributes", {}), **section["attributes"]}
        _added[name] = {**section, "attributes": both}
    attribute_table.cache_clear()


def remove_kind(name: str) -> None:
    """Take a kind that was added out of the table again, with its series."""
    _added.pop(name, None)
    for section in _added.values():
        section["attributes"] = {k: row for k, row in section["attributes"].items() if row.get("of") != name}
    attribute_table.cache_clear()
