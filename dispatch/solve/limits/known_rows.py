"""Derivatives of all limits that were ever asked for, each worked out once, within its own feeder."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from dispatch.case.network import Network
from dispatch.solve.limits.sensitivity import Sensitivity


class Feeder:
    """One feeder of a network, with numbers of its own.

    Parameters
    ----------
    network : Network
        Any number of feeders.
    number : int
        Of its source.

    Attributes
    ----------
    buses : ndarray (own bus,)
        Their numbers in the network.
    """

    def __init__(self, network: Network, number: int) -> None:
        self.buses = network.order[network.feeder[network.order] == number]
        branches = np.nonzero(network.in_service & (network.feeder[network.branch_from] == number))[0]
        # The last of each stands for none.
        self._bus = np.full(network.buses + 1, -1, np.int32)
        self._branch = np.full(network.branches + 1, -1, np.int32)
        self._bus[self.buses], self._branch[branches] = np.arange(len(self.buses)), np.arange(len(branches))
        own = self._cut(network, number, branches)
        self._sensitivity = Sensitivity(own)

    def _cut(self, network: Network, number: int, branches: np.ndarray) -> Network:
        bus, branch, buses = self._bus, self._branch, self.buses
        chords = branch[network.chords]
        return Network(
            bus[buses], np.zeros(len(buses), np.int32), bus[network.parent[buses]],
            branch[network.parent_branch[buses]], bus[network.branch_from[branches]], bus[network.branch_to[branches]],
            network.r[branches], network.x[branches], network.ratio[branches], network.s_nom[branches],
            network.in_service[branches], chords[chords >= 0], 0, bus[network.source_bus[[number]]],
            network.source_v_pu[[number]],
        )  # fmt: skip

    def rows(self, voltage: np.ndarray, element: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """State rows of its own over its own buses; see `KnownRows.rows`."""
        own = np.where(voltage, self._bus[np.where(voltage, element, -1)], self._branch[np.where(voltage, -1, element)])
        found = np.empty((len(element), 2 * len(self.buses)))
        found[voltage] = self._sensitivity.voltage(own[voltage])
        found[~voltage] = self._sensitivity.flow(own[~voltage])
        return found, self._sensitivity.constant(voltage, own)


class KnownRows:
    """Squared voltages at buses and flows through branches as rows over injections at buses.

    Parameters
    ----------
    network : Network
        Any number of feeders.
    """

    def __init__(self, network: Network) -> None:
        self._network, self._feeders = network, dict[int, Feeder]()
        self._place = np.full(network.buses + network.branches, -1, np.int64)
        self._matrix = sp.csr_matrix((0, 2 * network.buses))
        self._constant = np.zeros(0)

    def rows(self, voltage: np.ndarray, element: np.ndarray) -> tuple[sp.csr_matrix, np.ndarray, np.ndarray]:
        """Say where rows stand among those that are known.

        Parameters
        ----------
        voltage : ndarray (row,) of bool
            Whether a row is the squared voltage at a bus, or the flow through a branch.
        element : ndarray (row,) of int
            Number of the bus or branch; one that carries nothing has an empty row.

        Returns
        -------
        csr_matrix (known row, 2 bus)
            Change per kW, then per kvar, injected at each bus, of every row that is known.
        ndarray (row,) of int
            Which of them each row is.
        ndarray (row,)
            What there is when nothing is injected.
        """
        number = np.where(voltage, element, self._network.buses + element)
        new = np.unique(number[self._place[number] < 0])
        if len(new):
            self._add(new)
        at = self._place[number]
        return self._matrix, at, self._constant[at]

    def _add(self, numbers: np.ndarray) -> None:
        """Work rows out, feeder by feeder."""
        network, buses = self._network, self._network.buses
        voltage = numbers < buses
        element = np.where(voltage, numbers, numbers - buses)
        feeder = np.where(voltage, network.feeder[np.where(voltage, element, 0)], -1)
        branch = element[~voltage]
        feeder[~voltage] = np.where(network.in_service[branch], network.feeder[network.branch_from[branch]], -1)
        row, column, value = ([np.zeros(0, kind)] for kind in (np.int64, np.int64, float))
        constant = np.where(voltage, np.nan, 0.0)
        for f in np.unique(feeder[feeder >= 0]):
            at = np.nonzero(feeder == f)[0]
            if f not in self._feeders:
                self._feeders[f] = Feeder(network, int(f))
            own = self._feeders[f]
            dense, constant[at] = own.rows(voltage[at], element[at])
            i, j = np.nonzero(dense)
            row.append(at[i])
            column.append(np.concatenate([own.buses, buses + own.buses])[j])
            value.append(dense[i, j])
        entries = (np.concatenate(value), (np.concatenate(row), np.concatenate(column)))
        self._place[numbers] = len(self._constant) + np.arange(len(numbers))
        found = sp.csr_matrix(entries, (len(numbers), 2 * buses))
        self._matrix = sp.vstack([self._matrix, found], format="csr")
        self._constant = np.concatenate([self._constant, constant])
