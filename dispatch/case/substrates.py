"""What substrates give where a case does not say: by their kind, each number with its source."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatch.case.schema import Columns

PARTS = ("dry_matter", "organic_share", "methane_potential")
"""Their product is the methane of a tonne of fresh matter."""
TAU = 72.0
"""Time constant of what is of no kind. [h]"""


@dataclass(frozen=True)
class Substrate:
    """A kind of substrate.

    Attributes
    ----------
    description : str
        What it is.
    values : mapping of str to float
        `dry_matter`, `organic_share` [1], `methane_potential` [m3 t-1] and `tau` [h].
    sources : mapping of str to str
        Where each value comes from.
    """

    description: str
    values: Mapping[str, float]
    sources: Mapping[str, str]


@cache
def substrate_kinds() -> Mapping[str, Substrate]:
    """Every kind of substrate by name."""
    held = tomllib.loads(resources.files(__package__).joinpath("substrates.toml").read_text(encoding="utf-8"))
    found = {}
    for name, rows in held["kinds"].items():
        numbers = {n: row for n, row in rows.items() if n != "description"}
        values = {n: float(row["value"]) for n, row in numbers.items()}
        sources = {n: held["sources"][row["source"]] for n, row in numbers.items()}
        found[name] = Substrate(rows["description"], MappingProxyType(values), MappingProxyType(sources))
    return MappingProxyType(found)


def known(table: Columns, name: str) -> np.ndarray:
    """Values of an attribute, those of the kind where it is not given; NaN where neither is.

    Parameters
    ----------
    table : Columns
        Of the case's substrates.
    name : str
        `dry_matter`, `organic_share`, `methane_potential` or `tau`.

    Returns
    -------
    ndarray (substrate,)
    """
    of = {kind.encode(): substrate.values[name] for kind, substrate in substrate_kinds().items()}
    by_kind = np.array([of.get(bytes(kind), np.nan) for kind in table["kind"]])
    return np.where(np.isnan(table[name]), by_kind, table[name])


def methane_yields(table: Columns) -> np.ndarray:
    """Methane of a tonne of fresh matter: as given, else the product of its parts. [m3 t-1].

    Returns
    -------
    ndarray (substrate,)
        NaN where a part is not known.
    """
    product = np.prod([known(table, name) for name in PARTS], axis=0)
    return np.where(np.isnan(table["methane_yield"]), product, table["methane_yield"])


def taus(table: Columns) -> np.ndarray:
    """Time constants: as given, those of the kind, else 72 h. [h]."""
    found = known(table, "tau")
    return np.where(np.isnan(found), TAU, found)
