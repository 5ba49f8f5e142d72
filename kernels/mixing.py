"""What the gas at each junction is made of: perfect mixing of what flows in, in the order of flow, without delay.

Flows of links are positive from `start` to `stop`. A share is part of energy, and so are flows counted: as the volume
of the network's gas that has their energy. Flows up to `LEAST` carry nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kernels._jit import kernel

LEAST = 1e-4
"""About a watt of gas: what rounding lets flow. [m3 h-1]"""
MOST_SWEEPS = 10_000
CLOSED = 1e-15


class Links(NamedTuple):
    """Pipes and regulators as arrays, made by `make_links`.

    Attributes
    ----------
    start, stop : ndarray (link,) of int32
        Junctions at both ends.
    first : ndarray (junction + 1,) of int32
        Where the links of each junction begin in `link`.
    link : ndarray of int32
        Links at each junction, one after the other; without those that end where they start.
    """

    start: np.ndarray
    stop: np.ndarray
    first: np.ndarray
    link: np.ndarray


def make_links(junctions: int, start: np.ndarray, stop: np.ndarray) -> Links:
    """List the links at each junction.

    Parameters
    ----------
    junctions : int
        How many there are.
    start, stop : ndarray (link,) of int
        Junctions at both ends of each link.

    Returns
    -------
    Links
    """
    own = np.nonzero(start != stop)[0]
    ends = np.concatenate([start[own], stop[own]])
    order = np.argsort(ends, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=junctions))])
    arrays = (start, stop, first, np.concatenate([own, own])[order])
    return Links(*(np.ascontiguousarray(a, np.int32) for a in arrays))


@kernel
def arriving(
    at: int, links: Links, flow: np.ndarray, given: np.ndarray, part: np.ndarray, share: np.ndarray
) -> tuple[float, float]:
    """Sum up what comes into a junction with a known share, and how much of it counts."""
    total, own = given[at], part[at]
    for n in range(links.first[at], links.first[at + 1]):
        k = links.link[n]
        inward = links.stop[k] == at
        amount = flow[k] if inward else -flow[k]
        other = links.start[k] if inward else links.stop[k]
        if amount > LEAST and not np.isnan(share[other]):
            total += amount
            own += amount * share[other]
    return total, own


@kernel
def mix_step(links: Links, flow: np.ndarray, given: np.ndarray, part: np.ndarray, share: np.ndarray) -> float:
    """Mix one step; junctions in and behind a circle of flow by repetition.

    Parameters
    ----------
    links : Links
        Pipes and regulators.
    flow : ndarray (link,)
        [m3 h-1]
    given, part : ndarray (junction,)
        What enters the network, and how much of it counts. [m3 h-1]
    share : ndarray (junction,)
        Of the step before; changed where something comes in, kept elsewhere. [1]

    Returns
    -------
    float
        Largest change of a share in the last sweep over circles; 0 without one.
    """
    junctions = len(share)
    waiting, order = np.zeros(junctions, np.int32), np.empty(junctions, np.int32)
    for at in range(junctions):
        for n in range(links.first[at], links.first[at + 1]):
            k = links.link[n]
            waiting[at] += (flow[k] > LEAST) if links.stop[k] == at else (flow[k] < -LEAST)
    last = 0
    for at in range(junctions):
        if waiting[at] == 0:
            order[last] = at
            last += 1
    done = 0
    while done < last:
        at = order[done]
        done += 1
        total, own = arriving(at, links, flow, given, part, share)
        if total > LEAST:
            share[at] = own / total
        for n in range(links.first[at], links.first[at + 1]):
            k = links.link[n]
            outward = links.start[k] == at
            other = links.stop[k] if outward else links.start[k]
            if (flow[k] if outward else -flow[k]) > LEAST:
                waiting[other] -= 1
                if waiting[other] == 0:
                    order[last] = other
                    last += 1
    return 0.0 if last == junctions else circle(links, flow, given, part, share, waiting)


@kernel
def circle(
    links: Links, flow: np.ndarray, given: np.ndarray, part: np.ndarray, share: np.ndarray, waiting: np.ndarray
) -> float:
    """Mix what waits for itself, again and again; returns the largest change in the last sweep."""
    change = 0.0
    for _ in range(MOST_SWEEPS):
        change = 0.0
        for at in range(len(share)):
            if waiting[at] > 0:
                total, own = arriving(at, links, flow, given, part, share)
                if total > LEAST:
                    change = 1.0 if np.isnan(share[at]) else max(change, abs(own / total - share[at]))
                    share[at] = own / total
        if change <= CLOSED:
            break
    return change


@kernel
def take_step(values: np.ndarray, t: int, to: np.ndarray) -> None:
    """Copy what holds in one step."""
    for k in range(len(to)):
        to[k] = values[k, t]


@kernel
def mixed_shares(
    links: Links,
    flow: np.ndarray,
    given: np.ndarray,
    part: np.ndarray,
    outlet: np.ndarray,
    filling: np.ndarray,
    before: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Share at every junction in every step, with what fills pipes as a mixed store at each zone's outlet.

    Parameters
    ----------
    links : Links
        Pipes and regulators.
    flow : ndarray (link, step)
        [m3 h-1]
    given, part : ndarray (junction, step)
        What enters the network, and how much of it counts. [m3 h-1]
    outlet : ndarray (zone,) of int
        Junction at which the pipes of each zone fill and empty.
    filling : ndarray (zone, step)
        What fills them; below zero: comes out, with the mean share of what went in. [m3 h-1]
    before : ndarray (zone,)
        What they hold before the first step, all of it with a share of 0, over the length of a step. [m3 h-1]

    Returns
    -------
    share : ndarray (junction, step)
        Where nothing comes in that of the step before, NaN before anything did. [1]
    change : ndarray (step,)
        Largest change of a share in the last sweep over circles of flow. [1]
    """
    junctions, steps = given.shape
    found, change = np.empty((junctions, steps)), np.empty(steps)
    share, enters, counts, moves = np.empty(junctions), np.empty(junctions), np.empty(junctions), np.empty(len(flow))
    held, own = np.empty(len(outlet)), np.zeros(len(outlet))
    for z in range(len(outlet)):
        held[z] = before[z]
    for at in range(junctions):
        share[at] = np.nan
    for t in range(steps):
        take_step(given, t, enters)
        take_step(part, t, counts)
        take_step(flow, t, moves)
        for z in range(len(outlet)):
            freed = min(-filling[z, t], held[z])
            if freed > 0.0:
                amount = freed * own[z] / held[z]
                enters[outlet[z]] += freed
                counts[outlet[z]] += amount
                held[z] -= freed
                own[z] -= amount
        change[t] = mix_step(links, moves, enters, counts, share)
        for z in range(len(outlet)):
            if filling[z, t] > 0.0 and not np.isnan(share[outlet[z]]):
                held[z] += filling[z, t]
                own[z] += filling[z, t] * share[outlet[z]]
        for at in range(junctions):
            found[at, t] = share[at]
    return found, change
