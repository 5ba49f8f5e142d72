"""Curves of a few series over a common axis, both logarithmic, as a plain SVG file."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 64, 130, 44, 52
COLORS = ("#1b6ca8", "#c2571a", "#3c7d3c", "#7a4a9e")
STYLE = "font-family:system-ui,sans-serif;font-size:13px;fill:#222"


def curve(title: str, across: str, up: str, x: np.ndarray, series: Mapping[str, np.ndarray]) -> str:
    """Draw series over a common axis.

    Parameters
    ----------
    title, across, up : str
        Above the figure, below the axis and beside the other one.
    x : ndarray (point,)
        Positive, rising.
    series : mapping of str to ndarray (point,)
        Positive; each is named at its last point.

    Returns
    -------
    str
        An SVG file.
    """
    values = np.concatenate(list(series.values()))
    low, high = np.floor(np.log10(values.min())), np.ceil(np.log10(values.max()))
    first, last = np.log10(x[0]), np.log10(x[-1])
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(at: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        across_at = LEFT + wide * (np.log10(at) - first) / (last - first)
        return across_at, TOP + tall * (high - np.log10(value)) / max(high - low, 1.0)

    parts = [f'<text x="{LEFT}" y="22" font-weight="600">{escape(title)}</text>']
    for power in np.arange(low, high + 1):
        y = place(x[:1], np.array([10.0**power]))[1][0]
        parts.append(f'<line x1="{LEFT}" x2="{LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:,g}</text>')
    for value in x:
        at = place(np.array([value]), np.array([10.0**low]))[0][0]
        parts.append(f'<text x="{at:.1f}" y="{TOP + tall + 20}" text-anchor="middle">{value:,g}</text>')
    parts.append(f'<text x="{LEFT + wide / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{escape(across)}</text>')
    parts.append(f'<text x="{LEFT - 8}" y="{TOP - 8}" text-anchor="end">{escape(up)}</text>')
    parts += _named(place, x, series)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" style="{STYLE}">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *parts, "</svg>", ""])


def _named(place: object, x: np.ndarray, series: Mapping[str, np.ndarray]) -> list[str]:
    """Draw each series and its name; names keep a line's distance."""
    assert callable(place)
    parts, taken = [], list[float]()
    for color, (name, own) in zip(COLORS, sorted(series.items(), key=lambda s: s[1][-1]), strict=False):
        across, up = place(x, own)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True))
        y = up[-1] + 4
        while any(abs(y - other) < 16 for other in taken):
            y -= 4
        taken.append(y)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{color}"/>' for a, b in zip(across, up, strict=True)]
        parts.append(f'<text x="{across[-1] + 8:.1f}" y="{y:.1f}" style="fill:{color}">{escape(name)}</text>')
    return parts
