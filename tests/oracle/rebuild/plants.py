"""Biogas plants and gas zones of docs/formulation.md, with the methane in the digester as the state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from rebuild.levels import Levels

if TYPE_CHECKING:
    from rebuild.model import Feeder

UNMET, HIGHER, LOWER = 10.0, 11.06, 9.97
LINEPACK_COST = 1e-6


def day_of(time: np.ndarray, zone: str) -> np.ndarray:
    """Number of the local day in which each step begins."""
    local = [datetime.fromtimestamp(int(t), UTC).astimezone(ZoneInfo(zone)) for t in time.astype("M8[s]").astype(int)]
    return np.unique([t.toordinal() for t in local], return_inverse=True)[1]


def where(ids: np.ndarray, wanted: np.ndarray) -> list[int]:
    """Position of each wanted id."""
    return [list(ids).index(w) for w in wanted]


def held_at(case: dict, junction: bytes) -> float:
    """Highest pressure that a gate or regulator in service holds where pipes in service lead to. [bar]"""
    reached, pipe = {junction}, case["pipe"]
    for _ in pipe["id"]:
        for a, b, on in zip(pipe["junction_from"], pipe["junction_to"], pipe["in_service"], strict=True):
            if on and {a, b} & reached:
                reached |= {a, b}
    gate, table = case["gate"], case.get("regulator", {"id": []})
    found = [float(p) for p, at in zip(gate["pressure"], gate["junction"], strict=True) if at in reached]
    own = [k for k in range(len(table["id"])) if table["in_service"][k] and table["junction_to"][k] in reached]
    found += [float(table["pressure"][k]) for k in own]
    return max(found)


def work(case: dict, ratio: float) -> float:
    """Electricity for adiabatic compression of a normal cubic metre, at 70 %. [kWh]"""
    warm = (float(case["gas_network"]["temperature"]) + 273.15) / 273.15
    return 1.01325 * warm * 1.3 / 0.3 * (max(ratio, 1.0) ** (0.3 / 1.3) - 1) / 0.7 / 36


def state_plants(f: Feeder) -> None:
    """State everything that belongs to the plants of a feeder."""
    zones = Zones(f) if "junction" in f.case else None
    plant = f.case.get("plant", {"id": [], "meter": []})
    for k, m in enumerate(where(f.case["meter"]["id"], plant["meter"])):
        row = {n: plant[n][k] for n in plant if len(plant[n]) > k}
        methane: list[tuple[np.ndarray, object]] = []
        heat: list[tuple[np.ndarray, object]] = []
        fixed = np.zeros(f.steps)
        f.constant[m] -= float(row["p_own"])
        f.widen[m] += float(row["p_own"])
        for kind in ("substrate", "chp", "upgrader"):
            table = f.case.get(kind, {"id": [], "plant": []})
            for e in [e for e, at in enumerate(table["plant"]) if at == row["id"]]:
                one = {n: table[n][e] for n in table if len(table[n]) > e}
                if kind == "substrate":
                    fixed += substrate(f, e, one, methane)
                elif kind == "chp":
                    engine(f, e, one, m, methane, heat)
                else:
                    upgrading(f, e, one, m, float(row["methane_share"]), methane, zones, row["junction"])
        holder(f, k, row, methane, heat, fixed)
    if zones:
        zones.state()


def substrate(f: Feeder, e: int, s: dict, methane: list) -> np.ndarray:
    """Inventory of methane still to come; what has left it has come. The constant part of what comes is returned."""
    lp, dt, tau, gas = f.program, f.dt, float(s["tau"]), float(s["methane_yield"])
    zone = ZoneInfo(str(f.case["settings"]["time_zone"]))
    day = day_of(f.series["time"], str(zone))
    seconds = f.series["time"].astype("M8[s]").astype(int)
    saturday_on = [datetime.fromtimestamp(int(t), UTC).astimezone(zone).weekday() > 4 for t in seconds]
    hours = np.bincount(day) * dt
    given = np.array(f.series.get("feed_given", np.full((99, f.steps), np.nan))[e], float)
    low, high = np.where(np.isnan(given), 0, given), np.where(np.isnan(given), float(s["feed_max"]), given)
    feed = lp.column("feed", e, low, high, dt * float(s["price"]))
    for t in range(1, f.steps):
        if np.isnan(given[t]) and np.isfinite(s["feed_ramp"]):
            most = float(s["feed_ramp"]) * dt
            lp.row([(feed[[t]], 1.0), (feed[[t - 1]], -1.0)], -most, most)
    left = lp.column("inventory", e, 0, np.inf)
    unfed = lp.column("unfed", e, 0, np.inf, UNMET * HIGHER * gas, count=len(hours))
    for d, length in enumerate(hours):
        total = [(feed[[t]], dt) for t in np.nonzero(day == d)[0]]
        last = int(np.nonzero(day == d)[0][-1])
        due = float(s["feed_day"]) * length / 24 * (float(s["weekend_pu"]) if saturday_on[last] else 1.0)
        due = dt * given[day == d].sum() if np.isfinite(given[last]) else due
        lp.row([*total, (unfed[[d]], 1.0)], due, due)
    start = float(s["gas_rate_initial"])
    first = tau * (gas * float(s["feed_day"]) / 24 if np.isnan(start) else start)
    kept = np.exp(-dt / tau)
    lp.row([(left[:1], 1.0), (feed[:1], -tau * (1 - kept) * gas)], kept * first, kept * first)
    if f.steps > 1:
        lp.row([(left[1:], 1.0), (left[:-1], -kept), (feed[1:], -tau * (1 - kept) * gas)], 0, 0)
    final, even = float(s.get("gas_rate_final", np.nan)), first
    for t in range(f.steps):
        weekend = float(s["weekend_pu"]) if saturday_on[int(np.nonzero(day == day[t])[0][-1])] else 1.0
        now = given[t] if np.isfinite(given[t]) else float(s["feed_day"]) / 24 * weekend
        even = kept * even + tau * (1 - kept) * gas * now
    short = lp.column("inventory_short", e, 0, np.inf, UNMET * HIGHER, count=1)
    lp.row([(left[-1:], 1.0), (short, 1.0)], even if np.isnan(final) else tau * final, np.inf)
    methane += [(feed, gas), (left, -1 / dt)]
    before = np.zeros(f.steps)
    before[0] = first / dt
    for t in range(1, f.steps):
        methane.append((t, left[[t - 1]], 1 / dt))
    return before


def engine(f: Feeder, e: int, c: dict, m: int, methane: list, heat: list) -> None:
    """Burn for electricity and heat."""
    low, high = running(f, "chp", e, float(c["p_nom"]), float(c["p_min_pu"]))
    power = f.program.column("p_chp", e, low, high, f.dt * float(c["running_cost"]))
    ramps(f, power, float(c["p_nom"]), float(c["p_min_pu"]), float(c["ramp_pu"]), float(c["p_initial"]))
    methane.append((power, -1 / (float(c["efficiency_electric"]) * LOWER)))
    heat.append((power, float(c["efficiency_thermal"]) / float(c["efficiency_electric"])))
    f.behind[m].append((power, 1.0))
    f.widen[m] += float(c["p_nom"])


def running(f: Feeder, kind: str, e: int, size: float, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of what is free, held to run, or held to stand still."""
    held = f.offsets.get(f"on_{kind}", np.full((99, f.steps), np.nan))[e]
    return np.where(held == 1, size * share, 0.0), np.where(held == 0, 0.0, size)


def ramps(f: Feeder, column: np.ndarray, size: float, share: float, ramp: float, initial: float) -> None:
    """From step to step, and from what was before; a start or stop may pass the minimum at once."""
    most = max(ramp * f.dt * size, share * size) if np.isfinite(ramp) else np.inf
    if not np.isfinite(most):
        return
    if np.isfinite(initial):
        f.program.row([(column[:1], 1.0)], initial - most, initial + most)
    for t in range(1, f.steps):
        f.program.row([(column[[t]], 1.0), (column[[t - 1]], -1.0)], -most, most)


def upgrading(f: Feeder, e: int, u: dict, m: int, share: float, methane: list, zones: Zones, junction: bytes) -> None:
    """Biomethane in kWh is a multiple of the raw gas, so that it needs no column here."""
    energy = HIGHER * share * (1 - float(u["methane_slip"]))
    into = zones.account_of(u["plant"])
    value = float(u["conditioning_cost"]) - (0.0 if into else float(u["price_gas"]))
    size, share_min = float(u["flow_nom"]), float(u["flow_min_pu"])
    raw = f.program.column("flow_raw", e, *running(f, "upgrader", e, size, share_min), f.dt * value * energy)
    ramps(f, raw, size, share_min, float(u["ramp_pu"]), float(u["flow_initial"]))
    methane.append((raw, -share))
    f.behind[m].append((raw, -float(u["electricity"])))
    f.widen[m] += float(u["electricity"]) * float(u["flow_nom"])
    zones.enters[zones.of(junction)].append((raw, energy))
    zones.injected[e] = (raw, energy)
    if into:
        zones.deposits.append((into, raw, energy))


def holder(f: Feeder, k: int, p: dict, methane: list, heat: list, fixed: np.ndarray) -> None:
    """Raw gas and heat, step by step."""
    lp, dt, share = f.program, f.dt, float(p["methane_share"])
    size, initial, final = (float(p[n]) for n in ("holder_nom", "holder_initial", "holder_final"))
    initial = size / 2 if np.isnan(initial) else initial
    final = initial if np.isnan(final) else final
    thermal = float(p["efficiency_boiler"]) * LOWER * share
    content = lp.column("holder", k, 0, size)
    flare = lp.column("flow_flare", k, 0, np.inf, dt * float(p["price_flare"]))
    boiler = lp.column("flow_boiler", k, 0, float(p["boiler_nom"]) / thermal)
    stored = lp.column("heat_stored", k, 0, float(p["heat_tank_nom"]))
    missing = lp.column("heat_missing", k, 0, float(p["heat_demand"]), dt * UNMET)
    surplus = lp.column("heat_surplus", k, 0, np.inf)
    short = lp.column("holder_short", k, 0, np.inf, UNMET * HIGHER * share, count=1)
    lp.row([(content[-1:], 1.0), (short, 1.0)], final, np.inf)
    for t in range(f.steps):
        gas = [(c[1], -dt * c[2] / share) for c in methane if len(c) == 3 and c[0] == t]
        gas += [(c[0][[t]], -dt * float(np.broadcast_to(c[1], f.steps)[t]) / share) for c in methane if len(c) == 2]
        before = [(content[[t - 1]], -1.0)] if t else []
        now = (0.0 if t else initial) + dt * fixed[t] / share
        lp.row([(content[[t]], 1.0), *before, *gas, (flare[[t]], dt), (boiler[[t]], dt)], now, now)
        warm = [(c[[t]], -dt * v) for c, v in heat] + ([(stored[[t - 1]], -1.0)] if t else [])
        made = [(boiler[[t]], -dt * thermal), (missing[[t]], -dt), (surplus[[t]], dt)]
        lost = -dt * float(p["heat_demand"])
        lp.row([(stored[[t]], 1.0), *warm, *made], lost, lost)


class Zones:
    """Parts of the gas network that hang together by pipes, by spreading the lowest number along them."""

    def __init__(self, f: Feeder) -> None:
        self.f, c = f, f.case
        ids = c["junction"]["id"]
        self.number = np.arange(len(ids))
        ends = [where(ids, c["pipe"][f"junction_{s}"]) for s in ("from", "to")] if "pipe" in c else [[], []]
        used = c["pipe"]["in_service"] if "pipe" in c else []
        for _ in ids:
            for a, b, on in zip(*ends, used, strict=True):
                if on:
                    self.number[[a, b]] = min(self.number[[a, b]])
        self.part = self.number.copy()
        holders = [(c["gate"]["junction"][k], c["gate"]["pressure"][k]) for k in range(len(c["gate"]["id"]))]
        table = c.get("regulator", {"id": []})
        holders += [(table["junction_to"][k], table["pressure"][k]) for k in range(len(table["id"]))
                    if table["in_service"][k]]  # fmt: skip
        self.set_points = [(where(ids, [at])[0], float(p)) for at, p in holders]
        held: dict[int, float] = {}
        for j, p in self.set_points:
            held[int(self.part[j])] = max(held.get(int(self.part[j]), 0.0), p)
        self.levels = Levels(self, held, self.part)
        for j in self.levels.inside:
            self.number[j] = len(ids) + j
        self.lifted: dict[int, np.ndarray] = {}
        self.enters: dict[int, list] = {int(z): [] for z in np.unique(self.number)}
        self.injected: dict[int, tuple[np.ndarray, float]] = {}
        self.regulated: dict[int, np.ndarray] = {}
        self.let_in: dict[int, np.ndarray] = {}
        self.deposits: list[tuple[bytes, np.ndarray, float]] = []
        self.packs: dict[int, np.ndarray] = {}

    def of(self, junction: bytes) -> int:
        """Zone of a junction."""
        return int(self.number[where(self.f.case["junction"]["id"], [junction])[0]])

    def account_of(self, plant: bytes) -> bytes:
        """Account of a plant; empty where it has none."""
        table = self.f.case["plant"]
        return table["account"][where(table["id"], [plant])[0]] if "account" in table else b""

    def accounts(self) -> None:
        """Balance by step; at the end of each period what is beyond the band is bought or sold."""
        f, c, lp = self.f, self.f.case, self.f.program
        table, energy = c.get("account", {"id": []}), float(c["gas_network"]["heating_value_higher"])
        local = [datetime.fromtimestamp(int(t), UTC).astimezone(ZoneInfo(str(c["settings"]["time_zone"])))
                 for t in f.series["time"].astype("M8[s]").astype(int)]  # fmt: skip
        keys = {b"day": [t.date() for t in local], b"month": [(t.year, t.month) for t in local],
                b"horizon": [0 for _ in local]}  # fmt: skip
        for a, name in enumerate(table["id"]):
            period, band, fee = keys[table["period"][a]], float(table["band"][a]), float(table["fee"][a])
            ends = [t + 1 == f.steps or period[t + 1] != period[t] for t in range(f.steps)]
            taken = np.zeros(f.steps)
            for e, own in enumerate(c["consumer"]["account"]):
                if own == name:
                    taken += energy * f.series["flow_consumer"][e].astype(float)
            limit, room = np.where(ends, band, np.inf), np.where(ends, np.inf, 0.0)
            balance = lp.column("account_balance", a, -limit, limit)
            bought = lp.column("gas_bought", a, 0, room, float(table["price_short"][a]) + fee)
            sold = lp.column("gas_sold", a, 0, room, fee - float(table["price_surplus"][a]))
            for t in range(f.steps):
                flows = [(raw[[t]], -f.dt * kwh) for into, raw, kwh in self.deposits if into == name]
                flows += [(bought[[t]], -1.0), (sold[[t]], 1.0), (balance[[t]], 1.0)]
                kept = float(table["carry_over"][a]) if t and ends[t - 1] else 1.0
                now = -f.dt * taken[t] + (0.0 if t else float(table["balance_initial"][a]))
                lp.row(flows + ([(balance[[t - 1]], -kept)] if t else []), now, now)

    def state(self) -> None:
        """Gates, regulators, then each zone's balance."""
        f, c, lp = self.f, self.f.case, self.f.program
        energy = float(c["gas_network"]["heating_value_higher"])
        held: dict[int, float] = {}
        for k, at in enumerate(c["gate"]["junction"]):
            gas = lp.column("gas_gate", k, 0, float(c["gate"]["flow_max"][k]) * energy)
            self.enters[self.of(at)].append((gas, 1.0))
            self.let_in[k] = gas
            held[self.of(at)] = max(held.get(self.of(at), 0.0), float(c["gate"]["pressure"][k]))
        table = c.get("regulator", {"id": []})
        for k in range(len(table["id"])):
            if table["in_service"][k]:
                gas = lp.column("gas_regulator", k, 0, float(table["flow_max"][k]) * energy)
                first, second = self.of(table["junction_from"][k]), self.of(table["junction_to"][k])
                self.regulated[k] = gas
                self.enters[first].append((gas, -1.0))
                self.enters[second].append((gas, 1.0))
                held[second] = max(held.get(second, 0.0), float(table["pressure"][k]))
        self.boost(energy)
        self.lift(energy)
        alone = {len(c["junction"]["id"]) + j: j for j in self.levels.inside}
        by_junction: dict[int, np.ndarray] = {}
        for z, pressure in {**dict.fromkeys(alone, 0.0), **held}.items():
            demand = np.zeros(f.steps)
            for kind, sign in (("consumer", 1.0), ("injection", -1.0)):
                for e, at in enumerate(c.get(kind, {"junction": []})["junction"]):
                    if self.of(at) == z:
                        flow = f.series.get(f"flow_{kind}", np.full((99, f.steps), np.nan))[e].astype(float)
                        constant = np.full(f.steps, float(c[kind]["flow_nom"][e]))
                        demand += sign * energy * (constant if np.isnan(flow).all() else flow)
            if z in alone:
                by_junction[alone[z]] = demand
                continue
            pack = lp.column("linepack", z, 0, energy * self.linepack(z, pressure), f.dt * LINEPACK_COST)
            self.packs[z] = pack
            unserved = lp.column("gas_unserved", z, 0, np.maximum(demand, 0), f.dt * UNMET)
            spilled = lp.column("gas_spilled", z, 0, np.maximum(-demand, 0), f.dt * UNMET)
            flows = [*self.enters[z], (unserved, 1.0), (spilled, -1.0)]
            for t in range(f.steps):
                before = [(pack[[t - 1]], -1.0)] if t else []
                step = [(col[[t]], -f.dt * v) for col, v in flows]
                lp.row([(pack[[t]], 1.0), *before, *step], -f.dt * demand[t], -f.dt * demand[t])

        if by_junction:
            self.level_supply(by_junction)
            self.levels.state(by_junction, [s for s in self.set_points if s[0] in by_junction])
        self.limits()
        self.accounts()

    def level_supply(self, demand: dict[int, np.ndarray]) -> None:
        """What lacks in a level, or is over, is counted at its first junction with a held pressure."""
        for part in self.levels.held:
            own = [j for j in demand if self.part[j] == part]
            first = min(j for j, _ in self.set_points if j in own)
            net = sum(demand[j] for j in own)
            unserved = self.f.program.column("gas_unserved", first, 0, np.maximum(net, 0), self.f.dt * UNMET)
            spilled = self.f.program.column("gas_spilled", first, 0, np.maximum(-net, 0), self.f.dt * UNMET)
            self.enters[self.number_of(first)] += [(unserved, 1.0), (spilled, -1.0)]
            for j in own:
                most = np.asarray(self.f.offsets.get("demand_most", {j: np.zeros(self.f.steps)})[j], float)
                if (most > 0).any():
                    left_out = self.f.program.column("gas_undelivered", j, 0, most, self.f.dt * UNMET)
                    self.enters[self.number_of(j)].append((left_out, 1.0))

    def number_of(self, j: int) -> int:
        """Zone of a junction by its position."""
        return int(self.number[j])

    def pressure_limits(self, k: int) -> tuple[float, float, float]:
        """Lower and upper limit of a junction's pressure, and its rating. [bar]"""
        c = self.f.case
        regulator, junction = c.get("regulator", {"id": []}), c["junction"]
        highest = max([*map(float, c["gate"]["pressure"]), *map(float, regulator.get("pressure", [])), 1.0])
        raised = set(c.get("booster", {}).get("regulator", []))
        fed = [float(p) for p, at, on, name in zip(
            regulator.get("pressure", []), regulator.get("junction_from", []), regulator.get("in_service", []),
            regulator.get("id", []), strict=True) if on and at == junction["id"][k] and name not in raised]  # fmt: skip
        low = float(np.nanmax([float(junction["pressure_min"][k]), -np.inf, *fed]))
        return low, float(junction["pressure_max"][k]), highest

    def boost(self, energy: float) -> None:
        """Compressors in the direction of flow take electricity for what flows through their regulators."""
        f, table = self.f, self.f.case.get("booster", {"id": []})
        regulator = self.f.case.get("regulator", {"id": []})
        for k, named in enumerate(table["regulator"] if len(table["id"]) else []):
            r = list(regulator["id"]).index(named)
            if r in self.regulated:
                per_m3 = float(table["electricity"][k])
                if np.isnan(per_m3):
                    given = float(table["pressure_ratio"][k])
                    before = held_at(f.case, regulator["junction_from"][r])
                    per_m3 = work(f.case, float(regulator["pressure"][r]) / before if np.isnan(given) else given)
                m = list(f.case["meter"]["id"]).index(table["meter"][k])
                f.behind[m].append((self.regulated[r], -per_m3 / energy))
                f.widen[m] += per_m3 * float(regulator["flow_max"][r])

    def lift(self, energy: float) -> None:
        """Compressors take gas below, electricity at their meter, and give the gas above."""
        f, table = self.f, self.f.case.get("compressor", {"id": []})
        for k in range(len(table["id"])):
            if table["in_service"][k]:
                per_m3 = float(table["electricity"][k])
                if np.isnan(per_m3):
                    low, high = (held_at(f.case, table[f"junction_{side}"][k]) for side in ("from", "to"))
                    per_m3 = work(f.case, high / low)
                gas = f.program.column("gas_compressor", k, 0, float(table["flow_max"][k]) * energy)
                self.lifted[k] = gas
                self.enters[self.of(table["junction_from"][k])].append((gas, -1.0))
                self.enters[self.of(table["junction_to"][k])].append((gas, 1.0))
                m = list(f.case["meter"]["id"]).index(table["meter"][k])
                f.behind[m].append((gas, -per_m3 / energy))
                f.widen[m] += per_m3 * float(table["flow_max"][k])

    def limits(self) -> None:
        """Limits that the last program stated: linear in injection and linepack, elastic."""
        f, c = self.f, self.f.case
        energy = float(c["gas_network"]["heating_value_higher"])
        junction = c["junction"]
        usual = max(float(np.sum(c.get("consumer", {"flow_nom": 0.0})["flow_nom"])), 1.0)
        for name, kind in (
            ("pressure", "junction"),
            ("share", "junction"),
            ("flow_gate", "gate"),
            ("flow_regulator", "regulator"),
        ):
            constant = f.offsets.get(name, np.zeros((0, f.steps)))
            for k in np.nonzero(np.isfinite(constant).all(axis=1))[0]:
                if kind == "junction":
                    low, high, rating = self.pressure_limits(int(k))
                    at = junction["id"][k]
                    if name == "share":
                        low, high, rating = -np.inf, float(junction["biomethane_share_max"][k]), 1.0
                else:
                    most = float(c[kind]["flow_max"][k])
                    low, high = 0.0, most * energy
                    rating = (most if np.isfinite(most) and most > 0 else usual) * energy
                    at = c[kind]["junction" if kind == "gate" else "junction_to"][k]
                terms = [
                    (raw, factor * f.offsets[f"{name}_by_injection"][k, u])
                    for u, (raw, factor) in self.injected.items()
                ]
                terms += [
                    (gas, f.offsets[f"{name}_by_regulator"][k, r])
                    for r, gas in self.regulated.items()
                    if f"{name}_by_regulator" in f.offsets
                ]
                terms += [
                    (gas, f.offsets[f"{name}_by_compressor"][k, r])
                    for r, gas in self.lifted.items()
                    if f"{name}_by_compressor" in f.offsets
                ]
                if name == "share":
                    terms += [(gas, f.offsets["share_by_gate"][k, g]) for g, gas in self.let_in.items()]
                else:  # linepack leaves shares as they are
                    terms.append((self.packs[self.of(at)], f.offsets[f"{name}_by_linepack"][k]))
                for bound, sign in ((high, 1.0), (low, -1.0)):
                    if np.isfinite(bound):
                        slack = f.program.column(f"slack_{name}", k, 0, np.inf, f.dt * f.penalty / rating)
                        row = [(col, sign * v) for col, v in terms]
                        f.program.row([*row, (slack, -1.0)], -np.inf, sign * (bound - constant[k]))

    def linepack(self, z: int, held: float) -> float:
        """Normal cubic metres between the pressure that is held and the lowest pressure_max. [m3]"""
        c, gas = self.f.case, {n: float(v) for n, v in self.f.case["gas_network"].items() if v.dtype.kind == "f"}
        limits = c["junction"]["pressure_max"][self.number == z]
        if np.isnan(limits).all() or held - gas["pressure_ambient"] >= 4 or np.nanmin(limits) <= held:
            return 0.0
        high, volume = float(np.nanmin(limits)), 0.0
        pipe = c.get("pipe", {"id": []})
        for k in range(len(pipe["id"])):
            if pipe["in_service"][k] and self.of(pipe["junction_from"][k]) == z:
                volume += np.pi * (float(pipe["inner_diameter"][k]) / 2) ** 2 * float(pipe["length"][k])
        z_factor = gas["compressibility"] + gas["compressibility_slope"] * (high + held) / 2
        return volume * (high - held) / 1.01325 * 273.15 / (273.15 + gas["temperature"]) / z_factor
