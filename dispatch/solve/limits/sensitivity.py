"""How voltages and flows move with what is injected at each bus: adjoint walks, with closed loops put right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.model.linear import forest_of, linear_flow, loops_of
from kernels.radial import flow_sensitivity, potential_sensitivity

if TYPE_CHECKING:
    from dispatch.case.network import Network


class Sensitivity:
    """Derivatives (row, 2 bus) by the active, then the reactive injection at each bus.

    Parameters
    ----------
    network : Network
        Any number of feeders.
    """

    def __init__(self, network: Network) -> None:
        self._network, self._forest, self._loops = network, forest_of(network), loops_of(network)
        self._lower_end = np.full(network.branches, -1, np.int32)
        inner = np.nonzero(network.parent_branch >= 0)[0]
        self._lower_end[network.parent_branch[inner]] = inner
        none = np.zeros((network.buses, 1))
        rest = linear_flow(network, none, none)
        self._v_rest, self._p_rest = rest.v_squared[:, 0], rest.p[:, 0]
        self._chord = self._chord_sensitivity() if self._loops is not None else np.zeros((0, 2 * network.buses))

    def voltage(self, buses: np.ndarray) -> np.ndarray:
        """Of the squared voltage at some buses, per kW and kvar."""
        forest = self._forest
        return self._with_loops(self._potential(buses, forest.gain, forest.per_p, forest.per_q))

    def flow(self, branches: np.ndarray) -> np.ndarray:
        """Of the active power at `bus_from` of some branches, per kW and kvar."""
        network = self._network
        found = np.zeros((len(branches), 2 * network.buses))
        end = self._lower_end[branches]
        tree = end >= 0
        towards = flow_sensitivity(network.order, network.parent, end[tree])
        found[tree, : network.buses] = self._forest.sign[end[tree], None] * towards
        found = self._with_loops(found)
        for k, chord in enumerate(network.chords):
            found[branches == chord] += self._chord[k]
        return found

    def constant(self, voltage: np.ndarray, element: np.ndarray) -> np.ndarray:
        """Squared voltage of a bus, where `voltage`, or flow of a branch when nothing is injected anywhere."""
        found = np.empty(len(element))
        found[voltage] = self._v_rest[element[voltage]]
        found[~voltage] = self._p_rest[element[~voltage]]
        return found

    def _potential(self, buses: np.ndarray, gain: np.ndarray, per_p: np.ndarray, per_q: np.ndarray) -> np.ndarray:
        order, parent = self._network.order, self._network.parent
        rows = buses.astype(np.int32)
        return np.hstack([potential_sensitivity(order, parent, gain, per, rows) for per in (per_p, per_q)])

    def _chord_sensitivity(self) -> np.ndarray:
        """Of the flows p, then q, through the chords."""
        loops, forest = self._loops, self._forest
        assert loops is not None
        drop, angle = (
            [self._potential(end, *coefficients) for end in (loops.stop, loops.start)]
            for coefficients in (
                (forest.gain, forest.per_p, forest.per_q),
                (forest.angle_gain, forest.angle_per_p, forest.angle_per_q),
            )
        )
        gap = np.vstack([loops.ratio_squared[:, None] * drop[0] - drop[1], angle[0] - angle[1]])
        return loops.solve(gap)

    def _with_loops(self, tree: np.ndarray) -> np.ndarray:
        """Add what reaches the rows through the chords, which draw at their start and give at their stop."""
        if self._loops is None:
            return tree
        n, start, stop = self._network.buses, self._loops.start, self._loops.stop
        through = np.hstack([part[:, stop] - part[:, start] for part in (tree[:, :n], tree[:, n:])])
        return np.asarray(tree + through @ self._chord)
