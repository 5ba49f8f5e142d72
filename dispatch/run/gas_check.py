"""The steady state of the gas network under a schedule, and what the program takes it for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.gas_network import gas_network_of
from dispatch.case.schema import columns, parent_index
from dispatch.model.gas import headroom_of_zones
from dispatch.model.gas_limits import LIMITED, bounds_of
from dispatch.model.gas_pipes import gas_values
from dispatch.model.gas_zones import zones_of_case, zones_of_elements
from dispatch.run.gas_levels import PackedLevels
from dispatch.run.gas_quality import shares
from dispatch.verify.gas import GasState, gas_flow

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from dispatch.case.offsets import GasLimit
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program


@dataclass(frozen=True)
class Moved:
    """What a schedule decides of the gas network.

    Attributes
    ----------
    injected : ndarray (upgrader, step)
        [kW]
    let_in : ndarray (gate, step)
        What flows through gates. [kW]
    through : ndarray (regulator, step)
        What flows through regulators. [kW]
    lifted : ndarray (compressor, step)
        What compressors lift. [kW]
    content : ndarray (zone, step)
        Linepack at the end of each step. [kW h]
    lost : ndarray (zone, step)
        What is injected but can go nowhere, less demand that cannot be met. [kW]
    """

    injected: np.ndarray
    let_in: np.ndarray
    through: np.ndarray
    lifted: np.ndarray
    content: np.ndarray
    lost: np.ndarray

    def effect(self, limit: GasLimit, content: np.ndarray) -> np.ndarray:
        """Change of a quantity by what is decided, given the linepack of the zone of each element."""
        injected = np.einsum("eut,ut->et", limit.by_injection, self.injected)
        through = np.einsum("ert,rt->et", limit.by_regulator, self.through)
        through += np.einsum("ert,rt->et", limit.by_compressor, self.lifted)
        through += np.einsum("egt,gt->et", limit.by_gate, self.let_in)
        return np.asarray(injected + through + limit.by_linepack * content)


@dataclass(frozen=True)
class UnderSchedule:
    """The gas network under a schedule.

    Attributes
    ----------
    moved : Moved
        What was decided.
    taken : ndarray (junction, step)
        Net demand, what fills pipes included. [m3 h-1]
    state : GasState
        Its steady state in every step.
    values, linear : dict of str to ndarray (element, step)
        Limited quantities in that state, and as the program has them. [bar or kW]
    filling : ndarray (zone, step)
        Gas that fills the pipes of each zone; below zero: that comes out of them. [m3 h-1]
    """

    moved: Moved
    taken: np.ndarray
    state: GasState
    values: dict[str, np.ndarray]
    linear: dict[str, np.ndarray]
    filling: np.ndarray

    @property
    def pressure_error_max(self) -> float:
        """Largest difference of steady pressures and those that the program has. [bar]."""
        error = np.abs(self.state.pressure - self.linear["pressure"])
        return float(np.nanmax(error)) if np.isfinite(error).any() else 0.0


class GasCheck:
    """What is made once for a feeder with plants that inject: its gas network and what is given there.

    Parameters
    ----------
    case : DataTree
        Sub-case of the feeder, with /forecast.
    inputs : Inputs
        Made from it.

    Attributes
    ----------
    outlet : ndarray (zone,) of int
        First junction that holds its pressure.
    flow_injection : ndarray (injection, step)
        What injections give. [m3 h-1]
    demand : ndarray (junction, step)
        What consumers take. [m3 h-1]
    given : ndarray (junction, step)
        Demand less what injections give. [m3 h-1]
    levels : PackedLevels or None
        Levels above 4 bar gauge; None where there are none.
    share_failed : ndarray (step,) of int
        How often stated limits of shares did not hold, as far as schedules were looked at.
    """

    def __init__(self, case: xr.DataTree, inputs: Inputs) -> None:
        self.case, self.dt = case, inputs.dt
        self.network = gas_network_of(case)
        self.zones = zones_of_case(case, self.network)
        self.zone_of = zones_of_elements(self.network, self.zones)
        self.bounds = bounds_of(case, self.network)
        self.energy = gas_values(case)["heating_value_higher"]
        self._live = {kind: inputs.kinds[kind].index for kind in ("regulator", "compressor")}
        self.lifts = {side: parent_index(case, "compressor", f"junction_{side}") for side in ("from", "to")}
        self.flow_injection = self._flow("injection", inputs.steps)
        self.demand = self._at_junctions("consumer", self._flow("consumer", inputs.steps))
        self.given: np.ndarray = self.demand - self._at_junctions("injection", self.flow_injection)
        plant = parent_index(case, "upgrader", "plant")
        self.injects_at = parent_index(case, "plant", "junction")[plant]
        self._headroom, self._most = headroom_of_zones(case, self.network, self.zones)
        self._roots = np.nonzero((self.network.held >= 0) & self.network.supplied)[0]
        self.outlet = np.full(self.zones.count, -1)
        self.outlet[self.zones.of_junction[self._roots[::-1]]] = self._roots[::-1]
        self.outlet = np.where(self.zones.junction >= 0, self.zones.junction, self.outlet)
        pressures = np.concatenate([columns(case, k).get("pressure", np.zeros(0)) for k in ("gate", "regulator")])
        self.held = np.full(len(self.network.parent), np.nan)
        inside = self.zones.of_junction >= 0
        self.held[inside] = pressures[self.zones.holder][self.zones.of_junction[inside]]
        self.share_failed = np.zeros(inputs.steps, np.int64)
        self.levels = PackedLevels(case, self.network, self.zones, inputs) if self.zones.split.any() else None

    @property
    def held_before(self) -> np.ndarray:
        """Gas that the pipes of each zone hold before the first step beside what is held at set-points. [m3]."""
        found = np.zeros(self.zones.count)
        if self.levels is not None:
            found[self.zones.of_junction[self.levels.of.junction]] = self.levels.content()
        return found

    def _at_junctions(self, kind: str, flow: np.ndarray) -> np.ndarray:
        """Sum of flows of elements of a kind at each junction. [m3 h-1]."""
        found = np.zeros((len(self.network.parent), flow.shape[1]))
        if len(flow):
            np.add.at(found, parent_index(self.case, kind, "junction"), flow)
        return found

    def _flow(self, kind: str, steps: int) -> np.ndarray:
        """Flow that each consumer takes or injection gives, (element, step). [m3 h-1]."""
        table, flow = columns(self.case, kind), columns(self.case, "forecast").get(f"flow_{kind}")
        if not len(table["id"]):
            return np.zeros((0, steps))
        flow = np.full((len(table["id"]), steps), np.nan) if flow is None else flow.astype(np.float64)
        return np.where(np.isnan(flow), table["flow_nom"][:, None], flow)

    def filling(self, moved: Moved) -> np.ndarray:
        """Gas that fills the pipes of each zone, (zone, step); below zero: that comes out of them. [m3 h-1]."""
        return np.asarray(np.diff(moved.content, axis=1, prepend=0.0) / self.dt / self.energy)

    def under(self, program: Program, plan: np.ndarray, gas: Mapping[str, GasLimit]) -> UnderSchedule:
        """Find the steady state under a schedule.

        Parameters
        ----------
        program : Program
            Of the feeder.
        plan : ndarray (column,)
            Its columns.
        gas : mapping of str to GasLimit
            Limits that the program states.

        Returns
        -------
        UnderSchedule
        """
        content, spilled, unserved = (
            plan[program.column("zone", name)] for name in ("linepack", "gas_spilled", "gas_unserved")
        )
        counts, steps = (len(self.network.regulator_from), len(self.lifts["to"])), content.shape[1]
        through, lifted = (np.zeros((count, steps)) for count in counts)
        through[self._live["regulator"]] = plan[program.column("regulator", "gas_regulator")]
        lifted[self._live["compressor"]] = plan[program.column("compressor", "gas_compressor")]
        injected, let_in = plan[program.column("upgrader", "gas_injected")], plan[program.column("gate", "gas_gate")]
        lost = spilled - unserved
        if self.levels is not None:
            self.levels.flow = plan[program.column("pipe", "flow")] / self.energy
            left_out = plan[program.column("undelivered", "gas_undelivered")]
            np.subtract.at(lost, self.zones.of_junction[self.levels.starved], left_out)
        moved = Moved(injected, let_in, through, lifted, content, lost)
        state, taken = self.steady(moved)
        linear, filling = self._linear(moved, gas), self.filling(moved)
        if self.levels is not None:
            pressures = plan[program.column("junction", "pressure")]
            linear["pressure"][self.levels.of.junction] = pressures
            state, filling = self.levels.packed(self, moved, state, filling, pressures)
        values = self.values(state)
        if np.isfinite(self.bounds["share"].most).any():
            values["share"] = np.nan_to_num(shares(self, state, moved, filling)[0])
        return UnderSchedule(moved, taken, state, values, linear, filling)

    def steady(
        self, moved: Moved, raised: float = 0.0, also: tuple[int, float] | None = None
    ) -> tuple[GasState, np.ndarray]:
        """Steady state, and the net demand in it, with all held pressures raised, or also so much taken at a junction.

        Biomethane counts as the volume of the network's gas that has its energy, as in the program; what fills the
        pipes or is lost is taken at the first outlet that holds the zone's pressure, and linepack lifts held pressures.
        """
        taken = self.given.copy()
        np.subtract.at(taken, self.injects_at, moved.injected / self.energy)
        np.add.at(taken, self.lifts["from"], moved.lifted / self.energy)
        np.subtract.at(taken, self.lifts["to"], moved.lifted / self.energy)
        if also is not None:
            taken[also[0]] += also[1] / self.energy
        np.add.at(taken, self.outlet, self.filling(moved) + moved.lost / self.energy)
        return gas_flow(self.case, taken, self.lifted(moved, raised)), taken

    def lifted(self, moved: Moved, raised: float = 0.0) -> np.ndarray:
        """By how much pressures are above their set-points where they are held, (junction, step). [bar]."""
        found = np.zeros(self.given.shape)
        found[self._roots] = self._lift(moved.content)[self.zones.of_junction[self._roots]] + raised
        return found

    def _lift(self, content: np.ndarray) -> np.ndarray:
        """By how much linepack lifts the pressure of each zone. [bar]."""
        return np.asarray(content * self.bar_per_kwh[:, None])

    @property
    def bar_per_kwh(self) -> np.ndarray:
        """Pressure of each zone by its linepack. [bar kW-1 h-1]."""
        most = self._most * self.energy
        return np.asarray(np.divide(self._headroom, most, where=most > 0, out=np.zeros_like(most)))

    def values(self, state: GasState) -> dict[str, np.ndarray]:
        """Limited quantities in a state; a pressure whose square is negative has that sign. [bar or kW]."""
        return {
            "pressure": np.sign(state.squared) * np.sqrt(np.abs(state.squared)),
            "flow_gate": state.flow_gate * self.energy,
            "flow_regulator": state.flow_regulator * self.energy,
        }

    def _linear(self, moved: Moved, gas: Mapping[str, GasLimit]) -> dict[str, np.ndarray]:
        """Limited quantities as the program has them: pressure of the zone, NaN of flows, where no limit is stated."""
        found = {}
        for name, kind in LIMITED.items():
            zone = self.zone_of[kind]
            content = self.content_at(name, moved)
            value = np.full((len(zone), content.shape[1]), np.nan)
            if name == "pressure":
                value = self.held[:, None] + content * np.append(self.bar_per_kwh, 0.0)[zone, None]
            if name in gas:
                limit, own = gas[name], gas[name].stated
                linear = limit.constant + moved.effect(limit, content)
                value[own] = linear[own]
            found[name] = value
        return found

    def always_stated(self, name: str) -> np.ndarray:
        """Whether limits of each element of a quantity are stated from the first: those of levels but for shares."""
        zone = self.zone_of[LIMITED[name]]
        return np.asarray((zone >= 0) & (self.zones.junction[zone] >= 0) & (name != "share"))

    def content_at(self, name: str, moved: Moved) -> np.ndarray:
        """Linepack of the zone of each element of a quantity. [kW h]."""
        zone = self.zone_of[LIMITED[name]]
        return np.where(zone[:, None] >= 0, moved.content[zone], 0.0)
