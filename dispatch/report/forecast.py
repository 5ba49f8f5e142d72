"""A forecast against what came, as one SVG file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import escape

from dispatch.report.plot import scale_of, time_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.report.plot import Tick
    from dispatch.report.words import Clock

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900.0, 360.0, 70.0, 20.0, 40.0, 46.0


def forecast_svg(
    title: str, clock: Clock, point: np.ndarray, low: np.ndarray, high: np.ndarray, came: np.ndarray
) -> str:
    """Draw the forecast as a line in the band of its quantiles, and what came as dots.

    Parameters
    ----------
    title : str
        Above the drawing; escaped.
    clock : Clock
        Steps in local time.
    point, low, high : ndarray (time,)
        Forecast, lowest and highest quantile; NaN where not known. [kW]
    came : ndarray (time,)
        Measured; NaN where not known. [kW]

    Returns
    -------
    str
        SVG without script or reference.
    """
    every = np.concatenate([point, low, high, came])
    known = every[np.isfinite(every)]
    least, most = (min(0.0, float(known.min())), max(0.0, float(known.max()))) if len(known) else (0.0, 1.0)
    scale = scale_of(least, most, unit="kW")
    x = LEFT + (WIDTH - LEFT - RIGHT) * (np.arange(len(point)) + 0.5) / len(point)

    def y(values: np.ndarray) -> np.ndarray:
        return np.asarray(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (values - scale.low) / (scale.high - scale.low))

    band = np.isfinite(low) & np.isfinite(high)
    outline = _points([*x[band], *x[band][::-1]], [*y(low[band]), *y(high[band])[::-1]])
    good, seen = np.isfinite(point), np.isfinite(came)
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5"/>' for a, b in zip(x[seen], y(came[seen]), strict=True))
    parts = [
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
        *map(_mark, scale.ticks),
        *map(_hour, time_ticks(clock)),
        _at_right(HEIGHT - 6, f"{clock.span()} · local time ({escape(clock.name)})"),
        f'<polygon points="{outline}" fill="#2a78b5" fill-opacity="0.2"/>',
        f'<polyline points="{_points(x[good], y(point[good]))}" fill="none" stroke="#2a78b5" stroke-width="2"/>',
        f'<g fill="#c2410c">{dots}</g>',
        _at_right(22, "line: forecast · band: quantiles · dots: what came"),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])


def _points(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _at_right(y: float, text: str) -> str:
    """Write a remark that ends where the drawing does."""
    return f'<text x="{WIDTH - RIGHT}" y="{y}" font-size="11" text-anchor="end">{text}</text>'


def _mark(tick: Tick) -> str:
    """Write a round value beside a line across."""
    y = TOP + (HEIGHT - TOP - BOTTOM) * tick.at
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
    return f'{line}<text x="{LEFT - 6}" y="{y + 4:.1f}" font-size="11" text-anchor="end">{tick.label}</text>'


def _hour(tick: Tick) -> str:
    """Write a round hour, or a day."""
    x = LEFT + (WIDTH - LEFT - RIGHT) * tick.at
    return f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" font-size="11" text-anchor="middle">{tick.label}</text>'
