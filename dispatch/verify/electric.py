"""AC power flow of a finished schedule, all steps at once, with power-grid-model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from power_grid_model import CalculationMethod, LoadGenType, PowerGridModel, initialize_array

from dispatch.case.network import Network, network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import Columns, columns
from dispatch.verify.refusal import refuse_invalid

if TYPE_CHECKING:
    import xarray as xr

# Short-circuit power of a source. [VA]  Ideal next to any feeder (0.1 GVA at its busbar), yet far from the range where
# the admittance of the source drowns the others in rounding: voltages change by less than 1e-9 pu from 1e14 to 1e18.
SOURCE_POWER = 1e15
FREQUENCY = 50.0  # of power-grid-model; turns susceptance into capacitance and cancels out [Hz]
# Newton-Raphson needs 3 to 6 iterations; the iterative current method converges in some steps near voltage collapse
# where Newton leaves its region of attraction.
METHODS = ((CalculationMethod.newton_raphson, 20), (CalculationMethod.iterative_current, 500))
TOLERANCE = 1e-9  # of the voltages between two iterations [pu]


@dataclass(frozen=True)
class AcState:
    """State of a network by AC power flow; branches are the case's lines, then its transformers.

    Attributes
    ----------
    v_pu : ndarray (bus, time)
        Voltage magnitude; NaN at isolated buses and in steps that did not converge. [1]
    p_from : ndarray (branch, time)
        Active power into the branch at its bus_from; 0 where it is out of service or dead. [kW]
    loading_pu : ndarray (branch, time)
        Lines: the larger of the currents at both ends over rated current; transformers: the larger of the apparent
        powers at both ends over rating. [1]
    converged : ndarray (time,) of bool
        Whether there is a solution; where not, everything else is NaN.
    """

    v_pu: np.ndarray
    p_from: np.ndarray
    loading_pu: np.ndarray
    converged: np.ndarray


class AcModel:
    """A case's network in power-grid-model, made once and used for many schedules.

    Parameters
    ----------
    case : DataTree
        Of any number of feeders.

    Raises
    ------
    InputError
        If power-grid-model refuses the network, with all reasons.
    """

    def __init__(self, case: xr.DataTree) -> None:
        network = network_of(case)
        self.network = network
        self._live = np.nonzero(network.feeder >= 0)[0]
        carries = network.in_service & (network.feeder[network.branch_from] >= 0)
        self._line = np.nonzero(carries[: network.lines])[0]
        self._transformer = np.nonzero(carries[network.lines :])[0]
        tables = {kind: columns(case, kind) for kind in ("bus", "line", "transformer", "source")}
        data = self._input(tables)
        refuse_invalid(data, self._names(tables))
        self._load_id = data["sym_load"]["id"] if "sym_load" in data else np.zeros(0, np.int32)
        self._model = PowerGridModel(data, system_frequency=FREQUENCY) if data else None

    def _input(self, tables: dict[str, Columns]) -> dict[str, np.ndarray]:
        """Everything that is alive, as input of power-grid-model; ids count through all kinds."""
        if not len(self._live):
            return {}
        network, bus, source = self.network, tables["bus"], tables["source"]
        node = initialize_array("input", "node", len(self._live))
        node["u_rated"] = 1e3 * bus["v_nom"][self._live]
        load = initialize_array("input", "sym_load", len(self._live))
        load["status"], load["type"], load["p_specified"], load["q_specified"] = 1, LoadGenType.const_power, 0, 0
        feeds = initialize_array("input", "source", len(source["id"]))
        feeds["status"], feeds["u_ref"], feeds["sk"] = 1, network.source_v_pu, SOURCE_POWER
        data = {
            "node": node,
            "line": _lines({k: v[self._line] for k, v in tables["line"].items()}, bus, network, self._line),
            "generic_branch": _transformers(
                {k: v[self._transformer] for k, v in tables["transformer"].items()},
                network.ratio[network.lines + self._transformer],
            ),
            "source": feeds,
            "sym_load": load,
        }
        first = 0
        for table in data.values():
            table["id"] = first + np.arange(len(table))
            first += len(table)
        node_id = np.full(network.buses, -1, np.int32)
        node_id[self._live] = node["id"]
        load["node"], feeds["node"] = node["id"], node_id[network.source_bus]
        for name, branch in (("line", self._line), ("generic_branch", network.lines + self._transformer)):
            data[name]["from_node"], data[name]["to_node"] = (
                node_id[network.branch_from[branch]],
                node_id[network.branch_to[branch]],
            )
            data[name]["from_status"] = data[name]["to_status"] = 1
        return {name: table for name, table in data.items() if len(table)}

    def _names(self, tables: dict[str, Columns]) -> dict[str, np.ndarray]:
        """Id in the case of each row of the input."""
        bus = tables["bus"]["id"][self._live]
        branches = {
            "line": tables["line"]["id"][self._line],
            "generic_branch": tables["transformer"]["id"][self._transformer],
        }
        return {"node": bus, "sym_load": bus, "source": tables["source"]["id"], **branches}

    def flow(self, p: np.ndarray, q: np.ndarray) -> AcState:
        """State of the network for given net injections.

        Parameters
        ----------
        p, q : ndarray (bus, time)
            Net injections, positive into the network. [kW, kvar]

        Returns
        -------
        AcState
            Steps without a solution are marked, not raised.
        """
        network, steps = self.network, p.shape[1]
        converged = np.isfinite(p).all(axis=0) & np.isfinite(q).all(axis=0)
        v_pu = np.full((network.buses, steps), np.nan)
        p_from, loading = (np.zeros((len(network.s_nom), steps)) for _ in range(2))
        left = np.nonzero(converged)[0]
        for method, iterations in METHODS:
            if self._model is None or not len(left):
                break
            solved = self._solve(p[np.ix_(self._live, left)], q[np.ix_(self._live, left)], method, iterations)
            good = solved.pop("good")
            done = left[good]
            v_pu[np.ix_(self._live, done)] = solved["node"]["u_pu"][good].T
            for name, branch in (("line", self._line), ("generic_branch", network.lines + self._transformer)):
                if len(branch):
                    p_from[np.ix_(branch, done)] = 1e-3 * solved[name]["p_from"][good].T
                    loading[np.ix_(branch, done)] = solved[name]["loading"][good].T
            left = left[~good]
        converged[left] = False
        p_from[:, ~converged] = loading[:, ~converged] = np.nan
        return AcState(v_pu, p_from, loading, converged)

    def _solve(self, p: np.ndarray, q: np.ndarray, method: CalculationMethod, iterations: int) -> dict[str, Any]:
        """One batch by one method; ``good`` tells which steps have a solution."""
        assert self._model is not None
        model, steps = self._model, p.shape[1]
        update = {
            "id": np.tile(self._load_id, (steps, 1)),
            "p_specified": np.ascontiguousarray(-1e3 * p.T),
            "q_specified": np.ascontiguousarray(-1e3 * q.T),
        }
        wanted: dict[Any, Any] = {"node": ["u_pu"]}
        wanted |= {"line": ["p_from", "loading"]} if len(self._line) else {}
        wanted |= {"generic_branch": ["p_from", "loading"]} if len(self._transformer) else {}
        found: dict[str, Any] = model.calculate_power_flow(
            update_data={"sym_load": update},
            calculation_method=method,
            error_tolerance=TOLERANCE,
            max_iterations=iterations,
            threading=-1,
            output_component_types=wanted,
            continue_on_batch_error=True,
        )
        error = model.batch_error
        good = np.ones(steps, bool)
        if error is not None:
            good[error.failed_scenarios] = False
        good &= np.isfinite(found["node"]["u_pu"]).all(axis=1)
        return {**found, "good": good}


def _lines(line: Columns, bus: Columns, network: Network, position: np.ndarray) -> np.ndarray:
    """Lines in service, their ends left open."""
    table = initialize_array("input", "line", len(position))
    table["r1"], table["x1"] = line["r"], line["x"]
    table["c1"], table["tan1"] = line["b"] / (2 * np.pi * FREQUENCY), 0.0
    table["i_n"] = line["s_nom"] / np.sqrt(3) / bus["v_nom"][network.branch_from[position]]
    return table


def _transformers(transformer: Columns, ratio: np.ndarray) -> np.ndarray:
    """Transformers in service as pi circuits referred to the low-voltage winding, their ends left open.

    A generic branch states the same circuit as power-grid-model's transformer, but takes any angle and does not move a
    tap position silently into the range that is given for it.
    """
    step = 1 + transformer["tap_step_pu"] * (transformer["tap_position"] - transformer["tap_neutral"])
    at_from = transformer["tap_side"] == b"from"
    # Short-circuit values are per unit of the rated voltage in force, the tap of that winding included.
    base = 1e3 * (transformer["v_nom_to"] * np.where(at_from, 1.0, step)) ** 2 / transformer["s_nom"]
    g_pu = transformer["p_no_load"] / transformer["s_nom"]
    table = initialize_array("input", "generic_branch", len(step))
    table["r1"], table["x1"] = transformer["r_pu"] * base, transformer["x_pu"] * base
    table["g1"] = g_pu / base
    table["b1"] = -np.sqrt(np.maximum(transformer["i_no_load_pu"] ** 2 - g_pu**2, 0)) / base
    table["k"], table["theta"] = ratio, np.radians(transformer["phase_shift"])
    table["sn"] = 1e3 * transformer["s_nom"]
    return table


def ac_flow(case: xr.DataTree, p: np.ndarray, q: np.ndarray) -> AcState:
    """State of a case's network for given net injections; see `AcModel` for many calls.

    Parameters
    ----------
    case : DataTree
        Of any number of feeders.
    p, q : ndarray (bus, time)
        Net injections, positive into the network. [kW, kvar]

    Returns
    -------
    AcState

    Raises
    ------
    InputError
        If power-grid-model refuses the network.
    """
    return AcModel(case).flow(p, q)


def offsets_of(network: Network, v_squared_linear: np.ndarray, s_linear: np.ndarray, ac: AcState) -> Offsets:
    """What AC adds to each linear limit at one schedule.

    Parameters
    ----------
    network : Network
        Whose ratings turn loading into apparent power.
    v_squared_linear : ndarray (bus, time)
        Squared voltage of the linear rows. [1]
    s_linear : ndarray (branch, time)
        Apparent power of the linear rows. [kVA]
    ac : AcState
        Of the same schedule.

    Returns
    -------
    Offsets
        0 in steps that did not converge (``ac.converged`` tells which) and at isolated buses.
    """
    v = np.nan_to_num(ac.v_pu**2 - v_squared_linear, nan=0.0)
    s = np.nan_to_num(ac.loading_pu * network.s_nom[:, None] - s_linear, nan=0.0)
    return Offsets(v, v.copy(), s)
