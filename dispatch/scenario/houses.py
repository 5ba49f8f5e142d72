"""Which loads are houses, what they use in a year, and the random numbers each of them draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import Columns, positions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dispatch.scenario.library import Library

HOURS = 8760.0
GAS_TYPICAL = 2400.0  # m3 a year of a one-family house, the town's mean
USE_TYPICAL = 3500.0  # kWh a year of a German three-person household
LARGE_KW, LARGE_KWH = 10.0, 15_000.0  # beyond these a load stands for several households
HOURS_HOUSE, HOURS_LARGE = 1700.0, 3000.0  # full-load hours of the design value in a planning network
SPREAD = 0.35  # standard deviation of the logarithm of yearly use
DIGITS = 3  # of yearly use in kWh: exponentials differ in the last bit from processor to processor, cases must not

# One stream of random numbers for each purpose: adding a purpose leaves the draws of all others as they are.
PURPOSES = (
    "use",
    "archetype",
    "shift",
    "pv",
    "pv_size",
    "roof",
    "azimuth",
    "tilt",
    "shape",
    "heat_pump",
    "heat",
    "pump",
    "old_pv",
    "car",
    "leaves",
    "returns",
    "trip",
)


@dataclass(frozen=True)
class Houses:
    """Households of a case, one a load; arrays in the order of the load table.

    Attributes
    ----------
    load, meter, prosumer : ndarray (house,) of int32
        Position of its load, meter and prosumer.
    id : ndarray (house,) of bytes
        Id of its load.
    energy : ndarray (house,)
        Yearly use without a heat pump. [kW h]
    heat : ndarray (house,)
        Yearly heat demand. [kW h]
    """

    load: np.ndarray
    meter: np.ndarray
    prosumer: np.ndarray
    id: np.ndarray
    energy: np.ndarray
    heat: np.ndarray


def draw(ids: np.ndarray, seed: int, purpose: str, *, normal: bool = False) -> np.ndarray:
    """One random number for each house.

    Parameters
    ----------
    ids : ndarray (house,) of bytes
        Numbers are dealt in the order of the ids, so that the order of the rows does not matter.
    seed : int
        Of the scenario.
    purpose : str
        One of `PURPOSES`; each has a PCG64 stream of its own.
    normal : bool
        Standard normal instead of uniform on [0, 1).

    Returns
    -------
    ndarray (house,)
    """
    stream = np.random.Generator(np.random.PCG64([seed, PURPOSES.index(purpose)]))
    values = stream.standard_normal(len(ids)) if normal else stream.random(len(ids))
    dealt = np.empty(len(ids))
    dealt[np.argsort(ids, kind="stable")] = values
    return dealt


def first_ones(first: np.ndarray, order: np.ndarray, share: float) -> np.ndarray:
    """Choose a share of the houses, those that already have the thing included.

    Parameters
    ----------
    first : ndarray (house,) of bool
        Houses that have it already; they are never un-chosen.
    order : ndarray (house,)
        The others follow in this order, so that a larger share only adds houses.
    share : float
        Part of all houses. [1]

    Returns
    -------
    ndarray (house,) of bool
        ``max(round(share * houses), those that have it)`` are true.
    """
    chosen = first.copy()
    ranked = np.lexsort((order, ~first))
    chosen[ranked[: round(share * len(first))]] = True
    return chosen


def houses_of(tables: Mapping[str, Columns], library: Library, seed: int) -> Houses:
    """Find the houses of a case and their yearly use.

    A house is a load of kind ``household``, or of kind ``other`` with ``p_nom`` above 0. Its yearly use is, in this
    order: its part of ``energy_year`` of its prosumer (by ``p_nom``); ``p_nom`` times the mean of its own profile;
    from the gas it uses, ``3,500 (gas_year / 2,400)**0.3 * spread``; from its design value, ``1,700 h * p_nom *
    spread`` (above 10 kW ``3,000 h * p_nom``, without spread). ``spread`` is lognormal with mean 1 and a standard
    deviation of the logarithm of 0.35. Heat is 9 kWh for each m3 of gas (10 kWh/m3 through a boiler of 90 %), or
    ``18,000 kWh * (use / 3,500)**0.5`` where the gas is not known. Both are rounded to 1 Wh.

    Parameters
    ----------
    tables : mapping of str to Columns
        The case's tables.
    library : Library
        Holds the means of its profiles.
    seed : int
        Of the scenario.

    Returns
    -------
    Houses
    """
    load, meter, prosumer = tables["load"], tables["meter"], tables["prosumer"]
    is_house = (load["kind"] == b"household") | ((load["kind"] == b"other") & (load["p_nom"] > 0))
    rows = np.nonzero(is_house)[0]
    ids, p_nom = load["id"][rows], load["p_nom"][rows]
    at_meter = positions(meter["id"], load["meter"][rows])
    owner = positions(prosumer["id"], meter["prosumer"][at_meter])
    gas, known = prosumer["gas_year"][owner], prosumer["energy_year"][owner]
    spread = np.exp(SPREAD * draw(ids, seed, "use", normal=True) - SPREAD**2 / 2)
    energy = np.where(p_nom > LARGE_KW, HOURS_LARGE * p_nom, HOURS_HOUSE * p_nom * spread)
    with np.errstate(invalid="ignore"):
        energy = np.where(gas > 0, USE_TYPICAL * (gas / GAS_TYPICAL) ** 0.3 * spread, energy)
    at = positions(library.id, load["profile"][rows])
    energy = np.where(at >= 0, p_nom * library.mean[at] * HOURS, energy)
    total = np.bincount(owner, p_nom, len(prosumer["id"]))[owner]
    part = np.divide(p_nom, total, out=np.ones_like(p_nom), where=total > 0)
    energy = np.round(np.where(np.isfinite(known), known * part, energy), DIGITS)
    heat = np.where(gas > 0, 9.0 * np.nan_to_num(gas), 18_000.0 * (energy / USE_TYPICAL) ** 0.5)
    return Houses(rows, at_meter, owner, ids, energy, np.round(heat, DIGITS))
