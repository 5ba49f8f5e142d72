from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from small_case import STEPS, TIME, small_case, small_tables

from dispatch.case.rules import check_case
from dispatch.case.schema import build_case

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr


def put(path: str, position: Any, value: Any) -> Callable[[xr.DataTree], object]:
    """Set values of a variable."""

    def change(case: xr.DataTree) -> None:
        group, name = path.rsplit("/", 1)
        data = case[group].to_dataset(inherit=False)
        values = data[name].to_numpy().copy()
        if values.dtype.kind == "S":
            values = values.astype("S30")
        values[position] = value
        case[group].dataset = data.assign({name: (data[name].dims, values, data[name].attrs)})

    return change


def swap(path: str, function: Callable[[xr.Dataset], xr.Dataset]) -> Callable[[xr.DataTree], object]:
    """Replace the dataset of a group."""

    def change(case: xr.DataTree) -> None:
        case[path].dataset = function(case[path].to_dataset(inherit=False))

    return change


def label(name: str, value: Any) -> Callable[[xr.DataTree], object]:
    """Set an attribute of the whole case."""
    return lambda case: case.attrs.update({name: value})


def drop(group: str) -> Callable[[xr.DataTree], object]:
    """Remove a group."""

    def change(case: xr.DataTree) -> None:
        del case[group]

    return change


def retime(group: str, time: np.ndarray) -> Callable[[xr.DataTree], object]:
    """Replace a time axis, bounds left out."""
    return swap(group, lambda d: d.drop_vars("time_bounds").assign_coords(time=time))


def typed(path: str, dtype: str) -> Callable[[xr.DataTree], object]:
    """Change the dtype of a variable."""
    group, name = path.rsplit("/", 1)
    return swap(group, lambda d: d.assign({name: d[name].astype(dtype).assign_attrs(d[name].attrs)}))


GAP = np.delete(np.append(TIME, TIME[-1] + np.timedelta64(900, "s")), 3)
SWAPPED = TIME[[0, 1, 3, 2, *range(4, STEPS)]]
REPEATED = TIME[[0, 1, 1, 3, *range(4, STEPS)]]

# Code, variable and first id of what must be found, and what brings it about.
FAULTS: list[tuple[str, str, str, Callable[[xr.DataTree], object]]] = [
    ("time-zone", "time_zone", "", label("time_zone", "Europe/Belrin")),
    ("currency", "currency", "", label("currency", "euro")),
    ("characters", "title", "", label("title", "a\x1b[2J")),
    ("schema-version", "schema_version", "", label("schema_version", "one")),
    ("missing-group", "", "", drop("tariff")),
    ("unknown-group", "", "", lambda c: c.__setitem__("electric/buses", c["electric/bus"].copy())),
    ("empty-group", "", "", swap("prosumer/prosumer", lambda d: d.isel(prosumer=slice(0)))),
    ("unknown-variable", "p_max", "", swap("prosumer/pv", lambda d: d.assign(p_max=("pv", [1.0, 2.0])))),
    ("missing-variable", "r", "", swap("electric/line", lambda d: d.drop_vars("r"))),
    ("dtype", "p_nom", "", typed("prosumer/load/p_nom", "float32")),
    ("dtype", "in_service", "", typed("electric/line/in_service", "int8")),
    ("dims", "v_nom", "", swap("electric/bus", lambda d: d.assign(v_nom=d["v_nom"][0]))),
    ("unit", "s_nom", "", lambda c: c["electric/line"]["s_nom"].attrs.update(units="kW")),
    ("unit-missing", "x", "", lambda c: c["electric/line"]["x"].attrs.clear()),
    ("ids", "inverter", "", swap("prosumer/inverter", lambda d: d.drop_vars("inverter"))),
    ("duplicate-id", "prosumer", "huber", put("prosumer/prosumer/prosumer", 1, b"huber")),
    ("empty-id", "source", "", put("electric/source/source", 0, b"")),
    ("characters", "tariff", "a\nb", put("tariff/tariff", 1, b"a\nb")),
    ("characters", "plane", "\\xff", put("prosumer/plane/plane", 0, b"\xff")),
    ("unknown-parent", "bus", "m2", put("prosumer/meter/bus", 1, b"a9")),
    ("unknown-parent", "profile", "l2", put("prosumer/load/profile", 1, b"h1")),
    ("unknown-parent", "prosumer", "m1", put("prosumer/meter/prosumer", 0, b"")),
    ("choice", "kind", "s1", put("prosumer/store/kind", 0, b"batery")),
    ("choice", "tap_side", "tb", put("electric/transformer/tap_side", 1, b"high")),
    ("range", "energy_nom", "s1", put("prosumer/store/energy_nom", 0, -10)),
    ("range", "efficiency_charge", "s1", put("prosumer/store/efficiency_charge", 0, 95)),
    ("range", "surface_tilt", "e1", put("prosumer/plane/surface_tilt", 0, 120)),
    ("nan", "p_nom", "l3", put("prosumer/load/p_nom", 2, np.nan)),
    ("nan", "v_max_pu", "a1", put("electric/bus/v_max_pu", 2, np.nan)),
    ("state-of-charge", "state_of_charge_initial", "s1", put("prosumer/store/state_of_charge_initial", 0, 50)),
    ("state-of-charge", "state_of_charge_final", "s1", put("prosumer/store/state_of_charge_final", 0, 10.1)),
    ("voltage-limits", "v_min_pu", "b1", put("electric/bus/v_min_pu", 6, 1.2)),
    ("zero-impedance", "r", "la2", lambda c: (put("electric/line/r", 1, 0)(c), put("electric/line/x", 1, 0)(c))),
    (
        "zero-impedance",
        "r_pu",
        "ta",
        lambda c: (put("electric/transformer/r_pu", 0, 0)(c), put("electric/transformer/x_pu", 0, 0)(c)),
    ),
    ("self-loop", "bus_to", "la2", put("electric/line/bus_to", 1, b"a1")),
    ("voltage-mismatch", "bus_to", "lb1", put("electric/bus/v_nom", 6, 20)),
    ("rated-voltage", "v_nom_to", "ta", put("electric/transformer/v_nom_to", 0, 400)),
    ("tap-position", "tap_position", "ta", put("electric/transformer/tap_position", 0, 3)),
    ("tap-limits", "tap_min", "tb", put("electric/transformer/tap_min", 1, 5)),
    ("isolated-bus", "", "a2", put("electric/line/in_service", 1, False)),
    ("source-conflict", "bus", "nord", put("electric/source/bus", 1, b"a2")),
    ("export-price", "tariff", "m3", put("prosumer/meter/green_only", 2, False)),
    ("export-price", "tariff", "m1", put("forecast/price_export", (0, 5), 0.9)),
    ("time-gap", "time", "", retime("profile", GAP)),
    ("time-order", "time", "", retime("profile", SWAPPED)),
    ("time-duplicate", "time", "", retime("weather", REPEATED)),
    ("whole-seconds", "time", "", retime("weather", TIME.astype("datetime64[ms]") + np.timedelta64(1, "ms"))),
    ("not-utc", "time", "", lambda c: c["weather"]["time"].attrs.update(time_zone="Europe/Berlin")),
    ("time-bounds", "time_bounds", "", put("forecast/time_bounds", (2, 1), TIME[0])),
    ("dtype", "time", "", swap("weather", lambda d: d.drop_vars("time_bounds").assign_coords(time=np.arange(STEPS)))),
    ("missing-time", "time", "", swap("weather", lambda d: d.drop_vars(["time", "time_bounds"]))),
    ("nan", "p_load", "l2", put("forecast/p_load", (1, 4), np.nan)),
    ("range", "p_available", "p3", put("forecast/p_available", (1, 2), -0.5)),
    ("range", "temp_air", "w", put("weather/temp_air", (0, 1), 293)),
    ("nan", "p_pu", "sun", put("profile/p_pu", (1, 0), np.nan)),
    ("series-ids", "load", "", swap("forecast", lambda d: d.isel(load=[1, 0, 2]))),
    ("series-ids", "pv", "p3", swap("forecast", lambda d: d.isel(pv=[0]))),
    ("profile-shift", "profile_shift", "l1", put("prosumer/load/profile_shift", 0, 0.1)),
    ("profile-shift", "profile_shift", "l2", put("prosumer/load/profile_shift", 1, -4)),
]


def test_the_small_case_is_valid() -> None:
    assert check_case(small_case()) == []


@pytest.mark.parametrize(("code", "variable", "first", "change"), FAULTS, ids=[f"{c}-{v}-{i}" for c, v, i, _ in FAULTS])
def test_each_fault_is_found(code: str, variable: str, first: str, change: Any) -> None:
    case = small_case()
    change(case)
    found = [p for p in check_case(case) if (p.code, p.variable) == (code, variable)]
    assert found, check_case(case)
    assert not first or found[0].ids[0] == first
    assert found[0].group.startswith("/")
    assert found[0].hint.endswith((".", "?"))


# These hide or repeat others by their nature: a group that is gone, two axes of one group.
ALONE = {"missing-group", "empty-group", "time-order", "source-conflict", "ids", "missing-time"}
TOGETHER = [
    f
    for k, f in enumerate(FAULTS)
    if f[0] not in ALONE
    and f[1:3] not in [g[1:3] for g in FAULTS[:k] if g[2]]
    and f[1] not in {"v_nom", "pv", "plane"}
    and f[1:3] != ("tariff", "m3")
    and (f[0], f[1])
    not in {("dtype", "time"), ("dtype", "in_service"), ("whole-seconds", "time"), ("unit-missing", "x")}
    and (f[0], f[1]) not in {("dtype", "p_nom"), ("self-loop", "bus_to"), ("missing-variable", "r")}
]


def test_forty_faults_are_found_together() -> None:
    assert len(TOGETHER) >= 40
    case = small_case()
    for _, _, _, change in TOGETHER:
        change(case)
    problems = check_case(case)
    missed = [
        (code, variable, first)
        for code, variable, first, _ in TOGETHER
        if not any(
            (p.code, p.variable) == (code, variable) and (not first or first in p.ids or p.count > len(p.ids))
            for p in problems
        )
    ]
    assert len(missed) <= 0.05 * len(TOGETHER), missed
    assert all(p.hint for p in problems)


def grid(side: int) -> dict[str, dict[str, Any]]:
    """A meshed net of side by side buses."""
    names = [f"{i}-{j}" for i in range(side) for j in range(side)]
    edges = [(f"{i}-{j}", f"{i}-{j + 1}") for i in range(side) for j in range(side - 1)]
    edges += [(f"{i}-{j}", f"{i + 1}-{j}") for i in range(side - 1) for j in range(side)]
    tables = small_tables()
    del tables["transformer"]
    tables["bus"] = {"id": names, "v_nom": [0.4] * len(names)}
    tables["source"] = {"id": ["s"], "bus": ["0-0"]}
    tables["meter"] |= {"bus": names[:3]}
    many = [0.1] * len(edges)
    ends = {"bus_from": [a for a, _ in edges], "bus_to": [b for _, b in edges]}
    tables["line"] = {"id": [f"l{k}" for k in range(len(edges))], **ends, "r": many, "x": many, "s_nom": many}
    return tables


@pytest.mark.parametrize(("side", "loops"), [(5, 16), (6, 25)])
def test_heavily_meshed_feeders_are_refused(side: int, loops: int) -> None:
    problems = check_case(build_case(grid(side)))
    if loops <= 20:
        assert problems == []
        return
    (problem,) = problems
    assert (problem.code, problem.ids) == ("meshed", ("s",))
    assert f"{loops} loops" in problem.value
    assert problem.hint.count("line l") == loops


@pytest.mark.parametrize(("shift", "refused"), [(150, False), (-210, False), (510, False), (330, True), (0, True)])
def test_phase_shifts_around_a_loop_cancel(shift: float, refused: bool) -> None:
    tables = small_tables()
    tables["bus"]["v_nom"] = [20, 0.4, 0.4, 0.4, 20, 0.4, 0.4]
    tables["source"] = {"id": ["s"], "bus": ["hv1"]}
    line = {"id": ["hv", "tie"], "bus_from": ["hv1", "a2"], "bus_to": ["hv2", "b1"]}
    for name, values in line.items():
        tables["line"][name] = [*tables["line"][name], *values]
    for name in ("r", "x", "s_nom", "in_service"):
        tables["line"][name] = [*tables["line"][name], tables["line"][name][0], tables["line"][name][0]]
    tables["transformer"]["phase_shift"] = [150, shift]
    if shift == 510:
        tables["transformer"]["phase_shift"] = [-210, 150]
    codes = [p.code for p in check_case(build_case(tables))]
    assert codes == (["phase-shift"] if refused else [])


def test_a_transformer_may_step_up() -> None:
    tables = small_tables()
    tables["transformer"] |= {"bus_from": ["a0", "hv2"], "bus_to": ["hv1", "b0"], "v_nom_from": [0.4, 20]}
    tables["transformer"] |= {"v_nom_to": [20, 0.4]}
    assert check_case(build_case(tables)) == []


def test_without_any_series() -> None:
    tables = small_tables()
    del tables["forecast"], tables["profile"]
    for kind in ("load", "pv"):
        del tables[kind]["profile"]
    (problem,) = check_case(build_case(tables))
    assert problem.code == "no-series"
    assert "dispatch scenario" in problem.hint


def test_hints_name_what_was_meant() -> None:
    case = small_case()
    put("prosumer/meter/tariff", 0, b"flatt")(case)
    label("time_zone", "Europe/Berlni")(case)
    hints = [p.hint for p in check_case(case)]
    assert any("Did you mean 'flat'?" in h for h in hints)
    assert any("Did you mean 'Europe/Berlin'?" in h for h in hints)


def test_the_price_problem_names_tariff_meters_and_time() -> None:
    case = small_case()
    put("forecast/price_export", (0, 5), 0.9)(case)
    (problem,) = check_case(case)
    assert problem.ids == ("m1", "m2")
    assert "'flat'" in problem.value
    assert "2026-06-01T01:15:00" in problem.value


def test_thousands_of_equal_faults_are_one_problem() -> None:
    tables = small_tables()
    n = 3000
    tables["store"] = {"id": [f"s{k}" for k in range(n)], "meter": ["m1"] * n, "energy_nom": [1] * n, "p_nom": [-1] * n}
    (problem,) = check_case(build_case(tables))
    assert problem.count == n
    assert len(problem.ids) == 3


def stores(**columns: Any) -> dict[str, Any]:
    usual = {
        "id": ["car", "tank"],
        "meter": ["m1"] * 2,
        "kind": ["car", "tank"],
        "energy_nom": [40.0, 10.0],
        "p_nom": [11.0, 2.0],
    }
    return {**usual, **columns}


@pytest.mark.parametrize(
    ("columns", "code", "variable"),
    [
        ({"state_of_charge_leave": [50.0, 0.0]}, "state-of-charge", "state_of_charge_leave"),
        ({"leaves_at": [7.5, np.nan]}, "trip", "returns_at"),
        ({"returns_at": [7.5, np.nan]}, "trip", "leaves_at"),
        ({"energy_trip": [7.5, 0.0]}, "trip", "energy_trip"),
        ({"leaves_at": [24.5, np.nan], "returns_at": [12.0, np.nan]}, "range", "leaves_at"),
        ({"kind": ["carr", "tank"]}, "choice", "kind"),
        ({"heat_loss": [0.0, -0.1]}, "range", "heat_loss"),
    ],
)
def test_cars_and_tanks(columns: dict[str, Any], code: str, variable: str) -> None:
    assert check_case(build_case({**small_tables(), "store": stores()})) == []
    (problem,) = check_case(build_case({**small_tables(), "store": stores(**columns)}))
    assert (problem.code, problem.variable, problem.count) == (code, variable, 1)
    assert problem.hint


def test_cars_and_tanks_at_a_green_only_meter_are_refused() -> None:
    tables = {**small_tables(), "store": stores()}
    tables["meter"] = {**tables["meter"], "green_only": [True] * len(tables["meter"]["id"])}
    (problem,) = check_case(build_case(tables))
    assert (problem.code, problem.ids) == ("green-only", ("car", "tank"))


def test_series_of_stores_fit_and_have_no_gaps() -> None:
    tables = {**small_tables(), "store": stores()}
    steps = len(tables["forecast"]["time"])
    least, withdrawn = np.full((2, steps), 3.0), np.full((2, steps), np.nan)
    least[0, 1] = 41.0
    withdrawn[1, 2:] = 1.0
    tables["forecast"] = {**tables["forecast"], "state_of_charge_least": least, "p_withdrawn": withdrawn}
    found = {(p.code, p.variable, p.ids) for p in check_case(build_case(tables))}
    assert found == {("state-of-charge", "state_of_charge_least", ("car",)), ("nan", "p_withdrawn", ("tank",))}
