"""What the gas at each junction is made of under a schedule: biomethane, calorific value, Wobbe index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns, parent_index
from dispatch.model.gas_pipes import gas_values
from kernels.mixing import LEAST as LEAST_FLOW
from kernels.mixing import make_links, mixed_shares

if TYPE_CHECKING:
    from dispatch.run.gas_check import GasCheck, Moved, UnderSchedule
    from dispatch.verify.gas import GasState

DENSITY_AIR = 1.292923
"""At 0 degree C and 1.01325 bar. [kg m-3]"""
CLOSED = 1e-9


@dataclass(frozen=True)
class GasQuality:
    """Quality of the gas by junction and step.

    Attributes
    ----------
    share : ndarray (junction, step)
        Part of its energy that is biomethane; NaN where no gas ever came. [1]
    calorific_value, wobbe_index : ndarray (junction, step)
        Higher heating value of a normal cubic metre, and that over the root of the relative density. [kW h m-3]
    sources : int
        How many gates, injections and upgraders give gas in some step.
    turned : int
        How many pipes carry gas both ways.
    closed : bool
        Whether shares around circles of flow were found.
    """

    share: np.ndarray
    calorific_value: np.ndarray
    wobbe_index: np.ndarray
    sources: int
    turned: int
    closed: bool


def gas_quality(check: GasCheck, found: UnderSchedule) -> GasQuality:
    """Mix the gas in each step at the flows of its steady state, perfectly and without the time it takes to get there.

    Energy is mixed, as the program counts flows: a kWh that is taken has the share of its junction, and all kWh of
    biomethane that are fed in are taken somewhere, or fill pipes.

    Parameters
    ----------
    check : GasCheck
        Of the feeder.
    found : UnderSchedule
        Its gas network under the schedule.

    Returns
    -------
    GasQuality

    References
    ----------
    ISO 6976 (Wobbe index, mixtures by volume at normal conditions).
    """
    state = found.state
    share, change, given = shares(check, state, found.moved, found.filling)
    turned = (state.flow_pipe > LEAST_FLOW).any(axis=1) & (state.flow_pipe < -LEAST_FLOW).any(axis=1)
    count = sum(int((flow > LEAST_FLOW).any(axis=1).sum()) for flow in given)
    closed = bool((change <= CLOSED).all())
    return GasQuality(share, *mixture(gas_values(check.case), share), count, int(turned.sum()), closed)


def shares(
    check: GasCheck, state: GasState, moved: Moved, filling: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Find the part of the energy that is biomethane, see `gas_quality`.

    Parameters
    ----------
    check : GasCheck
        Of the feeder.
    state : GasState
        Flows.
    moved : Moved
        What is injected and lifted.
    filling : ndarray (zone, step)
        Gas that fills the pipes of each zone. [m3 h-1]

    Returns
    -------
    share : ndarray (junction, step)
        [1]
    change : ndarray (step,)
        By how much shares around circles of flow still changed. [1]
    given : list of ndarray (source, step)
        What gates, upgraders and injections give. [m3 h-1]
    """
    case, network = check.case, check.network
    sources = [
        (network.gate_at, state.flow_gate, np.zeros(len(network.gate_at))),
        (check.injects_at, moved.injected / check.energy, np.ones(len(check.injects_at))),
    ]
    if len(check.flow_injection):
        part = columns(case, "injection")["biomethane_share"]
        sources.append((parent_index(case, "injection", "junction"), check.flow_injection, part))
    given, part = np.zeros_like(check.given), np.zeros_like(check.given)
    for at, flow, own in sources:
        np.add.at(given, at, np.maximum(flow, 0.0))
        np.add.at(part, at, np.maximum(flow, 0.0) * own[:, None])
    start = np.concatenate([network.pipe_from, network.regulator_from, check.lifts["from"]])
    stop = np.concatenate([network.pipe_to, network.regulator_to, check.lifts["to"]])
    flow = np.concatenate([state.flow_pipe, state.flow_regulator, moved.lifted / check.energy])
    links = make_links(len(given), start, stop)
    share, change = mixed_shares(links, flow, given, part, check.outlet, filling, check.held_before / check.dt)
    return share, change, [flow for _, flow, _ in sources]


def mixture(gas: dict[str, float], share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Calorific value and Wobbe index of the network's gas with some of its energy as biomethane.

    Parameters
    ----------
    gas : dict of str to float
        Values of the kind ``gas_network``.
    share : ndarray
        Part of energy. [1]

    Returns
    -------
    calorific_value, wobbe_index : ndarray
        [kW h m-3]
    """
    own, bio = (1 - share) / gas["heating_value_higher"], share / gas["heating_value_biomethane"]
    calorific = 1 / (own + bio)
    density = (own * gas["density_normal"] + bio * gas["density_biomethane"]) * calorific
    return calorific, calorific / np.sqrt(density / DENSITY_AIR)


def said_of_quality(quality: GasQuality) -> str:
    """Tell what the quality rests on: it is that of any flows only with one source and fixed directions.

    Returns
    -------
    str
        A sentence.
    """
    why = [f"{quality.sources} sources"] if quality.sources > 1 else []
    if quality.turned:
        why.append(f"{quality.turned} pipe{'s' if quality.turned > 1 else ''} with flow both ways")
    at = f"that at the last flows ({', '.join(why)})" if why else "exact (one source, fixed directions)"
    rest = "" if quality.closed else "; around circles of flow it was not found to 1e-9"
    return f"Gas quality is {at}, without the time that gas takes to get there{rest}."
