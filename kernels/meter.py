"""Cost of one step at a meter as a function of the power that a store draws there.

A store that draws z (negative: gives) leaves y = p_net + z + k to be drawn through the meter, k of the generation being
curtailed. More import, more unserved power, less export, less spilling and less curtailing each raise z, each at a
price and up to a bound. Sorted by price they are the pieces of the least cost h(z): convex and exact for any prices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kernels._jit import bare_kernel

if TYPE_CHECKING:
    import numpy as np

KINDS = 5
IMPORT, UNSERVED, EXPORT, SPILLED, CURTAILED = range(KINDS)  # the first two flow where z is high, the others where low


class Meter(NamedTuple):
    """Pieces of h in one step, in ascending order of price.

    Attributes
    ----------
    price, width : ndarray (KINDS,)
        [money/kWh, kW]
    kind : ndarray (KINDS,) of int
        What flows in it.
    """

    price: np.ndarray
    width: np.ndarray
    kind: np.ndarray


@bare_kernel
def add_piece(meter: Meter, count: int, price: float, width: float, kind: int) -> int:
    """Put a piece in its place by price, unless it has no width; returns how many there are."""
    if not width > 0.0:
        return count
    at = count
    while at > 0 and meter.price[at - 1] > price:
        meter.price[at], meter.width[at], meter.kind[at] = meter.price[at - 1], meter.width[at - 1], meter.kind[at - 1]
        at -= 1
    meter.price[at], meter.width[at], meter.kind[at] = price, width, kind
    return count + 1


@bare_kernel
def meter_cost(meter: Meter, count: int, bottom: float, z: float) -> float:
    """Cost h(z) less h(bottom) in money/h, where the first piece begins at `bottom`."""
    cost = 0.0
    for j in range(count):
        part = min(meter.width[j], z - bottom)
        if part <= 0.0:
            break
        cost += part * meter.price[j]
        bottom += meter.width[j]
    return cost


@bare_kernel
def meter_flows(meter: Meter, count: int, top: float, z: float, flows: np.ndarray) -> float:
    """Write what flows at the least cost.

    Parameters
    ----------
    meter, count, top : Meter, int, float
        Pieces of h and the z at which the last ends. [kW]
    z : float
        Drawn by the store. [kW]
    flows : ndarray (KINDS,)
        Written. [kW]

    Returns
    -------
    float
        Their cost. [money/h]
    """
    for k in range(KINDS):
        flows[k] = 0.0
    unused, cost = top - z, 0.0
    for j in range(count - 1, -1, -1):
        off = min(max(unused, 0.0), meter.width[j])
        unused -= off
        kind = meter.kind[j]
        flows[kind] = meter.width[j] - off if kind <= UNSERVED else off
        cost += meter.price[j] * (flows[kind] if kind <= UNSERVED else -off)
    return cost
