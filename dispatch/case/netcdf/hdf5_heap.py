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
        locate = self._heap(heap, index)
        return [(locate(offset), size) for offset, size in self._records(names, index)]

    def _records(self, at: int, index: Index) -> list[tuple[int, int]]:
        """Heap offsets and sizes in the records of a B-tree."""
        self.expect(b"BTHD", at)
        kind = self.unpack("B", at + 5)[0]
        node, size, depth = self.unpack("IHH", at + 6)
        root, count, total = self.unpack("QHQ", at + 16)
        if (kind, size) != (index.kind, index.size) or depth > 1 or total > MAX_OBJECTS:
            raise NotPlainError("of too many variables in one group, or damaged")
        if not total:
            return []
        if depth == 0:
            return self._ids(b"BTLF", root, count, index)
        most = (node - 10) // size
        width = 8 + (most.bit_length() + 7) // 8
        pointers = root + 6 + size * count
        found = self._ids(b"BTIN", root, count, index)
        for k in range(count + 1):
            (child,) = self.unpack("Q", pointers + k * width)
            own = int.from_bytes(self.data[pointers + k * width + 8 : pointers + (k + 1) * width], "little")
            found += self._ids(b"BTLF", child, min(own, most), index)
        return found

    def _ids(self, signature: bytes, at: int, count: int, index: Index) -> list[tuple[int, int]]:
        self.expect(signature, at)
        found = []
        for k in range(count):
            place = at + 6 + index.size * k + index.at
            (mark,) = self.unpack("B", place)
            start = place + 1 + index.offset
            offset = int.from_bytes(self.data[place + 1 : start], "little")
            size = int.from_bytes(self.data[start : place + index.width], "little")
            if mark:
                raise NotPlainError("damaged, or of names or attributes that are too long")
            found.append((offset, size))
        return found

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
