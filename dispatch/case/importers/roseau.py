"""Importer of Roseau Load Flow networks: JSON read as data, without roseau-load-flow; positive sequence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.importers.grid import Grid, Table, finish, joined, rows
from dispatch.case.importers.metering import Tariff
from dispatch.case.importers.pandapower_switches import UNRATED_KA
from dispatch.case.importers.roseau_json import Roseau, plain_array, read_roseau
from dispatch.case.rules.network import RATED_TOLERANCE

if TYPE_CHECKING:
    import os

    import xarray as xr

UNBALANCED = 1e-3
"""Difference of phases, in parts of the whole, from which a note says that it is left out."""
CLOCK = re.compile(r"^[DYZ][A-Za-z]*(\d{1,2})$")


def import_roseau(
    path: str | os.PathLike[str],
    *,
    drop_isolated: bool = False,
    price_import: float = 0.30,
    price_export: float = 0.08,
) -> tuple[xr.DataTree, list[str]]:
    """Read a network of Roseau Load Flow into a case.

    Lines and transformers by their positive sequence, loads by their sum over the phases; loads without power are left
    out, those with negative power are generation. A feeder is the tree below a source, all voltage levels together.

    Parameters
    ----------
    path : path
        JSON written by ``ElectricalNetwork.to_json``, gzip-compressed or not.
    drop_isolated : bool
        Whether buses without a way to a source are left out instead of refused.
    price_import, price_export : float
        The one tariff that every meter gets. [EUR/kWh]

    Returns
    -------
    case : DataTree
        Loads and generation constant at the file's power; a scenario gives them shapes.
    notes : list of str
        What was changed or left out, in words.

    Raises
    ------
    InputError
        If the file is damaged or holds what cannot be handled; everything in one pass.
    """
    path = Path(path)
    net = read_roseau(path)
    tariff = Tariff(price_import, price_export)
    return finish(_grid(net, path), drop_isolated=drop_isolated, tariff=tariff, source=str(path))


def _grid(net: Roseau, path: Path) -> Grid:
    bus = _buses(net)
    load, pv = _loads(net)
    none = np.zeros(0)
    store = {"id": none.astype(object), "bus": none.astype(int), "kind": none.astype(object)}
    store |= {"energy_nom": none, "p_nom": none}
    ends = [net.rows("switches", end, "buses") for end in ("bus1", "bus2")]
    closed = np.array([e.get("closed") is not False for e in net.sections["switches"]], bool)
    fused = np.stack(ends, axis=1)[closed]
    tables = {
        "bus": bus,
        "line": joined("line", _lines(net, bus["v_nom"])),
        "transformer": joined("transformer", _transformers(net, bus["v_nom"])),
        "source": _sources(net, bus["v_nom"]),
        "load": load,
        "pv": pv,
        "store": store,
    }
    return Grid(path.name.split(".")[0], tables, fused.reshape(-1, 2), notes=net.notes, problems=net.problems)


def _buses(net: Roseau) -> Table:
    v_nom = net.numbers("buses", "nominal_voltage", low=1, high=1e6) / 1e3
    low = net.numbers("buses", "min_voltage_level", 0.9, low=0.5, high=1.5)
    high = net.numbers("buses", "max_voltage_level", 1.1, low=0.5, high=1.5)
    crossed = np.nonzero(low >= high)[0]
    net.refuse("range", "buses", "min_voltage_level", crossed, "too high", "below the maximum", "Correct these limits.")
    place = np.full((len(v_nom), 2), np.nan)
    for k, geometry in enumerate(net.values("buses", "geometry")):
        point = plain_array(geometry.get("coordinates")) if isinstance(geometry, dict) else None
        if point is not None and point.shape == (2,) and (np.abs(point) <= (180, 90)).all():
            place[k] = point
    return {
        "id": net.ids("buses", "bus"),
        "v_nom": v_nom,
        "v_min_pu": low,
        "v_max_pu": high,
        "longitude": place[:, 0],
        "latitude": place[:, 1],
    }


def positive_sequence(matrix: np.ndarray) -> complex:
    """Positive-sequence impedance or admittance of a line of three phases with or without a neutral.

    Parameters
    ----------
    matrix : ndarray (conductor, conductor) of complex
        Phases first. A neutral that couples to all phases alike cancels.

    Returns
    -------
    complex
        Mean of the phases' own values less the mean of the mutual ones.
    """
    phases = matrix[:3, :3]
    own = phases.diagonal().sum()
    return complex(own / 3 - (phases.sum() - own) / 6)


def _sequence(net: Roseau, key: str, *, needed: bool) -> np.ndarray:
    """Positive-sequence value of each set of line parameters, per km."""
    found, wrong = np.zeros(len(net.sections["lines_params"]), complex), []
    for k, value in enumerate(net.values("lines_params", key)):
        array = None if value is None else plain_array(value)
        if array is not None and array.shape in {(2, 3, 3), (2, 4, 4)}:
            found[k] = positive_sequence(array[0] + 1j * array[1])
        elif needed or value is not None:
            wrong.append(k)
    allowed = "[real, imaginary] matrices of three phases, with or without a neutral"
    net.refuse("type", "lines_params", key, wrong, "something else", allowed, "Correct these parameters.")
    return found


def _lines(net: Roseau, v_nom: np.ndarray) -> Table:
    start, stop = net.rows("lines", "bus1", "buses"), net.rows("lines", "bus2", "buses")
    params, length = net.rows("lines", "params_id", "lines_params"), net.numbers("lines", "length", low=0)
    z, y = _sequence(net, "z_line", needed=True), _sequence(net, "y_shunt", needed=False)
    known = params >= 0
    z, y = (np.where(known, v[params] if len(v) else 0, 0) * length for v in (z, y))
    current = _ampacities(net)
    rated = np.where(known, current[params] if len(current) else 0, 0)
    loading = net.numbers("lines", "max_loading", 1.0, above=0.0)
    wrong = np.nonzero(known & ((z == 0) | (z.real < 0) | (z.imag < 0)))[0]
    hint = "Give length and impedance, or join the buses by a switch."
    net.refuse("zero-impedance", "lines", "z_line", wrong, "not positive", "r or x above 0", hint)
    inside = (start >= 0) & (stop >= 0)
    apart = np.nonzero(inside & (v_nom[start] != v_nom[stop]))[0] if len(v_nom) else np.zeros(0, int)
    hint = "Correct nominal_voltage, or put a transformer between them."
    net.refuse("voltage", "lines", "bus2", apart, "of two nominal voltages", "the same at both ends", hint)
    v = np.where(start >= 0, v_nom[start] if len(v_nom) else 0.0, 1.0)
    unrated = known & ~(rated > 0)
    if unrated.any():
        net.notes.append(f"lines: {np.count_nonzero(unrated)} without ampacities never limit anything.")
    return {
        "id": net.ids("lines", "line"),
        "bus_from": start,
        "bus_to": stop,
        "r": np.maximum(z.real, 0),
        "x": np.maximum(z.imag, 0),
        "b": np.maximum(y.imag, 0),
        "s_nom": np.sqrt(3) * v * np.where(rated > 0, rated * loading / 1e3, UNRATED_KA) * 1e3,
        "length": length,
        "in_service": np.ones(len(start), bool),
    }


def _ampacities(net: Roseau) -> np.ndarray:
    """Smallest rated current of the phases of each set of line parameters in A, 0 where it is not known."""
    found, wrong = np.zeros(len(net.sections["lines_params"])), []
    for k, value in enumerate(net.values("lines_params", "ampacities")):
        array = None if value is None else plain_array(value)
        if array is not None and array.ndim == 1 and len(array) >= 3 and (array > 0).all():
            found[k] = array[:3].min()
        elif value is not None:
            wrong.append(k)
    net.refuse("type", "lines_params", "ampacities", wrong, "something else", "a current each phase", "Correct them.")
    return found


def _transformers(net: Roseau, v_nom: np.ndarray) -> Table:
    params = net.rows("transformers", "params_id", "transformers_params")
    high, low = (net.numbers("transformers_params", k, low=1, high=1e6) for k in ("uhv", "ulv"))
    power = net.numbers("transformers_params", "sn", low=1)
    z, p0 = net.complexes("transformers_params", "z2"), net.numbers("transformers_params", "p0", 0.0, low=0)
    i0 = net.numbers("transformers_params", "i0", 0.0, low=0, high=1)
    tap = net.numbers("transformers", "tap", 1.0, low=0.8, high=1.2)
    loading = net.numbers("transformers", "max_loading", 1.0, above=0.0)
    clock = [CLOCK.match(str(g)) for g in net.values("transformers_params", "vg")]
    wrong = [k for k, found in enumerate(clock) if not found]
    allowed, hint = "a vector group of three phases, such as Dyn11", "Replace it by a three-phase transformer."
    net.refuse("unsupported", "transformers_params", "vg", wrong, "of another kind", allowed, hint)
    shift = np.array([30.0 * (int(c[1]) % 12) if c else 0.0 for c in clock])
    of_type = {"v": high, "u": low, "s": power, "z": z, "p": p0, "i": i0, "shift": shift}
    own = {k: v[params] if len(v) else np.ones(len(params)) for k, v in of_type.items()}
    base = (own["u"] * tap) ** 2 / own["s"]
    ends = net.rows("transformers", "bus_hv", "buses"), net.rows("transformers", "bus_lv", "buses")
    for name, bus, rated in zip(("uhv", "ulv"), ends, (own["v"], own["u"] * tap), strict=True):
        nominal = np.where(bus >= 0, v_nom[bus], np.nan) * 1e3 if len(v_nom) else np.full(len(bus), np.nan)
        far = np.nonzero(np.abs(rated - nominal) > RATED_TOLERANCE * nominal)[0]
        said = f"{rated[far[0]]:g} V where its bus is at {nominal[far[0]]:g} V" if len(far) else ""
        net.refuse("rated-voltage", "transformers", name, far, said, "within 25 % of it", "Is the unit volts?")
    return {
        "id": net.ids("transformers", "transformer"),
        "bus_from": ends[0],
        "bus_to": ends[1],
        "s_nom": own["s"] / 1e3 * loading,
        "v_nom_from": own["v"] / 1e3,
        "v_nom_to": own["u"] / 1e3 * tap,
        "r_pu": np.clip((own["z"] / base).real * loading, 0, 1),
        "x_pu": np.clip((own["z"] / base).imag * loading, 0, 1),
        "p_no_load": own["p"] / 1e3,
        "i_no_load_pu": np.clip(own["i"] / loading, 0, 1),
        "phase_shift": own["shift"],
        "in_service": np.ones(len(params), bool),
    }


def _sources(net: Roseau, v_nom: np.ndarray) -> Table:
    bus, v = net.rows("sources", "bus", "buses"), net.complexes("sources", "voltages", wide=3)
    to_neutral = np.array(["n" in str(p) for p in net.values("sources", "phases")], bool)
    base = np.where(bus >= 0, v_nom[bus] if len(v_nom) else 1.0, 1.0) * 1e3 / np.where(to_neutral, np.sqrt(3), 1.0)
    v_pu = np.abs(v).mean(axis=1) / base
    uneven = np.abs(np.abs(v) / base[:, None] - v_pu[:, None]).max(initial=0)
    if uneven > UNBALANCED:
        net.notes.append(f"sources: voltages of the phases differ by {uneven:.3g} pu; their mean is taken.")
    wrong = np.nonzero(~((v_pu >= 0.8) & (v_pu <= 1.2)))[0]
    value = f"{v_pu[wrong[0]]:.4g} pu" if len(wrong) else ""
    net.refuse("range", "sources", "voltages", wrong, value, "0.8 to 1.2 pu", "Correct voltages or nominal_voltage.")
    return {"id": net.ids("sources", "source"), "bus": bus, "v_pu": v_pu}


def _loads(net: Roseau) -> tuple[Table, Table]:
    """Read loads, and generation from those of negative power."""
    kinds: list[Any] = net.values("loads", "type")
    other = [k for k, kind in enumerate(kinds) if kind != "power"]
    hint = "Replace them by loads of constant power."
    net.refuse("unsupported", "loads", "type", other, "impedance or current", "power", hint)
    phases = [str(p) for p in net.values("loads", "phases")]
    few = [k for k, p in enumerate(phases) if not set("abc") <= set(p)]
    allowed, hint = "abc or abcn", "Spread them over the three phases; the network is a balanced one."
    net.refuse("unsupported", "loads", "phases", few, "not of three phases", allowed, hint)
    s = net.complexes("loads", "powers", wide=3)
    power = s.sum(axis=1) / 1e3
    uneven = np.abs(s / 1e3 - power[:, None] / 3).max(axis=1, initial=0) > UNBALANCED * np.abs(power)
    if uneven.any():
        net.notes.append(f"loads: {np.count_nonzero(uneven)} are spread evenly over the phases.")
    none = power == 0
    if none.any():
        net.notes.append(f"loads: {np.count_nonzero(none)} without power are left out.")
    feeding = power.real < 0
    table = {
        "id": net.ids("loads", "load"),
        "bus": net.rows("loads", "bus", "buses"),
        "p_nom": np.abs(power.real),
        "q_nom": np.where(feeding, -power.imag, power.imag),
        "kind": np.full(len(power), "other", object),
    }
    return rows(table, ~none & ~feeding), rows(table, feeding)
