"""What is wrong with the state of a gas network, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.gas_network import boosted
from dispatch.case.schema import columns, parent_index
from dispatch.verify.gas import CLOSED, GasState

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

SHOWN = 3
LEAST_FLOW = 1e-6
LEAST_PRESSURE = 1e-9


def findings_of(case: xr.DataTree, state: GasState, taken: np.ndarray) -> list[str]:
    """Everything that is wrong with a state of the gas network.

    Parameters
    ----------
    case : DataTree
        The case.
    state : GasState
        Its state.
    taken : ndarray (junction, step)
        Demand less injection. [m3 h-1]

    Returns
    -------
    list of str
        One sentence a finding: who, how much, in how many steps; empty where all is well.
    """
    return [*flaws_of(case, state), *_pressures(case, state), *_held(case, state, taken)]


def flaws_of(case: xr.DataTree, state: GasState) -> list[str]:
    """Tell what is wrong with a state itself, whatever the limits: open loops, and who has no pressure.

    Parameters
    ----------
    case : DataTree
        The case.
    state : GasState
        Its state.

    Returns
    -------
    list of str
        One sentence a finding.
    """
    return [*_loops(state), *_without_gas(case, state)]


def _loops(state: GasState) -> Iterator[str]:
    open_steps = int(np.count_nonzero(~(state.residual <= CLOSED)))
    if open_steps:
        yield f"The flows around the loops were not found in {open_steps} of {len(state.residual)} steps."


def _names(ids: np.ndarray, wrong: np.ndarray) -> str:
    found = [i.decode() for i in ids[wrong][:SHOWN]]
    more = int(np.count_nonzero(wrong)) - len(found)
    return ", ".join(found) + (f" and {more} more" if more > 0 else "")


def _some(wrong: np.ndarray) -> np.ndarray:
    """Elements for which it is so in some step."""
    return np.asarray(wrong.any(axis=1))


def _steps(wrong: np.ndarray) -> str:
    steps = np.asarray(wrong.any(axis=0))
    return f"in {np.count_nonzero(steps)} of {len(steps)} steps, first in step {int(np.argmax(steps))}"


def _without_gas(case: xr.DataTree, state: GasState) -> Iterator[str]:
    for kind in ("consumer", "injection"):
        table = columns(case, kind)
        if not len(table["id"]):
            continue
        at = parent_index(case, kind, "junction")
        alone = ~state.network.supplied[at]
        if alone.any():
            flow = float(table["flow_nom"][alone].sum())
            yield (
                f"{kind} without pressure, because no pipe or regulator in service leads to a gate: "
                f"{_names(table['id'], alone)} ({flow:.4g} m3/h)."
            )
        stuck = state.blocked[at]
        if stuck.any():
            yield (
                f"{kind} without pressure, because the demand takes more pressure than there is: "
                f"{_names(table['id'], _some(stuck))}, {_steps(stuck)}."
            )


def _pressures(case: xr.DataTree, state: GasState) -> Iterator[str]:
    table = columns(case, "junction")
    for name, sign, words in (("pressure_min", -1.0, "below"), ("pressure_max", 1.0, "above")):
        over = sign * (state.pressure - table[name][:, None])
        wrong = np.asarray(over > LEAST_PRESSURE)
        if wrong.any():
            k, t = np.unravel_index(int(np.nanargmax(np.where(wrong, over, np.nan))), over.shape)
            yield (
                f"Pressure {words} {name} at {_names(table['id'], _some(wrong))}, {_steps(wrong)}; "
                f"most at {table['id'][k].decode()}: {state.pressure[k, t]:.5g} bar, allowed {table[name][k]:.5g} bar."
            )


def _held(case: xr.DataTree, state: GasState, taken: np.ndarray) -> Iterator[str]:
    """Gates and regulators: flow backwards, flow above the rating, too little pressure before a regulator."""
    network = state.network
    for kind, flow in (("gate", state.flow_gate), ("regulator", state.flow_regulator)):
        table = columns(case, kind)
        if not len(table["id"]):
            continue
        back = np.asarray(flow < -LEAST_FLOW * max(1.0, float(np.abs(taken).max(initial=0.0))))
        if back.any():
            yield (
                f"Gas would have to flow backwards through {kind} {_names(table['id'], _some(back))}, "
                f"{_steps(back)}: behind it more is injected than taken, by up to {-flow.min():.4g} m3/h."
            )
        over = np.asarray(flow > table["flow_max"][:, None] * (1 + LEAST_FLOW))
        if over.any():
            k, t = np.unravel_index(int(np.argmax(flow - table["flow_max"][:, None])), flow.shape)
            yield (
                f"More flows through {kind} {_names(table['id'], _some(over))} than flow_max, {_steps(over)}; "
                f"most at {table['id'][k].decode()}: {flow[k, t]:.4g} m3/h, allowed {table['flow_max'][k]:.4g} m3/h."
            )
    table = columns(case, "regulator")
    if len(table["id"]):
        with np.errstate(invalid="ignore"):
            enough = state.pressure[network.regulator_from] >= table["pressure"][:, None]
        used = table["in_service"] & network.supplied[network.regulator_from] & ~boosted(case)[0]
        low = ~enough & used[:, None]
        if low.any():
            yield (
                f"Less pressure before regulator {_names(table['id'], _some(low))} than it is to hold behind it, "
                f"{_steps(low)}: the pressures behind it are lower than said here."
            )
