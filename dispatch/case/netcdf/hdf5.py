"""A look at the bones of an HDF5 file before the HDF5 library is let at it.

The library follows links into other files, reads raw data from any path that a file names, loads filter plug-ins, and
runs forever or aborts the process where groups contain each other. Nothing of that is needed here, so only files of
the plain form that netCDF4 writes are let through: object headers of version 2, hard links that form a tree, data
inside the file, and the built-in filters. Layout as in the HDF5 File Format Specification, version 3.0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dispatch.case.netcdf.hdf5_heap import ATTRIBUTE_NAMES, LINK_NAMES, MAX_OBJECTS, NotPlainError, Reader

if TYPE_CHECKING:
    import mmap

SIGNATURE = b"\x89HDF\r\n\x1a\n"
UNDEFINED = 0xFFFFFFFFFFFFFFFF
MAX_MESSAGES = 200000
FILTERS = {1, 2, 3}  # deflate, shuffle, fletcher32
LINK_INFO, LINK, LAYOUT, PIPELINE, ATTRIBUTE, CONTINUATION, ATTRIBUTE_INFO = 2, 6, 8, 11, 12, 16, 21
REFUSED = {
    7: "keeping its data in other files",
    17: "not written by netCDF4 (groups of an old form)",
}
VIRTUAL = 3
SHARED = 2


def check_plain(data: bytes | mmap.mmap) -> None:
    """Walk all objects of a file.

    Parameters
    ----------
    data : bytes-like
        The whole file, such as an `mmap.mmap`.

    Raises
    ------
    NotPlainError
        If something is not as netCDF4 writes it.
    """
    try:
        Walk(data).run()
    except (struct.error, IndexError, OverflowError) as error:
        raise NotPlainError("cut off or damaged") from error


@dataclass
class Walk(Reader):
    """Walks all objects of a file, each once."""

    seen: set[int] = field(default_factory=set)
    messages: int = 0
    datasets: set[int] = field(default_factory=set)
    dims: list[tuple[int, int, int]] = field(default_factory=list)

    def run(self) -> None:
        """Look at every object and every reference."""
        version, offsets, lengths = self.unpack("3B", 8)
        if self.data[:8] != SIGNATURE or version not in {2, 3} or (offsets, lengths) != (8, 8):
            raise NotPlainError("not written by netCDF4 (an old or odd superblock)")
        base, extension, end, root = self.unpack("4Q", 12)
        if base != 0 or extension != UNDEFINED:
            raise NotPlainError("not written by netCDF4 (an odd superblock)")
        if end > len(self.data):
            raise NotPlainError(f"cut off: {len(self.data)} of {end} bytes are there")
        waiting = [root]
        while waiting:
            at = waiting.pop()
            if at in self.seen:
                raise NotPlainError("linked in circles, or by two names for one thing")
            self.seen.add(at)
            if len(self.seen) > MAX_OBJECTS:
                raise NotPlainError("of too many objects")
            waiting += self.object(at)
        self.references()

    def object(self, at: int) -> list[int]:
        """Check one object; return the addresses of what it links to."""
        children: list[int] = []
        for kind, flags, start, size in self.header(at):
            if kind in REFUSED:
                raise NotPlainError(REFUSED[kind])
            if kind in {LINK_INFO, LINK, LAYOUT, PIPELINE, ATTRIBUTE_INFO} and flags & SHARED:
                raise NotPlainError("of shared messages")
            if kind == LINK:
                children.append(self.link(start))
            elif kind == LINK_INFO:
                children += self.dense_links(start)
            elif kind == LAYOUT:
                self.layout(start)
                self.datasets.add(at)
            elif kind == PIPELINE:
                self.filters(start, start + size)
            elif kind == ATTRIBUTE:
                self.attribute(start, start + size)
            elif kind == ATTRIBUTE_INFO:
                self.dense_attributes(start)
        return children

    def layout(self, at: int) -> None:
        """Refuse data that stands anywhere but in this file."""
        version, layout = self.unpack("2B", at)
        if version not in {3, 4} or layout >= VIRTUAL:
            raise NotPlainError("of virtual or unknown layout")

    def header(self, at: int) -> list[tuple[int, int, int, int]]:
        """Messages of an object header: type, flags, position, size."""
        self.expect(b"OHDR", at)
        version, flags = self.unpack("2B", at + 4)
        if version != 2:
            raise NotPlainError("damaged, or not written by netCDF4 (an odd object header)")
        start = at + 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        (size,) = self.unpack({1: "B", 2: "H", 4: "I", 8: "Q"}[width], start)
        blocks, found, tracked = [(start + width, size)], [], bool(flags & 4)
        while blocks:
            start, size = blocks.pop()
            if start + size > len(self.data):
                raise NotPlainError("cut off or damaged")
            stop = start + size - (6 if tracked else 4)
            while start <= stop:
                kind, length, marks = self.unpack("BHB", start)
                start += 6 if tracked else 4
                found.append((kind, marks, start, length))
                self.messages += 1
                if self.messages > MAX_MESSAGES:
                    raise NotPlainError("of too many parts")
                if kind == CONTINUATION:
                    place, extent = self.unpack("2Q", start)
                    self.expect(b"OCHK", place)
                    blocks.append((place + 4, extent - 8))
                start += length
        return found

    def link(self, at: int) -> int:
        """Address that a link message leads to; only hard links are plain."""
        version, flags = self.unpack("2B", at)
        at += 2
        if version != 1:
            raise NotPlainError("damaged, or not written by netCDF4 (an odd link)")
        kind = 0
        if flags & 8:
            (kind,) = self.unpack("B", at)
            at += 1
        if kind:
            what = {1: "a soft link", 64: "a link into another file"}.get(kind, "a link of unknown type")
            raise NotPlainError(f"containing {what}")
        at += (8 if flags & 4 else 0) + (1 if flags & 16 else 0)
        width = 1 << (flags & 3)
        (length,) = self.unpack({1: "B", 2: "H", 4: "I", 8: "Q"}[width], at)
        return self.unpack("Q", at + width + length)[0]

    def attribute(self, at: int, stop: int) -> None:
        """Note the dims of a variable: references kept where no checksum protects them."""
        version, _, name, kind, space = self.unpack("BBHHH", at)
        if version != 3:
            raise NotPlainError("damaged, or not written by netCDF4 (an odd attribute)")
        if self.data[at + 9 : at + 9 + name] != b"DIMENSION_LIST\0":
            return
        for place in range(at + 9 + name + kind + space, stop - 15, 16):
            length, low, high, index = self.unpack("IIII", place)
            self.dims.append((length, low | high << 32, index))

    def references(self) -> None:
        """Check that every dim of a variable is an object of this file; the library trusts it blindly."""
        heaps: dict[int, dict[int, tuple[int, int]]] = {}
        for length, at, index in self.dims:
            if at not in heaps:
                heaps[at] = self.collection(at)
            start, size = heaps[at].get(index, (0, 0))
            if length * 8 != size:
                raise NotPlainError("damaged (the dims of a variable)")
            if not set(self.unpack(f"{length}Q", start)) <= self.datasets:
                raise NotPlainError("damaged (the dims of a variable)")

    def collection(self, at: int) -> dict[int, tuple[int, int]]:
        """Objects of a global heap: position and size by index."""
        self.expect(b"GCOL", at)
        (extent,) = self.unpack("Q", at + 8)
        found: dict[int, tuple[int, int]] = {}
        place = at + 16
        while place + 16 <= at + extent:
            index, _, _, size = self.unpack("HHIQ", place)
            if index == 0:
                break
            if index in found or place + 16 + size > at + extent or len(found) > MAX_OBJECTS:
                raise NotPlainError("damaged (a heap of references)")
            found[index] = (place + 16, size)
            place += 16 + (size + 7) // 8 * 8
        return found

    def filters(self, at: int, stop: int) -> None:
        """Refuse data that is packed by anything but the built-in filters."""
        version, count = self.unpack("2B", at)
        at += 8 if version == 1 else 2
        for _ in range(count):
            (number,) = self.unpack("H", at)
            if number not in FILTERS or at >= stop:
                raise NotPlainError(f"packed by a filter that is not built in (number {number})")
            at += 2
            name = 0
            if version == 1:
                (name,) = self.unpack("H", at)
                at += 2
            _, values = self.unpack("2H", at)
            at += 4 + name + 4 * (values + (values % 2 if version == 1 else 0))

    def dense_links(self, at: int) -> list[int]:
        """Links of a group of more than a few members."""
        _, flags = self.unpack("2B", at)
        heap, names = self.unpack("2Q", at + 2 + (8 if flags & 1 else 0))
        return [] if heap == UNDEFINED else [self.link(place) for place, _ in self.dense(heap, names, LINK_NAMES)]

    def dense_attributes(self, at: int) -> None:
        """Attributes of an object that has more than a few."""
        _, flags = self.unpack("2B", at)
        heap, names = self.unpack("2Q", at + 2 + (2 if flags & 1 else 0))
        if heap != UNDEFINED:
            for place, size in self.dense(heap, names, ATTRIBUTE_NAMES):
                self.attribute(place, place + size)
