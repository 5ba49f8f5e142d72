"""A week of a regional gas network of 4 to 16 bar with a biogas plant: pressures and linepack to a fixed point.

In this process, its forecast made beforehand, checked by AC power flow and step by step by the exact equations of gas.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.regional_gas import regional_gas
from benchmarks.registry import Benchmark, Subject, Timing
from benchmarks.solving import timed
from dispatch.case.schema import columns
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings
from dispatch.run.stages import Stages

if TYPE_CHECKING:
    import xarray as xr


def said(result: xr.DataTree) -> str:
    """Tell how the fixed point was found, and what the pipes did."""
    proof, pressure = result["certificate"].attrs, result["schedule/pressure"].to_numpy()
    packed = result["schedule/linepack_pipe"].to_numpy()
    held = np.nansum(packed, axis=0) / 1000
    return (
        f"{result['certificate/status'].to_numpy()[0].decode()}; error {1000 * proof['pressure_error_max']:.2g}"
        f" mbar, {np.nanmin(pressure):.3g} to {np.nanmax(pressure):.3g} bar, pipes hold {held.min():.4g} to"
        f" {held.max():.4g} MWh; "
    )


def measure(case: xr.DataTree) -> Timing:
    """From the case with its forecast to the result in memory, over all of its steps."""
    time = columns(case, "forecast")["time"]
    hours = len(time) * float((time[1] - time[0]) / np.timedelta64(1, "h"))
    stages = Stages()

    def work() -> xr.DataTree:
        stages.seconds.clear()
        return optimize(case, Settings(horizon_h=hours), stages=stages)

    clock, result = timed(work, 1)
    proof = result["certificate"]
    spent = ", ".join(f"{name} {seconds:.3g} s" for name, seconds in stages.seconds.items())
    note = f"gap {float(proof['gap'].max()):.0e}, {int(proof['rounds'].max())} rounds; {said(result)}{spent}"
    return Timing(*clock, float(proof["objective"].sum()), note)


BENCHMARK = Benchmark(
    name="linepack",
    about="weeks of a gas network above 4 bar gauge with a biogas plant: pressure drops and linepack to a fixed point",
    measures={"run": measure},
    subjects=lambda: (
        Subject("20 junctions", "a week of hours", lambda: regional_gas(20, 168, 60)),
        Subject("8 junctions", "a week of quarter-hours", lambda: regional_gas(8, 672, 15)),
        Subject("20 junctions", "a week of quarter-hours", lambda: regional_gas(20, 672, 15)),
    ),
    small=lambda: (Subject("6 junctions", "small", lambda: regional_gas(6, 4, 60, houses=3)),),
)
