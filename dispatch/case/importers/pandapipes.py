"""Importer of pandapipes nets of one gas: JSON read as data and without pandapipes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.importers import pandapipes_elements as elements
from dispatch.case.importers.gas_grid import GasGrid, finish
from dispatch.case.importers.grid import joined
from dispatch.case.importers.naming import clean
from dispatch.case.importers.pandapipes_fluid import gas_of
from dispatch.case.importers.pandapower_json import read_net
from dispatch.case.importers.pandapower_net import Net
from dispatch.case.importers.places import places

if TYPE_CHECKING:
    import os

    import xarray as xr

    from dispatch.case.importers.grid import Table

HANDLED = ("junction", "junction_geodata", "pipe", "ext_grid", "press_control", "compressor", "valve", "sink", "source")
# Barometric formula as pandapipes has it (international standard atmosphere).
SEA_LEVEL, LAPSE, SEA_KELVIN, EXPONENT = 1.01325, 0.0065, 288.15, 5.255
SAME_TEMPERATURE = 0.5


def import_pandapipes(path: str | os.PathLike[str], *, drop_isolated: bool = False) -> tuple[xr.DataTree, list[str]]:
    """Read a pandapipes net into a case that holds a gas network alone.

    Parameters
    ----------
    path : path
        JSON written by ``pandapipes.to_json``, gzip-compressed or not. Its pressures are gauge: the air pressure at the
        height of its first external grid is added, by the formula that pandapipes uses.
    drop_isolated : bool
        Whether junctions without a way to an external grid are left out instead of refused.

    Returns
    -------
    case : DataTree
        Consumers and injections constant at the file's mass flow over its normal density, or where the sinks have
        ``demand_m3_per_a`` at a mean hour of that, taken as normal cubic metres.
    notes : list of str
        What was changed or left out, in words.

    Raises
    ------
    InputError
        If the file is damaged or holds what cannot be handled; everything in one pass.
    """
    path = Path(path)
    file = read_net(path, (*HANDLED, *elements.REFUSED), main="junction", writer="pandapipes")
    net = Net(file, main="junction")
    return finish(_grid(net, path), drop_isolated=drop_isolated, source=str(path))


def _grid(net: Net, path: Path) -> GasGrid:
    elements.refuse_others(net)
    height = net.numbers("junction", "height_m", 0.0, low=-500, high=9000)
    kelvin = _temperature(net)
    gas = gas_of(net.file.fluid, kelvin, net.problems, net.notes)
    gate, first = elements.gates(net)
    level = float(height[first]) if first >= 0 else 0.0
    ambient = SEA_LEVEL * (1 - level * LAPSE / SEA_KELVIN) ** EXPONENT
    gate["pressure"] = gate["pressure"] + ambient
    if len(height) and np.ptp(height) > 0:
        net.notes.append(_heights_note(height, gas, ambient))
    pipe, fused = elements.pipes_and_valves(net)
    regulator, open_controls, more = elements.regulators(net, ambient)
    regulator = joined("regulator", regulator, elements.compressors(net))
    density = gas.get("density_normal", 0.78)
    consumer, injection = elements.demand(net, density)
    tables: dict[str, Table] = {
        "junction": _junctions(net, ambient, height),
        "pipe": {n: np.concatenate([pipe[n], open_controls[n]]) for n in pipe},
        "regulator": regulator,
        "gate": gate,
        "consumer": consumer,
        "injection": injection,
    }
    title = clean(net.file.settings.get("name")) or path.name.split(".")[0]
    settings = {**gas, "temperature": kelvin - 273.15, "pressure_ambient": ambient}
    pairs = np.concatenate([fused, more])
    return GasGrid(title, settings, tables, pairs, notes=net.notes, problems=net.problems)


def _junctions(net: Net, ambient: float, height: np.ndarray) -> Table:
    longitude, latitude = places(net, "junction")
    return {
        "id": net.ids("junction", "junction"),
        "pressure_nom": net.numbers("junction", "pn_bar", low=-0.9, high=190) + ambient,
        "pressure_min": np.full(len(height), np.nan),
        "pressure_max": np.full(len(height), np.nan),
        "altitude": height,
        "longitude": longitude,
        "latitude": latitude,
        "in_service": net.flags("junction", "in_service"),
    }


def _temperature(net: Net) -> float:
    """Mean temperature of the junctions in kelvin, as which the whole net is calculated."""
    kelvin = net.numbers("junction", "tfluid_k", 283.15, low=243.15, high=333.15)
    if not len(kelvin):
        return 283.15
    if np.ptp(kelvin) > SAME_TEMPERATURE:
        net.notes.append(f"junction: temperatures of {kelvin.min():g} to {kelvin.max():g} K count as their mean.")
    return float(kelvin.mean())


def _heights_note(height: np.ndarray, gas: dict[str, float], ambient: float) -> str:
    """Say what leaving out the heights means at most, at twice the air pressure."""
    density = gas.get("density_normal", 0.78) * 2 * ambient / SEA_LEVEL
    millibar = density * 9.81 * float(np.ptp(height)) / 100
    return (
        f"junction: heights of {height.min():.4g} to {height.max():.4g} m are left out of the flow equations "
        f"(the weight of the gas: about {millibar:.2g} mbar at 1 bar gauge)."
    )
