"""What a result says about one feeder, as arrays in the order of the feeder's own elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.schema import as_bytes, columns
from dispatch.model.baseline import no_battery, prosumer_cost
from dispatch.model.plant_baseline import cost_of_owners
from dispatch.model.registry import DISCHARGING, STORES, own_components
from dispatch.run.gas_arrays import (
    gas_arrays,
    gas_offset_arrays,
    gas_prices,
    gas_state_arrays,
    placed,
    uncontrolled_gas_arrays,
)
from dispatch.solve.reinforced import reinforcement_bound
from dispatch.verify.excess import limits_ac

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.run.gas_quality import GasQuality
    from dispatch.run.rounds import Rounds
    from dispatch.run.state import State
    from dispatch.solve.certificate import Certificate
    from dispatch.solve.solution import Prices

Groups = dict[str, dict[str, Any]]
OF_SUM = (
    "objective", "objective_relaxation", "lower_bound", "gap", "gap_relaxation", "repair_cost", "rows", "columns",
    "entries", "meters_by_program",
)  # fmt: skip
"""Figures of a program that stand once where several sources share it."""


def uncontrolled_arrays(feeder: Rounds) -> tuple[dict[str, np.ndarray], float]:
    """Network and bills under PV self-use without control, and without batteries.

    Returns
    -------
    dict of str to ndarray
        Part of /schedule.
    float
        Largest difference of AC and linear voltage. [1]
    """
    case, lines, free = feeder.case, feeder.network.lines, feeder.uncontrolled
    plan, state = free.plan, free.ac
    error = limits_ac(case, state, free.linear.v_squared).v_error_max_pu
    arrays = {
        **({} if plan.plants is None else uncontrolled_gas_arrays(feeder, plan.plants)),
        "v_uncontrolled_pu": state.v_pu,
        "loading_line_uncontrolled_pu": state.loading_pu[:lines],
        "loading_transformer_uncontrolled_pu": state.loading_pu[lines:],
        "p_import_uncontrolled": plan.p_import,
        "p_export_uncontrolled": plan.p_export,
        "cost_uncontrolled": plan.cost,
        "cost_no_battery": no_battery(case).cost,
    }
    return arrays, error


def schedule_arrays(feeder: Rounds, state: State, quality: GasQuality | None) -> dict[str, np.ndarray]:
    """Set-points, states and the network under them, with the quality of its gas.

    Returns
    -------
    dict of str to ndarray
        Part of /schedule.
    """
    plan, lines = state.delivered.columns, feeder.network.lines
    meter = {name: placed(feeder, plan, "meter", name) for name in ("p_import", "p_export")}
    store = {name: _of_stores(feeder, plan, name) for name in ("p_charge", "p_discharge", "state_of_charge")}
    loading = np.hypot(state.linear.p, state.linear.q) / feeder.network.s_nom[:, None]
    gas = gas_arrays(feeder, plan)
    cost = prosumer_cost(feeder.case, meter["p_import"], meter["p_export"], store["p_charge"], store["p_discharge"])
    if "cost_plant" in gas:
        cost += cost_of_owners(feeder.case, gas["cost_plant"])
    return {
        **meter,
        **store,
        "p_curtailed": placed(feeder, plan, "pv", "p_curtailed"),
        **_own_arrays(feeder, plan),
        **gas,
        **gas_state_arrays(feeder, state, quality),
        "v_pu": state.ac.v_pu,
        "v_linear_pu": np.sqrt(np.maximum(state.linear.v_squared, 0)),  # the linear drop has no floor, voltage has
        "p_line": state.ac.p_from[:lines],
        "loading_line_pu": state.ac.loading_pu[:lines],
        "loading_line_linear_pu": loading[:lines],
        "p_transformer": state.ac.p_from[lines:],
        "loading_transformer_pu": state.ac.loading_pu[lines:],
        "loading_transformer_linear_pu": loading[lines:],
        "cost": cost,
    }


def _own_arrays(feeder: Rounds, plan: np.ndarray) -> dict[str, np.ndarray]:
    """Variables of a user's own components that their tables add to /schedule by name."""
    own, rows = own_components(), attribute_table()["schedule"].attributes.values()
    return {row.name: placed(feeder, plan, row.of, row.name) for row in rows if row.of in own}


def _of_stores(feeder: Rounds, plan: np.ndarray, name: str) -> np.ndarray:
    """Values of a variable for all stores of the case; 0 where the store's kind does not have it."""
    found = np.zeros((len(columns(feeder.case, "store")["id"]), feeder.inputs.steps))
    for kind in DISCHARGING if name == "p_discharge" else STORES:
        elements = feeder.inputs.kinds[kind]
        if elements.count:
            found[elements.index] = plan[feeder.program.column(kind, name)]
    return found


def price_arrays(feeder: Rounds, state: State) -> dict[str, np.ndarray]:
    """Prices of limits, and what they make of the price of energy at each bus and meter and in each store.

    Returns
    -------
    dict of str to ndarray
        /price.
    """
    network, inputs, prices = feeder.network, feeder.inputs, state.solution.prices
    limits = feeder.limits(state.offsets)
    v_max, v_min, forward, reverse = _by_kind(prices, network, inputs.steps)
    lines, branch = network.lines, forward + reverse
    injected = limits.rows(prices.keys).matrix.T @ prices.limits
    at_bus = -injected.reshape(2, network.buses, inputs.steps)[0]
    bus, saving = columns(feeder.case, "bus"), reinforcement_bound(limits, branch, inputs.dt)
    value = np.full((len(columns(feeder.case, "store")["id"]), inputs.steps), np.nan)
    for store in STORES:
        # One more unit of content is one more on the right-hand side of the balance; it makes the optimum cheaper.
        if inputs.kinds[store].count:
            value[inputs.kinds[store].index] = -prices.rows[feeder.program.row(store, "balance")]
    return {
        **_meter_prices(feeder, prices, at_bus),
        **gas_prices(feeder, prices),
        "marginal_price": at_bus,
        "marginal_value": value,
        "price_v_max": 2 * bus["v_max_pu"][:, None] * v_max,  # the rows limit the square: d(v^2) = 2 v dv
        "price_v_min": 2 * bus["v_min_pu"][:, None] * v_min,
        "price_line": branch[:lines],
        "price_line_reverse": reverse[:lines],
        "price_transformer": branch[lines:],
        "price_transformer_reverse": reverse[lines:],
        "saving_line": saving[:lines],
        "saving_transformer": saving[lines:],
    }


def _by_kind(prices: Prices, network: Network, steps: int) -> list[np.ndarray]:
    """Prices of all limits by kind, (element, step); 0 where a limit was never stated."""
    found = [np.zeros((n, steps)) for n in (network.buses, network.buses, network.branches, network.branches)]
    for kind, values in enumerate(found):
        own = prices.keys["kind"] == kind
        values[prices.keys["element"][own], prices.keys["step"][own]] = prices.limits[own]
    return found


def _meter_prices(feeder: Rounds, prices: Prices, at_bus: np.ndarray) -> dict[str, np.ndarray]:
    """Price of energy at each meter, and the part of it that does not come from limits."""
    inputs = feeder.inputs
    meters = inputs.kinds["meter"]
    energy = np.full((len(columns(feeder.case, "meter")["id"]), inputs.steps), np.nan)
    tariff = energy.copy()
    if meters.count:
        # One more kW of demand is one more on the right-hand side of the meter's balance.
        own = prices.rows[feeder.program.row("meter", "balance")] / inputs.dt
        limits = at_bus[meters.nodes["bus"][1]]
        tariff[meters.index] = own - limits
        energy[meters.index] = tariff[meters.index] + limits
    return {"price_energy": energy, "price_tariff": tariff}


def offset_arrays(state: State, lines: int) -> dict[str, np.ndarray]:
    """Offsets of the last program.

    Returns
    -------
    dict of str to ndarray
        /offset.
    """
    offsets, room = state.by_ac, state.room
    found = {
        "v_max": offsets.v_max,
        "v_min": offsets.v_min,
        "s_line": offsets.s[:lines],
        "s_transformer": offsets.s[lines:],
        **gas_offset_arrays(offsets),
    }
    if room is None:
        return found
    forward, reverse = (np.broadcast_to(way, offsets.s.shape) for way in (room.forward, room.reverse))
    ways = {"room_{}": forward, "room_{}_reverse": reverse}
    found |= {"room_v_max": room.v_max, "room_v_min": -room.v_min}
    found |= {name.format("line"): way[:lines] for name, way in ways.items()}
    return found | {name.format("transformer"): way[lines:] for name, way in ways.items()}


def certificate_arrays(feeder: Rounds, state: State, certificate: Certificate) -> dict[str, Any]:
    """Figures of the last program and of what is delivered.

    Returns
    -------
    dict of str to number or ndarray (source,)
        Part of /certificate. Sums, and what belongs to them, stand with the first source; with others, which share its
        program, they are 0.
    """
    program, objective, bound = feeder.program, state.delivered.objective, certificate.lower_bound
    solver = {} if state.bound is None else {"bound_source": as_bytes(["solver"])}
    bound = bound if state.bound is None else min(state.bound, objective)
    figures: dict[str, Any] = {
        **solver,
        "objective": objective,
        "objective_relaxation": certificate.objective_relaxation,
        "lower_bound": bound,
        "limit_penalty": state.solution.limit_penalty,
        "residual_primal": certificate.residual_primal,
        "residual_dual": certificate.residual_dual,
        "gap_relaxation": certificate.gap_relaxation,
        "gap": (objective - bound) / max(1.0, abs(objective)),
        "repair_cost": state.delivered.repair_cost,
        "rounds": feeder.rounds,
        "rows": len(state.solution.prices.keys),
        "columns": len(program.cost),
        "entries": state.solution.entries,
        "meters_by_program": state.solution.by_program,
    }
    first = np.arange(len(feeder.network.source_bus)) == 0
    if len(first) == 1:
        return figures
    once = {name: np.where(first, figures[name], 0) for name in OF_SUM}
    return {name: once.get(name, np.broadcast_to(value, first.shape)) for name, value in figures.items()}
