"""Cost, violations and a lower bound of a plan and its prices, by a compiled program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.solve.elastic import at_prices, elastic_cost
from dispatch.solve.implied import finite_bounds
from kernels.proof import all_inside, worst_outside

if TYPE_CHECKING:
    from dispatch.model.program import Program
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.solution import Prices

Figures = tuple[float, float, float, float]
"""Objective, lower bound, primal and dual residual; see `dispatch.solve.certificate.Certificate`."""


def figures_by_program(
    program: Program, limits: RadialLimits, dt: float, limit_penalty: float, plan: np.ndarray, prices: Prices
) -> Figures:
    """Measure a plan and prices against a program.

    A price outside what its row or penalty allows is cut to that before it enters the bound, which is then valid
    whatever is given; what is cut counts in the residual.

    Parameters
    ----------
    program : Program
        Of the prosumers.
    limits, dt, limit_penalty, plan
        See `dispatch.solve.elastic.elastic_cost`.
    prices : Prices
        Of the program's rows, and of limits.

    Returns
    -------
    float, float, float, float
        Objective and lower bound [money], residuals.
    """
    x, low, high = program.injection @ plan + program.injection_constant, program.row_lower, program.row_upper
    limited = at_prices(limits, dt, limit_penalty, prices.keys, prices.limits, limits.flow(x))
    y = np.clip(prices.rows, np.where(np.isfinite(high), -np.inf, 0.0), np.where(np.isfinite(low), np.inf, 0.0))
    reduced = program.cost - program.matrix.T @ y + program.injection.T @ limited.weight
    lower, upper = finite_bounds(program)
    at = np.where(reduced >= 0, lower, upper)
    priced, moving = y != 0, reduced != 0
    bound = program.constant + _dot(np.where(y >= 0, low, high)[priced], y[priced])
    bound += _dot(limited.weight, program.injection_constant) - limited.worth + _dot(reduced[moving], at[moving])

    residual = _natural(plan, reduced, program.lower, program.upper) / (1 + np.abs(program.cost))
    of_rows = np.maximum(_natural(program.matrix @ plan, y, low, high), np.abs(prices.rows - y))
    dual = float(np.max([residual.max(initial=0.0), of_rows.max(initial=0.0), limited.residual]))
    return elastic_cost(program, limits, dt, limit_penalty, plan), bound, violation(program, plan), dual


def violation(program: Program, plan: np.ndarray) -> float:
    """Largest violation of a row or of a column's bounds, relative to 1 plus the bound; NaN stays NaN."""
    of_rows = worst_outside(program.matrix @ plan, program.row_lower, program.row_upper)
    of_columns = worst_outside(plan, program.lower, program.upper)
    return float(np.maximum(of_rows, of_columns))


def allows(program: Program, plan: np.ndarray, tolerance: float) -> bool:
    """Whether no column is farther outside its bounds than a tolerance relative to 1 plus the bound.

    That the rows hold is proven against the case: a program that has others has been refused for its layout, and one
    whose rows say otherwise has the case's optimum all the same.
    """
    return bool(all_inside(plan, program.lower, program.upper, tolerance))


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of products in one order, whatever BLAS does with its threads."""
    return float(np.sum(a * b))


def _natural(value: np.ndarray, reduced: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Distance that a step against the reduced cost would really go."""
    return np.asarray(np.abs(value - np.clip(value - reduced, lower, upper)))
