"""Small work that compiles the kernels, each with the types of arrays that real work hands it.

``python -m dispatch.run.warm`` does all of it: where images of machines are built, nobody waits for it later.
"""

from __future__ import annotations

import sys

import numpy as np

from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import load_case
from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.forecast.profile import predict
from dispatch.model.baseline import self_use
from dispatch.model.compiler import compile_program, layout_of
from dispatch.model.inputs import make_inputs
from dispatch.run.cold import FORECASTING, GAS, PROVING, SOLVING, mark
from dispatch.run.gas_check import GasCheck
from dispatch.run.gas_quality import gas_quality
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings
from dispatch.run.warm_cases import farm, street
from dispatch.solve.certificate import certify
from dispatch.solve.implied import finite_bounds
from dispatch.solve.limits.excess import FORWARD, V_MAX
from dispatch.solve.protocols import KEY
from dispatch.solve.solution import Prices
from dispatch.verify.gas import check_gas


def compile_solving() -> None:
    """Run a street of three houses once by each method."""
    for method in ("decomposed", "monolithic"):
        optimize(street(), Settings(method=method, gap=1e-4))
    mark(SOLVING)


def compile_proving() -> None:
    """Prove something of a plan that nobody found."""
    case = street()
    network, inputs = network_of(case), make_inputs(case)
    layout, offsets = layout_of(inputs), Offsets.zero(network.buses, network.branches, inputs.steps)
    keys = np.array([(V_MAX, 1, 0), (FORWARD, 0, 0)], KEY)
    certify(case, offsets, 1.0, np.zeros(layout.width), Prices(np.zeros(layout.height), keys, np.zeros(2)))
    self_use(case)
    mark(PROVING)


def compile_forecasting() -> None:
    """Forecast loads and PV of the embedded town for an hour."""
    predict(load_case(embedded_path("schutterwald_summer")), horizon_h=1)
    mark(FORECASTING)


def compile_gas() -> None:
    """Find what a plant, a loop of pipes and a tank do where nothing is injected; nothing is solved."""
    case = farm()
    check_gas(case)
    self_use(case)
    inputs = make_inputs(case)
    check, program = GasCheck(case, inputs), compile_program(inputs)
    finite_bounds(program)
    gas_quality(check, check.under(program, np.zeros(program.matrix.shape[1]), {}))
    mark(GAS)


PARTS = {SOLVING: compile_solving, PROVING: compile_proving, FORECASTING: compile_forecasting, GAS: compile_gas}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
