"""How much of shared rows each group of feeders may use, so that their own plans together use them up.

At the right prices many plans cost the same: which of them a group takes is told by its share [1]_. What some groups
leave of theirs goes to those that used all of it, and what some need beyond theirs is taken from the others.

References
----------
.. [1] J. Kornai, Th. Lipták, *Two-level planning*, 1965, :doi:`10.2307/1911892`.
"""

from __future__ import annotations

import numpy as np

FORGOTTEN = 0.005
"""By so much more each time may be what was the most or the least that a group could use."""
NEAR = 1e-4
"""A share is used up but for this part of the row's room, divided by the number of groups."""


class Shares:
    """Shares of rows, changed after each answer of all groups.

    Parameters
    ----------
    room : ndarray (row,)
        What all may use together. [kW]
    weight : ndarray (group,)
        How much of what is left or lacking a group gets; sums to 1.
    activity : ndarray (group, row)
        What groups use by the plans from which it begins. [kW]

    Attributes
    ----------
    shares : ndarray (group, row)
        [kW]
    """

    def __init__(self, room: np.ndarray, weight: np.ndarray, activity: np.ndarray) -> None:
        self._room, self._weight = room, weight[:, None]
        self.shares = activity + self._weight * (room - activity.sum(axis=0))
        self._least, self._most = np.full(activity.shape, -np.inf), np.full(activity.shape, np.inf)

    def answered(self, activity: np.ndarray) -> None:
        """Move what is left or lacking to groups that can use it or do without it, as far as is known.

        Parameters
        ----------
        activity : ndarray (group, row)
            What groups use under their shares. [kW]
        """
        near = NEAR * np.maximum(np.abs(self._room), 1.0) / len(activity)
        left, beyond = activity < self.shares - near, activity > self.shares + near
        # What was seen once holds roughly: what a group can do in a step also depends on its other steps.
        margin = FORGOTTEN * np.maximum(np.abs(activity), near)
        self._most = np.where(left, activity, np.maximum(self._most + margin, activity))
        self._least = np.where(beyond, activity, np.minimum(self._least - margin, activity))
        shares = activity.copy()
        for _ in range(len(activity)):
            missing = self._room - shares.sum(axis=0)
            can = np.where(missing >= 0, shares < self._most, shares > self._least)
            part = can * self._weight
            whole = part.sum(axis=0)
            part /= np.where(whole > 0, whole, 1.0)
            shares = np.clip(shares + part * missing, self._least, self._most)
        self.shares = shares + self._weight * (self._room - shares.sum(axis=0))
