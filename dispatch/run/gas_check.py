"""Pressures of the gas network under a schedule, and what of them cannot be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.gas_network import gas_network_of
from dispatch.case.schema import columns, has, parent_index
from dispatch.model.gas import headroom_of_zones, zones_of_case
from dispatch.verify.gas import gas_flow, gas_values
from dispatch.verify.gas_findings import findings_of

if TYPE_CHECKING:
    import xarray as xr


def with_gas_state(result: xr.DataTree) -> xr.DataTree:
    """Add the steady state of the gas network in every step, and what is wrong with it to the messages.

    Parameters
    ----------
    result : DataTree
        Of a whole case; without both plants and a gas network it stays as it is.

    Returns
    -------
    DataTree
        The same tree.
    """
    if not (has(result, "plant") and has(result, "junction")):
        return result
    taken, raised = _under_schedule(result)
    if not np.isfinite(taken).all():  # a feeder that failed has no schedule
        return result
    state = gas_flow(result, taken, raised)
    found = {
        "pressure": state.pressure,
        "flow_pipe": state.flow_pipe,
        "flow_gate": state.flow_gate,
        "flow_regulator": state.flow_regulator,
    }
    node = result.children["schedule"]
    data = node.to_dataset(inherit=False)
    for name, values in found.items():
        if name in data:
            data[name] = data[name].copy(data=values.astype(np.float32))
    node.dataset = data
    labels = result["certificate"].attrs
    said = [f"Gas: {text}" for text in findings_of(result, state, taken)]
    labels["messages"] = json.dumps([*json.loads(labels["messages"]), *said])
    return result


def _under_schedule(result: xr.DataTree) -> tuple[np.ndarray, np.ndarray]:
    """Net demand of each junction, linepack that fills included, and by how much linepack lifts held pressures.

    Biomethane counts as the volume of the network's gas that has its energy, as in the program.
    """
    network, energy = gas_network_of(result), gas_values(result)["heating_value_higher"]
    zones = zones_of_case(network)
    schedule = {str(n): v.to_numpy() for n, v in result["schedule"].dataset.data_vars.items()}
    forecast = columns(result, "forecast")
    steps, dt = len(forecast["time"]), float(forecast["time_step"][0] / np.timedelta64(1, "s")) / 3600
    taken = np.zeros((len(network.parent), steps))
    for kind, sign in (("consumer", 1.0), ("injection", -1.0)):
        table = columns(result, kind)
        if len(table["id"]):
            flow = forecast.get(f"flow_{kind}")
            flow = np.full((len(table["id"]), steps), np.nan) if flow is None else flow.astype(np.float64)
            flow = np.where(np.isnan(flow), table["flow_nom"][:, None], flow)
            np.add.at(taken, parent_index(result, kind, "junction"), sign * flow)
    if "gas_injected" in schedule:
        plant = parent_index(result, "upgrader", "plant")
        junction = parent_index(result, "plant", "junction")[plant]
        np.subtract.at(taken, junction, schedule["gas_injected"] / energy)
    packs = [schedule.get(f"linepack_{k}", np.zeros((0, steps))) for k in ("gate", "regulator")]
    content = np.nan_to_num(np.concatenate(packs)[zones.holder])
    filling = np.diff(content, axis=1, prepend=0.0) / dt / energy
    first = np.full(zones.count, -1)
    at = np.nonzero((network.held >= 0) & network.supplied)[0]
    first[zones.of_junction[at[::-1]]] = at[::-1]
    np.add.at(taken, first, filling)
    headroom, most = headroom_of_zones(result, network, zones)
    lift = np.divide(content, most[:, None] * energy, where=most[:, None] > 0, out=np.zeros_like(content))
    raised = np.zeros_like(taken)
    raised[at] = (headroom[:, None] * lift)[zones.of_junction[at]]
    return taken, raised
