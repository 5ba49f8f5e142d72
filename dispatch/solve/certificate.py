"""Proof of an optimum from the case, a plan and prices alone: no solver is imported, nothing of the solve is reused."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.network import network_of
from dispatch.errors import CertificateError
from dispatch.model.compiler import compile_program, layout_of
from dispatch.model.inputs import make_inputs, prosumers_of
from dispatch.solve.blocks.reading import as_given
from dispatch.solve.limits.radial import RadialLimits, limits_of
from dispatch.solve.program_proof import allows, figures_by_program
from dispatch.solve.stores_proof import StoresProof
from kernels.proof import all_finite

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.offsets import Offsets
    from dispatch.model.program import Layout, Program
    from dispatch.solve.program_proof import Figures
    from dispatch.solve.solution import Prices, Solution

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


def certify(
    case: xr.DataTree,
    offsets: Offsets,
    limit_penalty: float,
    plan: np.ndarray,
    prices: Prices,
    layout: Layout | None = None,
) -> Certificate:
    """Measure a plan and prices against the case.

    Where only loads, pv and stores are behind meters, bounds and costs are read from the case and the bound is a closed
    form in each step; else the case is compiled anew. Both say the same.

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
    layout : Layout, optional
        Where the columns and rows of the case's program stand in them: what is written by it is then what is proven.
        Worked out from the case by default, and wherever the case is compiled anew.

    Returns
    -------
    Certificate
        Figures only; `require` judges them.

    Raises
    ------
    CertificateError
        If plan or prices do not have the size of the case's program, are not finite, or name a limit twice or one
        that it has not; or if the layout is that of another program.
    """
    network, prosumers = network_of(case), prosumers_of(case)
    if prosumers is not None and not prosumers.kinds["peak"].count:
        layout = layout or layout_of(make_inputs(case, rated=False))
        return certificate_of(
            _figures_by_stores(StoresProof(prosumers, network, offsets), limit_penalty, layout, plan, prices)
        )
    inputs = make_inputs(case, offsets=offsets, limit_penalty=limit_penalty, rated=False)
    program = compile_program(inputs)
    limits = limits_of(program, network, inputs, offsets)
    _require_shape(program, plan, prices)
    if not all(all_finite(as_given(given)) for given in (plan, prices.rows)):
        raise _not_finite()
    _require_known(limits, prices)
    return certificate_of(figures_by_program(program, limits, inputs.dt, limit_penalty, plan, prices))


def _figures_by_stores(
    proof: StoresProof, limit_penalty: float, layout: Layout, plan: np.ndarray, prices: Prices
) -> Figures:
    """Figures without a program; each value of plan and row prices enters one that is not finite where it is not."""
    _require_shape(layout, plan, prices)
    if len(prices.keys) or len(prices.limits):
        _require_known(proof.limits, prices)
    figures = proof.of_program(limit_penalty, layout, plan, prices)
    if not all(isfinite(figure) for figure in figures):
        raise _not_finite()
    return figures


def _not_finite() -> CertificateError:
    return CertificateError("Plan or prices hold values that are not finite numbers.")


def certificate_of(figures: Figures) -> Certificate:
    """Add the gap to objective, bound and residuals."""
    objective, bound, primal, dual = figures
    return Certificate(objective, bound, primal, dual, (objective - bound) / max(1.0, abs(objective)))


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


def require_same(certificate: Certificate, program: Program, solution: Solution) -> None:
    """Refuse a program that was solved where it says otherwise of its plan than the case does.

    Parameters
    ----------
    certificate : Certificate
        Of the solution, by the case.
    program : Program
        Compiled for the solve.
    solution : Solution
        Its optimum.

    Raises
    ------
    CertificateError
        If a column of the plan is outside the program's bounds, or the plan costs something else by it.
    """
    off = solution.objective - certificate.objective_relaxation
    costs_alike = abs(off) <= TOLERANCE * max(1.0, abs(solution.objective))
    if not (costs_alike and allows(program, solution.columns, TOLERANCE)):
        raise CertificateError(
            "The solution does not prove itself: the program that was solved is not that of the case (by it the plan"
            f" costs {solution.objective:.9g}, by the case {certificate.objective_relaxation:.9g})."
        )


def _require_shape(layout: Layout, plan: np.ndarray, prices: Prices) -> None:
    """Refuse arrays that belong to another program."""
    expected, found = (layout.width, layout.height), (len(plan), len(prices.rows))
    if expected != found:
        raise CertificateError(f"Plan and prices have {found} columns and rows; the case's program has {expected}.")


def _require_known(limits: RadialLimits, prices: Prices) -> None:
    """Refuse prices of limits that the case has not, or that are named twice."""
    keys = prices.keys
    if not all_finite(as_given(prices.limits)):
        raise _not_finite()
    if len(keys) == len(prices.limits) == 0:
        return
    sizes = np.array([len(r) for r in limits.rating])
    kind, element, step = (keys[name].astype(np.int64) for name in ("kind", "element", "step"))
    known = (kind >= 0) & (kind < len(sizes)) & (step >= 0) & (step < limits.steps)
    known &= (element >= 0) & (element < sizes[np.where(known, kind, 0)])
    number = (kind * sizes.max() + element) * limits.steps + step
    if len(prices.limits) != len(keys) or not known.all() or len(np.unique(number)) != len(keys):
        raise CertificateError("Limit prices do not belong to the case: a limit is unknown, named twice or unpriced.")
