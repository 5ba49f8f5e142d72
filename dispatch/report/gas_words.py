"""What is said of biogas plants and the gas network under a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.report.words import money, number, percent, plural

if TYPE_CHECKING:
    from dispatch.report.gas_totals import GasTotals
    from dispatch.report.outcome import Outcome


def gas_sentences(outcome: Outcome, gas: GasTotals) -> tuple[str, ...]:
    """Say where the gas went, what held it back, and what pressures are like.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.
    gas : GasTotals
        Its gas figures.
    """
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
    if gas.plants and np.isfinite(gas.bill_uncontrolled - gas.bill):
        said.append(_said_of_money(gas, outcome.currency))
    return tuple(said)


def _said_of_money(gas: GasTotals, currency: str) -> str:
    """Say what owners of plants earn or pay, electricity included, and what it is compared with."""
    earn, than = ("earn", "more") if gas.bill < 0 else ("pay", "less")
    more = gas.bill_uncontrolled - gas.bill
    than = than if more >= 0 else {"more": "less", "less": "more"}[than]
    beside = f"{'cost' if gas.cost > 0 else 'earn'} {money(abs(gas.cost), currency)} beside electricity"
    said = f"Owners of plants {earn} {money(abs(gas.bill), currency)} with their electricity (the plants {beside}),"
    said += f" {money(abs(more), currency)} {than} than without control"
    said += "" if more >= 0 else ", which keeps to no limit of the electric network and of pressures"
    return f"{said}{_said_of_accounts(gas, currency)}."


def _said_of_accounts(gas: GasTotals, currency: str) -> str:
    """Say what gas accounts are settled for, which is on no bill."""
    told = ([entry.get(name) for entry in gas.accounts] for name in ("cost", "cost_uncontrolled"))
    settled = [sum(cost if isinstance(cost, float) else np.nan for cost in costs) for costs in told]
    if not gas.accounts or not np.isfinite(settled).all():
        return ""
    does = [f"{'costs' if amount > 0 else 'earns'} {money(abs(amount), currency)}" for amount in settled]
    return f"; settling gas accounts {does[0]} beside that, without control it {does[1]}"


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
    if gas.share_limited_h > 0:
        said.append(f"Limits of the biomethane share hold injection back in {number(gas.share_limited_h, 2)} h.")
    elif gas.uptake_limited_h == 0 and outcome.count("upgrader"):
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
