"""The price of energy at one meter, split into what its tariff, its devices and each priced limit make of it."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from dispatch.case.network import network_of
from dispatch.case.schema import columns, parent_index
from dispatch.errors import InputError, Problem
from dispatch.solve.limits.sensitivity import Sensitivity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dispatch.case.network import Network
    from dispatch.case.schema import Columns

MOST_ROWS = 500
"""Sensitivities of so many limits are held at once."""


def price_parts(result: xr.DataTree, meter: str) -> xr.DataArray:
    """Split ``/price/price_energy`` of one meter into its tariff and the limits that have a price.

    The part of a limit is its price times how much of it one more kW at the meter takes. The linear program has no
    losses (the AC offsets, which are constants in it, carry them), so no part stands for them.

    Parameters
    ----------
    result : DataTree
        What `dispatch.optimize` returned or a result file holds.
    meter : str
        Its id.

    Returns
    -------
    DataArray (part, time)
        First ``tariff`` (``price_tariff``), then a row for each limit with a price that the meter can move; their sum
        is ``price_energy``. Coordinates ``kind``, ``element`` and ``limit`` say which it is. [money kW-1 h-1]

    Raises
    ------
    InputError
        If there is no result or no such meter.

    Examples
    --------
    >>> import dispatch
    >>> result = dispatch.load_case("out/schedule.nc")             # doctest: +SKIP
    >>> dispatch.price_parts(result, "meter-17").sel(time="2016-06-04T12:00").to_series()  # doctest: +SKIP
    """
    at = _position(result, meter)
    network, price = network_of(result), columns(result, "price")
    bus = int(parent_index(result, "meter", "bus")[at])
    labels, values = [("tariff", "meter", meter, "tariff")], [price["price_tariff"][at]]
    for kind, limit, element, part in _limit_parts(result, network, price, bus):
        name = columns(result, kind)["id"][element].decode(errors="replace")
        labels.append((f"{kind} {name} {limit}", kind, name, limit))
        values.append(part)
    names, kinds, elements, limits = (np.array(column, dtype=object) for column in zip(*labels, strict=True))
    coords = {
        "part": names,
        "kind": ("part", kinds),
        "element": ("part", elements),
        "limit": ("part", limits),
        "time": price["time"],
    }
    units = f"{result.attrs['currency']} kW-1 h-1"
    text = f"Parts of the price of energy at meter {meter}"
    attrs = {"units": units, "long_name": text}
    return xr.DataArray(np.array(values), coords, ("part", "time"), name="price_energy", attrs=attrs)


def _position(result: xr.DataTree, meter: str) -> int:
    """Find the meter; refuse what is no result."""
    if "price_tariff" not in columns(result, "price"):
        hint = "Give what `dispatch run` wrote or `dispatch.optimize` returned, of this version."
        raise InputError([Problem("no-result", "/price", "price_tariff", value="missing", hint=hint)])
    ids = [i.decode(errors="replace") for i in columns(result, "meter")["id"].tolist()]
    if meter not in ids:
        close = get_close_matches(str(meter), ids, n=3)
        hint = f"Did you mean {' or '.join(map(repr, close))}?" if close else "Its id stands in /prosumer/meter."
        raise InputError([Problem("unknown-id", "/prosumer/meter", "id", value=repr(meter), hint=hint)])
    return ids.index(meter)


def _limit_parts(
    result: xr.DataTree, network: Network, price: Columns, bus: int
) -> Iterator[tuple[str, str, int, np.ndarray]]:
    """Yield kind, name and element of each priced limit that an injection at the bus moves, with its part."""
    sensitivity, limits = Sensitivity(network), columns(result, "bus")
    for name, sign in (("v_max", 1.0), ("v_min", -1.0)):
        # The rows limit the square of the voltage: d(v^2) = 2 v dv.
        row_price = price[f"price_{name}"] / (2 * limits[f"{name}_pu"][:, None])
        for element in _priced(row_price):
            moved = sensitivity.voltage(element)[:, bus]
            yield from _rows("bus", name, element, -sign * moved, row_price)
    for kind, first in (("line", 0), ("transformer", network.lines)):
        if f"price_{kind}" not in price:
            continue
        reverse = price[f"price_{kind}_reverse"]
        # The row of the reverse direction has the sign turned.
        row_price = price[f"price_{kind}"] - 2 * reverse
        for element in _priced(row_price):
            moved = sensitivity.flow(first + element)[:, bus]
            yield from _rows(kind, "rating", element, -moved, row_price)


def _priced(price: np.ndarray) -> Iterator[np.ndarray]:
    """Yield elements with a price in any step, a few at a time."""
    found = np.nonzero((np.nan_to_num(price) != 0).any(axis=1))[0]
    for start in range(0, len(found), MOST_ROWS):
        yield found[start : start + MOST_ROWS]


def _rows(
    kind: str, limit: str, elements: np.ndarray, taken: np.ndarray, price: np.ndarray
) -> Iterator[tuple[str, str, int, np.ndarray]]:
    for element, share in zip(elements.tolist(), taken.tolist(), strict=True):
        if share:
            yield kind, limit, element, share * price[element]
