"""Levels of the gas network above 4 bar gauge of docs/formulation.md: pressures and flows of pipes as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

if TYPE_CHECKING:
    from rebuild.plants import Zones

FAST, SLOW, LEAST_DROP, HOLDING, SHORT = 2e4, 0.05, 1e-5, 1e-6, 10.0


class Pipe:
    """One pipe: what it holds, and what its pressures drop."""

    def __init__(self, gas: dict, table: dict, k: int, law: bytes) -> None:
        self.gas, self.law = gas, law
        self.d, self.long = float(table["inner_diameter"][k]), float(table["length"][k])
        self.k, self.zeta = float(table["roughness"][k]) / 1000, float(table["loss_coefficient"][k])
        self.given = float(table["friction_factor"][k])
        self.area = np.pi * (self.d / 2) ** 2
        self.warm = (gas["temperature"] + 273.15) / 273.15

    def factor(self, p: np.ndarray) -> np.ndarray:
        """Compressibility factor."""
        return self.gas["compressibility"] + self.gas["compressibility_slope"] * p

    def half(self, p: np.ndarray) -> np.ndarray:
        """Half of the gas in it at a pressure. [kWh]"""
        cubic = self.area * self.long / 2 * p / 1.01325 / self.warm / self.factor(p)
        return self.gas["heating_value_higher"] * cubic

    def half_slope(self, p: np.ndarray) -> np.ndarray:
        """Its change by pressure, as a difference. [kWh/bar]"""
        return (self.half(p + 1e-4) - self.half(p - 1e-4)) / 2e-4

    def friction(self, q: np.ndarray) -> np.ndarray:
        """Darcy's factor times q². [m6/h2]"""
        per = self.gas["density_normal"] / 3600 * self.d / (self.gas["viscosity"] * self.area)
        if np.isfinite(self.given):
            return self.given * q**2
        assert self.law == b"nikuradse"
        return 64 / per * np.abs(q) + q**2 / (2 * np.log10(self.d / self.k) + 1.14) ** 2

    def drop(self, q: np.ndarray) -> np.ndarray:
        """Drop of squared pressure without the compressibility factor. [bar2]"""
        scale = self.gas["density_normal"] * 101325 * self.warm / (3600 * self.area) ** 2 / 1e10
        return np.sign(q) * scale * (self.friction(q) * self.long / self.d + self.zeta * q**2)

    def near(self, held: float, reach: float) -> tuple[float, float]:
        """How far flows may move, and the largest flow. [m3/h]"""
        fast = FAST * SLOW * 3600 * self.area * held / 1.01325 / self.warm
        if float(self.drop(np.array(fast))) <= 2 * held * reach:
            return fast, fast
        return brentq(lambda q: float(self.drop(np.array(q))) - 2 * held * reach, 0, fast, xtol=1e-10), fast

    def slope(self, q: np.ndarray, held: float) -> np.ndarray:
        """Change of the drop by flow, at least that of slow gas. [bar2 h/m3]"""
        slow = SLOW * 3600 * self.area * held / 1.01325 / self.warm

        def change(x: np.ndarray) -> np.ndarray:
            h = 1e-4 * np.maximum(np.abs(x), 1e-2)
            return (self.drop(x + h) - self.drop(x - h)) / (2 * h)

        return np.maximum(np.maximum(change(q), change(np.array(slow))), 2 * held * LEAST_DROP / slow)


class Levels:
    """Junctions above 4 bar gauge, each of which is a zone by itself."""

    def __init__(self, zones: Zones, held: dict[int, float], part: np.ndarray) -> None:
        self.zones, self.f, self.part = zones, zones.f, part
        self.held = {z: p for z, p in held.items() if p - self.gas["pressure_ambient"] >= 4}
        self.inside = [j for j in range(len(part)) if int(part[j]) in self.held]
        self.pressure: dict[int, np.ndarray] = {}

    @property
    def gas(self) -> dict:
        """Numbers of the gas."""
        return {n: float(v) for n, v in self.f.case["gas_network"].items() if v.dtype.kind == "f"}

    def about(self, name: str, count: int, value: np.ndarray) -> np.ndarray:
        """Part of the state of the last schedule, or what stands for it at rest."""
        shape = np.broadcast_to(value, (count, self.f.steps))
        return np.asarray(self.f.offsets.get(name, shape), float)

    def state(self, demand: dict[int, np.ndarray], set_points: list[tuple[int, float]]) -> None:
        """Pressures, flows and what is held; `set_points` are junctions and the pressures held there."""
        lp, c = self.f.program, self.f.case
        ids, table = c["junction"]["id"], c.get("pipe", {"id": []})
        at_rest = np.array([self.held.get(int(z), np.nan) for z in self.part])[:, None]
        p0 = self.about("pressure_about", len(ids), at_rest)
        flow0 = self.about("flow_about", len(table["id"]), np.zeros((len(table["id"]), 1)))
        initial, final = (self.f.offsets.get(f"pressure_{n}", at_rest[:, 0]) for n in ("initial", "final"))
        reach = np.nan_to_num(self.f.offsets.get("pressure_reach", np.full(len(ids), np.nan)), nan=np.inf)
        high = c["junction"]["pressure_max"]
        for j in self.inside:
            mine = [i for i in self.inside if self.part[i] == self.part[j]]
            most = 2 * np.nanmax([self.held[int(self.part[j])], *high[mine]])
            starved = (self.about("demand_most", len(ids), np.zeros((1, 1)))[mine] > 0).any(axis=0)
            least = np.where(starved, self.gas["pressure_ambient"], -most)
            self.pressure[j] = lp.column("pressure", j, least, most)
        flows: dict[int, list] = {j: [] for j in self.inside}
        holds: dict[int, list[Pipe]] = {j: [] for j in self.inside}
        law = bytes(c["gas_network"]["friction_law"][()]) if "friction_law" in c["gas_network"] else b"nikuradse"
        energy = self.gas["heating_value_higher"]
        for k in range(len(table["id"])):
            a, b = (list(ids).index(table[f"junction_{s}"][k]) for s in ("from", "to"))
            if not table["in_service"][k] or a not in flows:
                continue
            pipe = Pipe(self.gas, table, k, law)
            first, second, q = p0[a], p0[b], flow0[k]
            z = pipe.factor(2 / 3 * (first**3 - second**3 + 1e-300) / (first**2 - second**2 + 1e-300))
            near = np.abs(first - second) < 1e-5
            z = np.where(near, pipe.factor((first + second) / 2), z)
            steep = z * pipe.slope(q, self.held[int(self.part[a])])
            near, fast = pipe.near(self.held[int(self.part[a])], reach[a])
            low, high = np.maximum(q - near, -fast), np.minimum(q + near, fast)
            flow = lp.column("flow_pipe", k, energy * low, energy * high)
            # drop = z (D + D' (flow - q)) = p1² - p2², both squares linear about the last state
            lp.row([(flow, steep / energy), (self.pressure[a], -2 * first), (self.pressure[b], 2 * second)],
                   *[steep * q - z * pipe.drop(q) - first**2 + second**2] * 2)  # fmt: skip
            flows[a].append((flow, -1.0))
            flows[b].append((flow, 1.0))
            holds[a].append(pipe)
            holds[b].append(pipe)
        self.balances(demand, flows, holds, p0, initial, final)
        self.hold(set_points, holds)
        self.limits()

    def balances(
        self, demand: dict, flows: dict, holds: dict, p0: np.ndarray, initial: np.ndarray, final: np.ndarray
    ) -> None:
        """What comes in and does not go out is packed, at the pressure of the end of the step."""
        f, lp = self.f, self.f.program
        for part in self.held:
            own = [j for j in self.inside if self.part[j] == part]
            at_end: list = []
            constant = total = kept = 0.0
            for j in own:
                slope = sum((pipe.half_slope(p0[j]) for pipe in holds[j]), np.zeros(f.steps))
                fixed = sum((pipe.half(p0[j]) for pipe in holds[j]), np.zeros(f.steps)) - slope * p0[j]
                before = sum(float(pipe.half(initial[j])) for pipe in holds[j])
                terms = [*self.zones.enters[self.zones.number_of(j)], *flows[j]]
                for t in range(f.steps):
                    row = [(col[[t]], -f.dt * v) for col, v in terms] + [(self.pressure[j][[t]], slope[t])]
                    right = -f.dt * demand[j][t] - fixed[t] + (fixed[t - 1] if t else before)
                    if t:
                        row.append((self.pressure[j][[t - 1]], -slope[t - 1]))
                    lp.row(row, right, right)
                at_end.append((self.pressure[j][-1:], slope[-1]))
                constant += fixed[-1] - before
                total += before
                kept += sum(float(pipe.half(final[j])) for pipe in holds[j])
            short = lp.column("linepack_short", part, 0, max(total, 0), SHORT, count=1)
            lp.row([*at_end, (short, 1.0)], min(0.999 * kept - total, 0.0) - constant, np.inf)

    def hold(self, set_points: list[tuple[int, float]], holds: dict) -> None:
        """Leaving a set-point costs as much as holding gas in a zone below 4 bar."""
        f, lp, high = self.f, self.f.program, self.f.case["junction"]["pressure_max"]
        for j, pressure in set_points:
            own = [i for i in self.inside if self.part[i] == self.part[j]]
            held = self.held[int(self.part[j])]
            per_bar = sum(float(pipe.half_slope(np.array(held))) for i in own for pipe in holds[i])
            known = [float(high[i]) for i in own if np.isfinite(high[i])]
            most = float(high[j]) if np.isfinite(high[j]) else min(known, default=0.0)
            above = lp.column("above", j, 0, max(most - pressure, 0.0), f.dt * HOLDING * per_bar)
            below = lp.column("below", j, 0, np.inf, f.dt * HOLDING * per_bar)
            lp.row([(self.pressure[j], 1.0), (above, -1.0), (below, 1.0)], pressure, pressure)

    def limits(self) -> None:
        """Elastic limits of every pressure."""
        f, c = self.f, self.f.case
        for j in self.inside:
            low, high, rating = self.zones.pressure_limits(j)
            for bound, sign in ((high, 1.0), (low, -1.0)):
                if np.isfinite(bound):
                    slack = f.program.column("slack_level", j, 0, np.inf, f.dt * f.penalty / rating)
                    f.program.row([(self.pressure[j], sign), (slack, -1.0)], -np.inf, sign * bound)
        assert "junction" in c
