"""AC power flow of a finished schedule, all steps at once, with power-grid-model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from power_grid_model import CalculationMethod, PowerGridModel
from power_grid_model.errors import PowerGridError

from dispatch.case.offsets import Offsets
from dispatch.case.schema import columns, parent_index
from dispatch.errors import InputError, Problem, raise_if_any
from dispatch.verify.circuit import FREQUENCY, circuit_of
from dispatch.verify.excess import Excess, limits_ac
from kernels.scatter import add_to_rows

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.case.network import Network

# Method and iterations, in the order in which they are tried. The iterative current method starts flat and follows the
# upper of the two solutions, in half the time; Newton-Raphson can end on the lower one where a voltage is far above its
# limit (measured: 0.61 pu instead of 1.53 pu), so it only gets the few steps at the very end of the curve.
METHODS = ((CalculationMethod.iterative_current, 500), (CalculationMethod.newton_raphson, 20))
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
    p_source, q_source : ndarray (source, time)
        What each source gives, losses included. [kW, kvar]
    """

    v_pu: np.ndarray
    p_from: np.ndarray
    loading_pu: np.ndarray
    converged: np.ndarray
    p_source: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    q_source: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))


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
        self._circuit = circuit_of(case)
        data = self._circuit.data
        self._load_id = data["sym_load"]["id"] if data else np.zeros(0, np.int32)
        try:
            self._model = PowerGridModel(data, system_frequency=FREQUENCY) if data else None
        except PowerGridError as error:
            hint = f"The AC power flow refuses the network: {error} Correct it and run 'dispatch check'."
            raise InputError([Problem("ac-model", "/electric", hint=hint)]) from error

    @property
    def network(self) -> Network:
        """The network of the case."""
        return self._circuit.network

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
        network, live, steps = self.network, self._circuit.bus, p.shape[1]
        converged = np.isfinite(p).all(axis=0) & np.isfinite(q).all(axis=0)
        v_pu = np.full((network.buses, steps), np.nan)
        p_from, loading = (np.zeros((len(network.s_nom), steps)) for _ in range(2))
        source = np.zeros((2, len(network.source_bus), steps))
        left = np.nonzero(converged)[0] if self._model is not None else np.zeros(0, int)
        for method, iterations in METHODS:
            if not len(left):
                break
            solved = self._solve(p[np.ix_(live, left)], q[np.ix_(live, left)], method, iterations)
            good = solved.pop("good")
            if not good.any():
                continue
            done = left[good]
            v_pu[np.ix_(live, done)] = solved["node"]["u_pu"][good].T
            source[:, :, done] = 1e-3 * np.stack([solved["source"][n][good].T for n in ("p", "q")])
            for name, branch in self._circuit.branches:
                p_from[np.ix_(branch, done)] = 1e-3 * solved[name]["p_from"][good].T
                loading[np.ix_(branch, done)] = solved[name]["loading"][good].T
            left = left[~good]
        converged[left] = False
        p_from[:, ~converged] = loading[:, ~converged] = source[:, :, ~converged] = np.nan
        return AcState(v_pu, p_from, loading, converged, *source)

    def _solve(self, p: np.ndarray, q: np.ndarray, method: CalculationMethod, iterations: int) -> dict[str, Any]:
        """One batch by one method; ``good`` tells which steps have a solution."""
        assert self._model is not None
        model, steps = self._model, p.shape[1]
        some = ((p != 0) | (q != 0)).any(axis=1)  # the model has 0 for all others
        some[:1] = True
        update = {
            "id": np.tile(self._load_id[some], (steps, 1)),
            "p_specified": np.ascontiguousarray(-1e3 * p[some].T),
            "q_specified": np.ascontiguousarray(-1e3 * q[some].T),
        }
        wanted: dict[Any, Any] = {"node": ["u_pu"], "source": ["p", "q"]}
        wanted |= {name: ["p_from", "loading"] for name, _ in self._circuit.branches}
        try:
            found: dict[str, Any] = model.calculate_power_flow(
                update_data={"sym_load": update},
                calculation_method=method,
                error_tolerance=TOLERANCE,
                max_iterations=iterations,
                threading=-1,
                output_component_types=wanted,
                continue_on_batch_error=True,
            )
        except PowerGridError:  # none of the steps: what fails in some only is listed in batch_error
            return {"good": np.zeros(steps, bool)}
        error = model.batch_error
        good = np.ones(steps, bool)
        if error is not None:
            good[error.failed_scenarios] = False
        good &= np.isfinite(found["node"]["u_pu"]).all(axis=1)
        return {**found, "good": good}


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


def injections(case: xr.DataTree, p_import: np.ndarray, p_export: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Net injections at the buses under a schedule; reactive power is that of loads and pv.

    Parameters
    ----------
    case : DataTree
        With /forecast.
    p_import, p_export : ndarray (meter, time)
        At the meters. [kW]

    Returns
    -------
    p, q : ndarray (bus, time)
        Positive into the network. [kW, kvar]
    """
    meter_bus, forecast = parent_index(case, "meter", "bus"), columns(case, "forecast")
    p = np.zeros((len(columns(case, "bus")["id"]), p_import.shape[1]))
    q = np.zeros_like(p)
    add_to_rows(p, meter_bus, p_export - p_import)
    add_to_rows(q, meter_bus[parent_index(case, "pv", "meter")], columns(case, "pv")["q_nom"][:, None])
    if "q_load" in forecast:
        add_to_rows(q, meter_bus[parent_index(case, "load", "meter")], -forecast["q_load"].astype(float))
    return p, q


def check_physics(result: xr.DataTree) -> tuple[AcState, Excess]:
    """Run the AC power flow of a result's delivered schedule anew, from its set-points alone.

    Parameters
    ----------
    result : DataTree
        A case with /forecast and /schedule.

    Returns
    -------
    state : AcState
        Voltages and loadings.
    excess : Excess
        The same against the limits of the case.

    Raises
    ------
    InputError
        If there is no schedule, or power-grid-model refuses the network.
    """
    schedule = columns(result, "schedule")
    missing = [name for name in ("p_import", "p_export") if name not in schedule]
    raise_if_any(
        Problem("missing", "/schedule", name, allowed="a result", hint="Give a file that 'dispatch run' wrote.")
        for name in missing
    )
    p, q = injections(result, schedule["p_import"].astype(float), schedule["p_export"].astype(float))
    state = ac_flow(result, p, q)
    v_linear = schedule.get("v_linear_pu")
    return state, limits_ac(result, state, None if v_linear is None else v_linear.astype(float) ** 2)


def offsets_of(network: Network, v_squared_linear: np.ndarray, s_linear: np.ndarray, ac: AcState) -> Offsets:
    """Compute what AC adds to each linear limit at one schedule.

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
