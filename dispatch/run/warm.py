"""Small work that compiles the kernels, each with the types of arrays that real work hands it.

``python -m dispatch.run.warm`` does all of it: where images of machines are built, nobody waits for it later.
"""

from __future__ import annotations

import sys

from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import load_case
from dispatch.forecast.profile import predict
from dispatch.run.cold import FORECASTING, PIPES, PLANTS, SOLVING, mark
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings
from dispatch.run.warm_cases import farm, street
from dispatch.verify.gas import check_gas


def compile_solving() -> None:
    """Run a street of three houses once by each method."""
    for method in ("decomposed", "monolithic"):
        optimize(street(), Settings(method=method, gap=1e-4))
    mark(SOLVING)


def compile_forecasting() -> None:
    """Forecast loads and PV of the embedded town for an hour."""
    predict(load_case(embedded_path("schutterwald_summer")), horizon_h=1)
    mark(FORECASTING)


def compile_plants() -> None:
    """Run the street with a plant that injects into a loop of pipes, and a tank."""
    optimize(farm(), Settings(gap=1e-4))
    mark(PLANTS)


def compile_pipes() -> None:
    """Find the pressures of the loop."""
    check_gas(farm())
    mark(PIPES)


PARTS = {
    SOLVING: compile_solving,
    FORECASTING: compile_forecasting,
    PIPES: compile_pipes,
    PLANTS: compile_plants,
}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
