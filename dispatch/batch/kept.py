"""What is kept of feeders between the rounds of limits that they share: arrays in files, one a group and round."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.netcdf import write_atomically
from dispatch.case.offsets import GasLimit, GasPoint, Offsets
from dispatch.case.schema import columns
from dispatch.run.priced import Known, source_powers, taken_by

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dispatch.run.rounds import Rounds
    from dispatch.run.state import State
    from dispatch.solve.certificate import Certificate

Arrays = dict[str, np.ndarray]
FOLDER = "rounds"
STATE, ERRORS = ("pressure", "flow", "initial", "final", "starved"), ("reach", "error", "objective")
"""Arrays and numbers of a state of the gas network."""
OF_GAS = ("constant", "by_injection", "by_regulator", "by_linepack", "by_compressor", "by_gate")


def keep_first(kept: Arrays, feeder: Rounds, state: State, certificate: Certificate) -> None:
    """Fill in what later rounds need of a feeder's first schedule.

    Parameters
    ----------
    kept : dict of str to ndarray
        Filled in: the plan (``columns``, ``cost``, ``bound``, ``taken``), what it takes by AC power flow when delivered
        (``p``, ``q``) and its losses, its program (``penalty``, ``offsets.…``), and its ``time`` and ``dt``.
    feeder, state, certificate
        As `dispatch.run.feeder.run_feeder` shows them.
    """
    program, steps = feeder.program, feeder.inputs.steps
    delivered = taken_by(program, state.delivered.columns)
    q = -program.injection_constant.reshape(2, feeder.network.buses, steps)[1].sum(axis=0)
    p_ac, q_ac = source_powers(state, delivered, q)
    kept |= {
        "columns": state.solution.columns,
        "cost": np.array([certificate.objective_relaxation]),
        "bound": np.array([certificate.lower_bound]),
        "taken": taken_by(program, state.solution.columns),
        "p": p_ac,
        "q": q_ac,
        "losses": p_ac - delivered,
        "delivered": np.array([state.delivered.objective]),
        "penalty": np.array([state.solution.limit_penalty]),
        "time": columns(feeder.case, "forecast")["time"].astype("datetime64[s]").astype(np.int64),
        "dt": np.array([feeder.inputs.dt]),
        **offset_arrays(state.by_ac),
    }


def offset_arrays(offsets: Offsets) -> Arrays:
    """Offsets as plain arrays."""
    found = {f"offsets.{n}": getattr(offsets, n) for n in ("v_max", "v_min", "s")}
    for name, limit in offsets.gas.items():
        found |= {f"offsets.gas.{name}.{part}": getattr(limit, part) for part in OF_GAS}
    if offsets.point is not None:
        found |= {f"offsets.point.{n}": np.asarray(getattr(offsets.point, n)) for n in (*STATE, *ERRORS)}
    return found | {f"offsets.on.{name}": values for name, values in offsets.on.items()}


def offsets_of_arrays(arrays: Mapping[str, np.ndarray]) -> Offsets:
    """From what `offset_arrays` made."""
    stated = {name.split(".")[2] for name in arrays if name.startswith("offsets.gas.")}
    gas = {n: GasLimit(*(arrays[f"offsets.gas.{n}.{part}"] for part in OF_GAS)) for n in sorted(stated)}
    on = {name.split(".")[2]: values for name, values in arrays.items() if name.startswith("offsets.on.")}
    v_max, v_min, s = (arrays[f"offsets.{n}"] for n in ("v_max", "v_min", "s"))
    point = None
    if "offsets.point.pressure" in arrays:
        pressure, flow, initial, final, starved = (arrays[f"offsets.point.{n}"] for n in STATE)
        reach, error, objective = (float(arrays[f"offsets.point.{n}"]) for n in ERRORS)
        point = GasPoint(pressure, flow, initial, final, starved, reach, error, objective)
    return Offsets(v_max, v_min, s, gas=gas, on=on, point=point)


def known_of(first: Mapping[str, np.ndarray], newest: Mapping[str, np.ndarray]) -> Known:
    """Program of a feeder: its penalty of the first schedule, and the newest offsets."""
    return Known(offsets_of_arrays(newest), float(first["penalty"][0]))


def write_feeders(path: Path, feeders: Mapping[str, Mapping[str, np.ndarray]]) -> int:
    """Write arrays of feeders, whole or not at all.

    Returns
    -------
    int
        Length of the file. [byte]
    """
    flat: dict[str, Any] = {"names": np.array(list(feeders), "S") if feeders else np.zeros(0, "S1")}
    for k, arrays in enumerate(feeders.values()):
        flat |= {f"{k}/{name}": values for name, values in arrays.items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, **flat)
    write_atomically(path, stream.getvalue())
    return len(stream.getvalue())


def read_feeders(path: Path, wanted: tuple[str, ...] | None = None) -> dict[str, Arrays]:
    """Read arrays of feeders by their names; only those whose names are `wanted` where that is given."""
    with np.load(path, allow_pickle=False) as held:
        names = [n.decode() for n in held["names"]]
        found: dict[str, Arrays] = {n: {} for n in names}
        for label in held.files:
            number, _, name = label.partition("/")
            if name and (wanted is None or name in wanted):
                found[names[int(number)]][name] = held[label]
    return found
