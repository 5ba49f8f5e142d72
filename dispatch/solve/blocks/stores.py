"""Meters with at most one store, which the store kernel prices exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from kernels.entries import CHARGE, CURTAILED, DISCHARGE, EXPORT, FLOWS, IMPORT, SPILLED, UNSERVED, Members, contents
from kernels.store import Stores, make_plans, plan_members
from kernels.store_value import make_scratch

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program

OWN_ROWS = {("meter", "balance"), ("battery", "balance"), ("battery", "final")}
OWN_COLUMNS = {"pv", "battery", "meter"}
PLANNED = ("charge", "discharge", "p_curtailed", "p_import", "p_export", "p_unserved", "p_spilled")
NAMES = {IMPORT: "p_import", EXPORT: "p_export", UNSERVED: "p_unserved", SPILLED: "p_spilled"}


@dataclass
class Flows:
    """A plan of all members.

    Attributes
    ----------
    flow : ndarray (kind, member, step)
        In the order of `kernels.entries`. [kW]
    content : ndarray (member, step)
        [kWh]
    shortfall : ndarray (member,)
        [kWh]
    """

    flow: np.ndarray
    content: np.ndarray
    shortfall: np.ndarray

    @property
    def injection(self) -> np.ndarray:
        """What each member gives to its port, (member, step), kW."""
        return np.asarray(self.flow[EXPORT] - self.flow[IMPORT])


def priced_by_kernel(program: Program, inputs: Inputs) -> np.ndarray:
    """Meters whose columns and rows are those of loads, pv and at most one battery.

    Returns
    -------
    ndarray (meter,) of bool
    """
    meters = inputs.kinds["meter"].count
    batteries = inputs.kinds["battery"]
    fits = np.bincount(batteries.nodes["meter"][1], minlength=meters)[:meters] <= 1
    # Losses and efficiencies of everything or nothing have no marginal values to divide by.
    whole = [batteries.parameters[name] for name in ("efficiency_charge", "efficiency_discharge")]
    usable = (whole[0] > 0).all(axis=1) & (whole[1] > 0).all(axis=1)
    usable &= (batteries.parameters["standing_loss"] < 1).all(axis=1)
    fits[batteries.nodes["meter"][1][~np.broadcast_to(usable, batteries.count)]] = False
    foreign = np.zeros(len(program.cost), bool)
    for span in program.columns:
        foreign[span.start : span.stop] |= span.component not in OWN_COLUMNS
    other_rows = np.zeros(len(program.row_lower), bool)
    for span in program.rows:
        other_rows[span.start : span.stop] |= (span.component, span.name) not in OWN_ROWS
    if other_rows.any():
        touched = np.unique(sp.csr_matrix(program.matrix)[np.nonzero(other_rows)[0]].indices)
        fits[_owners(program, touched)] = False
    if foreign.any():
        numbers = np.nonzero(foreign)[0]
        fits[_owners(program, numbers)] = False
        hit = np.zeros(len(program.row_lower), bool)
        hit[np.unique(program.matrix[:, numbers].indices)] = True
        fits &= ~hit[program.row("meter", "balance")].any(axis=1)
    return fits


def _decides(program: Program, inputs: Inputs) -> np.ndarray:
    """Meters behind which anything can be decided."""
    free, meters = program.upper > program.lower, inputs.kinds["meter"].count
    for name in ("p_import", "p_export"):
        free[program.column("meter", name)] = False
    return np.bincount(program.owner[free & (program.owner >= 0)], minlength=meters) > 0


def _owners(program: Program, numbers: np.ndarray) -> np.ndarray:
    owner = program.owner[numbers]
    return np.unique(owner[owner >= 0])


class StoreBlock:
    """Members as arrays, with what turns their flows into columns of the program.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    inputs : Inputs
        From which it was compiled.
    chosen : ndarray (meter,) of bool
        Which meters are members, of those that `priced_by_kernel` names.
    """

    def __init__(self, program: Program, inputs: Inputs, chosen: np.ndarray) -> None:
        self.program, self.dt, self.steps = program, inputs.dt, inputs.steps
        decides = _decides(program, inputs)[chosen]
        self.meters = np.nonzero(chosen)[0][np.argsort(~decides, kind="stable")]
        # Members that decide nothing come last and are planned once.
        self._deciding, self._answering = int(decides.sum()), len(self.meters)
        member = np.full(len(chosen), -1)
        member[self.meters] = np.arange(len(self.meters))
        bus = inputs.kinds["meter"].nodes["bus"][1][self.meters]
        self.ports = bus[:, None] * inputs.steps + np.arange(inputs.steps)
        self._locate(inputs, member)
        self.members = self._members(inputs)
        self.stores = self._stores()
        self._flow = np.zeros((FLOWS, len(self.meters), self.steps))
        room = make_plans(len(self.meters), self.steps)
        self._room = room._replace(**dict(zip(PLANNED, self._flow, strict=True)))
        self._scratch = make_scratch(self.steps)

    def _locate(self, inputs: Inputs, member: np.ndarray) -> None:
        """Find the columns and rows of the members."""
        program = self.program
        self.column = {kind: program.column("meter", name)[self.meters] for kind, name in NAMES.items()}
        self.balance = program.row("meter", "balance")[self.meters]
        of_store = member[inputs.kinds["battery"].nodes["meter"][1]]
        self.cells = np.nonzero(of_store >= 0)[0]
        self.holder = of_store[self.cells]
        of_pv = member[inputs.kinds["pv"].nodes["meter"][1]]
        self.roofs = np.nonzero(of_pv >= 0)[0]
        self.under = of_pv[self.roofs]
        self.curtailed = program.column("pv", "p_curtailed")[self.roofs] if len(self.roofs) else None
        if len(self.cells):
            battery = {
                name: program.column("battery", name)[self.cells]
                for name in ("p_charge", "p_discharge", "state_of_charge", "shortfall")
            }
            self.battery = battery
            self.store_rows = program.row("battery", "balance")[self.cells]
            self.final_rows = program.row("battery", "final")[self.cells]

    def _members(self, inputs: Inputs) -> Members:
        program, count = self.program, len(self.meters)
        upper, cost = np.zeros((2, FLOWS, count, self.steps))
        for kind, number in self.column.items():
            upper[kind], cost[kind] = program.upper[number], program.cost[number]
        if self.curtailed is not None:
            np.add.at(upper[CURTAILED], self.under, program.upper[self.curtailed])
        one = {name: np.zeros(count) for name in ("gain", "drain", "capacity", "initial", "final")}
        retained = np.ones(count)
        price = 0.0
        if len(self.cells):
            holder, given = self.holder, inputs.kinds["battery"].parameters
            for kind, name in ((CHARGE, "p_charge"), (DISCHARGE, "p_discharge")):
                upper[kind][holder], cost[kind][holder] = (
                    values[self.battery[name]] for values in (program.upper, program.cost)
                )
            every = {
                name: np.broadcast_to(v, (len(v), self.steps))[self.cells, 0]
                for name, v in given.items()
                if not name.endswith("_max")
            }
            one["gain"][holder] = self.dt * every["efficiency_charge"]
            one["drain"][holder] = self.dt / every["efficiency_discharge"]
            retained[holder] = (1 - every["standing_loss"]) ** self.dt
            one["capacity"][holder] = every["energy_nom"]
            one["initial"][holder] = every["state_of_charge_initial"]
            one["final"][holder] = every["state_of_charge_final"]
            price = float(program.cost[self.battery["shortfall"]].max())
        demand = program.row_lower[self.balance]
        return Members(
            upper, cost, demand, one["gain"], one["drain"], retained, one["capacity"], one["initial"], one["final"],
            price,
        )  # fmt: skip

    def _stores(self) -> Stores:
        m, dt = self.members, self.dt
        gain, drain = np.where(m.gain > 0, m.gain, dt), np.where(m.drain > 0, m.drain, dt)
        zero = np.zeros((1, 1))
        given = Stores(
            p_net=m.demand,
            p_curtailed_max=m.upper[CURTAILED],
            p_import_max=m.upper[IMPORT],
            p_export_max=m.upper[EXPORT],
            p_unserved_max=m.upper[UNSERVED],
            p_spilled_max=m.upper[SPILLED],
            price_import=m.cost[IMPORT] / dt,
            price_export=-m.cost[EXPORT] / dt,
            p_charge_max=m.upper[CHARGE],
            p_discharge_max=m.upper[DISCHARGE],
            efficiency_charge=(gain / dt)[:, None],
            efficiency_discharge=(dt / drain)[:, None],
            wear_charge=m.cost[CHARGE] / dt,
            wear_discharge=m.cost[DISCHARGE] / dt,
            capacity=m.capacity[:, None],
            content_least=zero,
            inflow=zero,
            retained=m.retained[:, None],
            initial=m.initial,
            final_least=m.final,
            final_most=np.full(1, np.inf),
            final_value=np.zeros(1),
            dt=dt,
            price_unmet=float(self.members.cost[UNSERVED].max(initial=0.0)) / dt,
            price_shortfall=m.price_shortfall,
            price_wasted=m.price_shortfall,
        )
        # As the kernel is compiled for them: contiguous, of its own, one kind of number.
        ready: dict[str, Any] = {
            name: np.array(value, float, order="C") if isinstance(value, np.ndarray) else float(value)
            for name, value in given._asdict().items()
        }
        return Stores(**ready)

    def respond(self, price: np.ndarray) -> np.ndarray:
        """Plan every member at prices.

        Parameters
        ----------
        price : ndarray (port,)
            What each kW injected costs. [money]

        Returns
        -------
        ndarray (kind, member, step)
            Flows in the order of `kernels.entries`, overwritten by the next call. [kW]
        """
        shift = price[self.ports] / self.dt
        s = self.stores
        priced = s._replace(price_import=s.price_import - shift, price_export=s.price_export - shift)
        plan_members(priced, 0, self._answering, self._scratch, self._room)
        self._answering = self._deciding
        return self._flow

    def with_contents(self, flow: np.ndarray) -> Flows:
        """Add contents to flows."""
        plan = Flows(flow, np.empty(flow.shape[1:]), np.empty(flow.shape[1]))
        contents(self.members, flow, plan.content, plan.shortfall)
        return plan

    def costs(self, plan: Flows, price: np.ndarray) -> np.ndarray:
        """Cost of each member's plan at prices, (member,)."""
        own = (self.members.cost * plan.flow).sum(axis=(0, 2)) + self.members.price_shortfall * plan.shortfall
        return np.asarray(own + (price[self.ports] * plan.injection).sum(axis=1))

    @cached_property
    def columns(self) -> np.ndarray:
        """Numbers of all columns that belong to members."""
        parts = list(self.column.values()) + ([] if self.curtailed is None else [self.curtailed])
        if len(self.cells):
            parts += self.battery.values()
        return np.concatenate([part.ravel() for part in parts])

    @cached_property
    def rows(self) -> np.ndarray:
        """Numbers of all rows that belong to members."""
        parts = [self.balance, self.store_rows, self.final_rows] if len(self.cells) else [self.balance]
        return np.concatenate([part.ravel() for part in parts])

    @cached_property
    def injection(self) -> sp.csr_matrix:
        """Ports by members' steps."""
        every = np.arange(self.ports.size)
        shape = (len(self.program.injection_constant), self.ports.size)
        return sp.csr_matrix((np.ones(self.ports.size), (self.ports.ravel(), every)), shape=shape)

    def decode(self, plan: Flows, columns: np.ndarray) -> None:
        """Write a plan into the program's columns."""
        for kind, number in self.column.items():
            columns[number] = plan.flow[kind]
        if len(self.cells):
            holder, battery = self.holder, self.battery
            columns[battery["p_charge"]] = plan.flow[CHARGE][holder]
            columns[battery["p_discharge"]] = plan.flow[DISCHARGE][holder]
            columns[battery["state_of_charge"]] = plan.content[holder]
            columns[battery["shortfall"]] = plan.shortfall[holder][:, None]
        if self.curtailed is not None:
            left = plan.flow[CURTAILED].copy()
            for number, m in zip(self.curtailed, self.under, strict=True):
                part = np.minimum(left[m], self.program.upper[number])
                columns[number] = part
                left[m] -= part
