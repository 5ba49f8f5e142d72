"""Which components there are: the nine of the project, and those that a user adds with one file each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatch.model.components.battery import battery
from dispatch.model.components.bus import bus
from dispatch.model.components.line import line
from dispatch.model.components.load import load
from dispatch.model.components.meter import meter
from dispatch.model.components.peak import peak
from dispatch.model.components.pv import pv
from dispatch.model.components.source import source
from dispatch.model.components.transformer import transformer

if TYPE_CHECKING:
    from dispatch.model.component import Component


@dataclass(frozen=True)
class Registered:
    """A component by name.

    Attributes
    ----------
    name : str
        Also the key of its elements in `dispatch.model.inputs.Inputs`.
    function : callable
        ``function(b, p)``.
    network : bool
        Stated only where the network's rows are.
    """

    name: str
    function: Component
    network: bool = False


_PROSUMER = (load, pv, battery, meter, peak)
_NETWORK = (bus, source, line, transformer)
_own: dict[str, Registered] = {}


def components() -> dict[str, Registered]:
    """Every component by name: the prosumers', those added, then the network's."""
    first = {f.__name__: Registered(f.__name__, f) for f in _PROSUMER}
    return first | _own | {f.__name__: Registered(f.__name__, f, network=True) for f in _NETWORK}


def own_components() -> tuple[str, ...]:
    """Names of the components that a user added, in the order in which they were."""
    return tuple(_own)
