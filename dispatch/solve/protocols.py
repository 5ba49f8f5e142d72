"""The protocols of the solve room: what limits and blocks of members promise to whoever coordinates them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    import scipy.sparse as sp

KEY = np.dtype([("kind", np.int8), ("element", np.int32), ("step", np.int32)])
"""A limit's name: its kind (the position in the `kinds` of its `Limits`), element and step."""


@dataclass(frozen=True)
class Rows:
    """One-sided limits as rows over ports: ``matrix @ x <= bound``, each elastic in units of its rating.

    Attributes
    ----------
    matrix : csr_matrix (row, port)
        Coefficients.
    bound : ndarray (row,)
        Right-hand side, in the limit's own unit.
    rating : ndarray (row,)
        The limit itself, by which relaxations are measured.
    """

    matrix: sp.csr_matrix
    bound: np.ndarray
    rating: np.ndarray


class Limits(Protocol):
    """Limits that are affine in what enters a network at its ports, any number of steps a row. Stateless."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Names of the kinds of limit, in the order of the keys' numbers."""

    @property
    def ports(self) -> int:
        """How many ports there are: the length of `x`."""

    def violated(self, x: np.ndarray, tolerance: float, most: int, known: np.ndarray) -> np.ndarray:
        """Sweep all limits.

        Parameters
        ----------
        x : ndarray (port,)
            What enters. [kW, kvar]
        tolerance : float
            In units of each limit's rating.
        most : int
            How many keys to return at most: the worst.
        known : ndarray of KEY
            Limits that are stated already.

        Returns
        -------
        ndarray of KEY
            Sorted, none of `known`; empty if and only if no other limit is violated.
        """

    def rows(self, keys: np.ndarray) -> Rows:
        """State limits as rows, in the order of the keys."""


class Block(Protocol):
    """Many members as arrays, such as stores, which answer prices at their ports."""

    @property
    def ports(self) -> np.ndarray:
        """Numbers of the ports at which the members inject."""

    def respond(self, price: np.ndarray) -> Any:
        """Answer prices: cost, lower bound and injections of each member."""

    def decode(self, plans: Any, weight: np.ndarray) -> Any:
        """Turn a mix of kept plans into set-points."""
