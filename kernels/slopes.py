"""A convex piecewise-linear function as its segments sorted by slope, cut from both ends.

The segments lie in flat arrays from `window[0]` to `window[1]`, with room on both sides: a new one moves only those
between its place and the nearer end. Each bears the number of the piece it came from; whatever is cut off at the left
counts as *filled* there, because every later argument lies to the right of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernels._jit import bare_kernel

if TYPE_CHECKING:
    import numpy as np

SLOTS = 24  # piece numbers for each step
MOST_UNIT = 1e150  # beyond it, what is decided so much later changes nothing now
SLIVER = 1e-14  # shortest segment, relative to the range: below, it is only rounding


class Segments(NamedTuple):
    """Segments of one function.

    Attributes
    ----------
    slope, length : ndarray (room,)
        Ascending slopes [money/kWh] and how far each goes [kWh].
    piece : ndarray (room,) of int
        Where it came from.
    window : ndarray (2,) of int
        The first segment, and one after the last.
    filled : ndarray (piece,)
        How much of each piece was cut off at the left. [kWh of its own step]
    unit : ndarray (step,)
        What one kWh of each step measures along the argument; piece `p` is of step ``p // SLOTS``.
    """

    slope: np.ndarray
    length: np.ndarray
    piece: np.ndarray
    window: np.ndarray
    filled: np.ndarray
    unit: np.ndarray


@bare_kernel
def insert(segments: Segments, slope: float, length: float, piece: int) -> None:
    """Put a segment in its place; what lies between the place and the nearer end moves by one."""
    slopes, lengths, pieces = segments.slope, segments.length, segments.piece
    first, stop = segments.window[0], segments.window[1]
    if first < stop and slope < slopes[(first + stop) // 2]:
        at = first - 1
        while slopes[at + 1] < slope:
            slopes[at], lengths[at], pieces[at] = slopes[at + 1], lengths[at + 1], pieces[at + 1]
            at += 1
        segments.window[0] = first - 1
    else:
        at = stop
        while at > first and slopes[at - 1] > slope:
            slopes[at], lengths[at], pieces[at] = slopes[at - 1], lengths[at - 1], pieces[at - 1]
            at -= 1
        segments.window[1] = stop + 1
    slopes[at], lengths[at], pieces[at] = slope, length, piece


@bare_kernel
def cut_left(segments: Segments, amount: float, sliver: float) -> float:
    """Cut `amount` off at the left and count it as filled.

    Returns
    -------
    float
        Slope just left of the new end; minus infinity where nothing was cut.
    """
    first, stop = segments.window[0], segments.window[1]
    last = -float("inf")
    while first < stop and amount > 0.0:
        last = segments.slope[first]
        length, piece = segments.length[first], segments.piece[first]
        if length > amount + sliver:
            segments.filled[piece] += amount / segments.unit[piece // SLOTS]
            segments.length[first] = length - amount
            break
        segments.filled[piece] += length / segments.unit[piece // SLOTS]
        amount -= length
        first += 1
    segments.window[0] = first
    return last


@bare_kernel
def cut_right(segments: Segments, amount: float, sliver: float) -> float:
    """Cut `amount` off at the right.

    Returns
    -------
    float
        Slope just right of the new end; infinity where nothing was cut.
    """
    first, stop = segments.window[0], segments.window[1]
    last = float("inf")
    while first < stop and amount > 0.0:
        last = segments.slope[stop - 1]
        length = segments.length[stop - 1]
        if length > amount + sliver:
            segments.length[stop - 1] = length - amount
            break
        amount -= length
        stop -= 1
    segments.window[1] = stop
    return last


@bare_kernel
def steepen_left(segments: Segments, amount: float, slope: float, sliver: float) -> tuple[float, float]:
    """Add `slope` to the first `amount` of the function, splitting the segment in which it ends.

    Returns
    -------
    float, float
        Slopes left and right of that place before; infinite at an end of the function.
    """
    left, right = -float("inf"), float("inf")
    first, stop = segments.window[0], segments.window[1]
    for at in range(first, stop):
        length = segments.length[at]
        if amount <= sliver:
            right = segments.slope[at]
            break
        left = segments.slope[at]
        if length > amount + sliver:
            right = left
            segments.length[at] = length - amount
            insert(segments, left + slope, amount, segments.piece[at])
            break
        segments.slope[at] = left + slope
        amount -= length
    return left, right


@bare_kernel
def rescale(segments: Segments, factor: float, width: float) -> None:
    """Measure along the argument in another unit, and give the function the width that it should have.

    Rounding leaves the lengths at odds with the range that is known otherwise. As long as the unit is the same that is
    nothing, but it would grow with the unit.
    """
    first, stop = segments.window[0], segments.window[1]
    for at in range(first, stop):
        length = segments.length[at]
        if at == stop - 1 or length > width:
            length = width
            segments.window[1] = at + 1
        width -= length
        segments.length[at] = length * factor
        segments.slope[at] /= factor
        if width <= 0.0:
            segments.window[1] = at + 1
            break
    for step in range(len(segments.unit)):
        segments.unit[step] = min(segments.unit[step] * factor, MOST_UNIT)
