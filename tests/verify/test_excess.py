from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from dispatch.case.schema import build_case
from dispatch.verify.electric import AcState
from dispatch.verify.excess import limits_ac

if TYPE_CHECKING:
    import xarray as xr

NAN = np.nan


def case() -> xr.DataTree:
    """Return two buses with limits of their own; ratings do not matter, a state bears loadings."""
    return build_case(
        {"bus": {"id": ["a", "b"], "v_nom": [0.4, 0.4], "v_min_pu": [0.9, 0.95], "v_max_pu": [1.1, 1.05]}}
    )


def state(v: Any, loading: Any, converged: Any = None) -> AcState:
    """Return a state of two buses and one branch."""
    v, loading = np.array(v, float), np.array(loading, float)
    good = np.ones(v.shape[1], bool) if converged is None else np.array(converged)
    return AcState(v, np.zeros_like(loading), loading, good)


def test_each_limit_has_its_tolerance() -> None:
    v = [[1.1009, 1.1011, 0.8991, 0.8989], [1.0509, 1.0511, 0.9491, 0.9489]]
    excess = limits_ac(case(), state(v, [[1.0049, 1.0051, 0.5, 0.0]]))
    assert excess.v_max.tolist() == [[False, True, False, False]] * 2
    assert excess.v_min.tolist() == [[False, False, False, True]] * 2
    assert excess.s.tolist() == [[False, True, False, False]]
    assert excess.v_violation_max_pu == pytest.approx(0.0011)
    assert excess.loading_max_pu == pytest.approx(1.0051)
    assert np.isnan(excess.v_error_max_pu)


def test_within_limits_the_violation_is_zero() -> None:
    excess = limits_ac(case(), state([[1.0], [1.0]], [[0.2]]))
    assert excess.v_violation_max_pu == 0.0
    assert excess.holds()


def test_error_is_of_the_magnitude() -> None:
    linear = np.array([[1.02, 1.0], [NAN, 0.98]]) ** 2
    excess = limits_ac(case(), state([[1.0, 1.0], [NAN, 0.985]], [[0.0, 0.0]]), linear)
    assert excess.v_error_max_pu == pytest.approx(0.02)


@pytest.mark.parametrize("limit", ["v_max", "v_min", "s"])
def test_limits_reported_as_unmet_are_set_aside(limit: str) -> None:
    v = {"v_max": [[1.2, 1.0], [1.0, 1.0]], "v_min": [[0.8, 1.0], [1.0, 1.0]], "s": [[1.0, 1.0], [1.0, 1.0]]}[limit]
    excess = limits_ac(case(), state(v, [[1.5 if limit == "s" else 0.0, 0.0]]))
    over = getattr(excess, limit)
    assert not excess.holds()
    assert excess.holds(**{limit: over})
    assert not excess.holds(**{limit: np.roll(over, 1, axis=1)})
    elements = over.any(axis=1, keepdims=True)
    assert excess.holds(**{limit: elements})


def test_nothing_holds_without_a_solution() -> None:
    excess = limits_ac(case(), state([[1.0, NAN], [1.0, NAN]], [[0.1, NAN]], [True, False]))
    assert (excess.v_violation_max_pu, excess.loading_max_pu) == (0.0, 0.1)
    assert not excess.holds(v_max=True, v_min=True, s=True)
