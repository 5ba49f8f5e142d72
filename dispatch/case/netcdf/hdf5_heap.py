"""Heaps and B-trees of an HDF5 file, as far as links and attributes of netCDF4 need them."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mmap

MAX_OBJECTS = 20000


class NotPlainError(Exception):
    """The file is not of the plain form; the text says in what way."""


@dataclass(frozen=True)
class Index:
    """One kind of B-tree record: type number, size, place and width of the heap id, bytes of an offset in it."""

    kind: int
    size: int
    at: int
    width: int
    offset: int


LINK_NAMES = Index(5, 11, 4, 7, 4)
ATTRIBUTE_NAMES = Index(8, 17, 0, 8, 5)
LONG, LONG_SIZE = 1, 24
"""B-tree record of an object too long for a block of the heap: where it lies, its size, its key."""
IN_BLOCK, APART = 0x00, 0x10
"""First byte of the heap id of an object in a block, and of one too long for that."""


@dataclass
class Reader:
    """Numbers of a file at a place, and what is stored apart from object headers."""

    data: bytes | mmap.mmap

    def unpack(self, form: str, at: int) -> tuple[int, ...]:
        """Little-endian numbers at a place."""
        if at < 0:
            raise NotPlainError("damaged")
        return tuple(struct.unpack_from("<" + form, self.data, at))

    def expect(self, signature: bytes, at: int) -> None:
        """Refuse if a structure does not begin as it should."""
        if self.data[at : at + 4] != signature:
            raise NotPlainError(f"damaged, or not written by netCDF4 (no {signature.decode()} where one should be)")

    def dense(self, heap: int, names: int, index: Index) -> list[tuple[int, int]]:
        """Position and size of each object of a heap that a B-tree lists."""
        locate, long, found = self._heap(heap, index), None, []
        for place in self._records(names, index.kind, index.size):
            start = place + index.at
            (mark,) = self.unpack("B", start)
            if mark == IN_BLOCK:
                stop = start + 1 + index.offset
                offset, size = self._number(start + 1, stop), self._number(stop, start + index.width)
                found.append((locate(offset), size))
                continue
            long = self._long(heap) if long is None else long
            key = self._number(start + 1, start + index.width)
            if mark != APART or key not in long:
                raise NotPlainError("damaged")
            found.append(long[key])
        return found

    def _number(self, start: int, stop: int) -> int:
        return int.from_bytes(self.data[start:stop], "little")

    def _long(self, heap: int) -> dict[int, tuple[int, int]]:
        """Position and size of each object that is too long for a block of a heap, by its key."""
        found = {}
        for place in self._records(self.unpack("Q", heap + 22)[0], LONG, LONG_SIZE):
            start, size, key = self.unpack("3Q", place)
            if start + size > len(self.data):
                raise NotPlainError("cut off or damaged")
            found[key] = (start, size)
        return found

    def _records(self, at: int, expected: int, width: int) -> list[int]:
        """Positions of the records of a B-tree of one kind and width."""
        self.expect(b"BTHD", at)
        kind = self.unpack("B", at + 5)[0]
        node, size, depth = self.unpack("IHH", at + 6)
        root, count, total = self.unpack("QHQ", at + 16)
        if (kind, size) != (expected, width) or depth > 1 or total > MAX_OBJECTS:
            raise NotPlainError("of too many variables in one group, or damaged")
        if not total:
            return []
        if depth == 0:
            return self._places(b"BTLF", root, count, size)
        most = (node - 10) // size
        step = 8 + (most.bit_length() + 7) // 8
        pointers = root + 6 + size * count
        found = self._places(b"BTIN", root, count, size)
        for k in range(count + 1):
            (child,) = self.unpack("Q", pointers + k * step)
            own = self._number(pointers + k * step + 8, pointers + (k + 1) * step)
            found += self._places(b"BTLF", child, min(own, most), size)
        return found

    def _places(self, signature: bytes, at: int, count: int, size: int) -> list[int]:
        self.expect(signature, at)
        return [at + 6 + size * k for k in range(count)]

    def _heap(self, at: int, index: Index) -> _Locate:
        """Where the objects of a fractal heap lie."""
        self.expect(b"FRHP", at)
        identity, filtered = self.unpack("HH", at + 5)
        width, start, most, bits, _, root, rows = self.unpack("HQQHHQH", at + 110)
        if (identity, filtered, bits) != (index.width, 0, 8 * index.offset) or not width or not start or rows > 64:
            raise NotPlainError("damaged, or not written by netCDF4 (an odd heap)")
        if rows:
            self.expect(b"FHIB", root)
            largest = start * (1 << max(rows - 2, 0))
            if largest > most:
                raise NotPlainError("of too many members in one group")
        return _Locate(self, root, width, start, rows, index.offset)


@dataclass
class _Locate:
    """Position in the file of an offset in a heap of one direct block, or of rows of doubling size."""

    walk: Reader
    root: int
    width: int
    start: int
    rows: int
    offset: int

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
        (block,) = self.walk.unpack("Q", self.root + 13 + self.offset + 8 * (row * self.width + column))
        return block + offset - before - column * size
