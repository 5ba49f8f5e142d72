"""Sparse matrices on their way to a solver, as plain arrays: some of their columns, and how large their entries are.

A matrix is given as ``start``, ``number`` and ``value``: the entries of its k-th line (column or row, whichever it is
stored by) are those from ``start[k]`` to ``start[k + 1]``, ``number`` says of each in which row or column it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernels._jit import bare_kernel

if TYPE_CHECKING:
    import numpy as np


@bare_kernel
def keep_lines(
    start: np.ndarray,
    number: np.ndarray,
    value: np.ndarray,
    place: np.ndarray,
    kept_start: np.ndarray,
    kept_number: np.ndarray,
    kept_value: np.ndarray,
) -> int:
    """Keep some lines, the numbers in each ascending.

    Parameters
    ----------
    start, number, value : ndarray
        The matrix.
    place : ndarray (line,) of int
        Negative where a line is left out; else the lines are kept in their order.
    kept_start, kept_number, kept_value : ndarray
        Written.

    Returns
    -------
    int
        How many entries are kept.
    """
    lines, entries = 0, 0
    kept_start[0] = 0
    for line in range(len(place)):
        if place[line] < 0:
            continue
        first = entries
        for k in range(start[line], start[line + 1]):
            at = entries
            while at > first and kept_number[at - 1] > number[k]:
                kept_number[at], kept_value[at] = kept_number[at - 1], kept_value[at - 1]
                at -= 1
            kept_number[at], kept_value[at] = number[k], value[k]
            entries += 1
        lines += 1
        kept_start[lines] = entries
    return entries


@bare_kernel
def keep_numbers(
    start: np.ndarray,
    number: np.ndarray,
    value: np.ndarray,
    place: np.ndarray,
    kept_start: np.ndarray,
    kept_number: np.ndarray,
    kept_value: np.ndarray,
) -> int:
    """Keep the entries with some numbers in all lines.

    Parameters
    ----------
    start, number, value : ndarray
        The matrix.
    place : ndarray (number,) of int
        New number of each; negative where its entries are left out.
    kept_start, kept_number, kept_value : ndarray
        Written.

    Returns
    -------
    int
        How many entries are kept.
    """
    entries = 0
    kept_start[0] = 0
    for line in range(len(start) - 1):
        for k in range(start[line], start[line + 1]):
            if place[number[k]] >= 0:
                kept_number[entries], kept_value[entries] = place[number[k]], value[k]
                entries += 1
        kept_start[line + 1] = entries
    return entries


@bare_kernel
def extremes_of_lines(start: np.ndarray, value: np.ndarray, largest: np.ndarray, smallest: np.ndarray) -> None:
    """Find the largest and smallest magnitude of each line; 0 where it has no entry."""
    for line in range(len(start) - 1):
        most, least = 0.0, 0.0
        for k in range(start[line], start[line + 1]):
            size = abs(value[k])
            most = size if k == start[line] else max(most, size)
            least = size if k == start[line] else min(least, size)
        largest[line], smallest[line] = most, least


@bare_kernel
def extremes_of_numbers(number: np.ndarray, value: np.ndarray, largest: np.ndarray, smallest: np.ndarray) -> None:
    """Find the largest and smallest magnitude of the entries with each number; 0 where there is none."""
    for n in range(len(largest)):
        largest[n], smallest[n] = -1.0, 0.0
    for k in range(len(number)):
        n, size = number[k], abs(value[k])
        smallest[n] = size if largest[n] < 0.0 else min(smallest[n], size)
        largest[n] = max(largest[n], size)
    for n in range(len(largest)):
        largest[n] = max(largest[n], 0.0)


@bare_kernel
def scale_lines(
    start: np.ndarray, number: np.ndarray, value: np.ndarray, of_line: np.ndarray, of_number: np.ndarray
) -> None:
    """Multiply each entry by a factor of its line and one of its number, in place."""
    for line in range(len(start) - 1):
        for k in range(start[line], start[line + 1]):
            value[k] *= of_line[line] * of_number[number[k]]


@bare_kernel
def connect(start: np.ndarray, number: np.ndarray, first: int, above: np.ndarray, label: np.ndarray) -> int:
    """Find what is connected where each line of a matrix is joined to the numbers of its entries.

    Sets are trees whose roots are their first members, and paths to a root are halved on the way [1]_.

    Parameters
    ----------
    start, number : ndarray
        Lines and numbers of a matrix.
    first : int
        Lines have the numbers from 0 on, a number of an entry counts from here.
    above : ndarray (member,) of int
        Scratch: lines and numbers together.
    label : ndarray (member,) of int
        Written: number of each one's set, in the order of their first members.

    Returns
    -------
    int
        How many sets there are.

    References
    ----------
    .. [1] R. E. Tarjan, J. van Leeuwen, *Worst-case analysis of set union algorithms*, 1984, :doi:`10.1145/62.2160`.
    """
    for n in range(len(above)):
        above[n] = n
    for line in range(len(start) - 1):
        for k in range(start[line], start[line + 1]):
            one, other = line, first + number[k]
            while above[one] != one:
                above[one] = above[above[one]]
                one = above[one]
            while above[other] != other:
                above[other] = above[above[other]]
                other = above[other]
            above[max(one, other)] = min(one, other)
    sets = 0
    for n in range(len(above)):
        if above[n] == n:
            label[n] = sets
            sets += 1
        else:
            label[n] = label[above[n]]
    return sets
