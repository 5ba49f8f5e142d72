"""Rounds in which feeders of all groups agree on limits that they share: who is asked what, until when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.batch.kept import FOLDER, read_feeders
from dispatch.errors import InputError, Problem
from dispatch.solve.shared import Plan, SharedMaster
from dispatch.solve.shared_rows import SharedPrices, shared_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from dispatch.batch.kept import Arrays
    from dispatch.batch.plan import Group
    from dispatch.batch.record import Record
    from dispatch.case.shared_limits import SharedLimit
    from dispatch.solve.shared import Mix
    from dispatch.solve.shared_rows import SharedRows

    Do = Callable[[str, dict[str, dict[str, Any]]], dict[str, Record]]

GAP = 1e-4
"""Gap that is asked for all feeders together where the settings ask for no larger one."""
MOST_ROUNDS, MORE_ROUNDS = 15, 5
"""Rounds until the first mix, and after each later one."""
MOST_MIXES = 4
"""Mixes that are checked by AC power flow; the last is delivered whatever AC says."""
HELD = 1e-3
"""A shared limit may be exceeded by this part of it, losses included."""
NOTICED = 1e-6


@dataclass
class Member:
    """A feeder that shares limits.

    Attributes
    ----------
    name : str
    group : str
        Key of its group.
    first : dict of str to ndarray
        What is kept of its first schedule.
    steps : ndarray of int
        Which of all steps are its own.
    labels : list of (str, int)
        Stage and number of each of its plans, in the order of the master's.
    offsets : str or None
        Stage whose mix gave it new offsets.
    """

    name: str
    group: str
    first: Arrays
    steps: np.ndarray = field(default_factory=lambda: np.zeros(0, int))
    labels: list[tuple[str, int]] = field(default_factory=lambda: [("1", 0)])
    offsets: str | None = None


class Agreement:
    """The coordination of shared limits over the groups of a night; a function of what the groups answer alone.

    Parameters
    ----------
    folder : Path
        Of results.
    groups : sequence of Group
        Those whose feeders share limits.
    limits : sequence of SharedLimit
    gap : float
        Asked for each feeder.
    over : callable
        Whether time is up.
    told : callable
        Receives how far it is, round by round.
    """

    def __init__(
        self,
        folder: Path,
        groups: Sequence[Group],
        limits: Sequence[SharedLimit],
        gap: float,
        over: Callable[[], bool],
        told: Callable[[dict[str, Any]], None],
    ) -> None:
        self.folder, self.groups, self.limits = folder, groups, limits
        self.gap, self._over, self._told = max(gap, GAP), over, told
        self.rounds, self.mixes, self._again = 1, 0, set[str]()

    def run(self, do: Do) -> dict[str, Record] | None:
        """Let groups answer until they agree.

        Parameters
        ----------
        do : callable
            Lets groups do their part of a stage, given its name and what each is asked; returns what the journal says
            of each that did.

        Returns
        -------
        dict of str to dict or None
            Of each group the record of the schedules that are delivered; None where time was up before the first.
        """
        first = do("1", {g.key: {"what": "first"} for g in self.groups})
        if any(g.key not in first for g in self.groups):
            return None
        self._begin(first)
        if not self.members:
            return first
        p, q, _ = self._delivered("1", first)
        self.rows = self._rows(q)
        if self._holds(p, np.zeros(len(self.rows.bound)), np.zeros(len(self.rows.budgets)), NOTICED):
            figures = {"objective": "delivered", "objective_relaxation": "cost", "lower_bound": "bound"}
            self._finish(p, {k: sum(float(m.first[n][0]) for m in self.members) for k, n in figures.items()}, None)
            return first
        self._start()
        while True:
            mix = self._rounds(do)
            found = self._mixed(do, mix, first)
            if found is not None:
                return found

    def _begin(self, first: dict[str, Record]) -> None:
        """Read what is kept of the first schedules."""
        self.members: list[Member] = []
        self.order = {key: [row["name"] for row in record["feeders"]] for key, record in first.items()}
        for group in self.groups:
            kept = self._read(group.key, "1") if first[group.key]["file"] else {}
            names = [n for n in kept if any(limit.holds(n) for limit in self.limits)]
            self.members += [Member(n, group.key, kept[n]) for n in names]
        if not self.members:
            return
        lengths = {round(float(m.first["dt"][0]), 9) for m in self.members}
        if len(lengths) > 1:
            value, hint = f"steps of {sorted(lengths)} h", "Feeders that share limits need steps of one length."
            raise InputError([Problem("shared-time", "shared.toml", value=value, hint=hint)])
        self.dt = lengths.pop()
        time = np.unique(np.concatenate([m.first["time"] for m in self.members]))
        for member in self.members:
            member.steps = np.searchsorted(time, member.first["time"])
        self.time = time.astype("datetime64[s]")

    def _read(self, group: str, stage: str) -> dict[str, Arrays]:
        return read_feeders(self.folder / FOLDER / f"{group}.{stage}.npz")

    def _rows(self, q: np.ndarray) -> SharedRows:
        return shared_rows(self.limits, [m.name for m in self.members], self.time, self.dt, q)

    def _wide(self, member: Member, values: np.ndarray) -> np.ndarray:
        """Spread a feeder's steps over all steps."""
        found = np.zeros((*values.shape[:-1], len(self.time)))
        found[..., member.steps] = values
        return found

    def _delivered(self, stage: str, records: dict[str, Record]) -> tuple[np.ndarray, np.ndarray, dict[str, Arrays]]:
        """Read what feeders take by AC power flow when a stage is delivered, (feeder, step), and what it kept."""
        kept: dict[str, Arrays] = {}
        for key in records:
            kept |= self._read(key, stage)
        p, q = (np.array([self._wide(m, kept[m.name][n]) for m in self.members]) for n in ("p", "q"))
        return p, q, kept

    def _holds(self, p: np.ndarray, rows: np.ndarray, budgets: np.ndarray, tolerance: float) -> bool:
        """Whether shared limits are exceeded by no more than `rows` (kW) and `budgets` (kg), and a tolerance."""
        over, over_budget = self.rows.relaxation(p)
        allowed = rows + tolerance * np.maximum(self.rows.bound, 1.0)
        allowed_budget = budgets + tolerance * np.maximum(self.rows.budgets, 1.0)
        return bool(np.all(over <= allowed) and np.all(over_budget <= allowed_budget))

    def _start(self) -> None:
        """Make the master from the first schedules."""
        added = np.array([self._wide(m, m.first["losses"]) for m in self.members])
        self.master = SharedMaster(self.rows, added)
        for plans, member in zip(self.master.plans, self.members, strict=True):
            plans.append(Plan(float(member.first["cost"][0]), self._wide(member, member.first["taken"])))
        none = SharedPrices(np.zeros(len(self.rows.bound)), np.zeros(len(self.rows.budgets)))
        self.master.answered([none], np.array([[float(m.first["bound"][0]) for m in self.members]]))

    def _rounds(self, do: Do) -> Mix:
        """Ask until the mix is near enough to the bound."""
        most = MOST_ROUNDS if not self.mixes else self.rounds + MORE_ROUNDS
        while True:
            mix = self.master.mix()
            gap = self.master.gap(mix)
            self._told({"rounds": self.rounds, "gap": _finite(gap), "lower_bound": _finite(self.master.bound)})
            if gap <= self.gap or self.rounds >= most or self._over():
                return mix
            self.rounds += 1
            if not self._asked(do, str(self.rounds)):
                return mix

    def _asked(self, do: Do, stage: str) -> bool:
        """Ask all groups once; False where time was up before all have answered."""
        asked = self.master.ask(self.rounds)
        prices = [self.rows.price_of(p, len(self.time)) for p in asked]
        orders: dict[str, dict[str, Any]] = {}
        for k, member in enumerate(self.members):
            order = orders.setdefault(member.group, {"what": "ask", "prices": {}, "offsets": {}, "again": {}})
            order["prices"][member.name] = [each[k, member.steps].tolist() for each in prices]
            order["offsets"][member.name] = member.offsets
            if member.name in self._again:
                order["again"][member.name] = [list(label) for label in member.labels]
        found = do(stage, orders)
        if any(key not in found for key in orders):
            return False
        answers: dict[str, Arrays] = {}
        for key in orders:
            answers |= self._read(key, stage)
        bounds = np.full((len(asked), len(self.members)), np.nan)
        for k, member in enumerate(self.members):
            own, plans = answers[member.name], self.master.plans[k]
            if "again" in own:
                plans[:] = [Plan(float(c), plan.taken) for c, plan in zip(own["again"], plans, strict=True)]
            bounds[:, k] = own["bound"]
            for j in np.nonzero(np.isfinite(own["cost"]))[0].tolist():
                plans.append(Plan(float(own["cost"][j]), self._wide(member, own["taken"][j])))
                member.labels.append((stage, j))
        self._again.clear()
        self.master.answered(asked, bounds)
        return True

    def _mixed(self, do: Do, mix: Mix, first: dict[str, Record]) -> dict[str, Record] | None:
        """Let groups mix, check and write; None where AC asks for other offsets or losses."""
        self.mixes += 1
        stage = f"m{self.mixes}"
        prices = self.rows.price_of(self.master.center, len(self.time))
        proven = self.master.gap(mix) <= self.gap
        orders: dict[str, dict[str, Any]] = {}
        for k, member in enumerate(self.members):
            order = orders.setdefault(
                member.group,
                {"what": "mix", "proven": proven, "weights": {}, "price": {}, "offsets": {}, "alone": [], "order": []},
            )
            used = np.nonzero(mix.weights[k])[0].tolist()
            order["weights"][member.name] = [[list(member.labels[j]) for j in used], mix.weights[k][used].tolist()]
            order["price"][member.name] = prices[k, member.steps].tolist()
            order["offsets"][member.name] = member.offsets
        for key, order in orders.items():
            order["order"] = self.order[key]
            order["alone"] = [n for n in self.order[key] if n not in order["weights"]]
        found = do(stage, orders)
        p, q, kept = self._delivered(stage, {k: r for k, r in found.items() if k in orders})
        added = self.master.added
        relaxed = self.rows.relaxation(mix.taken + added)
        taken = np.array([self._wide(m, kept[m.name]["taken"]) for m in self.members])
        cost, mixed, bound = (
            sum(float(kept[m.name][n][0]) for m in self.members) for n in ("cost", "relaxed", "bound")
        )
        figures = {
            "objective": cost + self.rows.cost(taken + added),
            "objective_relaxation": mixed + self.rows.cost(mix.taken + added),
            "lower_bound": bound - self.rows.worth(self.master.center, added),
        }
        self.rows = self._rows(q)
        others = [m for m in self.members if "offsets.s" in kept[m.name]]
        last = self.mixes >= MOST_MIXES or self._over()
        if last or (not others and self._holds(p, *relaxed, HELD)):
            self._finish(p, figures, self.master.center)
            return first | found
        for member in others:
            member.offsets = stage
        self._again = {m.name for m in others}
        self.master.restate(self.rows, p - taken)
        return None

    def _finish(self, p: np.ndarray, figures: dict[str, float], prices: SharedPrices | None) -> None:
        """Tell how it ended: objective, bound, gaps, and of each limit loading, price and what is exceeded."""
        bound = figures["lower_bound"]
        objective, relaxed = figures["objective"], figures["objective_relaxation"]
        delivered, gap = ((each - bound) / max(1.0, abs(each)) for each in (objective, relaxed))
        found: dict[str, Any] = {"rounds": self.rounds, "mixes": self.mixes, "gap_asked": self.gap, "done": True}
        found |= {name: _finite(value) for name, value in figures.items()}
        found |= {"gap": _finite(gap), "gap_delivered": _finite(delivered)}
        found["feeders"] = len(self.members)
        found["time"] = [str(t) for t in self.time]
        found["limits"] = [self._limit(k, p, prices) for k in range(len(self.limits))]
        self._told(found)

    def _limit(self, k: int, p: np.ndarray, prices: SharedPrices | None) -> dict[str, Any]:
        """Say how one limit ended."""
        rows, steps = self.rows, len(self.time)
        limit, own = self.limits[k], rows.limit == k
        together = rows.members[k].astype(float) @ p
        rated = own & (rows.budget < 0)
        price, over, room = np.zeros(steps), np.zeros(steps), np.full((2, steps), np.inf)
        if prices is not None:
            np.add.at(price, rows.step[own], rows.sign[own] * prices.rows[own] / rows.dt)
        beyond = rows.relaxation(p)[0]
        beyond[beyond <= HELD * np.maximum(rows.bound, 1.0)] = 0.0
        np.add.at(over, rows.step[rated], beyond[rated])
        for way, sign in enumerate((1.0, -1.0)):
            side = rated & (rows.sign == sign)
            room[way, rows.step[side]] = rows.bound[side]
        loading = np.maximum(together / np.maximum(room[0], 1e-9), -together / np.maximum(room[1], 1e-9))
        said: dict[str, Any] = {
            "id": limit.id,
            "penalty": limit.penalty,
            "feeders": int(rows.members[k].sum()),
            "p": np.round(together, 3).tolist(),
            "price": np.round(price, 6).tolist(),
            "loading_max": _finite(float(np.maximum(loading, 0.0).max())),
        }
        said["hours_unmet"] = float(self.dt * (over > 0).sum())
        said["unmet"] = [{"time": str(self.time[t]), "kw": round(float(over[t]), 4)} for t in np.nonzero(over)[0]]
        for b in np.nonzero(rows.budget_limit == k)[0].tolist():
            mine = rows.budget == b
            used = float(np.sum(rows.weight[mine] * np.maximum(together[rows.step[mine]], 0.0)))
            most = float(rows.budgets[b])
            said |= {"emission": round(used, 3), "emission_max": most, "emission_over": round(max(used - most, 0.0), 4)}
            said["loading_max"] = max(said["loading_max"] or 0.0, used / max(most, 1e-9))
            said["price_emission"] = 0.0 if prices is None else round(float(prices.budgets[b]), 6)
            if used - most > HELD * max(most, 1.0):
                said["unmet"].append({"time": "", "kg": round(used - most, 4)})
        return said


def _finite(value: float) -> float | None:
    """Make a number such as JSON can have it."""
    return float(value) if np.isfinite(value) else None
