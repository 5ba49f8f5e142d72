"""Limits of voltages and flows in flat arrays: what ratings leave, what is beyond, and by how much.

Arrays are (bus or branch, step) with contiguous steps. What is beyond is counted, many steps at a time, before it is
added up: of most buses and branches there is nothing.
"""

from __future__ import annotations

import numpy as np

from kernels._jit import bare_kernel, kernel


@kernel
def worst_of_group(
    amount: np.ndarray, group: np.ndarray, groups: int, tolerance: float
) -> tuple[np.ndarray, np.ndarray]:
    """Find the element with the largest amount in each group and column; of equal ones the first.

    Parameters
    ----------
    amount : ndarray (element, column)
        Amounts to compare; NaN never wins.
    group : ndarray (element,) of int32
        Group of each element; negative: in none.
    groups : int
        How many groups there are.
    tolerance : float
        Amounts that are not above it do not count.

    Returns
    -------
    winner : ndarray (group, column) of int32
        Number of the element, -1 where no amount is above `tolerance`.
    largest : ndarray (group, column)
        Its amount.
    """
    width = amount.shape[1]
    winner = np.full((groups, width), -1, np.int32)
    largest = np.full((groups, width), tolerance)
    for element in range(len(group)):
        g = group[element]
        if g < 0:
            continue
        for t in range(width):
            if amount[element, t] > largest[g, t]:
                largest[g, t] = amount[element, t]
                winner[g, t] = element
    return winner, largest


@kernel
def leave_active(s_nom: np.ndarray, q: np.ndarray, offset: np.ndarray, left: np.ndarray) -> None:
    """Work out the active power that ratings leave beside reactive power, 0 where that or the offset takes it all.

    Parameters
    ----------
    s_nom : ndarray (branch,)
        [kVA]
    q, offset : ndarray (branch, step)
        Reactive power, and what is taken from the rating. [kvar, kVA]
    left : ndarray (branch, step)
        Written. [kW]
    """
    for branch in range(left.shape[0]):
        for t in range(left.shape[1]):
            rating = max(s_nom[branch] - offset[branch, t], 0.0)
            left[branch, t] = np.sqrt(max(rating * rating - q[branch, t] * q[branch, t], 0.0))


@kernel
def voltages_beyond(
    v_squared: np.ndarray,
    shift_max: np.ndarray,
    v_max: np.ndarray,
    shift_min: np.ndarray,
    v_min: np.ndarray,
    tolerance: float,
) -> tuple[int, int]:
    """Count voltages that are above and below their limits by more than a tolerance in units of these.

    Parameters
    ----------
    v_squared, shift_max, v_max, shift_min, v_min : ndarray
        As in `relaxed_voltages`.
    tolerance : float
        [1]
    """
    above, below = 0, 0
    for bus in range(v_squared.shape[0]):
        over, under = tolerance * v_max[bus], tolerance * v_min[bus]
        for t in range(v_squared.shape[1]):
            above += 1 if v_squared[bus, t] + shift_max[bus, t] - v_max[bus] > over else 0
            below += 1 if v_min[bus] - v_squared[bus, t] - shift_min[bus, t] > under else 0
    return above, below


@kernel
def flows_beyond(
    p: np.ndarray, most: np.ndarray, most_reverse: np.ndarray, rating: np.ndarray, tolerance: float
) -> tuple[int, int]:
    """Count flows that are beyond what is allowed forward and back by more than a tolerance in units of the rating.

    Parameters
    ----------
    p, most, most_reverse, rating : ndarray
        As in `relaxed_flows`.
    tolerance : float
        [1]
    """
    forward, reverse = 0, 0
    for branch in range(p.shape[0]):
        over = tolerance * rating[branch]
        for t in range(p.shape[1]):
            forward += 1 if p[branch, t] - most[branch, t] > over else 0
            reverse += 1 if -p[branch, t] - most_reverse[branch, t] > over else 0
    return forward, reverse


@kernel
def relaxed_voltages(
    v_squared: np.ndarray, shift_max: np.ndarray, v_max: np.ndarray, shift_min: np.ndarray, v_min: np.ndarray
) -> float:
    """Add up by how much voltages are beyond their limits, in units of these.

    Parameters
    ----------
    v_squared : ndarray (bus, step)
        Squared voltages; NaN is beyond nothing. [1]
    shift_max, shift_min : ndarray (bus, step)
        Added to them for the upper and the lower limit. [1]
    v_max, v_min : ndarray (bus,)
        Squared limits. [1]
    """
    total = 0.0
    for bus in range(v_squared.shape[0]):
        beyond = 0  # counted first, many steps at a time: of most buses there is nothing to add up
        for t in range(v_squared.shape[1]):
            beyond += 1 if v_squared[bus, t] + shift_max[bus, t] - v_max[bus] > 0.0 else 0
            beyond += 1 if v_min[bus] - v_squared[bus, t] - shift_min[bus, t] > 0.0 else 0
        if beyond == 0:
            continue
        for t in range(v_squared.shape[1]):
            above = v_squared[bus, t] + shift_max[bus, t] - v_max[bus]
            below = v_min[bus] - v_squared[bus, t] - shift_min[bus, t]
            if above > 0.0:
                total += above / v_max[bus]
            if below > 0.0:
                total += below / v_min[bus]
    return total


@kernel
def relaxed_flows(p: np.ndarray, most: np.ndarray, most_reverse: np.ndarray, rating: np.ndarray) -> float:
    """Add up by how much flows are beyond what is allowed either way, in units of each branch's rating.

    Parameters
    ----------
    p : ndarray (branch, step)
        [kW]
    most, most_reverse : ndarray (branch, step)
        What is allowed; NaN: nothing is beyond. [kW]
    rating : ndarray (branch,)
        [kVA]
    """
    total = 0.0
    for branch in range(p.shape[0]):
        beyond = 0
        for t in range(p.shape[1]):
            beyond += 1 if p[branch, t] - most[branch, t] > 0.0 else 0
            beyond += 1 if -p[branch, t] - most_reverse[branch, t] > 0.0 else 0
        if beyond == 0:
            continue
        for t in range(p.shape[1]):
            above, below = p[branch, t] - most[branch, t], -p[branch, t] - most_reverse[branch, t]
            if above > 0.0:
                total += above / rating[branch]
            if below > 0.0:
                total += below / rating[branch]
    return total


@bare_kernel
def over_ports(
    known_start: np.ndarray,
    known_number: np.ndarray,
    known_value: np.ndarray,
    which: np.ndarray,
    sign: np.ndarray,
    step: np.ndarray,
    steps: int,
    start: np.ndarray,
    number: np.ndarray,
    value: np.ndarray,
) -> None:
    """Write rows over buses as rows over ports, a port being ``number * steps + step``.

    Parameters
    ----------
    known_start, known_number, known_value : ndarray
        Rows over buses, in the form of `kernels.matrices`.
    which, sign, step : ndarray (row,)
        Which of these each row is, its sign and its step.
    steps : int
        How many there are.
    start : ndarray (row + 1,) of int
        First entry of each row.
    number, value : ndarray (entry,)
        Written.
    """
    for row in range(len(which)):
        first = known_start[which[row]]
        for k in range(start[row + 1] - start[row]):
            number[start[row] + k] = known_number[first + k] * steps + step[row]
            value[start[row] + k] = sign[row] * known_value[first + k]
