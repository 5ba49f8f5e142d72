"""Limits of the gas network are rows of the prosumers' program: their slacks, what these cost, and how much is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.solve.solution import NOTICED

if TYPE_CHECKING:
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program

LIMITS = ("gas_limit", "pressure_limit")
SLACKS = ("slack_most", "slack_least")


class OwnSlacks:
    """Columns of a program that relax limits of its own.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    inputs : Inputs
        From which it was compiled.

    Attributes
    ----------
    any : bool
        Whether there are such columns.
    compiled : float
        Penalty with which the program was compiled. [money h-1]
    """

    def __init__(self, program: Program, inputs: Inputs) -> None:
        self._cost, self.weights = program.cost, np.zeros(len(program.cost))
        self.compiled = np.nan
        kinds = [kind for kind in LIMITS if kind in inputs.kinds and inputs.kinds[kind].count]
        self.any = bool(kinds)
        for kind in kinds:
            parameters = inputs.kinds[kind].parameters
            self.compiled = float(parameters["limit_penalty"].max())
            for name in SLACKS:
                self.weights[program.column(kind, name)] = inputs.dt / parameters["rating"]

    def cost(self, penalty: float) -> np.ndarray:
        """Cost of every column at a penalty of limits. [money]."""
        if not self.any or penalty == self.compiled:
            return self._cost
        return np.where(self.weights > 0, penalty * self.weights, self._cost)

    def relaxation(self, columns: np.ndarray) -> float:
        """Sum over limits and steps of ``dt * slack / rating``, rounding left out. [h]."""
        share = self.weights * columns
        return float(share[share > NOTICED * self.weights.max(initial=0.0)].sum()) if self.any else 0.0
