"""What feeders of a utility share, from the file ``shared.toml`` in its folder."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatch.case.shared_limits import NAME, SharedLimit, limit_of, limit_problems
from dispatch.case.shared_networks import SharedNetwork, hanging_problems, network_problems, shared_network_of
from dispatch.case.utility import case_files
from dispatch.errors import Problem, raise_if_any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["NAME", "Shared", "SharedLimit", "SharedNetwork", "read_shared", "shared_file"]


@dataclass(frozen=True)
class Shared:
    """What some feeders keep together.

    Attributes
    ----------
    limits : tuple of SharedLimit
        On what they take together; in the order of the file.
    networks : tuple of SharedNetwork
        Above them.
    """

    limits: tuple[SharedLimit, ...] = ()
    networks: tuple[SharedNetwork, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is shared."""
        return bool(self.limits or self.networks)

    def holds(self, feeder: str) -> bool:
        """Whether a feeder, by its name in the utility, shares anything."""
        held = (*(limit.holds(feeder) for limit in self.limits), *(above.holds(feeder) for above in self.networks))
        return any(held)

    def digest(self) -> str:
        """Hash of the files of the networks."""
        digests = [hashlib.sha256(network.case.read_bytes()).hexdigest() for network in self.networks]
        return hashlib.sha256("".join(digests).encode()).hexdigest() if digests else ""


def shared_file(utility: Path | str) -> Path:
    """Where stands what is shared in a utility: in its folder, or beside its only case file."""
    path = Path(utility)
    return (path if path.is_dir() else path.parent) / NAME


def read_shared(utility: Path | str, feeders: Sequence[str] | None = None) -> Shared:
    """Read what feeders of a utility share.

    Parameters
    ----------
    utility : Path or str
        Folder of cases, or one case file.
    feeders : sequence of str, optional
        Names of all feeders; with them a limit that no feeder shares is a problem, too.

    Returns
    -------
    Shared
        Nothing where there is no such file.

    Raises
    ------
    InputError
        With everything that is wrong with the file, and with the networks that it names.
    """
    path = shared_file(utility)
    if not path.exists():
        return Shared()
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise_if_any([Problem("shared-syntax", NAME, value=str(error), hint="Correct the TOML text.")], str(path))
    files = case_files(utility)
    problems = list(_of_tables(found))
    limits, networks = ([e for e in _tables(found, what) if isinstance(e, dict)] for what in ("limit", "network"))
    for k, entry in enumerate(limits):
        problems += limit_problems(k, entry)
    for k, entry in enumerate(networks):
        problems += network_problems(k, entry, path.parent, files)
    raise_if_any(problems, str(path))
    shared = Shared(
        tuple(limit_of(e) for e in limits), tuple(shared_network_of(e, path.parent) for e in networks)
    )  # fmt: skip
    if feeders is not None:
        raise_if_any(_of_feeders(shared, feeders), str(path))
    return shared


def _tables(found: dict[str, Any], what: str) -> list[Any]:
    """Tables of one kind; none where they are written in another form."""
    entries = found.get(what, [])
    return entries if isinstance(entries, list) and all(isinstance(e, dict) for e in entries) else []


def _of_tables(found: dict[str, Any]) -> Iterator[Problem]:
    """Mistakes of the file as a whole: its tables, and names that are given twice."""
    hint = "Write each limit as a table [[limit]], each network above feeders as [[network]]."
    for name, entries in found.items():
        if name not in {"limit", "network"}:
            yield Problem("shared-unknown", NAME, name, value="not known", allowed="limit, network", hint=hint)
        elif entries and not _tables(found, name):
            yield Problem("shared-form", NAME, name, value="not a list of tables", hint=hint)
    names = [str(e["id"]) for what in ("limit", "network") for e in _tables(found, what) if "id" in e]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        hint = "Give each limit a name of its own."
        yield Problem("shared-twice", NAME, "id", tuple(twice[:3]), len(twice), "not unique", hint=hint)


def _of_feeders(shared: Shared, feeders: Sequence[str]) -> Iterator[Problem]:
    """Limits that no feeder shares, and feeders that hang nowhere or twice."""
    alone = [limit.id for limit in shared.limits if not any(map(limit.holds, feeders))]
    if alone:
        hint = "Name feeders as CASE/SOURCE, or by a pattern such as 'north*'; `dispatch batch status` lists them."
        yield Problem("shared-nobody", NAME, "feeders", tuple(alone[:3]), len(alone), "those of no feeder", hint=hint)
    for network in shared.networks:
        yield from hanging_problems(network, feeders)
