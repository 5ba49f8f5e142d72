"""Networks above feeders under what these take: rows about their AC state, and what is told of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.batch.agreed import HELD, finite
from dispatch.case.netcdf import load_case
from dispatch.case.network import network_of
from dispatch.case.offsets import Offsets
from dispatch.case.schema import columns, has, parent_index
from dispatch.errors import InputError, Problem
from dispatch.forecast.profile import predict
from dispatch.run.margins import offsets_at_limits
from dispatch.solve.limits.above import Above
from dispatch.solve.limits.excess import V_MIN
from dispatch.verify.electric import AcModel, injections, offsets_of
from kernels.scatter import add_to_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

    from dispatch.case.shared import SharedNetwork
    from dispatch.run.settings import Settings
    from dispatch.solve.limits.above import RowsAbove
    from dispatch.solve.limits.radial import RadialLimits
    from dispatch.solve.shared_rows import SharedPrices, SharedRows
    from dispatch.verify.electric import AcState

NAMES = ("v_max_pu of bus", "v_min_pu of bus", "rating of", "rating of")
"""How limits of each kind are named, before the id of the element."""
TIMED = ("profile", "history", "forecast")
PROFILES = "Give it profiles over the feeders' hours (`dispatch scenario`), or leave its meters, loads and PV out."


class NetworkAbove:
    """A network above feeders, with its AC power flow.

    Parameters
    ----------
    shared : SharedNetwork
        As it stands in the file.
    names : sequence of str
        Of all feeders, in the order of all arrays.
    time : ndarray (step,) of datetime64
        Left edges.
    settings : Settings
        Of the night: when it begins and how long it is.

    Raises
    ------
    InputError
        If loads of the network have no forecast for these steps, or power-grid-model refuses the network.
    """

    def __init__(self, shared: SharedNetwork, names: Sequence[str], time: np.ndarray, settings: Settings) -> None:
        self.shared, case = shared, load_case(shared.case)
        bus = columns(case, "bus")
        network = network_of(case)
        p, q = _own(case, shared, time, settings)
        hung = [shared.buses_of(name) for name in names]
        at = np.full(len(names), -1)
        known = {i.decode(): k for k, i in enumerate(bus["id"].tolist())}
        for k, buses in enumerate(hung):
            at[k] = known[buses[0]] if buses else -1
        self._above = Above(network, bus["v_min_pu"], bus["v_max_pu"], at, p, q, shared.penalty)
        self._ac = AcModel(case)
        branches = [i.decode() for kind in ("line", "transformer") for i in columns(case, kind)["id"].tolist()]
        self._ids = list(known), branches

    def limits(self, taken: np.ndarray, reactive: np.ndarray, *, foretold: bool = False) -> RadialLimits:
        """Shift its limits by what AC adds where feeders take given powers.

        Parameters
        ----------
        taken, reactive : ndarray (feeder, step)
            Losses included. [kW, kvar]
        foretold : bool
            Take less of that where a limit is exceeded: no plan that keeps the limits will be there.
        """
        p, q = self._above.injected(taken, reactive)
        network = self._above.network
        limits = self._above.limits(q, Offsets.zero(network.buses, network.branches, p.shape[1]))
        linear, ac = limits.flow(np.concatenate([p.ravel(), q.ravel()])), self._ac.flow(p, q)
        added = offsets_of(network, linear.v_squared, np.hypot(linear.p, linear.q), ac)
        if foretold:
            added = offsets_at_limits(limits, _finite(ac, limits.rating[V_MIN]), added)
        return limits.with_offsets(added)

    def rows(self, taken: np.ndarray, reactive: np.ndarray, *, foretold: bool = False) -> RowsAbove:
        """State its limits as rows over what feeders take; see `limits`."""
        _, q = self._above.injected(taken, reactive)
        return self._above.rows(self.limits(taken, reactive, foretold=foretold), q)

    def told(
        self,
        rows: SharedRows,
        own: RowsAbove,
        first: int,
        taken: np.ndarray,
        reactive: np.ndarray,
        time: np.ndarray,
        prices: SharedPrices | None,
    ) -> dict[str, Any]:
        """Say how it ended: its AC state, what its limits cost, and what is exceeded.

        Parameters
        ----------
        rows : SharedRows
            All rows, about this state.
        own : RowsAbove
            Those of this network among them.
        first : int
            Number of its first limit among all.
        taken, reactive : ndarray (feeder, step)
            By AC power flow of the feeders. [kW, kvar]
        time : ndarray (step,) of datetime64
        prices : SharedPrices or None
            None where no limit has any.

        Returns
        -------
        dict
            As JSON can have it; of the form of `dispatch.batch.agreed.limit_told`.
        """
        ac, below = self._ac.flow(*self._above.injected(taken, reactive)), self._above.bus >= 0
        with_feeders = np.unique(self._above.bus[below])
        mine = (rows.limit >= first) & (rows.limit < first + len(own.kind))
        beyond, per_step = rows.relaxation(taken)[0] * mine, len(time)
        beyond[beyond <= HELD * rows.scale] = 0.0
        worst = [int(np.argmax(np.where(rows.step == t, beyond / rows.scale, -1.0))) for t in range(per_step)]
        unmet = [(t, i) for t, i in enumerate(worst) if beyond[i] > 0]
        price = np.zeros(per_step) if prices is None else self._dearest(rows, mine, prices, below)
        return {
            "id": self.shared.id,
            "penalty": self.shared.penalty,
            "feeders": int(below.sum()),
            "p": np.round(taken[below].sum(axis=0), 3).tolist(),
            "price": np.round(price, 6).tolist(),
            "loading_max": finite(float(np.nanmax(ac.loading_pu, initial=0.0))),
            "loading_pu": _series(np.max(ac.loading_pu, axis=0, initial=0.0)),
            "v_min_pu": _series(ac.v_pu[with_feeders].min(axis=0)),
            "v_max_pu": _series(ac.v_pu[with_feeders].max(axis=0)),
            "binding": [] if prices is None else self._binding(rows, own, first, prices),
            "hours_unmet": float(rows.dt * len(unmet)),
            "unmet": [self._unmet(own, rows.limit[i] - first, time[t], float(beyond[i])) for t, i in unmet],
        }

    def _name(self, own: RowsAbove, j: int) -> str:
        kind = int(own.kind[j])
        return f"{NAMES[kind]} {self._ids[kind > V_MIN][own.element[j]]}"

    def _unmet(self, own: RowsAbove, j: int, when: np.datetime64, kw: float) -> dict[str, Any]:
        """Say of a step which limit is exceeded most for its size, in kW and, where it is a voltage, in pu."""
        said = {"time": str(when), "kw": round(kw, 4), "limit": self._name(own, j)}
        if own.kind[j] <= V_MIN:
            v = (self._above.v_min_pu if own.kind[j] == V_MIN else self._above.v_max_pu)[own.element[j]]
            said["pu"] = round(kw * float(own.size[j]) / (2 * float(v)), 5)
        return said

    def _binding(self, rows: SharedRows, own: RowsAbove, first: int, prices: SharedPrices) -> list[dict[str, Any]]:
        """Name limits with a price, the dearest first."""
        worth = np.zeros((len(own.kind), int(rows.step.max(initial=-1)) + 1))
        at = rows.limit - first
        mine = (at >= 0) & (at < len(own.kind))
        worth[at[mine], rows.step[mine]] = prices.rows[mine] / rows.dt
        found = [j for j in np.argsort(-worth.sum(axis=1), kind="stable").tolist() if worth[j].max() > 0]
        return [
            {"limit": self._name(own, j), "steps": int((worth[j] > 0).sum()), "price_max": round(worth[j].max(), 6)}
            for j in found
        ]

    @staticmethod
    def _dearest(rows: SharedRows, mine: np.ndarray, prices: SharedPrices, below: np.ndarray) -> np.ndarray:
        """Of the prices that its limits put on a kWh taken by each feeder the largest in each step, with its sign."""
        steps = int(rows.step.max(initial=-1)) + 1
        each = rows.price_of(type(prices)(prices.rows * mine, prices.budgets), steps)[below]
        return np.asarray(each[np.abs(each).argmax(axis=0), np.arange(steps)])


def _own(
    case: xr.DataTree, shared: SharedNetwork, time: np.ndarray, settings: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """Add up what loads and PV of the network itself inject at its buses, (bus, step), in kW and kvar."""
    if not any(has(case, kind) for kind in TIMED):
        return _constant(case, shared, len(time))
    known = predict(case, start=settings.start, horizon_h=settings.horizon_h)
    forecast = columns(known, "forecast")
    when = forecast["time"].astype("datetime64[s]")
    if not np.isin(time, when).all():
        value = f"without a forecast of its loads at {time[~np.isin(time, when)][0]}"
        raise InputError([Problem("shared-time", shared.id, value=value, hint=PROFILES)], str(shared.case))
    taken = np.zeros((len(columns(case, "meter")["id"]), len(when)))
    for kind, name, sign in (("load", "p_load", 1.0), ("pv", "p_available", -1.0)):
        if name in forecast:
            add_to_rows(taken, parent_index(known, kind, "meter"), sign * forecast[name].astype(float))
    p, q = injections(known, taken, np.zeros_like(taken))
    at = np.searchsorted(when, time)
    return p[:, at], q[:, at]


def _constant(case: xr.DataTree, shared: SharedNetwork, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Take loads as their nominal power, as those without a profile are everywhere."""
    load, buses = columns(case, "load"), len(columns(case, "bus")["id"])
    if len(columns(case, "pv")["id"]):
        value = "with PV, but without profiles"
        raise InputError([Problem("shared-time", shared.id, value=value, hint=PROFILES)], str(shared.case))
    bus = parent_index(case, "meter", "bus")[parent_index(case, "load", "meter")]
    found = np.zeros((2, buses, steps))
    for carrier, name in enumerate(("p_nom", "q_nom")):
        add_to_rows(found[carrier], bus, -load[name][:, None])
    return found[0], found[1]


def _finite(ac: AcState, v_min_squared: np.ndarray) -> AcState:
    """Have a number where there is no solution: as if it were at the limits."""
    v = np.where(np.isfinite(ac.v_pu), ac.v_pu, np.sqrt(v_min_squared)[:, None])
    return replace(ac, v_pu=v, loading_pu=np.nan_to_num(ac.loading_pu, nan=1.0))


def _series(values: np.ndarray) -> list[float | None]:
    return [finite(round(float(v), 6)) for v in values]
