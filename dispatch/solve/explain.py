"""What cannot be met, in data and in words: which element, which limit, which hours, how much, and what would do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from dispatch.case.schema import columns
from dispatch.model.registry import STORES
from dispatch.solve.explain_found import NOTICED, Found
from dispatch.solve.explain_gas import of_gas
from dispatch.solve.limits.excess import V_MAX, V_MIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from dispatch.case.network import Network
    from dispatch.model.elements import Inputs
    from dispatch.model.program import Program
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.solution import Relaxation, Solution

SENTENCES = {
    "v_max": "voltage {amount:.4f} pu above its upper limit; a limit of {do:.4f} pu would do",
    "v_min": "voltage {amount:.4f} pu below its lower limit; a limit of {do:.4f} pu would do",
    "forward": "{amount:.4g} kW more than its rating lets through; {least:.4g} kW more would do",
    "reverse": "{amount:.4g} kW more in reverse than its rating lets through; {least:.4g} kW more would do",
    "reactive": "reactive power alone is {amount:.4g} kvar above its rating; no schedule changes that",
    "p_import_max": "{amount:.4g} kW of demand above its import limit; a limit of {do:.4g} kW would do",
    "p_export_max": "{amount:.4g} kW that must be given above its export limit; a limit of {do:.4g} kW would do",
    "state_of_charge_final": "ends {amount:.4g} kWh below the content asked for",
    "state_of_charge_least": "{amount:.4g} kWh below the content asked for",
    "p_withdrawn": "cannot give {amount:.4g} kW of what is withdrawn",
    "pressure_max": "{amount:.4g} bar above its upper pressure; a limit of {do:.5g} bar would do",
    "pressure_min": "{amount:.4g} bar below its lower pressure; a limit of {do:.5g} bar would do",
    "biomethane_share_max": "{amount:.4g} more of its gas is biomethane than may be; a limit of {do:.4g} would do",
    "flow_max": "{amount:.4g} kW of gas more than its flow_max lets through; {least:.4g} kW more would do",
    "reverse_flow": "{amount:.4g} kW of gas would have to flow backwards; no more than {least:.4g} kW need to",
    "holder_final": "ends {amount:.4g} m3 of raw gas below what is asked for",
    "linepack_final": "ends with {amount:.4g} kWh less in its pipes than it has to",
    "heat_demand": "lacks {amount:.4g} kW of heat",
    "feed_day": "{amount:.4g} t of its daily feed are not fed",
    "minimum": "runs up to {amount:.4g} below its minimum of {do:.4g}: it can neither stand still nor run at it",
    "delivery": "no pressure carries {amount:.4g} kW of the gas that is taken here; {least:.4g} kW less would do",
    "gas_demand": "{amount:.4g} kW of the gas that is taken behind it cannot come",
    "gas_uptake": "{amount:.4g} kW more gas is injected behind it than can go anywhere",
}
"""What each limit says when it is relaxed."""

KINDS = (
    "bus", "line", "transformer", "source", "meter", "store", "plant", "substrate", "junction", "gate", "regulator",
    "chp", "upgrader",
)  # fmt: skip


def explain_unmet(
    case: xr.DataTree,
    program: Program,
    limits: RadialLimits,
    inputs: Inputs,
    solution: Solution,
    least: Relaxation | None,
) -> list[dict[str, Any]]:
    """Say which limits are relaxed in an optimum.

    Parameters
    ----------
    case : DataTree
        Of one or more feeders.
    program, inputs
        Compiled from it without the network.
    limits : RadialLimits
        With the offsets with which the optimum was found.
    solution : Solution
        The optimum.
    least : Relaxation or None
        The least relaxation of the same limits, which proves that the optimum's cannot be avoided.

    Returns
    -------
    list of dict
        One for each limit of each element, worst first: ``feeder``, ``kind``, ``element`` (ids), ``limit``, ``hours``
        (spans of local time), ``hours_total`` (h), ``amount`` (largest excess in the schedule), ``least_relaxation``
        (largest excess in the least relaxation), ``unit`` (pu, kW, kvar, kWh, bar, m3 or t), ``text``.
    """
    found = [
        *_of_network(limits, solution, least),
        *_of_reactive(limits),
        *_of_meters(program, inputs, solution.columns, case),
        *_of_stores(program, inputs, solution.columns, case),
        *of_gas(case, program, inputs, dict(limits.offsets.gas), solution.columns, least),
    ]
    local = local_time(case)
    ids = {kind: columns(case, kind)["id"] for kind in KINDS}
    found.sort(key=lambda f: (-f.amounts.max() / max(f.allowed, 1e-9), f.kind, f.element, f.limit))
    return [_entry(f, ids, limits.network, local, inputs.dt) for f in found]


def _of_network(limits: RadialLimits, solution: Solution, least: Relaxation | None) -> list[Found]:
    keys, slacks = solution.prices.keys, solution.slacks
    used = slacks > NOTICED * limits.rating_of(keys)
    found = []
    for kind, element in np.unique(keys[used][["kind", "element"]]):
        own = used & (keys["kind"] == kind) & (keys["element"] == element)
        amounts = np.zeros(limits.steps)
        amounts[keys["step"][own]] = slacks[own]
        least_slack = 0.0
        if least is not None:
            same = (least.keys["kind"] == kind) & (least.keys["element"] == element)
            least_slack = float(least.slacks[same].max(initial=0.0))
        rating = float(limits.rating[kind][element])
        if kind in {V_MAX, V_MIN}:
            sign = 1.0 if kind == V_MAX else -1.0
            v = np.sqrt(rating)
            amounts = sign * (np.sqrt(np.maximum(rating + sign * amounts, 0.0)) - v)
            least_slack = float(sign * (np.sqrt(max(rating + sign * least_slack, 0.0)) - v))
            found.append(Found("bus", element, limits.kinds[kind], "pu", element, amounts, least_slack, float(v), sign))
            continue
        name, number = _branch(limits.network, element)
        bus = int(limits.network.branch_from[element])
        found.append(Found(name, number, limits.kinds[kind], "kW", bus, amounts, least_slack, rating))
    return found


def _branch(network: Network, branch: int) -> tuple[str, int]:
    return ("line", branch) if branch < network.lines else ("transformer", branch - network.lines)


def _of_reactive(limits: RadialLimits) -> list[Found]:
    """Find branches in which reactive power alone takes more than the rating: nothing can be scheduled against that."""
    network = limits.network
    over = np.abs(limits.q_flow) - (network.s_nom[:, None] - limits.offsets.s)
    over[~network.in_service] = 0.0
    found = []
    for branch in np.nonzero((over > NOTICED * network.s_nom[:, None]).any(axis=1))[0].tolist():
        if not np.abs(limits.q_flow[branch]).max() > 0:
            continue
        amounts = np.where(over[branch] > NOTICED * network.s_nom[branch], over[branch], 0.0)
        kind, number = _branch(network, branch)
        bus = int(network.branch_from[branch])
        most = float(amounts.max())
        found.append(Found(kind, number, "reactive", "kvar", bus, amounts, most, float(network.s_nom[branch])))
    return found


def _of_meters(program: Program, inputs: Inputs, plan: np.ndarray, case: xr.DataTree) -> list[Found]:
    """Find meters whose connection cannot carry what must be taken or given."""
    bus, meter = inputs.kinds["meter"].nodes["bus"][1], columns(case, "meter")
    found = []
    for name, limit in (("p_unserved", "p_import_max"), ("p_spilled", "p_export_max")):
        amounts = plan[program.column("meter", name)]
        for m in np.nonzero((amounts > NOTICED).any(axis=1))[0].tolist():
            number = int(inputs.kinds["meter"].index[m])
            own = np.where(amounts[m] > NOTICED, amounts[m], 0.0)
            allowed = float(meter[limit][number])
            found.append(Found("meter", number, limit, "kW", int(bus[m]), own, float(own.max()), allowed))
    return found


def _of_stores(program: Program, inputs: Inputs, plan: np.ndarray, case: xr.DataTree) -> list[Found]:
    """Find stores that are not as full as they should be, or lack what is withdrawn."""
    found: list[Found] = []
    for kind in (kind for kind in STORES if kind in inputs.kinds and inputs.kinds[kind].count):
        short = plan[program.column(kind, "shortfall")]
        amounts = np.pad(short, ((0, 0), (inputs.steps - short.shape[1], 0)))
        limit = "state_of_charge_final" if kind == "battery" else "state_of_charge_least"
        found += _lacking(inputs, kind, limit, "kWh", amounts, columns(case, "store")["energy_nom"])
        if kind != "battery":
            missing = plan[program.column(kind, "p_missing")]
            found += _lacking(inputs, kind, "p_withdrawn", "kW", missing, columns(case, "store")["p_nom"])
    return found


def _lacking(
    inputs: Inputs, kind: str, limit: str, unit: str, amounts: np.ndarray, size: np.ndarray
) -> Iterator[Found]:
    """List the stores of a kind that lack something, beside a size of theirs."""
    stores = inputs.kinds[kind]
    bus = inputs.kinds["meter"].nodes["bus"][1][stores.nodes["meter"][1]]
    for k in np.nonzero((amounts > NOTICED).any(axis=1))[0].tolist():
        own, number = np.where(amounts[k] > NOTICED, amounts[k], 0.0), int(stores.index[k])
        yield Found("store", number, limit, unit, int(bus[k]), own, float(own.max()), float(size[number]))


def _entry(
    found: Found, ids: dict[str, np.ndarray], network: Network, local: pd.DatetimeIndex, dt: float
) -> dict[str, Any]:
    steps = np.nonzero(found.amounts > 0)[0]
    hours, total = spans(steps, local, dt), float(len(steps) * dt)
    element = ids[found.kind][found.element].decode(errors="replace")
    feeder = int(network.feeder[found.bus])
    amount = float(found.amounts.max())
    shown = ", ".join(hours[:3]) + (f" and {len(hours) - 3} more spans" if len(hours) > 3 else "")
    return {
        "feeder": ids["source"][feeder].decode(errors="replace") if feeder >= 0 else "",
        "kind": found.kind,
        "element": element,
        "limit": found.limit,
        "hours": hours,
        "hours_total": total,
        "amount": amount,
        "least_relaxation": found.least,
        "unit": found.unit,
        "text": f"{found.kind} {element!r}: {_words(found, amount)} ({shown}; {total:g} h in all).",
    }


def _words(found: Found, amount: float) -> str:
    """Say what is exceeded, by how much, and what would do."""
    do = found.allowed + found.sign * found.least
    if found.limit == "pressure_min" and do <= 0:
        return f"{amount:.4g} bar below its lower pressure: what is taken there needs more pressure than there is"
    return SENTENCES[found.limit].format(amount=amount, least=found.least, do=do)


def local_time(case: xr.DataTree) -> pd.DatetimeIndex:
    """Left edges of the steps of /forecast in the case's time zone."""
    return (
        pd.DatetimeIndex(columns(case, "forecast")["time"]).tz_localize("UTC").tz_convert(str(case.attrs["time_zone"]))
    )


def spans(steps: np.ndarray, local: pd.DatetimeIndex, dt: float) -> list[str]:
    """Spans of consecutive steps in local time, as text."""
    breaks = np.nonzero(np.diff(steps) > 1)[0] + 1
    spans = []
    for part in np.split(steps, breaks):
        begin, end = local[part[0]], local[part[-1]] + pd.Timedelta(hours=dt)
        until = end.strftime("%H:%M" if end.date() == begin.date() else "%Y-%m-%d %H:%M")
        spans.append(f"{begin.strftime('%Y-%m-%d %H:%M')} to {until}")
    return spans
