"""The linear program of docs/formulation.md: prosumers, then every network row with its slack."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from rebuild.grid import Grid, Table, at, grid_of, reactive_flow
from rebuild.plants import state_plants
from rebuild.program import Program

Terms = list[tuple[np.ndarray, Any]]
PRICE_UNMET = 10.0  # money per kWh of shortfall, unserved and spilled energy
# Squared voltages are counted in 1e-4: at 20 kV a drop is 1e-9 per kW, and HiGHS forgets coefficients below that.
VOLTAGE_UNIT = 1e-4


@dataclass(frozen=True)
class Optimum:
    """Value of the program, of its relaxation (sum of dt · slack / rating) and of its named columns."""

    objective: float
    relaxation: float
    values: dict[tuple[str, int], np.ndarray]


@dataclass(frozen=True)
class Meters:
    """What is given for each meter and step, in the letters of the page."""

    D: np.ndarray
    A: np.ndarray
    F: np.ndarray
    S_in: np.ndarray
    S_out: np.ndarray
    surplus: np.ndarray
    deficit: np.ndarray
    must_take: np.ndarray
    must_give: np.ndarray
    green: np.ndarray


def period_of(time: np.ndarray, zone: str) -> np.ndarray:
    """Number of the calendar month, in local time, in which each step begins."""
    seconds = time.astype("datetime64[s]").astype(int)
    local = [datetime.fromtimestamp(int(t), UTC).astimezone(ZoneInfo(zone)) for t in seconds]
    return np.unique([12 * t.year + t.month for t in local], return_inverse=True)[1]


def discharging(store: Table) -> np.ndarray:
    """Largest discharging power of each store. [kW]"""
    power = []
    for kind, given, p_nom in zip(store["kind"], store["p_discharge_nom"], store["p_nom"], strict=True):
        otherwise = float(p_nom) if kind == b"battery" else 0.0
        power.append(0.0 if kind == b"tank" else otherwise if np.isnan(given) else float(given))
    return np.array(power)


def given(case: dict[str, Table]) -> Meters:
    """The page's table *What is given*."""
    series, count = case["forecast"], len(case["meter"]["id"])
    steps = len(series["time"])

    def total(kind: str, amount: np.ndarray) -> np.ndarray:
        sums = np.zeros((count, steps))
        np.add.at(sums, at(case["meter"]["id"], case[kind]["meter"]), amount)
        return sums

    available = series["p_available"].astype(float)
    D, A = total("load", series["p_load"].astype(float)), total("pv", available)
    F = total("pv", available * ~case["pv"]["curtailable"].astype(bool)[:, None])
    S_in = total("store", case["store"]["p_nom"].astype(float)[:, None])
    S_out = total("store", discharging(case["store"])[:, None])
    green = np.broadcast_to(case["meter"]["green_only"].astype(bool)[:, None], D.shape)
    positive = (np.maximum(v, 0) for v in (A - D, D - A, D - F, F - D))
    return Meters(D, A, F, S_in, S_out, *positive, green)


class Feeder:
    """States the whole program of a case, feeder by feeder being the same as all at once."""

    def __init__(
        self,
        case: dict[str, Table],
        offsets: dict[str, np.ndarray] | None = None,
        limit_penalty: float = 1e4,
    ) -> None:
        self.case, self.grid, self.offsets, self.penalty = case, grid_of(case), offsets or {}, limit_penalty
        self.dt, self.series = float(case["settings"]["dt"]), case["forecast"]
        self.steps = len(self.series["time"])
        self.program, self.given = Program(self.steps), given(case)
        self.slacks: list[tuple[np.ndarray, float]] = []
        self.meter_bus = at(case["bus"]["id"], case["meter"]["bus"])
        self.live = self.grid.reached[self.meter_bus]
        self.constant = np.zeros((len(self.live), self.steps))  # given minus taken behind the meter
        self.behind: list[Terms] = [[] for _ in self.live]
        self.at_bus: list[Terms] = [[] for _ in case["bus"]["id"]]
        self.loads()
        self.pv()
        self.batteries()
        self.cars_and_tanks()
        self.widen = np.zeros(len(self.live))  # powers of plants, which widen the bounds of the exchange
        state_plants(self)
        self.meters()
        self.network()

    def live_at(self, kind: str) -> list[tuple[int, int]]:
        """Elements of a kind whose meter hangs on a source, each with its meter."""
        meter = at(self.case["meter"]["id"], self.case[kind]["meter"])
        return [(k, int(m)) for k, m in enumerate(meter) if self.live[m]]

    def loads(self) -> None:
        """Loads have no columns."""
        for k, m in self.live_at("load"):
            self.constant[m] -= self.series["p_load"][k].astype(float)

    def pv(self) -> None:
        """What is available less what is curtailed."""
        g, table = self.given, self.case["pv"]
        for k, m in self.live_at("pv"):
            available = self.series["p_available"][k].astype(float)
            free = g.A[m] - g.F[m]
            share = np.where(free > 0, np.minimum(g.surplus[m] / np.where(free > 0, free, 1), 1), 0)
            bound = available * np.where(g.green[m], share, 1.0) * bool(table["curtailable"][k])
            self.constant[m] += available
            self.behind[m].append((self.program.column("p_curtailed", k, 0, bound), -1.0))

    def batteries(self) -> None:
        """Each step's content follows from the one before; the last one may fall short at a price."""
        g, store, lp, dt = self.given, self.case["store"], self.program, self.dt
        discharge_nom = discharging(store)
        for k, m in self.live_at("store"):
            if store["kind"][k] != b"battery":
                continue
            power, size, wear = (float(store[n][k]) for n in ("p_nom", "energy_nom", "wear_cost"))
            into, out = float(store["efficiency_charge"][k]), float(store["efficiency_discharge"][k])
            charge_max = np.where(g.green[m], np.minimum(power, g.surplus[m]), power)
            discharge_max = np.where(g.green[m], np.minimum(discharge_nom[k], g.deficit[m]), discharge_nom[k])
            charge = lp.column("p_charge", k, 0, charge_max, dt * wear)
            discharge = lp.column("p_discharge", k, 0, discharge_max, dt * wear)
            content = lp.column("state_of_charge", k, 0, size)
            shortfall = lp.column("shortfall", k, 0, np.inf, PRICE_UNMET, count=1)
            initial, final = float(store["state_of_charge_initial"][k]), float(store["state_of_charge_final"][k])
            initial = size / 2 if np.isnan(initial) else initial
            final = initial if np.isnan(final) else final
            kept = (1 - float(store["standing_loss"][k])) ** dt
            flows = [(content, 1.0), (charge, -dt * into), (discharge, dt / out)]
            lp.row([(c[:1], v) for c, v in flows], kept * initial, kept * initial)
            if self.steps > 1:
                lp.row([*((c[1:], v) for c, v in flows), (content[:-1], -kept)], 0, 0)
            lp.row([(content[-1:], 1.0), (shortfall, 1.0)], final, np.inf)
            self.behind[m] += [(discharge, 1.0), (charge, -1.0)]

    def cars_and_tanks(self) -> None:
        """Content is withdrawn; each step's least content, and what cannot be withdrawn, may be missed at a price."""
        store, lp, dt, series = self.case["store"], self.program, self.dt, self.series
        discharge_nom = discharging(store)
        for k, m in self.live_at("store"):
            if store["kind"][k] == b"battery":
                continue
            usable, withdrawn, least, performance = (
                series[n][k].astype(float)
                for n in ("p_max_pu", "p_withdrawn", "state_of_charge_least", "coefficient_of_performance")
            )
            size, wear = float(store["energy_nom"][k]), dt * float(store["wear_cost"][k])
            into = float(store["efficiency_charge"][k]) * (performance if store["kind"][k] == b"tank" else 1.0)
            initial, final = float(store["state_of_charge_initial"][k]), float(store["state_of_charge_final"][k])
            initial = size / 2 if np.isnan(initial) else initial
            least[-1] = max(least[-1], initial if np.isnan(final) else final)
            charge = lp.column("p_charge", k, 0, float(store["p_nom"][k]) * usable, wear)
            discharge = lp.column("p_discharge", k, 0, discharge_nom[k] * usable, wear)
            content = lp.column("state_of_charge", k, 0, size)
            missing = lp.column("p_missing", k, 0, withdrawn, dt * PRICE_UNMET)
            short = lp.column("short", k, 0, np.inf, PRICE_UNMET)
            kept = (1 - float(store["standing_loss"][k])) ** dt
            for t in range(self.steps):
                out = dt / float(store["efficiency_discharge"][k])
                gain = dt * np.broadcast_to(into, self.steps)[t]
                flows = [(charge[[t]], -gain), (discharge[[t]], out), (missing[[t]], -dt)]
                before = [(content[[t - 1]], -kept)] if t else []
                now = (kept * initial if t == 0 else 0.0) - dt * withdrawn[t]
                lp.row([(content[[t]], 1.0), *flows, *before], now, now)
            lp.row([(content, 1.0), (short, 1.0)], least, np.inf)
            self.behind[m] += [(discharge, 1.0), (charge, -1.0)]

    def meters(self) -> None:
        """Balance, prices, connection limits and the peak charge."""
        g, meter, lp, dt = self.given, self.case["meter"], self.program, self.dt
        tariff = at(self.case["tariff"]["id"], meter["tariff"])
        month = period_of(self.series["time"], str(self.case["settings"]["time_zone"]))
        for m in np.nonzero(self.live)[0]:
            k, most, least = tariff[m], float(meter["p_import_max"][m]), float(meter["p_export_max"][m])
            need = np.where(g.green[m], g.deficit[m], np.maximum(g.D[m] + g.S_in[m] + self.widen[m], 0))
            spare = np.where(g.green[m], g.surplus[m], g.A[m] + np.maximum(-g.D[m], 0) + g.S_out[m] + self.widen[m])
            buy = self.series["price_import"][k] + float(self.case["tariff"]["network_fee"][k])
            take = lp.column("p_import", m, 0, np.minimum(most, need), dt * buy)
            give = lp.column("p_export", m, 0, np.minimum(least, spare), -dt * self.series["price_export"][k])
            unserved = lp.column("p_unserved", m, 0, np.maximum(g.must_take[m] - most, 0), dt * PRICE_UNMET)
            spilled = lp.column("p_spilled", m, 0, np.maximum(g.must_give[m] - least, 0), dt * PRICE_UNMET)
            own = [(take, 1.0), (give, -1.0), (unserved, 1.0), (spilled, -1.0)]
            lp.row([*self.behind[m], *own], -self.constant[m], -self.constant[m])
            self.at_bus[self.meter_bus[m]] += [(give, 1.0), (take, -1.0)]
            price_peak = float(self.case["tariff"]["price_peak"][k])
            if price_peak > 0:
                peak = lp.column("p_peak", m, 0, np.inf, price_peak, count=int(month.max()) + 1)
                lp.row([(take, 1.0), (peak[month], -1.0)], -np.inf, 0)

    def reactive(self) -> np.ndarray:
        """Given reactive injection of each bus. [kvar]"""
        total = np.zeros((len(self.at_bus), self.steps))
        for k, m in self.live_at("load"):
            total[self.meter_bus[m]] -= self.series["q_load"][k].astype(float)
        for k, m in self.live_at("pv"):
            total[self.meter_bus[m]] += float(self.case["pv"]["q_nom"][k])
        return total

    def slack(self, name: str, k: int, rating: float, unit: float = 1.0) -> np.ndarray:
        """Relaxation of a limit, its cost counted per its own size and hour."""
        column = self.program.column(name, k, 0, np.inf, self.dt * self.penalty / rating * unit)
        self.slacks.append((column, self.dt / rating * unit))
        return column

    def network(self) -> None:
        """Balance of each bus, drop and angle of each branch, source, and the limits."""
        lp, grid, bus, unit = self.program, self.grid, self.case["bus"], VOLTAGE_UNIT
        q_bus = self.reactive()
        v = {int(i): lp.column("v_squared", i, -np.inf, np.inf) for i in np.nonzero(grid.reached)[0]}
        angle = {i: lp.column("angle", i, -np.inf, np.inf) for i in v}
        p_terms: dict[int, Terms] = {i: list(self.at_bus[i]) for i in v}
        q_terms: dict[int, Terms] = {i: [] for i in v}
        for k, (i, v_source) in enumerate(zip(grid.source_bus.tolist(), grid.source_v, strict=True)):
            p_terms[i].append((lp.column("p_source", k, -np.inf, np.inf), 1.0))
            q_terms[i].append((lp.column("q_source", k, -np.inf, np.inf), 1.0))
            lp.row([(v[i], 1.0)], v_source**2 / unit, v_source**2 / unit)
            lp.row([(angle[i], 1.0)], 0, 0)
        flows = reactive_flow(grid, q_bus)
        for k, (i, j) in enumerate(zip(grid.start.tolist(), grid.stop.tolist(), strict=True)):
            p = lp.column("p", int(grid.number[k]), -np.inf, np.inf)
            q = lp.column("q", int(grid.number[k]), -np.inf, np.inf)
            for terms, flow in ((p_terms, p), (q_terms, q)):
                terms[i].append((flow, -1.0))
                terms[j].append((flow, 1.0))
            r, x = grid.r[k] / unit, grid.x[k] / unit
            lp.row([(v[j], grid.ratio[k] ** 2), (v[i], -1.0), (p, 2 * r), (q, 2 * x)], 0, 0)
            lp.row([(angle[j], 1.0), (angle[i], -1.0), (p, x), (q, -r)], 0, 0)
            self.rating(k, p, flows[k])
        for i, squared in v.items():
            lp.row(p_terms[i], 0, 0) if p_terms[i] else None
            lp.row(q_terms[i], -q_bus[i], -q_bus[i]) if q_terms[i] else None
            low, high = float(bus["v_min_pu"][i]) ** 2, float(bus["v_max_pu"][i]) ** 2
            over, under = self.slack("slack_v_max", i, high, unit), self.slack("slack_v_min", i, low, unit)
            lp.row([(squared, 1.0), (over, -1.0)], -np.inf, (high - self.offset("v_max", i)) / unit)
            lp.row([(squared, 1.0), (under, 1.0)], (low - self.offset("v_min", i)) / unit, np.inf)

    def rating(self, k: int, p: np.ndarray, q: np.ndarray) -> None:
        """Rating of a branch in both directions, beside its reactive flow."""
        grid, number = self.grid, int(self.grid.number[k])
        room = grid.s_nom[k] - self.offset("s", number)
        most = np.sqrt(np.maximum(np.maximum(room, 0) ** 2 - q**2, 0))
        forward = self.slack("slack_forward", number, grid.s_nom[k])
        reverse = self.slack("slack_reverse", number, grid.s_nom[k])
        ways = [np.maximum(most - self.offset(way, number), 0) for way in ("forward", "reverse")]
        self.program.row([(p, 1.0), (forward, -1.0)], -np.inf, ways[0])
        self.program.row([(p, -1.0), (reverse, -1.0)], -np.inf, ways[1])

    def offset(self, name: str, k: int) -> np.ndarray:
        """AC minus linear of one limit, or room beside its rating."""
        return np.asarray(self.offsets[name][k] if name in self.offsets else np.zeros(self.steps))

    def optimum(self, method: str = "highs") -> Optimum:
        """Solve."""
        objective, x = self.program.solve(method)
        relaxation = sum(float(x[c].sum()) * weight for c, weight in self.slacks)
        return Optimum(objective, relaxation, {key: x[c] for key, c in self.program.named.items()})

    def least_relaxation(self) -> float:
        """Optimum of the page's second program: slacks alone cost."""
        cost = np.zeros(self.program.columns)
        for column, weight in self.slacks:
            cost[column] = weight
        self.program.cost = [cost]
        return self.program.solve()[0]


def optimum(
    case: dict[str, Table],
    offsets: dict[str, np.ndarray] | None = None,
    limit_penalty: float = 1e4,
    method: str = "highs",
) -> Optimum:
    """Optimum of a case given as plain arrays.

    Parameters
    ----------
    case : dict of str to dict of str to ndarray
        Kinds and their columns, see `rebuild.plain`.
    offsets : dict of str to ndarray
        ``v_max``, ``v_min`` (bus, step), ``s``, ``forward`` and ``reverse`` (line then transformer, step); left out:
        zero.
    limit_penalty : float
        Money per hour of relaxing a limit by its own size.
    """
    return Feeder(case, offsets, limit_penalty).optimum(method)


__all__ = ["Feeder", "Grid", "Optimum", "optimum"]
