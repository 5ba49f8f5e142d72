"""What biogas plants and the gas network do under a schedule: sums, hours and extremes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import positions
from dispatch.model.components.plant import LOWER
from dispatch.report.words import money, number, percent, plural

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome

PRICED = -1e-6
"""Below this gas price a zone takes no more. [currency/kWh]"""


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


def _junctions(outcome: Outcome) -> np.ndarray:
    at = positions(outcome.tables["junction"]["id"], outcome.tables["plant"]["junction"])
    return at[at >= 0]


def _least(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.min()) if known.size else np.nan


def gas_sentences(outcome: Outcome, gas: GasTotals) -> tuple[str, ...]:
    """Say where the gas went, what held it back, and what pressures are like.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.
    gas : GasTotals
        Its gas figures.
    """
    currency = outcome.currency
    said = _said_of_plants(outcome, gas) if gas.plants else [_said_of_gates(gas)]
    if outcome.count("compressor"):
        said.append(f"Compressors lift {number(gas.lifted_kwh / 1000, 2)} MWh to a higher level.")
    if np.isfinite(gas.pressure_min):
        pressures = f"Gas pressure {number(gas.pressure_min, 3)} to {number(gas.pressure_max, 3)} bar (absolute)"
        error = f"{number(1000 * gas.pressure_error_max, 2)} mbar"
        known = np.isfinite(gas.pressure_error_max)
        said.append(f"{pressures}; the program takes it for at most {error} else." if known else f"{pressures}.")
    if np.isfinite(gas.linepack_min_kwh):
        said.append(_said_of_linepack(outcome, gas))
    if quality := outcome.notes.get("gas_quality"):
        said.append(str(quality))
    more = gas.cost_uncontrolled - gas.cost
    if gas.plants and np.isfinite(more):
        earn, than = ("earn", "more") if gas.cost < 0 else ("cost", "less")
        than = than if more >= 0 else {"more": "less", "less": "more"}[than]
        amounts = money(abs(gas.cost), currency), money(abs(more), currency)
        said.append(f"Plants {earn} {amounts[0]} beside their electricity, {amounts[1]} {than} than without control.")
    return tuple(said)


def _said_of_gates(gas: GasTotals) -> str:
    """Say what a gas network without plants carries."""
    taken, came = (number(value / 1000, 2) for value in (gas.taken_kwh, gas.gates_kwh))
    return f"No biogas plant: consumers take {taken} MWh of gas, gates let {came} MWh in."


def _said_of_plants(outcome: Outcome, gas: GasTotals) -> list[str]:
    """Say where raw gas went and what held injection back."""
    currency = outcome.currency

    def share(raw: float) -> str:
        return percent(raw / gas.raw_m3)

    parts = [f"{share(gas.raw_engines_m3)} burnt for {number(gas.p_chp_kwh / 1000, 2)} MWh of electricity"]
    if outcome.count("upgrader"):
        town = f", {percent(gas.injected_kwh / gas.taken_kwh)} of what consumers take" if gas.taken_kwh > 0 else ""
        parts.append(f"{share(gas.raw_upgraded_m3)} injected as {number(gas.injected_kwh / 1000, 2)} MWh{town}")
    parts.append(f"{share(gas.raw_flared_m3)} flared")
    said = [f"{plural(gas.plants, 'biogas plant')}, {number(gas.raw_m3, 0)} m³ of raw gas: {'; '.join(parts)}."]
    if gas.uptake_limited_h > 0:
        hours, worth = number(gas.uptake_limited_h, 2), number(-gas.price_min, 4)
        said.append(f"The gas network takes no more in {hours} h; one more kWh taken saves up to {worth} {currency}.")
    elif outcome.count("upgrader"):
        said.append("The gas network takes all biomethane in every hour.")
    return said


def _said_of_linepack(outcome: Outcome, gas: GasTotals) -> str:
    """Say what pipes above 4 bar gauge hold, and how near the program's pressures are to those under its schedule."""
    least, most = (number(value / 1000, 2) for value in (gas.linepack_min_kwh, gas.linepack_max_kwh))
    more = (gas.linepack_end_kwh - gas.linepack_initial_kwh) / 1000
    end = f"{number(abs(more), 2)} MWh {'more' if more >= 0 else 'less'} at the end than at first"
    said = f"Pipes above 4 bar (gauge) hold {least} to {most} MWh, {end}"
    error, moved = (outcome.notes.get(f"pressure_{name}") for name in ("error_max", "step_last"))
    if not isinstance(error, float) or not isinstance(moved, float):
        return f"{said}."
    rounds = number(float(np.nanmax(outcome.certificate["rounds"])), 0)
    near = f"{number(1000 * error, 2)} mbar of those under the schedule after {rounds} rounds"
    return f"{said}; the program's pressures are within {near} (last step {number(1000 * moved, 2)} mbar)."
