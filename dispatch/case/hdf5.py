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

if TYPE_CHECKING:
    import mmap

SIGNATURE = b"\x89HDF\r\n\x1a\n"
UNDEFINED = 0xFFFFFFFFFFFFFFFF
MAX_OBJECTS = 20000
MAX_MESSAGES = 200000
FILTERS = {1, 2, 3}  # deflate, shuffle, fletcher32
LINK_INFO, LINK, EXTERNAL_FILES, LAYOUT, PIPELINE, CONTINUATION, SYMBOL_TABLE = 2, 6, 7, 8, 11, 16, 17
VIRTUAL = 3
SHARED = 2


class NotPlainError(Exception):
    """The file is not of the plain form; the text says in what way."""


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
        _Walk(data).run()
    except (struct.error, IndexError, OverflowError) as error:
        raise NotPlainError("cut off or damaged") from error


@dataclass
class _Walk:
    data: bytes | mmap.mmap
    seen: set[int] = field(default_factory=set)
    messages: int = 0

    def unpack(self, form: str, at: int) -> tuple[int, ...]:
        if at < 0:
            raise NotPlainError("damaged")
        return tuple(struct.unpack_from("<" + form, self.data, at))

    def expect(self, signature: bytes, at: int) -> None:
        if self.data[at : at + 4] != signature:
            raise NotPlainError(f"damaged, or not written by netCDF4 (no {signature.decode()} where one should be)")

    def run(self) -> None:
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

    def object(self, at: int) -> list[int]:
        """Check one object; return the addresses of what it links to."""
        children: list[int] = []
        for kind, flags, start, size in self.header(at):
            if kind in {LINK_INFO, LINK, LAYOUT, PIPELINE} and flags & SHARED:
                raise NotPlainError("of shared messages")
            if kind == LINK:
                children.append(self.link(start))
            elif kind == LINK_INFO:
                children += self.dense_links(start)
            elif kind == EXTERNAL_FILES:
                raise NotPlainError("keeping its data in other files")
            elif kind == SYMBOL_TABLE:
                raise NotPlainError("not written by netCDF4 (groups of an old form)")
            elif kind == LAYOUT:
                version, layout = self.unpack("2B", start)
                if version not in {3, 4} or layout >= VIRTUAL:
                    raise NotPlainError("of virtual or unknown layout")
            elif kind == PIPELINE:
                self.filters(start, start + size)
        return children

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

    def filters(self, at: int, stop: int) -> None:
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
        """Links of a group of more than a few members: in a heap, found by a B-tree of names."""
        _, flags = self.unpack("2B", at)
        heap, names = self.unpack("2Q", at + 2 + (8 if flags & 1 else 0))
        if heap == UNDEFINED:
            return []
        locate = self.heap(heap)
        return [self.link(locate(record)) for record in self.records(names)]

    def records(self, at: int) -> list[int]:
        """Heap offsets in the records of a B-tree of link names."""
        self.expect(b"BTHD", at)
        kind = self.unpack("B", at + 5)[0]
        node, size, depth = self.unpack("IHH", at + 6)
        root, count, total = self.unpack("QHQ", at + 16)
        if kind != 5 or size != 11 or depth > 1 or total > MAX_OBJECTS:
            raise NotPlainError("of too many variables in one group, or damaged")
        if not total:
            return []
        if depth == 0:
            return self.offsets(b"BTLF", root, count)
        most = (node - 10) // size
        width = 8 + (most.bit_length() + 7) // 8
        pointers = root + 6 + size * count
        found = self.offsets(b"BTIN", root, count)
        for k in range(count + 1):
            (child,) = self.unpack("Q", pointers + k * width)
            own = int.from_bytes(self.data[pointers + k * width + 8 : pointers + (k + 1) * width], "little")
            found += self.offsets(b"BTLF", child, min(own, most))
        return found

    def offsets(self, signature: bytes, at: int, count: int) -> list[int]:
        self.expect(signature, at)
        found = []
        for k in range(count):
            mark, offset = self.unpack("BI", at + 6 + 11 * k + 4)
            if mark:
                raise NotPlainError("damaged, or of names that are too long")
            found.append(offset)
        return found

    def heap(self, at: int) -> _Locate:
        """Where the objects of a fractal heap lie."""
        self.expect(b"FRHP", at)
        identity, filtered = self.unpack("HH", at + 5)
        width, start, most, bits, _, root, rows = self.unpack("HQQHHQH", at + 110)
        if (identity, filtered, bits) != (7, 0, 32) or not width or not start or rows > 64:
            raise NotPlainError("damaged, or not written by netCDF4 (an odd heap)")
        if rows:
            self.expect(b"FHIB", root)
            largest = start * (1 << max(rows - 2, 0))
            if largest > most:
                raise NotPlainError("of too many variables in one group")
        return _Locate(self, root, width, start, rows)


@dataclass
class _Locate:
    """Position in the file of an offset in a heap of one direct block, or of rows of doubling size."""

    walk: _Walk
    root: int
    width: int
    start: int
    rows: int

    def __call__(self, offset: int) -> int:
        if not self.rows:
            return self.root + offset
        row, size, before = 0, self.start, 0
        while offset >= before + self.width * size:
            before += self.width * size
            size = self.start << max(row, 0)
            row += 1
        if row >= self.rows:
            raise NotPlainError("damaged")
        column = (offset - before) // size
        (block,) = self.walk.unpack("Q", self.root + 17 + 8 * (row * self.width + column))
        return block + offset - before - column * size
