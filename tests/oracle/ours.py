"""The project's side of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.solve.monolithic import Monolithic

if TYPE_CHECKING:
    import numpy as np
    import xarray as xr


def within(value: float) -> float:
    """The agreement that is promised: 1e-6 relative."""
    return 1e-6 * max(1.0, abs(value))


def last_offsets(result: xr.DataTree) -> dict[str, np.ndarray]:
    """What a result's last program added to its limits, and the state of the gas network about which it is linear."""
    offset, names = result["/offset"].dataset, ("v_max", "v_min", "pressure", "flow_", "demand_most", "share")
    found = {str(n): offset[n].to_numpy() for n in offset.data_vars if str(n).startswith(names)}
    return {"s": offset["s_line"].to_numpy(), **found}


def monolithic(
    case: xr.DataTree, offsets: dict[str, np.ndarray], penalty: float, *, all_rows: bool = False
) -> tuple[Monolithic, Offsets]:
    given = Offsets(**offsets)
    inputs = make_inputs(case, offsets=given, limit_penalty=penalty)
    return Monolithic(compile_program(inputs), network_of(case), inputs, all_rows=all_rows), given
