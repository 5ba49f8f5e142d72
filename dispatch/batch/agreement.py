"""Rounds in which feeders of all groups agree on limits that they share: who is asked what, until when."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.batch.agreed import HELD, figures_of_first, figures_of_mix, finite, gaps, tightened
from dispatch.batch.joined import solve_apart, solve_together
from dispatch.batch.member import Members
from dispatch.batch.orders import ask_orders, mix_orders
from dispatch.batch.sharing import Sharing
from dispatch.solve.shared import Plan, SharedMaster
from dispatch.solve.shared_rows import SharedPrices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from dispatch.batch.apart import Apart
    from dispatch.batch.kept import Arrays
    from dispatch.batch.plan import Group
    from dispatch.batch.record import Record
    from dispatch.case.shared import Shared
    from dispatch.run.settings import Settings
    from dispatch.solve.shared import Mix

    Do = Callable[[str, dict[str, dict[str, Any]]], dict[str, Record]]
    Powers = tuple[np.ndarray, np.ndarray]

GAP = 1e-4
"""Gap that is asked for all feeders together where the settings ask for no larger one."""
MOST_ROUNDS, MORE_ROUNDS = 15, 5
"""Rounds until the first mix, and after each later one."""
MOST_MIXES = 4
"""Mixes that are checked by AC power flow; the last is delivered whatever AC says."""
FEW = 2
"""Prices that are asked at once where groups also plan for themselves."""
NOTICED = 1e-6


class Agreement:
    """The coordination of shared limits over the groups of a night; a function of what the groups answer alone.

    Parameters
    ----------
    folder : Path
        Of results.
    groups : sequence of Group
        Those whose feeders share limits.
    shared : Shared
        Limits and networks above feeders.
    settings : Settings
        Of the night; its gap is that of each feeder.
    over : callable
        Whether time is up.
    told : callable
        Receives how far it is, round by round.
    """

    def __init__(
        self,
        folder: Path,
        groups: Sequence[Group],
        shared: Shared,
        settings: Settings,
        over: Callable[[], bool],
        told: Callable[[dict[str, Any]], None],
    ) -> None:
        self.folder, self.groups, self.shared, self._settings = folder, groups, shared, settings
        self.gap, self._over, self._told = max(settings.gap, GAP), over, told
        self.rounds, self.mixes, self._again, self._joined = 1, 0, set[str](), False
        self._apart: Apart | None = None
        self._best: tuple[dict[str, Record], Powers, dict[str, float], SharedPrices] | None = None

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
        self.order = {key: [row["name"] for row in record["feeders"]] for key, record in first.items()}
        kept = [g.key for g in self.groups if first[g.key]["file"]]
        self.all = Members(self.folder, kept, self.shared.holds)
        self.members = self.all.every
        if not self.members:
            return first
        p, q = self.all.each("p"), self.all.each("q")
        self.sharing = Sharing(self.shared, self.all, self._settings)
        self.rows = self.sharing.rows(p, q)
        if self._holds(p, np.zeros(len(self.rows.bound)), np.zeros(len(self.rows.budgets)), NOTICED):
            self._finish((p, q), figures_of_first(self.members), None)
            return first
        self.rows = self.sharing.rows(p, q, foretold=True)
        self._start()
        while True:
            mix = self._rounds(do)
            found = self._mixed(do, mix, first)
            if found is not None:
                return found

    def _holds(self, p: np.ndarray, rows: np.ndarray, budgets: np.ndarray, tolerance: float) -> bool:
        """Whether shared limits are exceeded by no more than `rows` (kW) and `budgets` (kg), and a tolerance."""
        over, over_budget = self.rows.relaxation(p)
        allowed = rows + tolerance * self.rows.scale
        allowed_budget = budgets + tolerance * np.maximum(self.rows.budgets, 1.0)
        return bool(np.all(over <= allowed) and np.all(over_budget <= allowed_budget))

    def _start(self) -> None:
        """Make the master from the first schedules."""
        self.margin = np.zeros(len(self.rows.bound))
        self.master = SharedMaster(self.rows, self.all.each("losses"))
        for plans, member in zip(self.master.plans, self.members, strict=True):
            plans.append(self.all.plan(member))
        none = SharedPrices(np.zeros(len(self.rows.bound)), np.zeros(len(self.rows.budgets)))
        self.master.answered([none], np.array([[float(m.first["bound"][0]) for m in self.members]]))

    def _rounds(self, do: Do) -> Mix:
        """Ask until the mix is near enough to the bound."""
        most = MOST_ROUNDS if not self.mixes else self.rounds + MORE_ROUNDS
        while True:
            mix = self.master.mix()
            gap = self.master.gap(mix)
            self._told({"rounds": self.rounds, "gap": finite(gap), "lower_bound": finite(self.master.bound)})
            if gap <= self.gap or self.rounds >= most or self._over():
                return mix
            self.rounds += 1
            asked, repaired = self._prices(do)
            if asked is None:
                return self.master.mix()
            if not self._asked(do, str(self.rounds), asked):
                return self.master.mix()
            if repaired is not None:
                return self.master.only(repaired)

    def _prices(self, do: Do) -> tuple[list[SharedPrices] | None, list[int] | None]:
        """Find prices at which all are asked next.

        Returns
        -------
        list of SharedPrices or None
            None where time was up.
        list of int or None
            Of each feeder the number of its plan, where these are better than what the master would mix: no store
            works both ways at once.
        """
        if not self._joined:
            self._joined, self._apart = True, None
            found = solve_together(self.all, self.groups, self.master, do, f"{self.rounds}j")
            if found is not None:
                self._apart = found.apart
                if found.losses is not None:
                    self._restate(found.losses)
                return [self.rows.clipped(found.prices)], found.numbers
        elif self._apart is not None:
            moved = solve_apart(self.all, self._apart, self.master, do, f"{self.rounds}o")
            return (None if moved is None else moved or self.master.ask(self.rounds)[:FEW]), None
        return self.master.ask(self.rounds), None

    def _asked(self, do: Do, stage: str, asked: Sequence[SharedPrices]) -> bool:
        """Ask all groups once; False where time was up before all have answered."""
        prices = [self.rows.price_of(p, len(self.all.time)) for p in asked]
        orders = ask_orders(self.members, prices, self._again)
        found = do(stage, orders)
        if any(key not in found for key in orders):
            return False
        answers, lost = self._answers(found, stage)
        bounds = np.full((len(asked), len(self.members)), np.nan)
        for k, member in enumerate(self.members):
            if member.fixed:
                bounds[:, k] = [self.master.first_at(k, each[k]) for each in prices]
            elif member.name not in lost:
                bounds[:, k] = self._take(k, answers[member.name], stage)
        self._again -= {*answers} - lost
        if lost:
            self._fix(lost)
        else:
            self.master.answered(asked, bounds)
        return True

    def _take(self, k: int, own: Arrays, stage: str) -> np.ndarray:
        """Take a feeder's answers; return the bounds that it proves."""
        member, plans = self.members[k], self.master.plans[k]
        if "again" in own:
            plans[:] = [Plan(float(c), plan.taken) for c, plan in zip(own["again"], plans, strict=True)]
        for j in np.nonzero(np.isfinite(own["cost"]))[0].tolist():
            plans.append(Plan(float(own["cost"][j]), self.all.wide(member, own["taken"][j])))
            member.labels.append((stage, j))
        return own["bound"]

    def _answers(self, found: dict[str, Record], stage: str) -> tuple[dict[str, Arrays], set[str]]:
        """Read what groups have kept, and name feeders that ended workers again and again."""
        kept: dict[str, Arrays] = {}
        for key, record in found.items():
            kept |= {} if record.get("given_up") else self.all.read(key, stage)
        gone = {key for key, record in found.items() if record.get("given_up")}
        lost = {m.name for m in self.members if m.group in gone and not m.fixed}
        return kept, lost | {name for name, own in kept.items() if "aside" in own}

    def _fix(self, lost: Iterable[str]) -> None:
        """Ask some feeders no more: what they take by their first schedule is taken from what all share."""
        added = self.master.added.copy()
        for k, member in enumerate(self.members):
            if member.name in lost:
                member.fixed, member.labels, member.offsets = True, [("1", 0)], None
                self.master.plans[k][:] = [self.all.plan(member)]
                added[k] = self.all.wide(member, member.first["p"] - member.first["taken"])
        self._again -= set(lost)
        self._joined = False
        self._restate(added)

    def _mixed(self, do: Do, mix: Mix, first: dict[str, Record]) -> dict[str, Record] | None:
        """Let groups mix, check and write; None where AC asks for other offsets or losses."""
        self.mixes += 1
        stage = f"m{self.mixes}"
        at = self.rows.price_of(self.master.center, len(self.all.time))
        proven = self.master.gap(mix) <= self.gap
        orders = mix_orders(self.members, mix, at, self.order, proven=proven)
        found = do(stage, orders)
        if any(key not in found for key in orders):
            return self._before(first)
        kept, lost = self._answers(found, stage)
        last = self.mixes >= MOST_MIXES or self._over()
        if lost:
            self._fix(lost)
            if not last:
                return None
        found = {key: record for key, record in found.items() if not record.get("given_up")}
        p, q, taken = (self.all.each(name, kept) for name in ("p", "q", "taken"))
        added = self.master.added
        before, relaxed = self.rows, self.rows.relaxation(mix.taken + added)
        figures = figures_of_mix(self.all, kept, self.master, self.rows, mix, at)
        self._best = first | found, (p, q), figures, self.master.center
        self.rows = self.sharing.rows(p, q)
        others = [m for m in self.members if not m.fixed and "offsets.s" in kept[m.name]]
        wasteful = self.sharing.wasteful(self.rows, self.master.center, p)
        settled = self._holds(p, *relaxed, HELD) and not wasteful
        if last or (not others and settled):
            self._finish((p, q), figures, self.master.center)
            return first | found
        for member in others:
            member.offsets = stage
        self._again, self._joined = {m.name for m in others}, False
        less = before.bound - self.rows.bound + self.rows.activity(p - taken - added)
        prices = self.master.center.rows
        priced = (prices > NOTICED) & (prices < (1 - NOTICED) * before.most)
        self.margin = tightened(self.margin, less, priced, self.mixes)
        self._restate(p - taken)
        return None

    def _restate(self, added: np.ndarray) -> None:
        """State the shared rows with other losses and reactive power."""
        own = self.rows.budget < 0
        self.master.restate(replace(self.rows, bound=self.rows.bound - self.margin * own), added)

    def _before(self, first: dict[str, Record]) -> dict[str, Record]:
        """Deliver the mix before, or the first schedules, as time was up while there was mixed."""
        if self._best is not None:
            self._finish(*self._best[1:])
            return self._best[0]
        p, q = self.all.each("p"), self.all.each("q")
        figures = figures_of_first(self.members)
        figures = {k: v + (0.0 if k == "lower_bound" else self.rows.cost(p)) for k, v in figures.items()}
        self._finish((p, q), figures | {"lower_bound": self.master.bound}, None)
        return first

    def _finish(self, taken: Powers, figures: dict[str, float], prices: SharedPrices | None) -> None:
        """Tell how it ended: objective, bound, gaps, and of each limit loading, price and what is exceeded."""
        found: dict[str, Any] = {"rounds": self.rounds, "mixes": self.mixes, "gap_asked": self.gap, "done": True}
        found |= gaps(figures)
        found |= {"feeders": len(self.members), "time": [str(t) for t in self.all.time]}
        found["fixed"] = [m.name for m in self.members if m.fixed]
        found["limits"] = self.sharing.told(*taken, prices)
        self._told(found)
