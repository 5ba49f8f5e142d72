"""A round of one feeder: a solution, the schedule delivered from it, and both networks under that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispatch.case.offsets import Offsets
    from dispatch.model.linear import LinearFlow
    from dispatch.run.gas_check import UnderSchedule
    from dispatch.run.gas_margins import GasMargins
    from dispatch.run.margins import Margins
    from dispatch.solve.repair import Delivered
    from dispatch.solve.solution import Solution
    from dispatch.verify.electric import AcState
    from dispatch.verify.excess import Excess


@dataclass(frozen=True)
class State:
    """A solution, the schedule delivered from it, and the network under that, linear and by AC power flow.

    Attributes
    ----------
    offsets : Offsets
        Of the program: AC offsets and room.
    by_ac : Offsets
        What the AC check added.
    room : Offsets or None
        What is kept free for errors of the forecast.
    held : tuple of AcState
        State with room, for upper and for lower limits.
    gas, gas_margins : UnderSchedule, GasMargins or None
        State of the gas network and how far it is from its limits; None where no plant injects.
    bound : float or None
        Bound of the solver over all choices of what runs; None without integers. [money]
    """

    offsets: Offsets
    by_ac: Offsets
    room: Offsets | None
    solution: Solution
    delivered: Delivered
    linear: LinearFlow
    ac: AcState
    held: tuple[AcState, AcState]
    excess: Excess
    margins: Margins
    gas: UnderSchedule | None
    gas_margins: GasMargins | None
    bound: float | None = None

    @property
    def holds(self) -> bool:
        """No limit is exceeded beyond its tolerance, except where the program itself relaxes it."""
        return self.margins.holds and (self.gas_margins is None or self.gas_margins.holds)

    @property
    def settled(self) -> bool:
        """Nothing is left that another round could better."""
        gas = self.gas_margins is None or self.gas_margins.settled
        return self.margins.holds and not self.margins.wasteful and gas
