"""Where each bus is drawn: by longitude and latitude, or as a tree where places are not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dispatch.report.outcome import Outcome

LEAST_ASPECT, MOST_ASPECT = 0.75, 2.2
"""Width over height of the drawing; a longer town gets room around it."""
LEAST_PLACED = 0.5
"""Below this part of buses with a place the town is drawn as trees."""
LONG = 1000.0
"""Length of the longer side in the drawing's units."""


@dataclass(frozen=True)
class Layout:
    """Places of the buses in the drawing.

    Attributes
    ----------
    x, y : ndarray (bus,)
        Drawing units, y downwards; NaN where the bus is not drawn.
    width, height : float
        Size of the drawing.
    geographic : bool
        Whether places are real ones.
    missing : int
        Connected buses without a place.
    """

    x: np.ndarray
    y: np.ndarray
    width: float
    height: float
    geographic: bool
    missing: int


def bus_layout(outcome: Outcome) -> Layout:
    """Places of all buses that hang on a source.

    Parameters
    ----------
    outcome : Outcome
        What was read of a result.

    Returns
    -------
    Layout
        Geographic where at least half of the connected buses have a place that differs from the others'.
    """
    bus = outcome.tables["bus"]
    connected = outcome.network.feeder >= 0
    longitude, latitude = (np.where(connected, bus.get(k, np.nan), np.nan) for k in ("longitude", "latitude"))
    placed = ~np.isnan(longitude + latitude)
    spread = placed.any() and (np.ptp(longitude[placed]) > 0 or np.ptp(latitude[placed]) > 0)
    if not spread or placed.sum() < LEAST_PLACED * connected.sum():
        x, y = _trees(outcome)
        return _fit(x, y, geographic=False, missing=0)
    # A degree of longitude is shorter than one of latitude by the cosine of the latitude.
    east = longitude * np.cos(np.deg2rad(float(np.median(latitude[placed]))))
    return _fit(np.where(placed, east, np.nan), np.where(placed, -latitude, np.nan), geographic=True,
                missing=int((connected & ~placed).sum()))  # fmt: skip


def _fit(x: np.ndarray, y: np.ndarray, *, geographic: bool, missing: int) -> Layout:
    """Scale into the drawing with a margin; trees may be stretched, a map may not."""
    known = ~np.isnan(x)
    if not known.any():
        return Layout(x, y, LONG, LONG / 2, geographic, missing)
    low = np.array([x[known].min(), y[known].min()])
    size = np.maximum(np.array([x[known].max(), y[known].max()]) - low, 1e-12)
    aspect = float(np.clip(size[0] / size[1], LEAST_ASPECT, MOST_ASPECT)) if geographic else 1.6
    width, height = (LONG, LONG / aspect) if aspect >= 1 else (LONG * aspect, LONG)
    room = np.array([width, height]) * 0.94
    factor = np.full(2, (room / size).min()) if geographic else room / size
    shift = (np.array([width, height]) - factor * size) / 2
    return Layout(
        shift[0] + factor[0] * (x - low[0]), shift[1] + factor[1] * (y - low[1]), width, height, geographic, missing
    )


def _trees(outcome: Outcome) -> tuple[np.ndarray, np.ndarray]:
    """Trees of the forest, source at the left of its cell, cells in rows."""
    network = outcome.network
    parent, order, feeder = network.parent, network.order.tolist(), network.feeder
    depth, leaves = np.zeros(network.buses), np.zeros(network.buses)
    for bus in order:
        depth[bus] = depth[parent[bus]] + 1 if parent[bus] >= 0 else 0
    for bus in reversed(order):
        leaves[bus] = max(leaves[bus], 1.0)
        if parent[bus] >= 0:
            leaves[parent[bus]] += leaves[bus]
    top, used = np.zeros(network.buses), np.zeros(network.buses)
    for bus in order:
        if parent[bus] >= 0:
            top[bus] = top[parent[bus]] + used[parent[bus]]
            used[parent[bus]] += leaves[bus]
    x, y = np.full(network.buses, np.nan), np.full(network.buses, np.nan)
    feeders = max(len(network.source_bus), 1)
    across = int(np.ceil(np.sqrt(1.6 * feeders)))
    for k in range(len(network.source_bus)):
        own = np.nonzero(feeder == k)[0]
        if not len(own):
            continue
        deep, tall = max(depth[own].max(), 1.0), leaves[own].max()
        x[own] = k % across + 0.82 * depth[own] / deep
        y[own] = k // across + 0.82 * (top[own] + leaves[own] / 2) / tall
    return x, y
