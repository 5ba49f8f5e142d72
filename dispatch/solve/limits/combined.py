"""Limits of several feeders side by side, and beside them what the feeders share, over the ports of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.solve.limits.excess import V_MIN
from dispatch.solve.limits.radial import RadialLimits
from dispatch.solve.limits.shared import SHARED
from dispatch.solve.protocols import KEY, Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dispatch.solve.limits.shared import SharedLimits


class CombinedLimits:
    """Limits of feeders and the rows that they share, as `dispatch.solve.protocols.Limits`.

    Ports of the feeders stand after one another, each feeder's as in its `RadialLimits`; in the keys buses and branches
    are numbered on from feeder to feeder.

    Parameters
    ----------
    feeders : sequence of RadialLimits
        With their offsets.
    scale : ndarray (feeder,)
        Penalty of relaxing each feeder's limits, relative to the penalty of all.
    shared : SharedLimits
        What they share.
    """

    kinds = (*RadialLimits.kinds, "shared", "budget")

    def __init__(self, feeders: Sequence[RadialLimits], scale: np.ndarray, shared: SharedLimits) -> None:
        self._feeders, self._scale, self.shared = feeders, scale, shared
        self.starts = np.concatenate([[0], np.cumsum([f.ports for f in feeders])])
        counts = np.array([[f.network.buses, f.network.branches] for f in feeders]).reshape(-1, 2)
        self._first = np.concatenate([[[0, 0]], np.cumsum(counts, axis=0)])

    def beside(self, shared: SharedLimits) -> CombinedLimits:
        """Make the same with other shared limits."""
        return CombinedLimits(self._feeders, self._scale, shared)

    @property
    def ports(self) -> int:
        """How many ports all feeders have together."""
        return int(self.starts[-1])

    def _own(self, x: np.ndarray, feeder: int) -> np.ndarray:
        return x[self.starts[feeder] : self.starts[feeder + 1]]

    def _given(self, x: np.ndarray) -> list[np.ndarray]:
        """Add up what each feeder gives in its steps, in kW."""
        own = (self._own(x, k).reshape(2, -1, f.steps)[0] for k, f in enumerate(self._feeders))
        return [p.sum(axis=0) for p in own]

    def _side(self, kind: np.ndarray) -> np.ndarray:
        """Choose the columns of `_first`: buses for voltages, branches for powers."""
        return (kind > V_MIN).astype(int)

    def _among_all(self, keys: np.ndarray, feeder: int) -> np.ndarray:
        """Name a feeder's limits among all."""
        found = keys.copy()
        found["element"] += self._first[feeder, self._side(keys["kind"])].astype(np.int32)
        return found

    def _parted(self, keys: np.ndarray) -> list[tuple[int, np.ndarray, np.ndarray]]:
        """Part keys by feeder: its number, places of its limits in `keys`, and their own names."""
        owner = np.empty(len(keys), int)
        side = self._side(keys["kind"])
        for way in (0, 1):
            here = side == way
            owner[here] = np.searchsorted(self._first[1:, way], keys["element"][here], side="right")
        owner[keys["kind"] >= SHARED] = len(self._feeders)
        found = []
        for k in np.unique(owner).tolist():
            at = np.nonzero(owner == k)[0]
            own = keys[at].copy()
            if k < len(self._feeders):
                own["element"] -= self._first[k, side[at]].astype(np.int32)
            found.append((k, at, own))
        return found

    def violated(self, x: np.ndarray, tolerance: float, most: int, known: np.ndarray) -> np.ndarray:
        """Sweep all limits; see `Limits.violated`."""
        stated = {k: own for k, _, own in self._parted(known)}
        none = np.zeros(0, KEY)
        found = [
            self._among_all(
                f.violated(self._own(x, k), tolerance / self._scale[k], most, stated.get(k, none)), k
            )
            for k, f in enumerate(self._feeders)
        ]  # fmt: skip
        over, _ = self.shared.exceeded(self._given(x), tolerance)
        found.append(np.setdiff1d(over, stated.get(len(self._feeders), none)))
        return np.sort(np.concatenate(found))[:most]

    def exceeded(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Name every limit that is exceeded, sorted, and by how much in its own unit."""
        keys, amounts = [], []
        for k, feeder in enumerate(self._feeders):
            own, amount = feeder.exceeded(self._own(x, k))
            keys.append(self._among_all(own, k))
            amounts.append(amount)
        shared, amount = self.shared.exceeded(self._given(x))
        every = np.concatenate([*keys, shared])
        order = np.argsort(every, kind="stable")
        return every[order], np.concatenate([*amounts, amount])[order]

    def rows(self, keys: np.ndarray) -> Rows:
        """State limits as rows over the ports of all feeders."""
        row, port, value = [], [], []
        bound, rating = np.empty(len(keys)), np.empty(len(keys))
        for k, at, own in self._parted(keys):
            if k == len(self._feeders):
                entries = [self._entries(i, key) for i, key in zip(at, own, strict=True)]
                bound[at], rating[at] = self.shared.bound(own), self.shared.rating_of(own)
            else:
                stated = self._feeders[k].rows(own)
                held = stated.matrix.tocoo()
                entries = [(at[held.row], held.col + self.starts[k], held.data)]
                bound[at], rating[at] = stated.bound, stated.rating / self._scale[k]
            for r, p, v in entries:
                row.append(r)
                port.append(p)
                value.append(v)
        shape = (len(keys), self.ports)
        flat = [np.concatenate(part) if part else np.zeros(0) for part in (value, row, port)]
        matrix = sp.csr_matrix((flat[0], (flat[1].astype(np.int64), flat[2].astype(np.int64))), shape)
        return Rows(matrix, bound, rating)

    def _entries(self, row: int, key: np.void) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rows, ports and coefficients of a shared limit: all buses of a feeder give to it alike."""
        port, value = [], []
        for k, feeder in enumerate(self._feeders):
            steps, own = self.shared.entries(key, k)
            buses = np.arange(feeder.network.buses) * feeder.steps + self.starts[k]
            port.append((steps[:, None] + buses).ravel())
            value.append(np.repeat(own, len(buses)))
        ports = np.concatenate(port)
        return np.full(len(ports), row), ports, np.concatenate(value)

    def bound(self, keys: np.ndarray) -> np.ndarray:
        """Limits themselves, (key,)."""
        return self._each(keys, lambda feeder, own: feeder.bound(own), self.shared.bound)

    def rating_of(self, keys: np.ndarray) -> np.ndarray:
        """Ratings of limits, (key,), in units of which they cost the penalty of all."""
        found = self._each(keys, lambda feeder, own: feeder.rating_of(own), self.shared.rating_of)
        for k, at, _ in self._parted(keys):
            found[at] /= self._scale[k] if k < len(self._feeders) else 1.0
        return found

    def _each(
        self,
        keys: np.ndarray,
        of: Callable[[RadialLimits, np.ndarray], np.ndarray],
        of_shared: Callable[[np.ndarray], np.ndarray],
    ) -> np.ndarray:
        found = np.empty(len(keys))
        for k, at, own in self._parted(keys):
            found[at] = of_shared(own) if k == len(self._feeders) else of(self._feeders[k], own)
        return found
