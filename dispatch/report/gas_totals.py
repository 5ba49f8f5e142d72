"""What biogas plants and the gas network do under a schedule: sums, hours and extremes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import positions
from dispatch.model.components.plant import LOWER

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome

PRICED = -1e-6
"""Below this gas price a zone takes no more. [currency/kWh]"""
SHARE_PRICED = 1e-6
"""Above this price a limit of the biomethane share holds something back. [currency/h]"""


@dataclass(frozen=True)
class GasDay:
    """What happens to gas in each step, all plants and zones together.

    Attributes
    ----------
    engines, upgraded, boilers, flared : ndarray (step,)
        Raw gas. [m3 h-1]
    holder : ndarray (step,)
        Raw gas in all holders. [m3]
    injected, injected_uncontrolled, taken : ndarray (step,)
        Biomethane injected, with and without control, and what consumers take less other injections, as gas of the
        network. [m3 h-1]
    """

    engines: np.ndarray
    upgraded: np.ndarray
    boilers: np.ndarray
    flared: np.ndarray
    holder: np.ndarray
    injected: np.ndarray
    injected_uncontrolled: np.ndarray
    taken: np.ndarray


@dataclass(frozen=True)
class GasTotals:
    """The gas figures of a run, as ``--json`` prints them; NaN where something is not known.

    Attributes
    ----------
    plants : int
        How many there are.
    raw_m3, raw_engines_m3, raw_upgraded_m3, raw_boilers_m3, raw_flared_m3, raw_held_m3 : float
        Raw gas that came, and where it went; into holders less than nothing where they are emptier at the end. [m3]
    p_chp_kwh, p_chp_uncontrolled_kwh : float
        Electricity of engines, with and without control. [kWh]
    injected_kwh, injected_uncontrolled_kwh, taken_kwh, gates_kwh, lifted_kwh : float
        Biomethane injected, what consumers take less other injections, what gates let in, and what compressors lift, at
        the higher heating value. [kWh]
    flared_uncontrolled_m3 : float
        Raw gas flared without control. [m3]
    uptake_limited_h : float
        Hours in which the zone of some plant takes no more (its gas price is below zero). [h]
    share_limited_h : float
        Hours in which a limit of the biomethane share has a price. [h]
    price_min : float
        Lowest gas price at the plants' junctions. [currency/kWh]
    pressure_min, pressure_max : float
        Lowest and highest pressure in the zones with a plant. [bar]
    pressure_error_max : float
        Largest difference of the program's pressures and those under its schedule. [bar]
    linepack_initial_kwh, linepack_min_kwh, linepack_max_kwh, linepack_end_kwh : float
        Gas in pipes above 4 bar gauge before the first step, least and most after a step, and at the end; NaN without
        such pipes. [kWh]
    cost, cost_uncontrolled : float
        Of all plants, without what is on their meters' bills. [currency]
    bill, bill_uncontrolled : float
        Of the prosumers that own plants, with all that is behind their meters. [currency]
    accounts : tuple of dict
        Statement of each account and balancing period, see `dispatch.run.statements.account_statements`.
    """

    plants: int
    raw_m3: float
    raw_engines_m3: float
    raw_upgraded_m3: float
    raw_boilers_m3: float
    raw_flared_m3: float
    raw_held_m3: float
    p_chp_kwh: float
    p_chp_uncontrolled_kwh: float
    injected_kwh: float
    injected_uncontrolled_kwh: float
    taken_kwh: float
    gates_kwh: float
    lifted_kwh: float
    flared_uncontrolled_m3: float
    uptake_limited_h: float
    share_limited_h: float
    price_min: float
    pressure_min: float
    pressure_max: float
    pressure_error_max: float
    linepack_initial_kwh: float
    linepack_min_kwh: float
    linepack_max_kwh: float
    linepack_end_kwh: float
    cost: float
    cost_uncontrolled: float
    bill: float
    bill_uncontrolled: float
    accounts: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """Figures by name."""
        return asdict(self)


def gas_day(outcome: Outcome) -> GasDay:
    """Sum up gas in each step.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result with plants.

    Returns
    -------
    GasDay
    """
    s, chp, plant = outcome.series, outcome.tables["chp"], outcome.tables["plant"]
    share = np.append(plant["methane_share"], np.nan)[positions(plant["id"], chp["plant"])] if len(chp["id"]) else 1.0
    raw = s["p_chp"] / (chp.get("efficiency_electric", np.zeros(0)) * LOWER * share)[:, None]
    energy = outcome.heating_value
    taken = np.zeros(outcome.steps)
    for kind, sign in (("consumer", 1.0), ("injection", -1.0)):
        flow = s[f"flow_{kind}"].astype(float)
        nominal = outcome.tables[kind]["flow_nom"] if outcome.count(kind) else np.zeros(0)
        taken += sign * np.where(np.isnan(flow), nominal[:, None], flow).sum(axis=0)
    return GasDay(
        engines=raw.sum(axis=0),
        upgraded=s["flow_raw"].sum(axis=0),
        boilers=s["flow_boiler"].sum(axis=0),
        flared=s["flow_flare"].sum(axis=0),
        holder=s["holder"].sum(axis=0),
        injected=s["gas_injected"].sum(axis=0) / energy,
        injected_uncontrolled=s["gas_injected_uncontrolled"].sum(axis=0, dtype=float) / energy,
        taken=taken,
    )


def gas_totals(outcome: Outcome) -> GasTotals | None:
    """Figures of the gas side of a run.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.

    Returns
    -------
    GasTotals or None
        None in a case without plants and gas network.
    """
    known = outcome.count("plant") or np.isfinite(outcome.series["pressure"]).any()
    if not known or not outcome.steps:
        return None
    day, s, dt = gas_day(outcome), outcome.series, outcome.dt
    plant, energy = outcome.tables["plant"], outcome.heating_value
    start = np.where(np.isnan(plant["holder_initial"]), plant["holder_nom"] / 2, plant["holder_initial"])
    held = float(day.holder[-1] - start.sum())
    out = {name: dt * float(getattr(day, name).sum()) for name in ("engines", "upgraded", "boilers", "flared")}
    pack = linepack(outcome)
    price, pressure = gas_price_at_plants(outcome), s["pressure"][in_plant_zones(outcome)]
    owners = _owners(outcome)
    return GasTotals(
        plants=outcome.count("plant"),
        raw_m3=sum(out.values()) + held,
        **{f"raw_{name}_m3": value for name, value in out.items()},
        raw_held_m3=held,
        p_chp_kwh=dt * float(s["p_chp"].sum()),
        p_chp_uncontrolled_kwh=dt * float(s["p_chp_uncontrolled"].sum(dtype=float)),
        injected_kwh=dt * energy * float(day.injected.sum()),
        injected_uncontrolled_kwh=dt * energy * float(day.injected_uncontrolled.sum()),
        taken_kwh=dt * energy * float(day.taken.sum()),
        gates_kwh=dt * float(s["gas_gate"].sum()),
        lifted_kwh=dt * float(np.nansum(s["gas_compressor"], dtype=float)),
        flared_uncontrolled_m3=dt * float(s["flow_flare_uncontrolled"].sum(dtype=float)),
        uptake_limited_h=dt * float((price < PRICED).any(axis=0).sum()),
        share_limited_h=dt * float((s["price_share_max"] > SHARE_PRICED).any(axis=0).sum()),
        price_min=_least(price),
        pressure_min=_least(pressure),
        pressure_max=-_least(-pressure),
        pressure_error_max=_pressure_error(outcome),
        linepack_initial_kwh=float(np.nansum(s["linepack_pipe_initial"])) if np.isfinite(pack).any() else np.nan,
        linepack_min_kwh=_least(pack),
        linepack_max_kwh=-_least(-pack),
        linepack_end_kwh=float(pack[-1]),
        cost=float(s["cost_plant"].sum()),
        cost_uncontrolled=float(s["cost_plant_uncontrolled"].sum()),
        bill=float(s["cost"][owners].sum()),
        bill_uncontrolled=float(s["cost_uncontrolled"][owners].sum()),
        accounts=outcome.accounts,
    )


def _pressure_error(outcome: Outcome) -> float:
    error = outcome.notes.get("pressure_error_max")
    return float(error) if isinstance(error, float) else np.nan


def gas_price_at_plants(outcome: Outcome) -> np.ndarray:
    """Gas price at the junctions of all plants that inject, (plant, step). [currency/kWh]."""
    at = _junctions(outcome)
    return np.asarray(outcome.series["marginal_price_gas"][at], float)


def linepack(outcome: Outcome) -> np.ndarray:
    """Gas in all pipes above 4 bar gauge at the end of each step; NaN without such pipes, (step,). [kWh]."""
    held = outcome.series["linepack_pipe"]
    own = np.isfinite(held).all(axis=1)
    return held[own].sum(axis=0) if own.any() else np.full(outcome.steps, np.nan)


def in_plant_zones(outcome: Outcome) -> np.ndarray:
    """Whether each junction is in a zone with a plant, in a case without plants in any, (junction,)."""
    zone = outcome.gas_zone
    if not outcome.count("plant"):
        return np.ones(len(zone), bool)
    return np.isin(zone, zone[_junctions(outcome)])


def _owners(outcome: Outcome) -> np.ndarray:
    """Prosumers that own plants, each once."""
    meter, plant = outcome.tables["meter"], outcome.tables["plant"]
    owner = positions(outcome.tables["prosumer"]["id"], meter["prosumer"])
    return np.unique(owner[positions(meter["id"], plant["meter"])])


def _junctions(outcome: Outcome) -> np.ndarray:
    at = positions(outcome.tables["junction"]["id"], outcome.tables["plant"]["junction"])
    return at[at >= 0]


def _least(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.min()) if known.size else np.nan
