"""Pipes, valves, external grids, pressure controls, sinks and sources of a pandapipes net."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.importers.grid import Table, joined, named, rows
from dispatch.case.importers.reading import problem_at

if TYPE_CHECKING:
    from dispatch.case.importers.pandapower_net import Net

REFUSED = (
    "pump",
    "circ_pump_mass",
    "circ_pump_pressure",
    "heat_exchanger",
    "heat_consumer",
    "flow_control",
    "mass_storage",
)
ALLOWED = "junction, pipe, ext_grid, press_control, compressor, valve, sink, source"
HINTS = {
    "flow_control": "Replace it by a sink and a source of its flow, or take it out of service.",
    "mass_storage": "Replace it by a sink or a source, or take it out of service.",
}
HOURS_A_YEAR = 8760.0
SECONDS_AN_HOUR = 3600.0
PIPE = ("id", "junction_from", "junction_to", "length", "inner_diameter", "roughness", "loss_coefficient", "in_service")


def refuse_others(net: Net) -> None:
    """Note one problem for each table of elements that cannot be handled."""
    for table in REFUSED:
        counts = net.flags(table, "in_service")
        hint = HINTS.get(table, "Take it out of service; only networks of one gas at rest or in steady flow are read.")
        net.problems += problem_at(
            counts, net.labels(table), "unsupported", table, value="in service", allowed=ALLOWED, hint=hint
        )


def gates(net: Net) -> tuple[Table, int]:
    """External grids in service, and the row of the first one's junction (-1: none); pressures still gauge."""
    texts = net.texts("ext_grid", "type")
    no_pressure = (texts == "t") & net.flags("ext_grid", "in_service")
    hint = "Give it a pressure, or take it out of service."
    net.problems += problem_at(
        no_pressure, net.labels("ext_grid"), "type", "ext_grid", "type", value="'t'", allowed="p, pt", hint=hint
    )
    table: Table = {
        "id": net.ids("ext_grid", "gate"),
        "junction": net.buses("ext_grid", "junction"),
        "pressure": net.numbers("ext_grid", "p_bar", low=-0.9, high=190),
    }
    table = _in_service(net, "ext_grid", table)
    return table, int(table["junction"][0]) if len(table["id"]) else -1


def _in_service(net: Net, name: str, table: Table) -> Table:
    keep = net.flags(name, "in_service")
    if not keep.all():
        net.notes.append(f"{name}: {np.count_nonzero(~keep)} out of service are left out: {named(table['id'][~keep])}.")
    return rows(table, keep)


def _diameter(net: Net, name: str, *, needed: bool) -> np.ndarray:
    """Inner diameter in m, from either of the columns that pandapipes has had."""
    columns = net.frame(name).columns
    if "inner_diameter_mm" in columns:
        return net.numbers(name, "inner_diameter_mm", low=5, high=3000) / 1e3
    return net.numbers(name, "diameter_m", None if needed else 0.1, low=0.005, high=3)


def pipes_and_valves(net: Net) -> tuple[Table, np.ndarray]:
    """Read pipes, and valves as pipes without length; open valves without loss as pairs of junctions that are one.

    Returns
    -------
    pipe : Table
        With junctions as row numbers.
    fused : ndarray (pair, 2) of int
    """
    pipe: Table = {
        "id": net.ids("pipe", "pipe"),
        "junction_from": net.buses("pipe", "from_junction"),
        "junction_to": net.buses("pipe", "to_junction"),
        "length": 1e3 * net.numbers("pipe", "length_km", low=0, high=1000),
        "inner_diameter": _diameter(net, "pipe", needed=True),
        "roughness": net.numbers("pipe", "k_mm", 0.2, low=0, high=10),
        "loss_coefficient": net.numbers("pipe", "loss_coefficient", 0.0, low=0, high=1e4),
        "in_service": net.flags("pipe", "in_service"),
    }
    valve, at_pipe = _valves(net)
    closed = ~net.flags("valve", "opened")
    shut = at_pipe[closed & (at_pipe >= 0)]
    if len(shut):
        pipe["in_service"][shut] = False
        net.notes.append(f"pipe: out of service because a valve at its end is closed: {named(pipe['id'][shut])}.")
    lossy = at_pipe[~closed & (at_pipe >= 0)]
    np.add.at(pipe["loss_coefficient"], lossy, valve["loss_coefficient"][~closed & (at_pipe >= 0)])
    between = at_pipe < 0
    free = valve["loss_coefficient"] == 0
    joined = between & ~closed & free
    fused = np.stack([valve["junction_from"][joined], valve["junction_to"][joined]], axis=1)
    kept = rows(valve, between & ~free)
    none = (pipe["length"] == 0) & (pipe["loss_coefficient"] == 0)
    short = np.stack([pipe["junction_from"][none & pipe["in_service"]], pipe["junction_to"][none & pipe["in_service"]]])
    pipe = rows(pipe, ~none)
    taken = set(pipe["id"].tolist())
    kept["id"] = np.array([i if i not in taken else f"valve_{i}" for i in kept["id"]], object)
    both = {n: np.concatenate([pipe[n], kept[n]]) for n in PIPE}
    return both, np.concatenate([fused, short.T]).astype(int).reshape(-1, 2)


def _valves(net: Net) -> tuple[Table, np.ndarray]:
    """Valves in the columns of pipes, and the row of the pipe at whose end each sits (-1: between junctions)."""
    columns = net.frame("valve").columns
    count = len(net.frame("valve"))
    at_pipe = np.full(count, -1)
    if "from_junction" in columns or not count:
        ends = [net.buses("valve", c) for c in ("from_junction", "to_junction")]
    else:
        ends = [net.buses("valve", "junction"), np.zeros(count, int)]
        sits = net.texts("valve", "et") == "pi"
        number = {label: k for k, label in enumerate(net.frame("pipe").index)}
        element = columns.get("element", [None] * count)
        labels = net.labels("valve")
        for k in range(count):
            known = number if sits[k] else net.row_at
            row = net.reader.references("valve", "element", [labels[k]], [element[k]], known)[0]
            if sits[k]:
                at_pipe[k] = row
            else:
                ends[1][k] = row
    valve: Table = {
        "id": net.ids("valve", "valve"),
        "junction_from": ends[0],
        "junction_to": ends[1],
        "length": np.zeros(count),
        "inner_diameter": _diameter(net, "valve", needed=False),
        "roughness": np.full(count, 0.1),
        "loss_coefficient": net.numbers("valve", "loss_coefficient", 0.0, low=0, high=1e4),
        "in_service": net.flags("valve", "opened"),
    }
    return valve, at_pipe


def regulators(net: Net, ambient: float) -> tuple[Table, Table, np.ndarray]:
    """Pressure controls as regulators; those that do not control as pipes without length, or as one with the next.

    Returns
    -------
    regulator, pipe : Table
        With junctions as row numbers.
    fused : ndarray (pair, 2) of int
    """
    name = "press_control"
    first, second = net.buses(name, "from_junction"), net.buses(name, "to_junction")
    active = net.flags(name, "control_active")
    other = (net.buses(name, "controlled_junction") != second) & active & net.flags(name, "in_service")
    hint = "Let it control the pressure of its to_junction."
    net.problems += problem_at(
        other,
        net.labels(name),
        "unsupported",
        name,
        "controlled_junction",
        value="elsewhere",
        allowed="its to_junction",
        hint=hint,
    )
    table: Table = {
        "id": net.ids(name, "regulator"),
        "junction_from": first,
        "junction_to": second,
        "pressure": net.numbers(name, "controlled_p_bar", low=-0.9, high=190) + ambient,
        "in_service": net.flags(name, "in_service"),
        "loss_coefficient": net.numbers(name, "loss_coefficient", 0.0, low=0, high=1e4),
        "active": active,
    }
    idle = rows(table, ~active & table["in_service"])
    table = rows(table, active)
    table.pop("active"), table.pop("loss_coefficient")
    table |= {"ratio_low": np.full(len(table["id"]), np.nan), "ratio_high": np.full(len(table["id"]), np.nan)}
    free = idle["loss_coefficient"] == 0
    fused = np.stack([idle["junction_from"][free], idle["junction_to"][free]], axis=1).astype(int)
    if len(idle["id"]):
        net.notes.append(f"press_control: not active, so gas passes freely: {named(idle['id'])}.")
    lossy = rows(idle, ~free)
    count = len(lossy["id"])
    filler = {"length": np.zeros(count), "inner_diameter": np.full(count, 0.1), "roughness": np.full(count, 0.1)}
    return table, {n: (lossy | filler)[n] for n in PIPE}, fused


def compressors(net: Net) -> Table:
    """Compressors as regulators that hold a multiple of the pressure before them.

    Returns
    -------
    Table
        In the columns of regulators, with junctions as row numbers.
    """
    name = "compressor"
    table: Table = {
        "id": net.ids(name, name),
        "junction_from": net.buses(name, "from_junction"),
        "junction_to": net.buses(name, "to_junction"),
        "in_service": net.flags(name, "in_service"),
    }
    ratio = net.numbers(name, "pressure_ratio", low=1, high=10)
    count = len(table["id"])
    if count:
        net.notes.append(
            f"compressor: {count} hold pressure_ratio times the pressure before them; their electricity is that of "
            f"adiabatic compression, behind no meter yet."
        )
    return table | {"pressure": np.full(count, np.nan), "ratio_low": ratio, "ratio_high": ratio}


def demand(net: Net, density: float) -> tuple[Table, Table]:
    """Sinks and sources in service as consumers and injections; those of negative flow as the other.

    Parameters
    ----------
    net : Net
        The file.
    density : float
        Normal density of the gas. [kg m-3]

    Returns
    -------
    consumer, injection : Table
        With ``junction`` as row number.
    """
    taken, given = _flows(net, "sink", density), _flows(net, "source", density)
    volume = net.optional("sink", "demand_m3_per_a", low=0, high=1e8)
    yearly = np.isfinite(volume)
    if yearly.any():
        net.notes.append(
            f"sink: {np.count_nonzero(yearly)} of {len(volume)} have demand_m3_per_a, taken as normal cubic metres; "
            f"flow_nom is its mean hour, and mdot_kg_per_s is not used there."
        )
    taken["flow"] = np.where(yearly, volume / HOURS_A_YEAR, taken["flow"])
    taken["volume_year"] = volume
    given["volume_year"] = np.full(len(given["id"]), np.nan)
    taken, given = _in_service(net, "sink", taken), _in_service(net, "source", given)
    for name, table in (("sink", taken), ("source", given)):
        back = table["flow"] < 0
        if back.any():
            other = "injections" if name == "sink" else "consumers"
            net.notes.append(f"{name}: {np.count_nonzero(back)} of negative flow are {other}.")
    consumer = _joined("consumer", rows(taken, taken["flow"] >= 0), rows(given, given["flow"] < 0))
    injection = _joined("injection", rows(given, given["flow"] >= 0), rows(taken, taken["flow"] < 0))
    injection.pop("volume_year")
    return consumer, injection


def _flows(net: Net, name: str, density: float) -> Table:
    mass = net.numbers(name, "mdot_kg_per_s", low=-1e4, high=1e4) * net.numbers(name, "scaling", 1.0)
    kind = "consumer" if name == "sink" else "injection"
    return {
        "id": net.ids(name, kind),
        "junction": net.buses(name, "junction"),
        "flow": mass * SECONDS_AN_HOUR / density,
    }


def _joined(kind: str, *tables: Table) -> Table:
    """Rows of all tables with the size of their flow, ids made unique."""
    out = joined(kind, *tables)
    out["flow_nom"] = np.abs(out.pop("flow"))
    return out
