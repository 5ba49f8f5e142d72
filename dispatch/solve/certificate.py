"""Proof of an optimum from the case, a plan and prices alone: no solver is imported, nothing of the solve is reused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.network import network_of
from dispatch.errors import CertificateError
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.solve.implied import finite_bounds
from dispatch.solve.limits.radial import RadialLimits, limits_of

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.offsets import Offsets
    from dispatch.model.program import Program
    from dispatch.solve.solution import Prices

TOLERANCE = 1e-6
"""Residuals and gap of a certified optimum, scaled."""
ROUNDING = 1e-9
"""A bound may lie above its objective by this much, scaled, and no more."""


@dataclass(frozen=True)
class Certificate:
    """Figures that prove an optimum, or do not.

    Attributes
    ----------
    objective_relaxation : float
        Cost of the plan, relaxations of all limits included. [money]
    lower_bound : float
        No plan costs less. [money]
    residual_primal : float
        Largest violation of a row or of a column's bounds, relative to 1 plus the bound.
    residual_dual : float
        Largest violation of stationarity and complementarity: the natural residual ``|x - projection(x - d)|``,
        relative to 1 plus the column's cost, or to 1 plus a limit's penalty.
    gap_relaxation : float
        Objective less bound, relative to 1 or the objective if that is larger.
    """

    objective_relaxation: float
    lower_bound: float
    residual_primal: float
    residual_dual: float
    gap_relaxation: float


def certify(case: xr.DataTree, offsets: Offsets, limit_penalty: float, plan: np.ndarray, prices: Prices) -> Certificate:
    """Compile the case anew and measure a plan and prices against it.

    Parameters
    ----------
    case : DataTree
        Of one or more feeders.
    offsets : Offsets
        What the AC check adds to the limits.
    limit_penalty : float
        Penalty of relaxing a limit by its own rating for an hour. [money h-1]
    plan : ndarray (column,)
        Value of every column of the prosumers' program.
    prices : Prices
        Of its rows, and of limits.

    Returns
    -------
    Certificate
        Figures only; `require` judges them.

    Raises
    ------
    CertificateError
        If plan or prices do not have the size of the case's program, are not finite, or name a limit twice or one
        that it has not.
    """
    inputs = make_inputs(case, offsets=offsets, limit_penalty=limit_penalty)
    program = compile_program(inputs)
    limits = limits_of(program, network_of(case), inputs, offsets)
    return measured(program, limits, inputs.dt, limit_penalty, plan, prices)


def measured(
    program: Program, limits: RadialLimits, dt: float, limit_penalty: float, plan: np.ndarray, prices: Prices
) -> Certificate:
    """Measure a plan and prices against a program that is compiled already; see `certify`."""
    _require_shape(program, limits, plan, prices)
    objective = elastic_cost(program, limits, dt, limit_penalty, plan)
    bound, residual_dual = _dual(program, limits, dt, limit_penalty, plan, prices)
    return Certificate(
        objective, bound, _primal(program, plan), residual_dual, (objective - bound) / max(1.0, abs(objective))
    )


def require(certificate: Certificate, gap: float = TOLERANCE) -> None:
    """Refuse what does not prove itself.

    Parameters
    ----------
    certificate : Certificate
        Figures of a plan and its prices.
    gap : float
        Largest gap; where it is above `TOLERANCE`, plan and prices need not fit each other otherwise.

    Raises
    ------
    CertificateError
        If a residual or the gap is above the tolerance or not a number, or the bound is above the objective.
    """
    found = certificate
    fit = TOLERANCE if gap <= TOLERANCE else np.inf
    for name, tolerance in (("residual_primal", TOLERANCE), ("residual_dual", fit), ("gap_relaxation", gap)):
        value = getattr(found, name)
        if not value <= tolerance:
            raise CertificateError(
                f"The solution does not prove itself: {name} is {value:.3g}, allowed is {tolerance:g}"
                f" (objective {found.objective_relaxation:.9g}, bound {found.lower_bound:.9g})."
            )
    if found.gap_relaxation < -ROUNDING:
        raise CertificateError(
            f"The bound {found.lower_bound:.12g} lies above the objective {found.objective_relaxation:.12g}:"
            " the program or its prices are wrong."
        )


def elastic_cost(program: Program, limits: RadialLimits, dt: float, limit_penalty: float, plan: np.ndarray) -> float:
    """Cost of a plan: the prosumers', and every limit's relaxation by a fresh sweep.

    Parameters
    ----------
    program : Program
        Of the prosumers.
    limits : RadialLimits
        All limits, with their offsets.
    dt : float
        Length of a step. [h]
    limit_penalty : float
        Penalty of relaxing a limit by its own rating for an hour. [money h-1]
    plan : ndarray (column,)
        Value of every column.

    Returns
    -------
    float
        [money]
    """
    relaxed = relaxation(limits, program.injection @ plan + program.injection_constant)
    return _dot(program.cost, plan) + program.constant + dt * limit_penalty * relaxed


def relaxation(limits: RadialLimits, x: np.ndarray) -> float:
    """By how much all limits are exceeded when `x` enters at the ports, each in units of its rating, steps added up."""
    total = 0.0
    for amount, rating in zip(limits.excess(x).by_kind, limits.rating, strict=True):
        over = amount > 0
        if over.any():
            element, step = np.nonzero(over)
            total += float(np.sum(amount[element, step] / rating[element]))
    return total


def _require_shape(program: Program, limits: RadialLimits, plan: np.ndarray, prices: Prices) -> None:
    """Refuse arrays that belong to another program."""
    expected, found = (len(program.cost), len(program.row_lower)), (len(plan), len(prices.rows))
    if expected != found:
        raise CertificateError(f"Plan and prices have {found} columns and rows; the case's program has {expected}.")
    if not all(np.isfinite(given).all() for given in (plan, prices.rows, prices.limits)):
        raise CertificateError("Plan or prices hold values that are not finite numbers.")
    sizes = np.array([len(r) for r in limits.rating])
    keys = prices.keys
    known = (keys["kind"] >= 0) & (keys["kind"] < len(sizes))
    known &= (keys["element"] >= 0) & (keys["element"] < sizes[np.where(known, keys["kind"], 0)])
    known &= (keys["step"] >= 0) & (keys["step"] < limits.steps)
    if len(prices.limits) != len(keys) or not known.all() or len(np.unique(keys)) != len(keys):
        raise CertificateError("Limit prices do not belong to the case: a limit is unknown, named twice or unpriced.")


def _primal(program: Program, plan: np.ndarray) -> float:
    activity = program.matrix @ plan
    return max(_outside(activity, program.row_lower, program.row_upper), _outside(plan, program.lower, program.upper))


def _outside(value: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> float:
    """Largest distance to an interval, relative to 1 plus the bound; NaN stays NaN."""
    below = (lower - value) / (1 + np.abs(np.where(np.isfinite(lower), lower, 0.0)))
    above = (value - upper) / (1 + np.abs(np.where(np.isfinite(upper), upper, 0.0)))
    return float(np.maximum(below, above).max(initial=0.0))


def _dual(
    program: Program, limits: RadialLimits, dt: float, limit_penalty: float, plan: np.ndarray, prices: Prices
) -> tuple[float, float]:
    """Lower bound from the prices alone, and how far they are from fitting the plan.

    A price outside what its row or penalty allows is cut to that before it enters the bound, which is then valid
    whatever is given; what is cut counts in the residual.
    """
    low, high = program.row_lower, program.row_upper
    y = np.clip(prices.rows, np.where(np.isfinite(high), -np.inf, 0.0), np.where(np.isfinite(low), np.inf, 0.0))
    rows, ceiling = limits.rows(prices.keys), limit_penalty / limits.rating_of(prices.keys)
    m = np.clip(prices.limits, 0.0, ceiling)
    weight = rows.matrix.T @ (dt * m)
    reduced = program.cost - program.matrix.T @ y + program.injection.T @ weight
    lower, upper = finite_bounds(program)
    at = np.where(reduced >= 0, lower, upper)
    priced, moving = y != 0, reduced != 0
    bound = program.constant + _dot(np.where(y >= 0, low, high)[priced], y[priced])
    bound += _dot(weight, program.injection_constant) - _dot(rows.bound, dt * m)
    bound += _dot(reduced[moving], at[moving])

    residual = _natural(plan, reduced, program.lower, program.upper) / (1 + np.abs(program.cost))
    activity = program.matrix @ plan
    of_rows = np.maximum(_natural(activity, y, low, high), np.abs(prices.rows - y))
    over = (rows.matrix @ (program.injection @ plan + program.injection_constant) - rows.bound) / rows.rating
    price, most = prices.limits * rows.rating, np.full(len(m), limit_penalty)
    of_limits = _natural(price, -over, np.zeros(len(m)), most)
    cut = np.abs(prices.limits - m) * rows.rating / (1 + limit_penalty)
    worst = [part.max(initial=0.0) for part in (residual, of_rows, of_limits, cut)]
    return bound, float(np.max(worst))


def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of products in one order, whatever BLAS does with its threads."""
    return float(np.sum(a * b))


def _natural(value: np.ndarray, reduced: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Distance that a step against the reduced cost would really go."""
    return np.asarray(np.abs(value - np.clip(value - reduced, lower, upper)))
