"""Numbers, hours and names as people read them; the same text on every machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import numpy as np

# strftime would follow the machine's locale.
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MINUS = "\N{MINUS SIGN}"
UNKNOWN = "–"  # noqa: RUF001  an en dash is the typographer's sign for "nothing here"
LIMITS = {
    "v_max": "upper voltage",
    "v_max_pu": "upper voltage",
    "v_min": "lower voltage",
    "v_min_pu": "lower voltage",
    "s_nom": "rating",
    "rating": "rating",
    "forward": "rating",
    "reverse": "rating, reverse flow",
    "reactive": "rating, reactive power alone",
    "p_import_max": "import at the connection",
    "p_export_max": "export at the connection",
    "state_of_charge_final": "content at the end",
}


def number(value: float, digits: int = 1) -> str:
    """``1,234.5``; a dash where the value is not known."""
    if not math.isfinite(value):
        return UNKNOWN
    shown = f"{value:,.{digits}f}"
    if float(shown.replace(",", "")) == 0:
        shown = shown.lstrip("-")
    return shown.replace("-", MINUS)


def money(value: float, currency: str) -> str:
    """``1,234 EUR``; with cents below 1,000."""
    return f"{number(value, 0 if abs(value) >= 1000 else 2)} {currency}"


def percent(share: float, digits: int = 0) -> str:
    """``98 %``, with a space that does not break."""
    return f"{number(100 * share, digits)}\N{NO-BREAK SPACE}%" if math.isfinite(share) else UNKNOWN


def scientific(value: float) -> str:
    """``3e-09``, as it stands in the result."""
    return f"{value:.1e}" if math.isfinite(value) else UNKNOWN


def plural(count: int, noun: str) -> str:
    """``1 feeder``, ``1,000 feeders``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def limit_name(name: str) -> str:
    """Put a limit in words; its own name where there is no better one."""
    return LIMITS.get(name, name)


def zone_of(name: str) -> tzinfo:
    """Time zone of the case; UTC where the machine does not know it."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC


@dataclass(frozen=True)
class Clock:
    """Steps in local time.

    Attributes
    ----------
    zone : tzinfo
        Where people live.
    name : str
        Its name; ``UTC`` where the case's is not known.
    edges : tuple of datetime
        Left edge of each step and the end of the last, local.
    """

    zone: tzinfo
    name: str
    edges: tuple[datetime, ...]

    @classmethod
    def of(cls, time: np.ndarray, dt: float, zone_name: str) -> Clock:
        """Clock of a time axis (left edges, UTC) with steps of `dt` hours."""
        zone = zone_of(zone_name)
        seconds = time.astype("M8[s]").astype("int64").tolist()
        if seconds:
            seconds.append(seconds[-1] + round(3600 * dt))
        edges = tuple(datetime.fromtimestamp(s, tz=UTC).astimezone(zone) for s in seconds)
        return cls(zone, zone_name if zone is not UTC else "UTC", edges)

    def hour(self, step: int) -> str:
        """``13:15``; with the day where the horizon is longer than one."""
        if not self.edges:
            return UNKNOWN
        at = self.edges[step]
        clock = f"{at.hour:02d}:{at.minute:02d}"
        span = self.edges[-1] - self.edges[0]
        return clock if span <= timedelta(hours=25) else f"{WEEKDAYS[at.weekday()]} {at.day} {clock}"

    def span(self) -> str:
        """Put the horizon in words."""
        if not self.edges:
            return "no hours"
        first, last = self.edges[0], self.edges[-1]
        if first.hour == first.minute == last.hour == last.minute == 0 and (last.date() - first.date()).days == 1:
            return day(first)
        if first.date() == last.date():
            return f"{day(first)}, {first.hour:02d}:{first.minute:02d} to {last.hour:02d}:{last.minute:02d}"
        return f"{day(first)}, {first.hour:02d}:{first.minute:02d} to {day(last)}, {last.hour:02d}:{last.minute:02d}"


def day(at: datetime) -> str:
    """``Sat 4 Jun 2016``."""
    return f"{WEEKDAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]} {at.year}"
