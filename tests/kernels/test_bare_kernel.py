from __future__ import annotations

import numpy as np
import pytest
from numba.core.errors import NumbaError

from kernels._jit import bare_kernel


def test_a_bare_kernel_that_allocates_is_refused() -> None:
    @bare_kernel
    def allocate(count: int) -> float:
        return np.zeros(count)[0]

    with pytest.raises(NumbaError):
        allocate(3)


def test_a_bare_kernel_writes_what_it_is_handed() -> None:
    @bare_kernel
    def double(values: np.ndarray) -> None:
        for i in range(len(values)):
            values[i] *= 2.0

    values = np.array([1.0, 2.0])
    double(values)
    assert values.tolist() == [2.0, 4.0]
