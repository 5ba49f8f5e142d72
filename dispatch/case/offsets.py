"""What the AC check adds to each linear limit, and what is kept free beside it; see docs/formulation.md."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class GasLimit:
    """A quantity of the gas network about the state under the last schedule, for the limits that are stated.

    Attributes
    ----------
    constant : ndarray (element, time)
        Its value at no injection, no linepack and nothing through regulators; NaN where no limit of the element is
        stated. [unit]
    by_injection : ndarray (element, upgrader, time)
        Change by injection into its own zone. [unit kW-1]
    by_regulator : ndarray (element, regulator, time)
        Change by what regulators take from its own zone, of shares also by what they give to it. [unit kW-1]
    by_linepack : ndarray (element, time)
        Change by linepack in its own zone. [unit kW-1 h-1]
    by_compressor : ndarray (element, compressor, time)
        Change by what compressors take from its own zone or give to it. [unit kW-1]
    by_gate : ndarray (element, gate, time)
        Change by what gates let into its own zone. [unit kW-1]
    """

    constant: np.ndarray
    by_injection: np.ndarray
    by_regulator: np.ndarray
    by_linepack: np.ndarray
    by_compressor: np.ndarray
    by_gate: np.ndarray

    @property
    def stated(self) -> np.ndarray:
        """Which elements have their limits stated."""
        return np.asarray(np.isfinite(self.constant).all(axis=1))


@dataclass(frozen=True)
class GasPoint:
    """State about which the program has the gas network above 4 bar gauge; NaN elsewhere.

    Attributes
    ----------
    pressure : ndarray (junction, time)
        [bar]
    flow : ndarray (pipe, time)
        [m3 h-1]
    initial, final : ndarray (junction,)
        Pressure before the first step; pressure that set-points alone make in the last one. [bar]
    starved : ndarray (junction, time)
        Demand that may be left out, at junctions of levels in steps in which no pressures carry all of it. [kW]
    reach : float
        What a pipe's drop may be wrong by because the program's flow differs from this one; infinite: by any amount.
        [bar]
    error : float
        Largest difference between this state and what the program before took it for. [bar]
    objective : float
        Of that program. [money]
    """

    pressure: np.ndarray
    flow: np.ndarray
    initial: np.ndarray
    final: np.ndarray
    starved: np.ndarray
    reach: float = np.inf
    error: float = np.inf
    objective: float = np.inf


@dataclass(frozen=True)
class Offsets:
    """What is added to each limit's linear value: AC minus linear, and room for errors of the forecast.

    Attributes
    ----------
    v_max, v_min : ndarray (bus, time)
        Of the squared voltage, for the upper and the lower limit. [1]
    s : ndarray (branch, time)
        Of the apparent power; branches are the case's lines, then its transformers. [kVA]
    forward, reverse : float or ndarray (branch, time)
        Room kept free of active power in each direction, beside `s`. [kW]
    gas : mapping of str to GasLimit
        Limits of the gas network that are stated: ``pressure`` of junctions (bar), ``flow_gate`` and ``flow_regulator``
        (kW).
    on : mapping of str to ndarray (element, time)
        Engines (``chp``) and upgrading (``upgrader``) that are held to run (1) or not (0); NaN: free.
    point : GasPoint or None
        State about which the gas network above 4 bar gauge is linear; None: at rest at the pressures that are held.
    """

    v_max: np.ndarray
    v_min: np.ndarray
    s: np.ndarray
    forward: float | np.ndarray = 0.0
    reverse: float | np.ndarray = 0.0
    gas: Mapping[str, GasLimit] = field(default_factory=dict)
    on: Mapping[str, np.ndarray] = field(default_factory=dict)
    point: GasPoint | None = None

    @classmethod
    def zero(cls, buses: int, branches: int, steps: int) -> Offsets:
        """No offsets: the linear limits as they stand."""
        return cls(np.zeros((buses, steps)), np.zeros((buses, steps)), np.zeros((branches, steps)))

    def tightened(self, other: Offsets) -> Offsets:
        """Take the tighter of both, limit by limit."""
        return Offsets(
            np.maximum(self.v_max, other.v_max), np.minimum(self.v_min, other.v_min), np.maximum(self.s, other.s)
        )

    def plus(self, other: Offsets) -> Offsets:
        """Add another shift, limit by limit."""
        forward, reverse = self.forward + other.forward, self.reverse + other.reverse
        v_max, v_min, s = self.v_max + other.v_max, self.v_min + other.v_min, self.s + other.s
        return replace(self, v_max=v_max, v_min=v_min, s=s, forward=forward, reverse=reverse)
