"""A forecast against what came, as one SVG file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import escape

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 900.0, 360.0, 60.0, 40.0, 40.0


def forecast_svg(
    title: str, time: np.ndarray, point: np.ndarray, low: np.ndarray, high: np.ndarray, came: np.ndarray
) -> str:
    """Draw the forecast as a line in the band of its quantiles, and what came as dots.

    Parameters
    ----------
    title : str
        Above the drawing; escaped.
    time : ndarray (time,) of datetime64
        Left edges, UTC.
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
    least, most = (min(0.0, float(known.min())), float(known.max())) if len(known) else (0.0, 1.0)
    span = (most - least) or 1.0
    x = LEFT + (WIDTH - LEFT - 20) * np.arange(len(time)) / max(len(time) - 1, 1)

    def y(values: np.ndarray) -> np.ndarray:
        return np.asarray(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (values - least) / span)

    band = np.isfinite(low) & np.isfinite(high)
    outline = _points([*x[band], *x[band][::-1]], [*y(low[band]), *y(high[band])[::-1]])
    good, seen = np.isfinite(point), np.isfinite(came)
    dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2.5"/>' for a, b in zip(x[seen], y(came[seen]), strict=True))
    parts = [
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>',
        *(_mark(least + span * k / 4, float(y(np.array(least + span * k / 4)))) for k in range(5)),
        *(_hour(str(time[i]), float(x[i])) for i in range(0, len(time), max(len(time) // 6, 1))),
        f'<polygon points="{outline}" fill="#2a78b5" fill-opacity="0.2"/>',
        f'<polyline points="{_points(x[good], y(point[good]))}" fill="none" stroke="#2a78b5" stroke-width="2"/>',
        f'<g fill="#c2410c">{dots}</g>',
        (
            f'<text x="{WIDTH - 20}" y="22" font-size="12" text-anchor="end">line: forecast · band: quantiles · dots: '
            "what came</text>"
        ),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" font-family="sans-serif">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>\n"])


def _points(x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))


def _mark(value: float, y: float) -> str:
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    line = f'<line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
    return f'{line}<text x="{LEFT - 6}" y="{y + 4:.1f}" font-size="11" text-anchor="end">{text} kW</text>'


def _hour(label: str, x: float) -> str:
    text = label[5:16].replace("T", " ")
    return f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 18}" font-size="11" text-anchor="middle">{text}</text>'
