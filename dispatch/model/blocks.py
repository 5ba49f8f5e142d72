"""Coefficients over elements x steps, and the sparse matrix that they make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kernels.scatter import count_block, fill_block, merge_entries

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Block:
    """Coefficients ``values[element, step]`` at ``minor_of[element] + minor_step[step]`` of the major line alike.

    The matrix is stored by its major lines (columns of a CSC, rows of a CSR matrix).

    Attributes
    ----------
    minor_of, minor_step, major_of, major_step : ndarray of int64
        Of the lengths of `values`, or of what `values` is repeated for.
    values : ndarray (element or 1, step or 1)
        Coefficients.
    """

    minor_of: np.ndarray
    minor_step: np.ndarray
    major_of: np.ndarray
    major_step: np.ndarray
    values: np.ndarray

    @property
    def size(self) -> int:
        """How many entries it has, zeros included."""
        return len(self.major_of) * len(self.major_step)


def compressed(blocks: Sequence[Block], majors: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make data, indices and index pointers of a compressed sparse matrix.

    Entries at the same place are added up. This is the one place where exact zeros are left out: a parameter that is
    zero states nothing, and HiGHS counts what it is given.

    Parameters
    ----------
    blocks : sequence of Block
        Fastest where the minor numbers of a major line ascend from block to block.
    majors : int
        Number of major lines.

    Returns
    -------
    data : ndarray (entry,)
    indices : ndarray (entry,) of int32 (int64 beyond 2**31 entries)
        Ascending in each major line.
    start : ndarray (majors + 1,) of the same dtype
    """
    integer = np.int32 if max(sum(b.size for b in blocks), majors) < np.iinfo(np.int32).max else np.int64
    start = np.zeros(majors + 1, integer)
    for block in blocks:
        count_block(start, block.major_of, block.major_step, block.values)
    np.cumsum(start, out=start)
    indices, data = np.empty(start[-1], integer), np.empty(start[-1])
    following = start[:-1].copy()
    for block in blocks:
        fill_block(
            following, indices, data, block.minor_of, block.minor_step, block.major_of, block.major_step, block.values
        )
    entries = merge_entries(start, indices, data)
    return data[:entries], indices[:entries], start


def repeated(values: np.ndarray) -> np.ndarray:
    """Bring an array into the form that the kernels want: two dims of float64, contiguous, writeable."""
    return np.require(values, np.float64, ["C", "W"])
