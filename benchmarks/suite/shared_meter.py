"""Heat pumps and cars on meters of their own, and behind the house's meter where several stores meet.

On a meter of its own each store prices itself by the store kernel. Where two stores meet, the kernel does not fit: such
meters are priced by a linear program, together.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.feeders import street
from benchmarks.registry import Benchmark, Reference, Subject, Timing
from benchmarks.solving import LIMIT_PENALTY, build_and_solve, no_offsets, timed
from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import load_case
from dispatch.case.network import network_of
from dispatch.case.schema import build_case, columns
from dispatch.case.slices import split_feeders
from dispatch.forecast.profile import predict
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.scenario.equip import equip
from dispatch.solve.decomposed import Decomposed

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.solve.solution import Solution

AREAS = (5, 12)  # the two largest of the town's areas
SHARES: dict[str, Any] = {
    "pv_share": 0.8,
    "battery_share": 0.4,
    "heat_pump_share": 0.3,
    "car_share": 0.5,
    "pv_size_kw": 9.0,
}
KEPT = ("bus", "source", "line", "transformer", "prosumer", "meter", "load", "tariff", "profile", "station")


@cache
def bare_town(season: str) -> xr.DataTree:
    """Take all that can be controlled out of the embedded town."""
    town = load_case(embedded_path(f"schutterwald_{season}"))
    tables = {kind: columns(town, kind) for kind in KEPT}
    used = np.isin(tables["meter"]["id"], tables["load"]["meter"])
    tables["meter"] = {name: values[used] for name, values in tables["meter"].items()}
    prosumer = tables["prosumer"]
    prosumer["heating"] = np.full(len(prosumer["id"]), b"unknown")
    prosumer["energy_year"] = np.full(len(prosumer["id"]), np.nan)
    return build_case(tables)


def area_day(season: str, area: int, shared: bool) -> xr.DataTree:
    """First day of one area with heat pumps in three and cars in five of ten houses."""
    town = equip(bare_town(season), **SHARES, seed=1, season=season, shared_meter=shared)
    return split_feeders(predict(town, horizon_h=24))[area]


def build_and_solve_by_prices(case: xr.DataTree) -> Timing:
    """From the case in memory to the optimum by prices, in a warm process."""
    meters = len(columns(case, "meter")["id"])

    def work() -> Solution:
        inputs, network = make_inputs(case, limit_penalty=LIMIT_PENALTY), network_of(case)
        return Decomposed(compile_program(inputs), network, inputs).solve(no_offsets(case), LIMIT_PENALTY)

    clock, found = timed(work)
    share = found.by_program / meters
    return Timing(*clock, found.objective, f"{found.method}; {meters} meters, {share:.0%} priced by LP")


def _subjects() -> tuple[Subject, ...]:
    return tuple(
        Subject(f"area {area}, {season}", "shared meter" if shared else "meters of their own",
                partial(area_day, season, area, shared))
        for season in ("summer", "winter") for area in AREAS for shared in (False, True)
    )  # fmt: skip


BENCHMARK = Benchmark(
    name="shared-meter",
    about="heat pumps and cars on meters of their own or behind the house's, and the share of meters priced by LP",
    measures={"build and solve, by prices": build_and_solve_by_prices},
    subjects=_subjects,
    small=lambda: (Subject("street", "small", street),),
    references=(Reference("dispatch: build and solve", build_and_solve),),
)
