"""By how much an AC state exceeds the limits of its case, and whether that can be let pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.verify.electric import AcState

V_TOLERANCE_PU = 1e-3  # of the voltage magnitude
LOADING_TOLERANCE_PU = 5e-3  # of a rating


@dataclass(frozen=True)
class Excess:
    """AC state against limits; branches are the case's lines, then its transformers.

    Attributes
    ----------
    v_violation_max_pu : float
        Largest amount by which a voltage is outside its limits; 0 where none is. [1]
    loading_max_pu : float
        Largest loading of a line or transformer. [1]
    v_error_max_pu : float
        Largest difference of AC and linear voltage magnitude; NaN where no linear voltage is given. [1]
    v_max, v_min : ndarray (bus, time) of bool
        Where the limit is exceeded by more than its tolerance, 1e-3 pu.
    s : ndarray (branch, time) of bool
        Where the rating is exceeded by more than its tolerance, 0.5 %.
    converged : ndarray (time,) of bool
        Steps that have an AC state at all.
    """

    v_violation_max_pu: float
    loading_max_pu: float
    v_error_max_pu: float
    v_max: np.ndarray
    v_min: np.ndarray
    s: np.ndarray
    converged: np.ndarray

    def holds(
        self, *, v_max: np.ndarray | None = None, v_min: np.ndarray | None = None, s: np.ndarray | None = None
    ) -> bool:
        """Tell whether AC holds, the limits that are reported as unmet aside.

        Parameters
        ----------
        v_max, v_min, s : ndarray of bool, optional
            Limits reported as unmet, by element and step (or anything that broadcasts to that); None: none.

        Returns
        -------
        bool
            False, too, where a step did not converge.
        """
        pairs = ((self.v_max, v_max), (self.v_min, v_min), (self.s, s))
        left = any((over & ~np.asarray(False if aside is None else aside)).any() for over, aside in pairs)
        return bool(self.converged.all()) and not left


def limits_ac(case: xr.DataTree, ac: AcState, v_squared_linear: np.ndarray | None = None) -> Excess:
    """Compare an AC state with every limit of its case.

    Parameters
    ----------
    case : DataTree
        Whose limits hold.
    ac : AcState
        State of its network.
    v_squared_linear : ndarray (bus, time), optional
        Squared voltage of the linear rows at the same schedule. [1]

    Returns
    -------
    Excess
        Isolated buses and steps that did not converge exceed nothing, but see ``converged``.
    """
    bus = columns(case, "bus")
    v = ac.v_pu
    above, below = v - bus["v_max_pu"][:, None], bus["v_min_pu"][:, None] - v
    error = np.abs(v - np.sqrt(np.maximum(v_squared_linear, 0))) if v_squared_linear is not None else np.full(1, np.nan)
    known = error[np.isfinite(error)]
    return Excess(
        v_violation_max_pu=max(_largest(above), _largest(below)),
        loading_max_pu=_largest(ac.loading_pu),
        v_error_max_pu=float(known.max()) if known.size else float("nan"),
        v_max=above > V_TOLERANCE_PU,
        v_min=below > V_TOLERANCE_PU,
        s=ac.loading_pu > 1 + LOADING_TOLERANCE_PU,
        converged=ac.converged,
    )


def _largest(values: np.ndarray) -> float:
    """Largest value above zero; NaN counts as zero."""
    return float(np.nan_to_num(values, nan=0.0).max(initial=0.0))
