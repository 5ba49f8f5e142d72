"""Networks above feeders that are solved apart: tables ``[[network]]`` of the file ``shared.toml``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dispatch.case.attributes import attribute_table
from dispatch.case.netcdf import check_file, load_case
from dispatch.case.rules.findings import nearest
from dispatch.case.schema import columns
from dispatch.case.shared_limits import NAME, are_names, entry_problems, is_one_of, names_of
from dispatch.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NAMED = 3
"""So many ids are named in a message."""


@dataclass(frozen=True)
class SharedNetwork:
    """A network whose voltages and ratings the feeders below it keep together.

    Attributes
    ----------
    id : str
        Its name.
    case : Path
        File of the network.
    feeders : dict of str to tuple of str
        For each of its buses on which any hang: their names, or patterns of names.
    penalty : float
        What a kWh too much at a bus or through a branch costs. [money]
    """

    id: str
    case: Path
    feeders: dict[str, tuple[str, ...]]
    penalty: float = 10.0

    def holds(self, feeder: str) -> bool:
        """Whether a feeder, by its name in the utility, hangs on it."""
        return bool(self.buses_of(feeder))

    def buses_of(self, feeder: str) -> list[str]:
        """Ids of the buses on which a feeder hangs by what is given: one, or it is a mistake."""
        return [bus for bus, names in self.feeders.items() if is_one_of(feeder, names)]


def shared_network_of(entry: dict[str, Any], folder: Path) -> SharedNetwork:
    """Make a network of a table without mistakes."""
    default = attribute_table()["shared_network"].attributes["penalty"].default
    feeders = {bus: names_of(names) for bus, names in entry["feeders"].items()}
    return SharedNetwork(
        str(entry["id"]), folder / str(entry["case"]), feeders, float(entry.get("penalty", default))
    )  # fmt: skip


def network_problems(k: int, entry: dict[str, Any], folder: Path, files: Sequence[Path]) -> Iterator[Problem]:
    """Everything that is wrong with one table and with the network that it names.

    Parameters
    ----------
    k : int
        Its number, from 0.
    entry : dict
        The table.
    folder : Path
        From which its case is named.
    files : sequence of Path
        Case files of the utility.
    """
    own = yield from entry_problems("network", k, entry)
    feeders, case = entry.get("feeders"), entry.get("case")
    if not isinstance(feeders, dict) or not feeders or not all(map(are_names, feeders.values())):
        hint = 'Give a table [network.feeders] with lines such as "bus 7" = ["north*/*"].'
        yield Problem("shared-feeders", NAME, "feeders", own, 1, repr(feeders), "names or patterns by bus", hint)
        feeders = {}
    if not isinstance(case, str) or not case:
        hint = "Name the file of the network, as `dispatch import` wrote it."
        yield Problem("shared-case", NAME, "case", own, 1, repr(case), "a file", hint)
        return
    path = folder / case
    if not path.is_file():
        hint = "Paths count from the folder of shared.toml."
        yield Problem("shared-case", NAME, "case", own, 1, f"{case!r}: no such file", "a case file", hint)
        return
    if any(path.samefile(file) for file in files):
        hint = "Every case of the utility's folder is taken for feeders: put the network into a folder of its own."
        yield Problem("shared-case", NAME, "case", own, 1, f"{case!r}: one of the feeders", "another file", hint)
        return
    problems = [found for found in check_file(path) if not _of_prosumers(found)]
    yield from (replace(found, group=f"{case}{found.group}") for found in problems)
    if not problems:
        yield from _of_buses(path, list(feeders), own)


def _of_prosumers(found: Problem) -> bool:
    """Whether a case lacks only what a network without prosumers of its own needs not have."""
    return found.code == "no-series" or (found.code == "missing-group" and not found.group.startswith("/electric"))


def _of_buses(path: Path, named: Sequence[str], own: tuple[str, ...]) -> Iterator[Problem]:
    """Buses that the network does not have."""
    known = [i.decode() for i in columns(load_case(path), "bus")["id"].tolist()]
    for bus in named:
        if bus not in known:
            hint = f"{nearest(bus, known)} The network has {len(known)} buses.".lstrip()
            yield Problem("shared-bus", NAME, "feeders", own, 1, f"bus {bus!r}", f"buses of {path.name}", hint)


def hanging_problems(network: SharedNetwork, feeders: Sequence[str]) -> Iterator[Problem]:
    """Say which feeders hang on several buses of a network, and where none hangs.

    Parameters
    ----------
    network : SharedNetwork
    feeders : sequence of str
        Names of all feeders of the utility.
    """
    hung = {name: network.buses_of(name) for name in feeders}
    twice = [name for name, buses in hung.items() if len(buses) > 1]
    if twice:
        hint = f"By its name or a pattern {twice[0]} hangs on {', '.join(hung[twice[0]])}: leave one."
        more = tuple(twice[:NAMED])
        yield Problem("shared-twice", NAME, "feeders", more, len(twice), f"on several buses of {network.id}", hint=hint)
    # Of a file that cannot be read only its own name is known: it is told elsewhere, and the others go on.
    unread = [name for name in feeders if "/" not in name]
    own = {bus: [given.partition("/")[0] for given in names] for bus, names in network.feeders.items()}
    used = {bus for buses in hung.values() for bus in buses}
    used |= {bus for bus, names in own.items() if any(is_one_of(name, names) for name in unread)}
    empty = [bus for bus in network.feeders if bus not in used]
    if empty:
        hint = "Name feeders as CASE/SOURCE, or by a pattern such as 'north*'; `dispatch batch status` lists them."
        value = f"those of no feeder, at buses of {network.id}"
        yield Problem("shared-nobody", NAME, "feeders", tuple(empty[:NAMED]), len(empty), value, hint=hint)
