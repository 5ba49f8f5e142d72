"""PV systems, batteries and heat pumps of the chosen houses, as columns of their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.scenario.houses import HOURS, LARGE_KWH, USE_TYPICAL, Houses, draw

if TYPE_CHECKING:
    from dispatch.case.schema import Columns
    from dispatch.scenario.library import Library

PV_PER_MWH = 2.0  # kWp for each MWh of yearly use, for a house of typical use
PV_SPREAD = 0.25  # standard deviation of the logarithm of a system's size
SOUTH_SHARE = 0.7  # of the systems have one plane towards the south; the others an eastern and a western half
BATTERY_PER_KWP, BATTERY_PER_MWH = 1.2, 2.5  # kWh, the smaller of both
COP = 3.2  # yearly heat over electricity of a heat pump
PUMP_Q = 0.2  # kvar per kW of a heat pump
ORIENTED = {b"PV_south", b"PV_east", b"PV_west", b"PV_east_west"}


def pv_sizes(houses: Houses, seed: int, mean_kw: float | None) -> np.ndarray:
    """Peak power that each house's PV has, or would have.

    ``2 kWp/MWh * sqrt(use * 3.5 MWh) * spread`` (7 kWp at 3,500 kWh), growing in proportion above 15 MWh; at least
    1 kWp and in steps of 0.1. ``spread`` is lognormal with median 1 and a standard deviation of the logarithm of 0.25.

    Parameters
    ----------
    houses : Houses
    seed : int
        Of the scenario.
    mean_kw : float, optional
        Mean over all houses, whether they have PV or not, to which the sizes are scaled. [kW]

    Returns
    -------
    ndarray (house,)
        [kW]
    """
    own = np.minimum(houses.energy, LARGE_KWH)
    size = PV_PER_MWH / 1000 * np.sqrt(own * USE_TYPICAL) * np.maximum(houses.energy / LARGE_KWH, 1.0)
    size = size * np.exp(PV_SPREAD * draw(houses.id, seed, "pv_size", normal=True))
    if mean_kw is not None and len(size):
        size = size * (mean_kw / size.mean())
    return np.asarray(np.maximum(np.round(size, 1), 1.0))


def pv_tables(houses: Houses, chosen: np.ndarray, size: np.ndarray, library: Library, seed: int) -> dict[str, Columns]:
    """PV systems of the chosen houses with their inverters and planes.

    Seven systems in ten have one plane (azimuth normal about 180 degree with 25, tilt about 35 with 7), three an
    eastern and a western half (about 90 and 270 with 15, tilt about 30 with 7). One inverter rated at the peak power
    of its planes. The shape follows the orientation where the library has the four shapes ``PV_south``, ``PV_east``,
    ``PV_west`` and ``PV_east_west`` (south-east of 155 and south-west of 205 degree count as east and west); otherwise
    any of the library's shapes whose names begin with ``PV`` is drawn.

    Parameters
    ----------
    houses : Houses
    chosen : ndarray (house,) of bool
        Who gets a system.
    size : ndarray (house,)
        Peak powers. [kW]
    library : Library
    seed : int
        Of the scenario.

    Returns
    -------
    dict of str to Columns
        ``pv``, ``inverter`` and ``plane``; ``pv`` has no meters yet.
    """
    one = draw(houses.id, seed, "roof") < SOUTH_SHARE
    turn, tilt = (draw(houses.id, seed, purpose, normal=True) for purpose in ("azimuth", "tilt"))
    azimuth = np.clip(np.where(one, 180 + 25 * turn, 90 + 15 * np.clip(turn, -3, 3)), 45, 315)
    tilt = np.clip(np.where(one, 35, 30) + 7 * tilt, 5, 60)
    shape = _pv_shape(houses, one, azimuth, library, seed)
    ids = np.char.add(houses.id, b"_pv")
    halves = np.repeat(np.arange(len(one)), np.where(one, 1, 2))[np.repeat(chosen, np.where(one, 1, 2))]
    second = np.append(False, halves[1:] == halves[:-1]) if len(halves) else np.zeros(0, bool)
    plane_azimuth = np.where(second, azimuth[halves] + 180, azimuth[halves])
    zeros, plane = np.zeros(chosen.sum()), attribute_table()["plane"].attributes
    return {
        "pv": {
            "id": ids[chosen],
            "p_nom": size[chosen],
            "q_nom": zeros,
            "profile": shape[chosen],
            "kind": np.full(len(zeros), b"pv"),
            "curtailable": np.ones(len(zeros), bool),
        },
        "inverter": {
            "id": ids[chosen],
            "pv": ids[chosen],
            "p_ac_nom": size[chosen],
            "efficiency": np.full(len(zeros), 0.96),
        },
        "plane": {
            "id": np.char.add(ids[halves], np.where(second, b"_w", np.where(one[halves], b"_s", b"_e"))),
            "inverter": ids[halves],
            "p_dc_nom": size[halves] * np.where(one[halves], 1.0, 0.5),
            "surface_tilt": tilt[halves],
            "surface_azimuth": plane_azimuth,
            **{name: np.full(len(halves), plane[name].default) for name in ("gamma_pdc", "losses", "u0", "u1")},
        },
    }


def _pv_shape(houses: Houses, one: np.ndarray, azimuth: np.ndarray, library: Library, seed: int) -> np.ndarray:
    named = np.char.startswith(library.id, b"PV")
    own = np.nonzero(named & ~np.isin(library.id, list(ORIENTED)))[0]
    if len(own) or not np.isin(list(ORIENTED), library.id).all():
        return np.asarray(library.id[library.pick(own, draw(houses.id, seed, "shape"), "PV")])
    facing = np.select([~one, azimuth < 155, azimuth > 205], [b"PV_east_west", b"PV_east", b"PV_west"], b"PV_south")
    return np.asarray(facing)


def shape_existing_pv(pv: Columns, library: Library, seed: int) -> None:
    """Give PV that the case has already a shape where it has none, in place; other generation stays constant.

    Parameters
    ----------
    pv : Columns
        ``profile`` of systems of kind ``pv`` without one is set: ``PV_south`` of the library, or any of the shapes
        whose names begin with ``PV`` that the case has itself.
    library : Library
    seed : int
        Of the scenario.
    """
    bare = (pv["kind"] == b"pv") & (pv["profile"] == b"")
    own = np.nonzero(np.char.startswith(library.id, b"PV") & ~np.isin(library.id, list(ORIENTED)))[0]
    shapes = own if len(own) else np.nonzero(library.id == b"PV_south")[0]
    at = library.pick(shapes, draw(pv["id"], seed, "old_pv")[bare], "PV")
    pv["profile"] = pv["profile"].astype(np.result_type(pv["profile"], library.id))
    pv["profile"][bare] = library.id[at]


def battery_table(houses: Houses, chosen: np.ndarray, size: np.ndarray, battery_hours: float) -> Columns:
    """Batteries of the chosen houses.

    Usable capacity is the smaller of 1.2 kWh for each kWp and 2.5 kWh for each MWh of yearly use, at least 2 kWh, in
    steps of 0.1; power is the capacity over `battery_hours`. Efficiency 95 % each way, half full at the start.

    Parameters
    ----------
    houses : Houses
    chosen : ndarray (house,) of bool
        Who gets a battery.
    size : ndarray (house,)
        Peak power of the house's PV. [kW]
    battery_hours : float
        [h]

    Returns
    -------
    Columns
        Of kind ``store``.
    """
    energy = np.minimum(BATTERY_PER_KWP * size, BATTERY_PER_MWH * houses.energy / 1000)
    energy = np.maximum(np.round(energy, 1), 2.0)[chosen]
    none, nothing = np.full(len(energy), np.nan), np.zeros(len(energy))
    return {
        "id": np.char.add(houses.id, b"_battery")[chosen],
        "kind": np.full(len(energy), b"battery"),
        "energy_nom": energy,
        "p_nom": energy / battery_hours,
        "p_discharge_nom": none,
        "efficiency_charge": np.full(len(energy), 0.95),
        "efficiency_discharge": np.full(len(energy), 0.95),
        "standing_loss": nothing,
        "wear_cost": np.full(len(energy), 0.02),
        "state_of_charge_initial": none,
        "state_of_charge_final": none,
        **dict.fromkeys(("leaves_at", "returns_at"), none),
        **dict.fromkeys(("energy_trip", "state_of_charge_leave", "heat_loss", "p_hot_water"), nothing),
    }


def heat_pump_table(houses: Houses, chosen: np.ndarray, library: Library, seed: int) -> Columns:
    """Heat pumps of the chosen houses without a tank, as loads.

    Yearly use is the house's heat over a yearly performance of 3.2. The shape is one of the library's whose name
    begins with ``Air_`` or ``Soil_``, moved by up to two hours either way; 0.2 kvar for each kW.

    Parameters
    ----------
    houses : Houses
    chosen : ndarray (house,) of bool
        Who gets a heat pump.
    library : Library
    seed : int
        Of the scenario.

    Returns
    -------
    Columns
        Of kind ``load``.
    """
    shapes = library.names(b"Air_", b"Soil_")
    at = library.pick(shapes, draw(houses.id, seed, "pump")[chosen], "heat pumps")
    shift = np.floor(17 * draw(houses.id, seed, "heat")[chosen]) / 4 - 2
    p_nom = houses.heat[chosen] / COP / HOURS / library.mean[at]
    return {
        "id": np.char.add(houses.id, b"_heat_pump")[chosen],
        "p_nom": p_nom,
        "q_nom": PUMP_Q * p_nom,
        "profile": library.id[at],
        "profile_shift": shift,
        "kind": np.full(len(at), b"heat_pump"),
    }
