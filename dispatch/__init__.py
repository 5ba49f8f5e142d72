"""Dispatch of grid prosumers at lowest cost inside network limits, certified and checked by AC power flow.

The public functions load their rooms when they are first used, so that ``import dispatch`` is light.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kernels

if TYPE_CHECKING:
    from dispatch.batch.results import open_results
    from dispatch.batch.run_batch import run_batch
    from dispatch.case.netcdf import load_case, save_case
    from dispatch.case.rules import check_case
    from dispatch.case.schema import build_case
    from dispatch.forecast.fit import apply_fit, fit_pv
    from dispatch.forecast.net_load import separate_pv
    from dispatch.forecast.profile import predict
    from dispatch.forecast.pv import pv_forecast
    from dispatch.forecast.pv_quantiles import pv_quantiles
    from dispatch.run.again import rerun
    from dispatch.run.backtest import backtest
    from dispatch.run.files import run_case, run_demo
    from dispatch.run.optimize import optimize
    from dispatch.run.processes import WorkerPool
    from dispatch.run.reinforce import rank_reinforcements
    from dispatch.run.rolling import Rolling
    from dispatch.run.settings import Settings
    from dispatch.scenario.equip import equip
    from dispatch.solve.price_parts import price_parts
    from dispatch.verify.electric import check_physics
    from dispatch.verify.gas import check_gas

if Path(kernels.__file__ or "").resolve().parent.parent != Path(__file__).resolve().parent.parent:
    raise ImportError(
        f"the package 'kernels' that Python finds ({kernels.__file__}) is not the one that belongs to 'dispatch' "
        f"({__file__}). Another distribution of that name is installed, or the working folder hides it: "
        "use a virtual environment of its own, and start Python from another folder."
    )

_HOME = {
    "Rolling": "dispatch.run.rolling",
    "Settings": "dispatch.run.settings",
    "WorkerPool": "dispatch.run.processes",
    "apply_fit": "dispatch.forecast.fit",
    "backtest": "dispatch.run.backtest",
    "build_case": "dispatch.case.schema",
    "check_case": "dispatch.case.rules",
    "check_gas": "dispatch.verify.gas",
    "check_physics": "dispatch.verify.electric",
    "equip": "dispatch.scenario.equip",
    "fit_pv": "dispatch.forecast.fit",
    "load_case": "dispatch.case.netcdf",
    "open_results": "dispatch.batch.results",
    "optimize": "dispatch.run.optimize",
    "predict": "dispatch.forecast.profile",
    "pv_forecast": "dispatch.forecast.pv",
    "pv_quantiles": "dispatch.forecast.pv_quantiles",
    "price_parts": "dispatch.solve.price_parts",
    "rank_reinforcements": "dispatch.run.reinforce",
    "rerun": "dispatch.run.again",
    "run_batch": "dispatch.batch.run_batch",
    "run_case": "dispatch.run.files",
    "run_demo": "dispatch.run.files",
    "save_case": "dispatch.case.netcdf",
    "separate_pv": "dispatch.forecast.net_load",
}

__all__ = [
    "Rolling",
    "Settings",
    "WorkerPool",
    "apply_fit",
    "backtest",
    "build_case",
    "check_case",
    "check_gas",
    "check_physics",
    "equip",
    "fit_pv",
    "load_case",
    "open_results",
    "optimize",
    "predict",
    "price_parts",
    "pv_forecast",
    "pv_quantiles",
    "rank_reinforcements",
    "rerun",
    "run_batch",
    "run_case",
    "run_demo",
    "save_case",
    "separate_pv",
]


def __getattr__(name: str) -> Any:
    """Load a public function from its room."""
    if name not in _HOME:
        raise AttributeError(f"module 'dispatch' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """Names offered to completion."""
    return __all__
