"""Integer programs in HiGHS: the best choice found by a number of nodes, and what no choice costs less than."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import highspy
import numpy as np
import scipy.sparse as sp

from dispatch.errors import SolverError, TimeUp
from dispatch.solve.highs import DONE, QuietHighs
from dispatch.solve.scaling import row_scale

if TYPE_CHECKING:
    from dispatch.solve.until import Until

STOPPED = (highspy.HighsModelStatus.kSolutionLimit, highspy.HighsModelStatus.kTimeLimit)
"""What HiGHS says when it has used up its nodes or its time."""


@dataclass(frozen=True)
class IntegerProgram:
    """Minimise ``cost @ z`` where ``row_lower <= matrix @ z <= row_upper`` and ``lower <= z <= upper``.

    Attributes
    ----------
    matrix : csr_matrix (row, column)
        No duplicates.
    row_lower, row_upper : ndarray (row,)
        Infinite where there is no bound.
    lower, upper, cost : ndarray (column,)
        Of each column.
    integers : ndarray (integer,) of int
        Columns that take whole numbers only.
    """

    matrix: sp.csr_matrix
    row_lower: np.ndarray
    row_upper: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    cost: np.ndarray
    integers: np.ndarray


@dataclass(frozen=True)
class Choice:
    """What an integer program ends with.

    Attributes
    ----------
    columns : ndarray (column,)
        The best that was found.
    objective, bound : float
        What it costs, and what no choice costs less than.
    """

    columns: np.ndarray
    objective: float
    bound: float


def best_choice(
    program: IntegerProgram, *, gap: float, nodes: int, until: Until, start: np.ndarray | None = None
) -> Choice:
    """Search for the best choice until it is proven to a gap, or nodes or time are used up.

    Nodes, unlike seconds, end the search at the same choice on every machine.

    Parameters
    ----------
    program : IntegerProgram
        With at least one integer.
    gap : float
        Objective less bound that is small enough. [unit of the cost]
    nodes : int
        Of the tree that is searched, at most.
    until : Until
        When to give up.
    start : ndarray (integer,), optional
        Values of the integers to start from.

    Raises
    ------
    SolverError
        If there is no choice, or HiGHS fails.
    TimeUp
        If nodes or time are used up before any choice is found.
    """
    if until.over:
        raise TimeUp("Time is up.")
    model = QuietHighs()
    settings = {
        "log_to_console": False, "threads": 1, "random_seed": 0, "parallel": "off", "mip_rel_gap": 0.0,
        "mip_abs_gap": gap, "mip_max_nodes": nodes, "primal_feasibility_tolerance": 1e-9,
        "dual_feasibility_tolerance": 1e-9, "mip_feasibility_tolerance": 1e-9, "time_limit": until.left,
    }  # fmt: skip
    scale = row_scale(program.matrix)
    matrix = sp.csr_matrix(sp.diags(scale) @ program.matrix)
    rows, columns = matrix.shape
    nothing, whole = np.zeros(0, np.int32), program.integers.astype(np.int32)
    steps = [model.setOptionValue(name, value) for name, value in settings.items()]
    steps.append(
        model.addCols(columns, program.cost, program.lower, program.upper, 0, np.zeros(columns, np.int32), nothing,
                      np.zeros(0))
    )  # fmt: skip
    steps.append(
        model.addRows(rows, program.row_lower * scale, program.row_upper * scale, matrix.nnz,
                      matrix.indptr[:-1].astype(np.int32), matrix.indices.astype(np.int32), matrix.data)
    )  # fmt: skip
    kinds = np.full(len(whole), int(highspy.HighsVarType.kInteger), np.uint8)
    steps.append(model.changeColsIntegrality(len(whole), whole, kinds))
    if start is not None:
        steps.append(model.setSolution(len(whole), whole, start))
    if any(step != highspy.HighsStatus.kOk for step in steps) or model.getNumNz() != matrix.nnz:
        raise SolverError("HiGHS does not take the integer program as it is.")
    model.run()
    status, found = model.getModelStatus(), model.getInfo()
    feasible = found.primal_solution_status == int(highspy.SolutionStatus.kSolutionStatusFeasible)
    if status in STOPPED and not feasible:
        raise TimeUp("The search ended before it found a choice.")
    if status not in DONE + STOPPED or not feasible:
        raise SolverError(f"The integer program has no solution: {model.modelStatusToString(status)}.")
    values = np.array(model.getSolution().col_value)
    return Choice(values, float(found.objective_function_value), float(found.mip_dual_bound))
