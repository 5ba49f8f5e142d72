"""Cost, violations and a lower bound of members' plans and prices, by their constants: no program is compiled.

Where every meter has one store at most, the proof takes a pass over the members, a tenth of the time that compiling
their program and looking at its columns would take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.solve.blocks.constants import constants_of, given_at_ports
from dispatch.solve.blocks.reading import read_plans, read_row_prices
from dispatch.solve.elastic import at_prices
from dispatch.solve.limits.radial import limits_over
from kernels.ports import add_injection
from kernels.proof import make_proof, prove_members, worst_outside

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Layout
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.program_proof import Figures
    from dispatch.solve.solution import Prices
    from kernels.marginal import RowPrices
    from kernels.proof import Plans


class StoresProof:
    """Constants of all members and limits of one or more feeders.

    Parameters
    ----------
    inputs : Inputs
        Elements for which `dispatch.solve.blocks.cells.all_stores` holds.
    network : Network
        Of the same case.
    offsets : Offsets
        What the AC check adds to the limits.
    meters : ndarray (member,) of int
        Number of each member's meter: all of them, in the order of the plans.

    Attributes
    ----------
    limits : RadialLimits
        All limits, with their offsets.
    """

    def __init__(self, inputs: Inputs, network: Network, offsets: Offsets, meters: np.ndarray) -> None:
        self._inputs, self._meters = inputs, meters
        self._given, self._members = given_at_ports(inputs), constants_of(inputs, meters)
        self.limits: RadialLimits = limits_over(self._given, network, inputs, offsets)

    def figures(
        self, limit_penalty: float, plans: Plans, rows: RowPrices, keys: np.ndarray, prices: np.ndarray
    ) -> Figures:
        """Measure plans and prices.

        Parameters
        ----------
        limit_penalty : float
            Penalty of relaxing a limit by its own rating for an hour. [money h-1]
        plans : Plans
            Of all members.
        rows : RowPrices
            Of their rows.
        keys, prices
            Of limits; see `dispatch.solve.elastic.at_prices`.

        Returns
        -------
        float, float, float, float
            Objective and lower bound [money], residuals.
        """
        inputs, proof, x = self._inputs, make_proof(len(self._meters)), self._given.copy()
        bus = inputs.kinds["meter"].nodes["bus"][1][self._meters].astype(np.int64)
        port = bus[:, None] * inputs.steps + np.arange(inputs.steps)
        add_injection(plans.flow, port, x)
        flow = self.limits.flow(x)
        limited = at_prices(self.limits, inputs.dt, limit_penalty, keys, prices, flow)
        prove_members(self._members, plans, limited.weight[port], rows, proof)
        objective = float(proof.cost.sum()) + inputs.dt * limit_penalty * self.limits.relaxed(flow)
        bound = float(proof.bound.sum() + np.sum(limited.weight * self._given)) - limited.worth
        dual = max(limited.residual, float(proof.dual.max(initial=0.0)))
        return objective, bound, float(proof.primal.max(initial=0.0)), dual

    def figures_of_columns(self, layout: Layout, limit_penalty: float, plan: np.ndarray, prices: Prices) -> Figures:
        """Do the same with the columns and row prices of a program of that layout, where all meters are members."""
        plans, rows = read_plans(layout, self._inputs, plan), read_row_prices(layout, self._inputs, prices.rows)
        found = self.figures(limit_penalty, plans, rows, prices.keys, prices.limits)
        return *found[:2], max(found[2], self._curtailed(layout, plan)), found[3]

    def _curtailed(self, layout: Layout, plan: np.ndarray) -> float:
        """Violation of the bounds of each roof's curtailment, of which members know the sum."""
        roofs = self._inputs.kinds["pv"]
        if not roofs.count:
            return 0.0
        value, most = layout.column_span("pv", "p_curtailed").part(plan), roofs.parameters["p_curtailed_max"]
        return float(worst_outside(value.ravel(), np.zeros(value.size), most.ravel()))
