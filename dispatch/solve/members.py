"""A program's meters as blocks, and what the blocks plan as the columns and row prices of the whole program."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.solve.blocks.moving import MovingStores
from dispatch.solve.blocks.places import Places
from dispatch.solve.blocks.programs import ProgramBlock
from dispatch.solve.blocks.stores import StoreBlock, priced_by_kernel
from dispatch.solve.solution import NOTICED, Prices, Solution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.coordinated import Coordinated
    from dispatch.solve.protocols import Limits


class Members:
    """Meters with at most one store, which the store kernel plans, and all others, which keep their program.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    inputs : Inputs
        From which it was compiled.
    options : dict
        Keyword arguments of `Highs`.
    apart : ndarray (meter,) of bool, optional
        Meters that keep their program whatever they have, as where its bounds are not those of their stores.
    """

    def __init__(
        self, program: Program, inputs: Inputs, options: dict[str, Any], apart: np.ndarray | None = None
    ) -> None:
        self.program, self.dt = program, inputs.dt
        fits = priced_by_kernel(program, inputs)
        stores = StoreBlock(inputs, fits if apart is None else fits & ~apart)
        self._places = Places(program, inputs, stores.meters)
        left = inputs.kinds["meter"].count - len(stores.meters)
        self.stores = MovingStores(stores)
        self.rest = ProgramBlock(program, self._places.columns, self._places.rows, left, inputs.steps, options)
        self.blocks = (self.stores, self.rest)
        self._inputs = inputs

    @cached_property
    def elements(self) -> tuple[Any, ...]:
        """Equal for the same elements, priced in the same way, with any forecast."""
        inputs, rest = self._inputs, self.rest
        ids = tuple((k, e.ids.tobytes()) for k, e in inputs.kinds.items())
        meters = self.stores.stores.meters.tobytes()
        return ids, inputs.steps, inputs.dt, meters, rest.columns.tobytes(), rest.rows.tobytes()

    def write(self, plans: Sequence[Any], columns: np.ndarray) -> None:
        """Write plans of both blocks into the columns of the whole program."""
        self._places.write(plans[0], columns)
        columns[self.rest.columns] = plans[1]

    def solution(self, limits: Limits, penalty: float, found: Coordinated, method: str, entries: int) -> Solution:
        """Write what the blocks plan into the columns of the whole program, and what it is worth into its rows.

        Parameters
        ----------
        limits : Limits
            With their offsets.
        penalty : float
            Of relaxing a limit by its own rating for an hour. [money h-1]
        found : Coordinated
            Plans and prices.
        method : str
            Which way it was found.
        entries : int
            Pairs of meter and step in the last program of HiGHS.
        """
        columns, row_prices = np.zeros_like(self.program.cost), np.zeros_like(self.program.row_lower)
        self.write(found.plans, columns)
        self._places.write_prices(self.stores.row_prices(found.answers[0], found.price), row_prices)
        row_prices[self.rest.rows] = found.row_prices[1] if found.row_prices else self.rest.row_prices
        share = found.slacks / limits.rating_of(found.keys)
        return Solution(
            columns,
            Prices(row_prices, found.keys, found.limit_prices / self.dt),
            found.slacks,
            float(self.dt * share[share > NOTICED].sum()),
            float(np.sum(self.program.cost * columns)) + self.program.constant + self.dt * penalty * float(share.sum()),
            penalty,
            found.rounds,
            f"{method}, {found.method}",
            entries,
            self.rest.meters,
        )
