"""What the gas at each junction is made of under a schedule: biomethane, calorific value, Wobbe index."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns, parent_index
from dispatch.model.components.plant import HIGHER
from dispatch.model.gas_pipes import gas_values
from kernels.mixing import make_links, mixed_shares

if TYPE_CHECKING:
    from dispatch.run.gas_check import GasCheck, Moved, UnderSchedule
    from dispatch.verify.gas import GasState

DENSITY_AIR = 1.292923
"""At 0 degree C and 1.01325 bar. [kg m-3]"""
LEAST_FLOW, CLOSED = 1e-6, 1e-9
FLAT = 0.02
"""A slope that is less than this part of the mean one is that of a share at its end."""
HALVINGS = 18
"""Limits of shares are found to so many binary digits of what can be injected."""
STEP = 1.0
"""By how much injection and lifting are moved to see what shares do. [kW]"""


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


class SharesAbout:
    """Shares when something else is injected or lifted than under a schedule.

    Gates and regulators give so much less as they do in the steady state. Levels above 4 bar gauge are followed from
    step to step.

    Parameters
    ----------
    check : GasCheck
        Of the feeder.
    found : UnderSchedule
        The network under the schedule.
    """

    def __init__(self, check: GasCheck, found: UnderSchedule) -> None:
        self._check, self._found, self._still = check, found, check.filling(found.moved)
        self._steady = check.steady(found.moved)[0]

    def at(self, changed: Moved) -> np.ndarray:
        """Shares, (junction, step); 0 where no gas ever came."""
        check, moved, steady = self._check, self._found.moved, self._steady
        state, filling = check.steady(changed)[0], self._still
        if check.levels is not None:
            let_in = moved.let_in + check.energy * (state.flow_gate - steady.flow_gate)
            through = moved.through + check.energy * (state.flow_regulator - steady.flow_regulator)
            changed = replace(changed, let_in=let_in, through=through)
            guess = self._found.state.pressure[check.levels.of.junction]
            state, filling = check.levels.packed(check, changed, state, filling, guess)
        return np.asarray(np.nan_to_num(shares(check, state, changed, filling)[0]))

    def at_limits(self) -> tuple[Moved, Moved]:
        """Inject so much in each step that limits of shares just hold, and a little more, with which one does not.

        Upgraders inject in the proportions of the last schedule, all they can in steps without any. Rows that are
        linear about it are exact where they bind, whatever flows turn on the way there; those about the last schedule
        would let a step without biomethane have any amount of it.

        Returns
        -------
        Moved, Moved
            The schedule but for what is injected: nothing where the limits do not even hold then. The same in both in
            steps in which they hold with all that can be injected.
        """
        injected = self._found.moved.injected
        ray = np.where(injected.max(axis=0, initial=0.0) >= STEP, injected, self._top)
        part = np.divide(self._top, ray, out=np.full_like(ray, np.inf), where=ray > 0)
        return self._most(ray * np.min(part, axis=0, initial=np.inf))

    def alone(self, upgrader: int) -> Moved:
        """Let one upgrader inject so much in each step that limits of shares just hold, and the others nothing."""
        return self._most(self._top * (np.arange(len(self._top)) == upgrader)[:, None])[0]

    @property
    def _top(self) -> np.ndarray:
        """Most that each upgrader can inject, (upgrader, step), in kW."""
        most = HIGHER * columns(self._check.case, "upgrader")["flow_nom"]
        return np.repeat(most[:, None], self._found.moved.injected.shape[1], axis=1)

    def _most(self, ray: np.ndarray) -> tuple[Moved, Moved]:
        """Inject the largest part of `ray` (upgrader, step) with which limits hold, and the next one, by halving."""
        moved, most = self._found.moved, self._check.bounds["share"].most[:, None]

        def holds(part: np.ndarray) -> np.ndarray:
            return np.asarray((self.at(replace(moved, injected=part * ray)) <= most).all(axis=0))

        low, high = np.zeros(ray.shape[1]), np.ones(ray.shape[1])
        low[holds(high)] = 1.0
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            good = holds(middle)
            low, high = np.where(good, middle, low), np.where(good, high, middle)
        return replace(moved, injected=low * ray), replace(moved, injected=high * ray)

    def slopes(self, about: Moved) -> tuple[np.ndarray, np.ndarray]:
        """Find what more injection and lifting change, all steps moved alike, by differences.

        Returns
        -------
        by_injection : ndarray (junction, upgrader, step)
            [kW-1]
        by_compressor : ndarray (junction, compressor, step)
            [kW-1]
        """
        before, slopes_of = self.at(about), []
        for name in ("injected", "lifted"):
            flow = getattr(about, name)
            slopes = np.zeros((len(before), *flow.shape))
            for k in range(len(flow)):
                # Less, where there is some: more than is taken changes nothing any more.
                other, step = flow.copy(), np.where(flow[k] > 0, -np.minimum(STEP, flow[k] / 2), STEP)
                other[k] += step
                slopes[:, k] = (self.at(replace(about, **{name: other})) - before) / step
                # Where all gas is biomethane already a little less changes nothing: then it counts what none would.
                other[k] = 0.0
                whole = (before - self.at(replace(about, **{name: other}))) / np.maximum(flow[k], STEP)
                flat = np.abs(slopes[:, k]) < FLAT * np.abs(whole)
                slopes[:, k][flat] = whole[flat]
            slopes_of.append(slopes)
        return slopes_of[0], slopes_of[1]


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
