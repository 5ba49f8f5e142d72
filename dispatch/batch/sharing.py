"""Everything that feeders share as rows about what they take, and what is told of it in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.batch.above import NetworkAbove
from dispatch.batch.agreed import limit_told
from dispatch.solve.shared_rows import shared_rows

if TYPE_CHECKING:
    import numpy as np

    from dispatch.batch.member import Members
    from dispatch.case.shared import Shared
    from dispatch.run.settings import Settings
    from dispatch.solve.limits.above import RowsAbove
    from dispatch.solve.shared_rows import SharedPrices, SharedRows

WASTEFUL = 2e-3
"""A voltage of a network above with a price may stay 2e-3 pu from its limit, a loading 1 % of its rating."""
PRICED = 1e-6
"""Prices below this part of the penalty are none."""


class Sharing:
    """Limits and networks above over the feeders of a night.

    Parameters
    ----------
    shared : Shared
        As it stands in the file.
    members : Members
        The feeders, and their steps.
    settings : Settings
        Of the night.

    Raises
    ------
    InputError
        See `NetworkAbove`.
    """

    def __init__(self, shared: Shared, members: Members, settings: Settings) -> None:
        self._shared, self._time, self._dt = shared, members.time, members.dt
        self._names = [m.name for m in members.every]
        self._above = [NetworkAbove(n, self._names, self._time, settings) for n in shared.networks]

    def rows(self, p: np.ndarray, q: np.ndarray, *, foretold: bool = False) -> SharedRows:
        """State rows about what feeders take by AC power flow, (feeder, step).

        Parameters
        ----------
        p, q : ndarray (feeder, step)
            [kW, kvar]
        foretold : bool
            See `NetworkAbove.limits`.
        """
        return self._rows(q, [network.rows(p, q, foretold=foretold) for network in self._above])

    def _rows(self, q: np.ndarray, above: list[RowsAbove]) -> SharedRows:
        return shared_rows(self._shared.limits, self._names, self._time, self._dt, q, above)

    def wasteful(self, rows: SharedRows, prices: SharedPrices, p: np.ndarray) -> bool:
        """Whether a limit of a network above has a price although AC stays away from it: it was shifted too far."""
        of_network = rows.limit >= len(self._shared.limits)
        priced = of_network & (prices.rows > PRICED * rows.most)
        return bool((rows.bound - rows.activity(p) > WASTEFUL * rows.scale)[priced].any())

    def told(self, p: np.ndarray, q: np.ndarray, prices: SharedPrices | None) -> list[dict[str, Any]]:
        """Say how each limit and network ended; see `limit_told`."""
        above = [network.rows(p, q) for network in self._above]
        rows, first = self._rows(q, above), len(self._shared.limits)
        found = [limit_told(limit, k, rows, p, self._time, prices) for k, limit in enumerate(self._shared.limits)]
        for network, own in zip(self._above, above, strict=True):
            found.append(network.told(rows, own, first, p, q, self._time, prices))
            first += len(own.kind)
        return found
