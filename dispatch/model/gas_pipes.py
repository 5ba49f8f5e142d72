"""The gas of a case, and its pipes as coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import columns
from kernels.pipe import COLEBROOK, NIKURADSE, Pipes
from kernels.pipe_linear import make_pipes

if TYPE_CHECKING:
    import xarray as xr

LAWS = {b"nikuradse": NIKURADSE, b"colebrook": COLEBROOK}


def gas_values(case: xr.DataTree) -> dict[str, float]:
    """Numbers of the kind ``gas_network``, defaults filled in."""
    found = columns(case, "gas_network")
    return {name: float(value[()]) for name, value in found.items() if value.dtype.kind == "f"}


def friction_law(case: xr.DataTree) -> int:
    """Give the number of the friction law, see `kernels.pipe.friction_factor`."""
    return LAWS[bytes(columns(case, "gas_network")["friction_law"][()])]


def pipes_of(case: xr.DataTree) -> Pipes:
    """Coefficients of each pipe for flows in normal cubic metres per hour and pressures in bar."""
    pipe, none = columns(case, "pipe"), np.zeros(0)
    names = ("inner_diameter", "length", "roughness", "friction_factor", "loss_coefficient")
    diameter, length, roughness, friction, loss = (np.asarray(pipe.get(n, none), np.float64) for n in names)
    return make_pipes(diameter, length, roughness, friction, loss, gas_values(case))


def some_pipes(pipes: Pipes, own: np.ndarray) -> Pipes:
    """Coefficients of some of the pipes."""
    return Pipes(*(np.ascontiguousarray(values[own]) for values in pipes))
