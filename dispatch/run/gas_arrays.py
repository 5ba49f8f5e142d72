"""What a result says about biogas plants and the gas network, as arrays in the order of the feeder's own elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.gas_network import gas_network_of
from dispatch.case.schema import columns
from dispatch.model.accounts import paid, settle
from dispatch.model.gas_zones import zones_of_case

if TYPE_CHECKING:
    from dispatch.case.offsets import Offsets
    from dispatch.model.plant_baseline import PlantBaseline
    from dispatch.run.gas_quality import GasQuality
    from dispatch.run.rounds import Rounds
    from dispatch.run.state import State
    from dispatch.solve.solution import Prices

OF_PLANTS = {
    "substrate": ("feed", "gas_rate"),
    "plant": ("holder", "flow_flare", "flow_boiler", "heat_stored", "heat_missing"),
    "chp": ("p_chp",),
    "upgrader": ("flow_raw", "gas_injected"),
    "gate": ("gas_gate",),
    "regulator": ("gas_regulator",),
    "compressor": ("gas_compressor",),
}


def placed(feeder: Rounds, plan: np.ndarray, component: str, name: str) -> np.ndarray:
    """Values of a component's variable for all elements of its kind in the case.

    Parameters
    ----------
    feeder : Rounds
        The feeder.
    plan : ndarray (column,)
        Of its program.
    component, name : str
        The variable.

    Returns
    -------
    ndarray (element, step)
        NaN where the element has none.
    """
    elements = feeder.inputs.kinds.get(component)
    found = np.full((len(columns(feeder.case, component)["id"]), feeder.inputs.steps), np.nan)
    if elements is not None and elements.count:
        found[elements.index] = plan[feeder.program.column(component, name)]
    return found


def gas_arrays(feeder: Rounds, plan: np.ndarray) -> dict[str, np.ndarray]:
    """Set-points and states of plants and of the gas network.

    Parameters
    ----------
    feeder : Rounds
        The feeder.
    plan : ndarray (column,)
        Of its program.

    Returns
    -------
    dict of str to ndarray
        Part of /schedule; empty in a feeder without plants.
    """
    kinds = feeder.inputs.kinds
    if "plant" not in kinds:
        return {}
    found = {n: placed(feeder, plan, k, n) for k, names in OF_PLANTS.items() if k in kinds for n in names}
    if "undelivered" in kinds and kinds["undelivered"].count:
        found["gas_undelivered"] = _undelivered(feeder, plan)
    found["cost_plant"] = _costs(feeder, plan)
    if "account" in kinds:
        found |= _accounts(feeder, plan)
    if "zone" in kinds:
        gates = kinds["gate"].count
        zones = zones_of_case(feeder.case, gas_network_of(feeder.case))
        whole = zones.junction < 0
        linepack = np.full((gates + len(columns(feeder.case, "regulator")["id"]), feeder.inputs.steps), np.nan)
        linepack[zones.holder[whole]] = plan[feeder.program.column("zone", "linepack")[whole]]
        found |= {"linepack_gate": linepack[:gates], "linepack_regulator": linepack[gates:]}
    return found


def _undelivered(feeder: Rounds, plan: np.ndarray) -> np.ndarray:
    """Demand that no pressure carries, at each junction."""
    found = np.zeros((len(columns(feeder.case, "junction")["id"]), feeder.inputs.steps))
    found[feeder.inputs.kinds["undelivered"].index] = plan[feeder.program.column("undelivered", "gas_undelivered")]
    return found


def _accounts(feeder: Rounds, plan: np.ndarray) -> dict[str, np.ndarray]:
    """Add up what goes into accounts and out of them, and what is settled."""
    account = feeder.inputs.kinds["account"]
    found = {n: placed(feeder, plan, "account", n) for n in ("account_balance", "gas_bought", "gas_sold")}
    deposited = _deposited(feeder, plan[feeder.program.column("upgrader", "gas_injected")])
    withdrawn = np.array(np.broadcast_to(account.parameters["withdrawn"], deposited.shape))
    cost = paid(account, found["gas_bought"], found["gas_sold"])
    return found | {"gas_deposited": deposited, "gas_withdrawn": withdrawn, "cost_account": cost}


def _deposited(feeder: Rounds, injected: np.ndarray) -> np.ndarray:
    """Add up what upgraders inject into accounts."""
    account, deposit = feeder.inputs.kinds["account"], feeder.inputs.kinds["deposit"]
    found = np.zeros((account.count, feeder.inputs.steps))
    np.add.at(found, deposit.nodes["account"][1], injected[deposit.nodes["upgrader"][1]])
    return found


def uncontrolled_gas_arrays(feeder: Rounds, plants: PlantBaseline) -> dict[str, np.ndarray]:
    """Say what plants do without control, and what their accounts then settle.

    Parameters
    ----------
    feeder : Rounds
        The feeder.
    plants : PlantBaseline
        What they do.

    Returns
    -------
    dict of str to ndarray
        Part of /schedule.
    """
    found = {f"{n}_uncontrolled": getattr(plants, n) for n in ("p_chp", "gas_injected", "flow_flare")}
    found["cost_plant_uncontrolled"] = plants.cost
    account = feeder.inputs.kinds.get("account")
    if account is not None:
        bought, sold = settle(account, _deposited(feeder, plants.gas_injected), feeder.inputs.dt)
        found |= {"gas_bought_uncontrolled": bought, "gas_sold_uncontrolled": sold}
        found["cost_account_uncontrolled"] = paid(account, bought, sold)
    return found


def _costs(feeder: Rounds, plan: np.ndarray) -> np.ndarray:
    """Cost of each plant: that of all columns of itself and of what names it."""
    kinds = feeder.inputs.kinds
    cost = feeder.program.cost * plan
    total = np.zeros(kinds["plant"].count)
    for span in feeder.program.columns:
        if span.component in {"substrate", "plant", "chp", "upgrader"} and span.count:
            own = span.component == "plant"
            at = np.arange(span.count) if own else kinds[span.component].nodes["plant"][1]
            total += np.bincount(at, cost[span.start : span.stop].reshape(span.count, -1).sum(axis=1), len(total))
    return total


def gas_prices(feeder: Rounds, prices: Prices) -> dict[str, np.ndarray]:
    """Price gas at each junction: what one more kWh taken there would cost.

    Parameters
    ----------
    feeder : Rounds
        The feeder.
    prices : Prices
        Of its last program.

    Returns
    -------
    dict of str to ndarray
        Part of /price; empty in a feeder whose plants inject nowhere.
    """
    if "zone" not in feeder.inputs.kinds:
        return {}
    # One more kW taken for a step lowers the right-hand side of the zone's balance by dt.
    of_zone = -prices.rows[feeder.program.row("zone", "balance")]
    zone = zones_of_case(feeder.case, gas_network_of(feeder.case)).of_junction
    found = np.full((len(zone), feeder.inputs.steps), np.nan)
    found[zone >= 0] = of_zone[zone[zone >= 0]]
    arrays = {"marginal_price_gas": found, **_limit_prices(feeder, prices)}
    if "account" in feeder.inputs.kinds:
        arrays["price_account"] = -prices.rows[feeder.program.row("account", "balance")]
    return arrays


def _limit_prices(feeder: Rounds, prices: Prices) -> dict[str, np.ndarray]:
    """Prices of the pressure limits that are stated."""
    kinds, found = feeder.inputs.kinds, {}
    stated = [(("gas_limit", e), k) for e, (name, k) in enumerate(feeder.stated_limits) if name == "pressure"]
    if "pressure_limit" in kinds:
        stated += [(("pressure_limit", e), k) for e, k in enumerate(kinds["pressure_limit"].index.tolist())]
    if not stated and "gas_limit" not in kinds:
        return {}
    for side, name in (("most", "price_pressure_max"), ("least", "price_pressure_min")):
        found[name] = np.full((len(columns(feeder.case, "junction")["id"]), feeder.inputs.steps), np.nan)
        for (kind, e), k in stated:
            found[name][k] = np.abs(prices.rows[feeder.program.row(kind, side)[e]]) / feeder.inputs.dt
    shares = [(e, k) for e, (name, k) in enumerate(feeder.stated_limits) if name == "share"]
    if shares:
        found["price_share_max"] = np.full((len(columns(feeder.case, "junction")["id"]), feeder.inputs.steps), np.nan)
        for e, k in shares:
            row = feeder.program.row("gas_limit", "most")[e]
            found["price_share_max"][k] = np.abs(prices.rows[row]) / feeder.inputs.dt
    return found


def gas_state_arrays(feeder: Rounds, state: State, quality: GasQuality | None) -> dict[str, np.ndarray]:
    """Steady state of the gas network under the schedule.

    Parameters
    ----------
    feeder : Rounds
        The feeder.
    state : State
        Its state.
    quality : GasQuality or None
        Of the gas under the schedule.

    Returns
    -------
    dict of str to ndarray
        Part of /schedule; empty in a feeder whose plants inject nowhere.
    """
    if state.gas is None or quality is None:
        return {}
    steady = state.gas.state
    return {
        **_packed(feeder, steady.pressure),
        "pressure": steady.pressure,
        "pressure_linear": state.gas.linear["pressure"],
        "flow_pipe": steady.flow_pipe,
        "flow_gate": steady.flow_gate,
        "flow_regulator": steady.flow_regulator,
        "biomethane_share": quality.share,
        "calorific_value": quality.calorific_value,
        "wobbe_index": quality.wobbe_index,
    }


def _packed(feeder: Rounds, pressure: np.ndarray) -> dict[str, np.ndarray]:
    """Gas in the pipes of levels above 4 bar gauge at the end of each step, and before the first."""
    if feeder.gas is None or feeder.gas.levels is None:
        return {}
    levels, pipes, energy = feeder.gas.levels, len(feeder.gas.network.pipe_from), feeder.gas.energy
    initial = levels.by_pipe(levels.initial[:, None], pipes)[:, 0]
    return {"linepack_pipe": energy * levels.by_pipe(pressure, pipes), "linepack_pipe_initial": energy * initial}


def gas_offset_arrays(offsets: Offsets) -> dict[str, np.ndarray]:
    """Limits of the gas network that the last program states, and what it holds to run or not.

    Parameters
    ----------
    offsets : Offsets
        Of the last program.

    Returns
    -------
    dict of str to ndarray
        Part of /offset.
    """
    found = {f"on_{kind}": on for kind, on in offsets.on.items()}
    for name, limit in offsets.gas.items():
        found[name] = limit.constant
        if limit.by_injection.shape[1]:
            found[f"{name}_by_injection"] = limit.by_injection
        if name != "flow_regulator" and limit.by_regulator.shape[1]:
            found[f"{name}_by_regulator"] = limit.by_regulator
        found[f"{name}_by_linepack"] = limit.by_linepack
        if limit.by_compressor.shape[1]:
            found[f"{name}_by_compressor"] = limit.by_compressor
        if name == "share":
            found["share_by_gate"] = limit.by_gate
    if offsets.point is not None:
        point = offsets.point
        found |= {"pressure_about": point.pressure, "flow_about": point.flow, "pressure_initial": point.initial}
        found["pressure_final"] = point.final
        if point.starved.any():
            found["demand_most"] = point.starved
        if np.isfinite(point.reach):
            found["pressure_reach"] = np.full(len(point.initial), point.reach)
    return found
