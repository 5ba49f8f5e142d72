"""Which way a feeder is solved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dispatch.solve.blocks.stores import priced_by_kernel
from dispatch.solve.decomposed import Decomposed
from dispatch.solve.monolithic import Monolithic

if TYPE_CHECKING:
    from dispatch.case.network import Network
    from dispatch.case.offsets import Offsets
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.solution import Relaxation, Solution
    from dispatch.solve.until import Until

PIPES = {"simplex_dual_edge_weight_strategy": 1}
"""Devex: weights of steepest edges cost more than they save where pressures and linepack link all steps (a week of
quarter-hours with 20 junctions: 65 s against 82 s from scratch), and from a basis they are made anew each time."""
ENOUGH = 0.5
"""Share of meters that the store kernel must be able to price for the decomposed way to be chosen."""


class Model(Protocol):
    """A feeder that is solved again and again under other offsets, each time from where it was left."""

    def solve(self, offsets: Offsets, limit_penalty: float, until: Until | None = None) -> Solution:
        """Find the optimum under given offsets and penalty, or the best so far when time is up."""

    def least_relaxation(self, offsets: Offsets, until: Until | None = None) -> Relaxation:
        """Find the least relaxation that lets all else be met."""

    def limits(self, offsets: Offsets) -> RadialLimits:
        """All limits of the network, shifted by offsets."""


def make_model(method: str, program: Program, network: Network, inputs: Inputs) -> Model:
    """Choose a way to the optimum; the optimum is the same.

    Parameters
    ----------
    method : {"auto", "monolithic", "decomposed"}
        The first chooses the last where most meters have one store at most and nothing that couples their steps.
    program : Program
        Compiled without the network.
    network : Network
        Of the same case.
    inputs : Inputs
        From which the program was compiled.

    Returns
    -------
    Model
    """
    if "pipe" in inputs.kinds and method != "decomposed":
        return Monolithic(program, network, inputs, options=PIPES)
    if method == "auto":
        fits = priced_by_kernel(program, inputs)
        method = "decomposed" if len(fits) and fits.mean() >= ENOUGH else "monolithic"
    return (Decomposed if method == "decomposed" else Monolithic)(program, network, inputs)
