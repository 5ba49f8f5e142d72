"""Two ways to put limits into HiGHS: as rows over the prosumers' columns when violated, or all of them as stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from dispatch.errors import SolverError
from dispatch.model.compiler import compile_program
from dispatch.solve.highs import Highs
from dispatch.solve.limits.excess import FORWARD, REVERSE, V_MAX, V_MIN
from dispatch.solve.outcome import GROWN, LADDER
from dispatch.solve.protocols import KEY, key_order
from dispatch.solve.scaling import extremes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.apart import Apart
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.outcome import Basis
    from dispatch.solve.protocols import Limits, Part
    from dispatch.solve.until import Until

TOLERANCE = 1e-10
"""Limits exceeded by less, in units of their rating, are not stated."""
MOST_ROWS = 100_000
"""Rows stated in one round at most."""
MOST_ROUNDS = 1000


@dataclass(frozen=True)
class Optimum:
    """What an engine finds; limits sorted by key.

    Attributes
    ----------
    columns, row_prices : ndarray
        Of the prosumers' program.
    keys : ndarray (limit,) of KEY
        Limits that were stated; of all rows those with a price or a slack.
    limit_prices : ndarray (limit,)
        Change of the optimum per unit of tightening, at least 0. [money per unit]
    slacks : ndarray (limit,)
        Relaxations in the limits' own units.
    objective : float
        Without the program's constant. [money]
    rounds : int
        Solves that it took.
    method : str
        How the last solve went.
    spared : float
        What relaxing limits would cost more at their penalties: where it is not 0, this is no optimum at the penalty.
    """

    columns: np.ndarray
    row_prices: np.ndarray
    keys: np.ndarray
    limit_prices: np.ndarray
    slacks: np.ndarray
    objective: float
    rounds: int
    method: str
    spared: float = 0.0


class LazyRows:
    """Solve without limits, sweep, state the violated ones, solve hot, until none is violated.

    Parameters
    ----------
    program : Program or Part
        Compiled without the network, or the part of it that may move.
    options : dict
        Keyword arguments of `Highs`.
    solver : type
        Whether what shares no rows is solved as one program or apart.
    """

    def __init__(self, program: Program | Part, options: dict[str, Any], solver: type[Highs | Apart] = Highs) -> None:
        self._program = program
        self._highs = solver(
            program.matrix, program.row_lower, program.row_upper, program.lower, program.upper, program.cost, **options
        )
        self._cost = program.cost
        self._keys = np.zeros(0, KEY)
        self._shift = np.zeros(0)
        self._rating, self._size = np.zeros(0), np.zeros(0)
        self._over_ports: list[sp.csr_matrix] = []
        self._ladder: Sequence[str] = LADDER[1:]

    def optimum(
        self,
        limits: Limits,
        penalty: float,
        cost: np.ndarray,
        ceiling: float = np.inf,
        until: Until | None = None,
    ) -> Optimum:
        """Solve for limits, their penalty and the prosumers' costs.

        Parameters
        ----------
        limits : Limits
            As they are now: their bounds may have changed.
        penalty : float
            Of relaxing a limit by its own rating in a step. [money]
        cost : ndarray (column,)
            Of the prosumers' columns.
        ceiling : float
            What relaxing a limit costs at most, per unit of what relieves it most. [money/kW]
        until : Until, optional
            When to give up.

        Returns
        -------
        Optimum

        Raises
        ------
        SolverError
            If HiGHS warns, stops early or finds no optimum.
        TimeUp
            If it is time to give up.
        """
        if cost is not self._cost:
            self._highs.change_cost(cost)
            self._cost = cost
        self._highs.change_added(limits.bound(self._keys) - self._shift, self._price(penalty, ceiling))
        for rounds in range(1, MOST_ROUNDS + 1):
            found = self._highs.solve(self._ladder, until)
            self._ladder = LADDER
            x = self._program.injection @ found.columns + self._program.injection_constant
            keys = limits.violated(x, TOLERANCE, MOST_ROWS, self._keys)
            if not len(keys):
                order = key_order(self._keys)
                prices, slacks = np.maximum(-found.added_prices, 0.0), np.maximum(found.slacks, 0.0)
                relaxed = np.where(slacks > TOLERANCE * self._rating, slacks, 0.0)
                spared = penalty / self._rating - self._price(penalty, ceiling)
                return Optimum(
                    found.columns, found.row_prices, self._keys[order], prices[order], slacks[order],
                    found.objective, rounds, found.method, float(np.sum(relaxed * spared)),
                )  # fmt: skip
            self.state(limits, keys, penalty, ceiling)
        raise SolverError(f"Limits were still violated after {MOST_ROUNDS} rounds.")

    def price(self, found: Optimum) -> np.ndarray:
        """Find what each unit injected at a port costs at the prices of an optimum's limits, (port,), in money."""
        prices = np.empty(len(self._keys))
        prices[key_order(self._keys)] = found.limit_prices
        price, first = np.zeros(self._program.injection.shape[0]), 0
        for rows in self._over_ports:
            price += rows.T @ prices[first : first + rows.shape[0]]
            first += rows.shape[0]
        return price

    def basis(self) -> Basis:
        """Basis of the last solve, its limits sorted by key."""
        found, order = self._highs.basis(), key_order(self._keys)
        return found._replace(limits=found.limits[order], slacks=found.slacks[order])

    def start_from(self, basis: Basis, *, grown: bool = False) -> None:
        """Start the next solve from a basis, optimal but for new columns if `grown`; limits in the order as stated."""
        self._highs.start_from(basis)
        self._ladder = GROWN if grown else LADDER

    def go_on_from(self, before: LazyRows, limits: Limits, penalty: float, basis: Basis | None = None) -> None:
        """Start from where another engine ended whose program has the same columns and rows, with other numbers.

        With `basis` it may have others: that is then where to start, in the first columns and rows. The primal simplex
        goes on in either case: other numbers leave a few hundred moves, of which the dual one makes up to twenty times
        as many.
        """
        keys = before._keys[key_order(before._keys)]
        if len(keys):
            self.state(limits, keys, penalty)
        self.start_from(before.basis() if basis is None else basis, grown=True)

    def state(self, limits: Limits, keys: np.ndarray, penalty: float, ceiling: float = np.inf) -> None:
        """Add limits as rows over the prosumers' columns; see `optimum`."""
        program, rows = self._program, limits.rows(keys)
        self._over_ports.append(rows.matrix)
        fixed = limits.bound(keys) - rows.bound + rows.matrix @ program.injection_constant
        matrix = sp.csr_matrix(rows.matrix @ program.injection)
        matrix.eliminate_zeros()
        self._keys = np.concatenate([self._keys, keys])
        self._shift = np.concatenate([self._shift, fixed])
        self._rating = np.concatenate([self._rating, rows.rating])
        self._size = np.concatenate([self._size, extremes(rows.matrix)[0]])
        price = self._price(penalty, ceiling)[-len(keys) :]
        self._highs.add_elastic_rows(matrix, limits.bound(keys) - fixed, price)

    def _price(self, penalty: float, ceiling: float) -> np.ndarray:
        """Cost of each limit's slack."""
        most = np.where(self._size > 0, ceiling / np.where(self._size > 0, self._size, 1.0), np.inf)
        return np.minimum(penalty / self._rating, most)


class AllRows:
    """State every row of the network, as docs/formulation.md does.

    Parameters
    ----------
    program : Program
        Compiled without the network.
    inputs : Inputs
        From which it was compiled.
    lines : int
        How many lines there are: transformers are the branches after them.
    options : dict
        Keyword arguments of `Highs`.
    """

    def __init__(self, program: Program, inputs: Inputs, lines: int, options: dict[str, Any]) -> None:
        self._rows, self._columns = len(program.row_lower), len(program.cost)
        full = compile_program(inputs, network=True)
        self._highs = Highs(full.matrix, full.row_lower, full.row_upper, full.lower, full.upper, full.cost, **options)
        self._cost = np.zeros_like(full.cost)
        self._stated = _stated(full, inputs, lines)
        self._started = False

    def optimum(self, limits: RadialLimits, penalty: float, cost: np.ndarray, until: Until | None = None) -> Optimum:
        """Solve for limits, their penalty and the prosumers' costs; see `LazyRows.optimum`."""
        total = self._cost.copy()
        total[: self._columns] = cost
        for keys, rows, slacks, sign in self._stated:
            bound, endless = limits.bound(keys), np.full(len(keys), np.inf)
            self._highs.change_first(rows, -endless if sign > 0 else -bound, bound if sign > 0 else endless)
            total[slacks] = penalty / limits.rating_of(keys)
        self._highs.change_cost(total)
        found = self._highs.solve(LADDER if self._started else LADDER[1:], until)
        self._started = True
        keys = np.concatenate([stated[0] for stated in self._stated])
        prices = np.concatenate([-sign * found.row_prices[rows] for _, rows, _, sign in self._stated])
        slack = np.concatenate([found.columns[slacks] for _, _, slacks, _ in self._stated])
        prices, slack = np.maximum(prices, 0.0), np.maximum(slack, 0.0)
        used = np.nonzero((prices > 0) | (slack > 0))[0]
        used = used[key_order(keys[used])]
        return Optimum(
            found.columns[: self._columns], found.row_prices[: self._rows], keys[used], prices[used], slack[used],
            found.objective, 1, found.method,
        )  # fmt: skip


def _stated(full: Program, inputs: Inputs, lines: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    """Keys, rows, slack columns and sign of each kind of limit of the network's components."""
    found = []
    for component, kind, row, sign in (
        ("bus", V_MAX, "v_max", 1.0),
        ("bus", V_MIN, "v_min", -1.0),
        ("line", FORWARD, "forward", 1.0),
        ("line", REVERSE, "reverse", 1.0),
        ("transformer", FORWARD, "forward", 1.0),
        ("transformer", REVERSE, "reverse", 1.0),
    ):
        elements = inputs.kinds[component]
        if not elements.count:
            continue
        keys = np.empty((elements.count, inputs.steps), KEY)
        first = lines if component == "transformer" else 0
        keys["kind"], keys["element"], keys["step"] = kind, first + elements.index[:, None], np.arange(inputs.steps)
        rows, slacks = full.row(component, row), full.column(component, f"slack_{row}")
        found.append((keys.ravel(), rows.ravel(), slacks.ravel(), sign))
    return found
