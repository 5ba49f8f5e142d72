"""The network of a case as input of power-grid-model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from power_grid_model import LoadGenType, initialize_array

from dispatch.case.network import Network, network_of
from dispatch.case.schema import Columns, columns
from dispatch.verify.refusal import refuse_invalid

if TYPE_CHECKING:
    import xarray as xr

# Short-circuit power of a source. [VA]  Ideal next to any feeder (0.1 GVA at its busbar), yet far from the range where
# the admittance of the source drowns the others in rounding: voltages change by less than 1e-9 pu from 1e14 to 1e18.
SOURCE_POWER = 1e15
FREQUENCY = 50.0  # of power-grid-model; turns susceptance into capacitance and cancels out [Hz]


@dataclass(frozen=True)
class Circuit:
    """What is alive in a network, as input of power-grid-model.

    Attributes
    ----------
    network : Network
        The whole network.
    bus, line, transformer : ndarray of int
        Positions in the case of the rows of ``node``, ``line`` and ``generic_branch``.
    data : dict of str to structured ndarray
        Input by component, one load at each bus; empty where nothing is alive.
    """

    network: Network
    bus: np.ndarray
    line: np.ndarray
    transformer: np.ndarray
    data: dict[str, np.ndarray]

    @property
    def branches(self) -> tuple[tuple[str, np.ndarray], ...]:
        """Each component that is a branch, with its positions among the branches of the network; none empty."""
        pairs = (("line", self.line), ("generic_branch", self.network.lines + self.transformer))
        return tuple((name, position) for name, position in pairs if len(position))


def circuit_of(case: xr.DataTree) -> Circuit:
    """Translate the electric network of a case.

    Parameters
    ----------
    case : DataTree
        Of any number of feeders.

    Returns
    -------
    Circuit

    Raises
    ------
    InputError
        If power-grid-model refuses it, with all reasons.
    """
    network = network_of(case)
    carries = network.in_service & (network.feeder[network.branch_from] >= 0)
    line, transformer = np.nonzero(carries[: network.lines])[0], np.nonzero(carries[network.lines :])[0]
    live = np.nonzero(network.feeder >= 0)[0]
    if not len(live):
        return Circuit(network, live, line, transformer, {})
    bus, source = columns(case, "bus"), columns(case, "source")
    lines = {k: v[line] for k, v in columns(case, "line").items()}
    transformers = {k: v[transformer] for k, v in columns(case, "transformer").items()}
    data = {
        "node": _nodes(bus["v_nom"][live]),
        "line": _lines(lines, bus["v_nom"][network.branch_from[line]]),
        "generic_branch": _transformers(transformers, network.ratio[network.lines + transformer]),
        "source": _sources(network.source_v_pu),
        "sym_load": _loads(len(live)),
    }
    _connect(data, network, live, np.concatenate([line, network.lines + transformer]))
    data = {name: table for name, table in data.items() if len(table)}
    ids = bus["id"][live]
    names = {"node": ids, "sym_load": ids, "source": source["id"]}
    refuse_invalid(data, {**names, "line": lines["id"], "generic_branch": transformers["id"]})
    return Circuit(network, live, line, transformer, data)


def _connect(data: dict[str, np.ndarray], network: Network, live: np.ndarray, branch: np.ndarray) -> None:
    """Give every row a number and every end its node."""
    first = 0
    for table in data.values():
        table["id"] = first + np.arange(len(table))
        first += len(table)
    node = np.full(network.buses, -1, np.int32)
    node[live] = data["node"]["id"]
    data["sym_load"]["node"], data["source"]["node"] = data["node"]["id"], node[network.source_bus]
    start, stop, lines = node[network.branch_from[branch]], node[network.branch_to[branch]], len(data["line"])
    for name, rows in (("line", slice(None, lines)), ("generic_branch", slice(lines, None))):
        data[name]["from_node"], data[name]["to_node"] = start[rows], stop[rows]
        data[name]["from_status"] = data[name]["to_status"] = 1


def _nodes(v_nom: np.ndarray) -> np.ndarray:
    table: np.ndarray = initialize_array("input", "node", len(v_nom))
    table["u_rated"] = 1e3 * v_nom
    return table


def _sources(v_pu: np.ndarray) -> np.ndarray:
    table: np.ndarray = initialize_array("input", "source", len(v_pu))
    table["status"], table["u_ref"], table["sk"] = 1, v_pu, SOURCE_POWER
    return table


def _loads(count: int) -> np.ndarray:
    table: np.ndarray = initialize_array("input", "sym_load", count)
    table["status"], table["type"], table["p_specified"], table["q_specified"] = 1, LoadGenType.const_power, 0, 0
    return table


def _lines(line: Columns, v_nom: np.ndarray) -> np.ndarray:
    table: np.ndarray = initialize_array("input", "line", len(v_nom))
    table["r1"], table["x1"] = line["r"], line["x"]
    table["c1"], table["tan1"] = line["b"] / (2 * np.pi * FREQUENCY), 0.0
    table["i_n"] = line["s_nom"] / np.sqrt(3) / v_nom
    return table


def _transformers(transformer: Columns, ratio: np.ndarray) -> np.ndarray:
    """Fill in transformers in service as pi circuits referred to the low-voltage winding, their ends left open.

    A generic branch states the same circuit as power-grid-model's transformer, but takes any angle and does not move a
    tap position silently into the range that is given for it.
    """
    step = 1 + transformer["tap_step_pu"] * (transformer["tap_position"] - transformer["tap_neutral"])
    at_from = transformer["tap_side"] == b"from"
    # Short-circuit values are per unit of the rated voltage in force, the tap of that winding included.
    base = 1e3 * (transformer["v_nom_to"] * np.where(at_from, 1.0, step)) ** 2 / transformer["s_nom"]
    g_pu = transformer["p_no_load"] / transformer["s_nom"]
    table: np.ndarray = initialize_array("input", "generic_branch", len(step))
    table["r1"], table["x1"] = transformer["r_pu"] * base, transformer["x_pu"] * base
    table["g1"] = g_pu / base
    table["b1"] = -np.sqrt(np.maximum(transformer["i_no_load_pu"] ** 2 - g_pu**2, 0)) / base
    table["k"], table["theta"] = ratio, np.radians(transformer["phase_shift"])
    table["sn"] = 1e3 * transformer["s_nom"]
    return table
