"""Which components there are: those of the project, and those that a user adds with one file each."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from dispatch.case.attributes import add_sections, remove_kind
from dispatch.case.own_sections import parse_sections
from dispatch.errors import InputError, ModelError, Problem
from dispatch.model.components.account import account
from dispatch.model.components.battery import battery
from dispatch.model.components.booster import booster
from dispatch.model.components.bus import bus
from dispatch.model.components.car import car
from dispatch.model.components.chp import chp
from dispatch.model.components.compressor import compressor
from dispatch.model.components.deposit import deposit
from dispatch.model.components.gas_limit import gas_limit
from dispatch.model.components.gas_limit_compressor import gas_limit_compressor
from dispatch.model.components.gas_limit_gate import gas_limit_gate
from dispatch.model.components.gas_limit_injection import gas_limit_injection
from dispatch.model.components.gas_limit_linepack import gas_limit_linepack
from dispatch.model.components.gas_limit_regulator import gas_limit_regulator
from dispatch.model.components.gate import gate
from dispatch.model.components.junction import junction
from dispatch.model.components.level import level
from dispatch.model.components.line import line
from dispatch.model.components.load import load
from dispatch.model.components.meter import meter
from dispatch.model.components.peak import peak
from dispatch.model.components.pipe import pipe
from dispatch.model.components.plant import plant
from dispatch.model.components.pressure_limit import pressure_limit
from dispatch.model.components.pv import pv
from dispatch.model.components.regulator import regulator
from dispatch.model.components.set_point import set_point
from dispatch.model.components.source import source
from dispatch.model.components.substrate import substrate
from dispatch.model.components.tank import tank
from dispatch.model.components.transformer import transformer
from dispatch.model.components.undelivered import undelivered
from dispatch.model.components.upgrader import upgrader
from dispatch.model.components.zone import zone

if TYPE_CHECKING:
    from collections.abc import Iterable

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


STORES = ("battery", "car", "tank")
"""Components of the kinds of store; each has `p_charge`, `state_of_charge`, `shortfall` and the row `balance`."""
DISCHARGING = ("battery", "car")
"""Those that have `p_discharge` too."""

PLANT = ("substrate", "plant", "chp", "upgrader", "zone", "gate", "regulator", "compressor", "booster")
"""Components of biogas plants and of the gas network."""

_PROSUMER = (load, pv, battery, car, tank, meter, peak)
_PLANT = (substrate, plant, chp, upgrader, zone, gate, regulator, compressor, booster)
_ACCOUNT = (account, deposit)
_LEVEL = (junction, pipe, pressure_limit, set_point, level, undelivered)
_LIMIT = (
    gas_limit,
    gas_limit_injection,
    gas_limit_linepack,
    gas_limit_regulator,
    gas_limit_compressor,
    gas_limit_gate,
)
_NETWORK = (bus, source, line, transformer)
_FIRST = {f.__name__: Registered(f.__name__, f) for f in (*_PROSUMER, *_PLANT, *_ACCOUNT, *_LIMIT, *_LEVEL)}
_LAST = {f.__name__: Registered(f.__name__, f, network=True) for f in _NETWORK}
_own: dict[str, Registered] = {}
_files: dict[Path, tuple[str, bytes]] = {}  # component and content of each file that was loaded


def components() -> dict[str, Registered]:
    """Every component by name: the prosumers', those added, then the network's."""
    return _FIRST | _own | _LAST


def own_components() -> tuple[str, ...]:
    """Names of the components that a user added, in the order in which they were."""
    return tuple(_own)


def register(function: Component, table: str, *, source: str = "") -> str:
    """Add a component for this process; its kind then works everywhere.

    Parameters
    ----------
    function : callable
        ``function(b, p)``, see `dispatch.model.component.Block`; it bears the name of its kind.
    table : str
        TOML section of the attribute table for the kind; its numbers are the parameters, its parents the nodes.
    source : str
        Where it stands, for messages.

    Returns
    -------
    str
        Name of the kind.

    Raises
    ------
    InputError
        If the table section has problems.
    ModelError
        If the function does not bear the kind's name.
    """
    kind, sections = parse_sections(table, source or f"table of {function.__name__}")
    if function.__name__ != kind:
        raise ModelError(f"The table section is called {kind}, the component {function.__name__}. Give both one name.")
    add_sections(sections)
    _own[kind] = Registered(kind, function)
    return kind


def unregister(kind: str) -> None:
    """Take out a component that was added."""
    _own.pop(kind, None)
    remove_kind(kind)
    for path in [path for path, (name, _) in _files.items() if name == kind]:
        del _files[path]


def load_components(files: Iterable[str | Path]) -> tuple[str, ...]:
    """Add the components of Python files; a file that is already loaded and has not changed is left as it is.

    This runs the files, so name only files that you trust. Every process needs it: call it at the start of a worker.

    Parameters
    ----------
    files : iterable of path
        Each defines ``TABLE`` (TOML text) and a function that bears the name of its section.

    Returns
    -------
    tuple of str
        Names of the kinds.

    Raises
    ------
    InputError
        If a file cannot be found, or its table has problems.
    ModelError
        If a file lacks the table or the function.
    """
    return tuple(_load(Path(file).resolve()) for file in files)


def _execute(path: Path, content: bytes, module: ModuleType) -> None:
    """Run the user's file; what it raises is told with its line."""
    try:
        exec(compile(content, str(path), "exec"), module.__dict__)  # noqa: S102  (the user names the file to be run)
    except Exception as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or [None])[-1]
        value = f"not a component: {type(error).__name__} in line {line}: {error}"
        hint = "Correct the file; it is Python and is run as it stands."
        raise InputError([Problem("component-file", str(path), value=value, hint=hint)]) from error


def _load(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        hint = "Name a Python file with TABLE and a component."
        raise InputError(
            [Problem("component-file", str(path), value=f"not readable ({error.strerror})", hint=hint)]
        ) from error
    if path in _files:
        name, known = _files[path]
        if known == content:
            return name
        unregister(name)
    module = ModuleType(f"own_component_{path.stem}")
    module.__file__ = str(path)
    _execute(path, content, module)
    table = getattr(module, "TABLE", None)
    if not isinstance(table, str):
        raise ModelError(f"{path.name} has no TABLE. Give it the kind's section of the attribute table as TOML text.")
    name, _ = parse_sections(table, path.name)
    function = getattr(module, name, None)
    if not callable(function):
        raise ModelError(f"{path.name} has no function {name}(b, p). Name the component as its table section.")
    register(function, table, source=path.name)
    _files[path] = (name, content)
    return name
