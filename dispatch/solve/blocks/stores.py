"""Meters with at most one store, which the store kernel prices exactly."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.model.registry import STORES
from dispatch.solve.blocks.cells import ROWS, single_stores
from dispatch.solve.blocks.constants import constants_of, deciding
from kernels.entries import CHARGE, CURTAILED, DISCHARGE, EXPORT, FLOWS, IMPORT, SPILLED, UNSERVED, contents
from kernels.ports import add_costs, add_injection, add_prices
from kernels.store import Stores, as_compiled, make_plans, never_changes, plan_members
from kernels.store_value import make_scratch

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program

OWN_ROWS = {("meter", "balance"), *ROWS}
OWN_COLUMNS = {"pv", "meter", *STORES}
PLANNED = ("charge", "discharge", "p_curtailed", "p_import", "p_export", "p_unserved", "p_spilled", "missing")


@dataclass
class Flows:
    """A plan of all members.

    Attributes
    ----------
    flow : ndarray (kind, member, step)
        In the order of `kernels.entries`. [kW; missing withdrawal kWh]
    content, shortfall : ndarray (member, step)
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
    """Meters whose columns and rows are those of loads, pv and at most one store.

    Returns
    -------
    ndarray (meter,) of bool
    """
    fits = single_stores(inputs)
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


def _owners(program: Program, numbers: np.ndarray) -> np.ndarray:
    owner = program.owner[numbers]
    return np.unique(owner[owner >= 0])


def _short(values: np.ndarray, steps: int = 0) -> np.ndarray:
    """Series of one step where all steps are the same, which the kernel reads faster; else of at least `steps`."""
    if not values.shape[1]:
        return np.zeros((len(values), 1))
    if never_changes(np.ascontiguousarray(values)):
        return values[:, :1].copy()
    return np.pad(values, ((0, 0), (0, steps - values.shape[1]))) if values.shape[1] < steps else values


class StoreBlock:
    """Members as arrays, and their answers to prices at ports.

    Parameters
    ----------
    inputs : Inputs
        Of a program.
    chosen : ndarray (meter,) of bool
        Which meters are members, of those that `priced_by_kernel` names.
    """

    def __init__(self, inputs: Inputs, chosen: np.ndarray) -> None:
        self.dt, self.steps, self.open = inputs.dt, inputs.steps, 2 * inputs.kinds["bus"].count * inputs.steps
        decides = deciding(inputs)[chosen]
        self.meters = np.nonzero(chosen)[0][np.argsort(~decides, kind="stable")]
        # Members that decide nothing come last and are planned once.
        self.deciding, self._answering = int(decides.sum()), len(self.meters)
        self.buses = inputs.kinds["meter"].nodes["bus"][1][self.meters].astype(np.int64)
        self.members = constants_of(inputs, self.meters)
        self.stores = self._stores()
        self.flow = np.empty((FLOWS, len(self.meters), self.steps))
        room = make_plans(len(self.meters), self.steps)
        paid, earned = np.empty((2, len(self.meters), self.steps))
        self._priced = self.stores._replace(price_import=paid, price_export=earned)
        self._room = room._replace(**dict(zip(PLANNED, self.flow, strict=True)))
        self._scratch, self._kept = make_scratch(self.steps), False

    @cached_property
    def ports(self) -> np.ndarray:
        """Where each member injects active power, (member, step)."""
        return np.asarray(self.buses[:, None] * self.steps + np.arange(self.steps))

    def _stores(self) -> Stores:
        m, dt = self.members, self.dt
        gain, drain = _short(m.gain), _short(m.drain)
        given = Stores(
            p_net=m.demand,
            p_curtailed_max=m.upper[CURTAILED],
            p_import_max=m.upper[IMPORT],
            p_export_max=m.upper[EXPORT],
            p_unserved_max=_short(m.upper[UNSERVED]),
            p_spilled_max=_short(m.upper[SPILLED]),
            price_import=m.cost[IMPORT] / dt,
            price_export=m.cost[EXPORT] / -dt,
            p_charge_max=_short(m.upper[CHARGE]),
            p_discharge_max=_short(m.upper[DISCHARGE]),
            efficiency_charge=np.where(gain > 0, gain, dt) / dt,
            efficiency_discharge=dt / np.where(drain > 0, drain, dt),
            wear_charge=_short(m.cost[CHARGE]) / dt,
            wear_discharge=_short(m.cost[DISCHARGE]) / dt,
            capacity=m.capacity[:, None],
            content_least=_short(m.least[:, :-1], self.steps),
            inflow=-_short(m.withdrawn),
            retained=m.retained[:, None],
            initial=m.initial,
            final_least=m.least[:, -1],
            final_most=np.full(1, np.inf),
            final_value=np.zeros(1),
            dt=dt,
            price_unmet=float(self.members.cost[UNSERVED].max(initial=0.0)) / dt,
            price_shortfall=m.price_shortfall,
            price_wasted=m.price_shortfall,
        )
        return as_compiled(given)

    def respond(self, price: np.ndarray, half: int | None = None) -> np.ndarray:
        """Plan every member at prices.

        Parameters
        ----------
        price : ndarray (port,)
            What each kW injected costs. [money]
        half : int, optional
            0 or 1: only this half of the members that decide something, where all others have answered before.

        Returns
        -------
        ndarray (kind, member, step)
            Flows in the order of `kernels.entries`, overwritten by the next call. [kW]
        """
        given, priced = self.stores, self._priced
        if self._kept:
            self._go_elsewhere()
        own, now = (given.price_import, given.price_export), (priced.price_import, priced.price_export)
        add_prices(*own, price.reshape(-1, self.steps), self.buses, self.dt, *now)
        first, stop = 0, self._answering
        if half is not None and stop == self.deciding:
            first, stop = stop * half // 2, stop * (half + 1) // 2
        plan_members(priced, first, stop, self._scratch, self._room)
        self._answering = self.deciding
        return self.flow

    def kept(self) -> np.ndarray:
        """Return the last answer, which the next one leaves as it is."""
        self._kept = True
        return self.flow

    def _go_elsewhere(self) -> None:
        """Write the next answer to a copy: most answers are the last, or not kept."""
        self.flow, self._kept = self.flow.copy(), False
        self._room = self._room._replace(**dict(zip(PLANNED, self.flow, strict=True)))

    def injected(self, flow: np.ndarray) -> np.ndarray:
        """Add up what flows give to the ports in kW, (port,)."""
        x = np.zeros(self.open)
        add_injection(flow, self.buses, x.reshape(-1, self.steps))
        return x

    def with_contents(self, flow: np.ndarray) -> Flows:
        """Add contents to flows."""
        plan = Flows(flow, *np.empty((2, *flow.shape[1:])))
        contents(self.members, flow, plan.content, plan.shortfall)
        return plan

    def costs(self, plan: Flows, price: np.ndarray) -> np.ndarray:
        """Cost of each member's plan at prices, (member,)."""
        found = np.empty(len(self.meters))
        of_buses = price.reshape(-1, self.steps)
        add_costs(self.members, plan.flow, plan.shortfall, of_buses, self.buses, np.empty(self.steps), found)
        return found
