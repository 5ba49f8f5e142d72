"""What a case file holds, by its dims and the ids of its sources: a millisecond instead of the library's fifty."""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import netCDF4
import numpy as np

from dispatch.case.gas_alone import DAY_H, STAND_IN
from dispatch.case.netcdf.hdf5 import LAYOUT, LINK, LINK_INFO, SIGNATURE, Walk
from dispatch.case.netcdf.hdf5_heap import LINK_NAMES, NotPlainError

if TYPE_CHECKING:
    from pathlib import Path

DATASPACE = 1
UNDEFINED = 0xFFFFFFFFFFFFFFFF
SERIES = (("forecast",), ("profile",), ("history",))
HOUR = 3600.0


@dataclass(frozen=True)
class Glance:
    """What is seen of a case file without reading it.

    Attributes
    ----------
    sources : tuple of str
        Ids of its sources; that of the stand-in for a gas network alone; empty where it cannot be read.
    meters, buses : int
        How many there are.
    steps : int
        Steps of its series, ``/forecast`` before ``/profile``.
    """

    sources: tuple[str, ...] = ()
    meters: int = 0
    buses: int = 0
    steps: int = 0


def glance_at(path: Path) -> Glance:
    """Look at a case file.

    Parameters
    ----------
    path : Path
        A file that may be broken in any way.

    Returns
    -------
    Glance
        Empty where the file is no plain case: whoever reads it whole will say why.
    """
    try:
        with path.open("rb") as file:
            if file.read(8) != SIGNATURE:
                return Glance()
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _seen(_Names(data))
    except (OSError, ValueError, NotPlainError, struct.error, IndexError, OverflowError, RecursionError):
        return Glance()


def step_of(path: Path) -> float:
    """Length of a step of a case's series.

    Parameters
    ----------
    path : Path
        A file that may be broken in any way.

    Returns
    -------
    float
        [h]; a quarter where the file does not say.
    """
    try:
        with netCDF4.Dataset(path, "r") as file:
            for name in SERIES:
                if name[0] in file.groups and "time" in file.groups[name[0]].variables:
                    time = np.asarray(file.groups[name[0]].variables["time"][:2], float)
                    return float(time[1] - time[0]) / HOUR if len(time) == 2 and time[1] > time[0] else 1.0
    except Exception:  # noqa: BLE001  (the netCDF library reports damage by many classes)
        return 0.25
    return 0.25


class _Names(Walk):
    """Finds objects of a file by their names; nothing but those on the way is looked at."""

    def find(self, *names: str) -> int | None:
        """Address of an object, None where there is none."""
        (at,) = self.unpack("Q", 36)
        for name in names:
            found = self.members(at).get(name.encode())
            if found is None:
                return None
            at = found
        return at

    def members(self, at: int) -> dict[bytes, int]:
        """Names and addresses of what a group holds."""
        links = []
        for kind, _, start, _ in self.header(at):
            if kind == LINK:
                links.append(start)
            elif kind == LINK_INFO:
                _, flags = self.unpack("2B", start)
                heap, names = self.unpack("2Q", start + 2 + (8 if flags & 1 else 0))
                if heap != UNDEFINED:
                    links += [place for place, _ in self.dense(heap, names, LINK_NAMES)]
        return {self.name(start): self.link(start) for start in links}

    def name(self, at: int) -> bytes:
        """Name in a link message."""
        _, flags = self.unpack("2B", at)
        at += 2 + (1 if flags & 8 else 0) + (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
        width = 1 << (flags & 3)
        (length,) = self.unpack({1: "B", 2: "H", 4: "I", 8: "Q"}[width], at)
        return bytes(self.data[at + width : at + width + length])

    def shape(self, at: int | None) -> tuple[int, ...]:
        """Shape of a variable; empty where there is none."""
        for kind, _, start, _ in self.header(at) if at is not None else ():
            if kind == DATASPACE:
                version, rank = self.unpack("2B", start)
                return self.unpack(f"{min(rank, 32)}Q", start + (4 if version == 2 else 8))
        return ()

    def letters(self, at: int | None) -> bytes | None:
        """Bytes of a variable that stands in one piece; None where it does not."""
        for kind, _, start, _ in self.header(at) if at is not None else ():
            if kind == LAYOUT:
                version, layout = self.unpack("2B", start)
                if version in {3, 4} and layout == 1:
                    place, size = self.unpack("2Q", start + 2)
                    return None if place == UNDEFINED else bytes(self.data[place : place + size])
                return None
        return None


def _seen(file: _Names) -> Glance:
    def count(*names: str) -> int:
        return next(iter(file.shape(file.find(*names))), 0)

    sources = file.find("electric", "source", "source")
    shape, letters = file.shape(sources), file.letters(sources)
    names: tuple[str, ...] = tuple(f"#{k}" for k in range(shape[0])) if len(shape) == 2 else ()
    if letters is not None and len(shape) == 2 and shape[0] * shape[1] == len(letters) and shape[1]:
        given = np.frombuffer(letters, f"S{shape[1]}")
        names = tuple(n.decode(errors="replace") for n in given)
    steps = next((n for n in (count(*s, "time") for s in SERIES) if n), 0)
    meters, buses = count("prosumer", "meter", "meter"), count("electric", "bus", "bus")
    if not names and not buses and count("gas", "junction", "junction"):  # see `with_stand_in`
        return Glance((STAND_IN,), max(meters, 1), 1, steps or round(DAY_H))
    return Glance(names, meters, buses, steps)
