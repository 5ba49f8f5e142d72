"""The shapes that a scenario attaches: the case's own first, then those of the embedded town."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import load_case
from dispatch.case.schema import Columns, columns
from dispatch.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr

YEAR = np.timedelta64(360, "D")


@dataclass(frozen=True)
class Library:
    """Shapes on one regular time axis.

    Attributes
    ----------
    id : ndarray (profile,) of bytes
        Names.
    time : ndarray (time,) of datetime64
        Left edges, UTC.
    p_pu, q_pu : ndarray (profile, time)
        Power per unit of ``p_nom`` and ``q_nom``. [1]
    mean : ndarray (profile,)
        Mean of `p_pu` over a year; over what is there where that is shorter. [1]
    whole_year : ndarray (profile,) of bool
        Whether `mean` is that of a year.
    """

    id: np.ndarray
    time: np.ndarray
    p_pu: np.ndarray
    q_pu: np.ndarray
    mean: np.ndarray
    whole_year: np.ndarray

    def names(self, *starts: bytes) -> np.ndarray:
        """Positions of the shapes whose name starts with one of the texts and whose yearly mean is known."""
        found = np.zeros(len(self.id), bool)
        for start in starts:
            found |= np.char.startswith(self.id, start)
        return np.nonzero(found & self.whole_year & (self.mean > 0))[0]

    def pick(self, shapes: np.ndarray, drawn: np.ndarray, what: str) -> np.ndarray:
        """Choose one of some shapes for each number.

        Parameters
        ----------
        shapes : ndarray of int
            Positions of the shapes.
        drawn : ndarray (house,)
            On [0, 1).
        what : str
            What they are shapes of, for the message.

        Returns
        -------
        ndarray (house,) of int
            Positions.

        Raises
        ------
        InputError
            If there is none to choose from and somebody needs one.
        """
        if len(drawn) and not len(shapes):
            hint = "Leave out profiles to use the embedded library, or add shapes whose mean over a year is known."
            raise InputError([Problem("no-shape", "/profile", "id", value=f"without a shape for {what}", hint=hint)])
        return np.asarray(shapes[(drawn * len(shapes)).astype(np.int64)], np.int64)


def library_of(
    case: xr.DataTree, *, season: str, start: np.datetime64 | None, days: int | None, profiles: xr.DataTree | None
) -> Library:
    """Shapes of a case for a span, completed from the embedded library.

    Parameters
    ----------
    case : DataTree
        Its own ``/profile``, if any, sets the time axis.
    season : str
        ``"summer"`` or ``"winter"``: which embedded week to take.
    start : datetime64, optional
        First time of the span. Default: that of the season's week where the case covers it, else the first there is.
    days : int, optional
        Length of the span. Default: 7, or what is there. [d]
    profiles : DataTree, optional
        A case whose ``/profile`` is used instead of the embedded one.

    Returns
    -------
    Library
        The case's shapes keep their names; a library shape of the same name is left out. Library shapes lie on the
        case's axis by UTC time, and outside the week that they cover by UTC time of day, the week repeating.

    Raises
    ------
    InputError
        If the span is not covered, or the case's time step is not that of the library.
    """
    base = columns(profiles, "profile") if profiles is not None else _embedded(season)
    own = columns(case, "profile")
    if not len(own["id"]):
        return _joined(None, base, _span(base["time"], base["time"], start, days), np.zeros(0, bool))
    if (steps := {np.diff(t["time"]).min() for t in (own, base)}) and len(steps) > 1:
        hint = "Resample the case's profiles to the library's step; nothing is resampled silently."
        found = " and ".join(str(s) for s in sorted(steps))
        raise InputError([Problem("time-step", "/profile", "time", value=found, allowed="one step", hint=hint)])
    libraries = [base] if profiles is not None else [_embedded(s) for s in ("summer", "winter")]
    return _joined(own, base, _span(own["time"], base["time"], start, days), _from_library(own, libraries))


@cache
def _embedded(season: str, kind: str = "profile") -> Columns:
    """Read the embedded shapes or weather; once in a process, since nothing writes into them."""
    return columns(load_case(embedded_path(f"schutterwald_{season}")), kind)


def weather_of(season: str, time: np.ndarray) -> Columns:
    """Lay the embedded week's air temperature on a span, as shapes are laid.

    Parameters
    ----------
    season : str
        ``"summer"`` or ``"winter"``.
    time : ndarray (time,) of datetime64
        The span. [UTC]

    Returns
    -------
    Columns
        One station, hourly.
    """
    base = _embedded(season, "station")
    hour = np.timedelta64(3600, "s")
    hourly = np.arange(time[0], time[-1] + (time[1] - time[0]), hour) if len(time) > 1 else time
    kept = {name: base[name] for name in ("id", "longitude", "latitude")}
    return {**kept, "time": hourly, "time_step": np.array([hour]), "temp_air": base["temp_air"][:, _laid(base, hourly)]}


def _span(time: np.ndarray, preferred: np.ndarray, start: np.datetime64 | None, days: int | None) -> np.ndarray:
    """Take the span out of `time`."""
    step = time[1] - time[0]
    covers = time[0] <= preferred[0] and preferred[-1] <= time[-1]
    first = start if start is not None else (preferred[0] if covers else time[0])
    left = time[-1] + step - first
    length = np.timedelta64(days, "D") if days is not None else min(np.timedelta64(7, "D"), left)
    if first < time[0] or length > left or length < step or (first - time[0]) % step:
        length_asked = "the default length" if days is None else f"{days} days"
        asked = f"asked from {first} for {length_asked}"
        allowed = f"{time[0]} to {time[-1] + step} UTC in steps of {step / np.timedelta64(1, 'm'):g} min"
        hint = "Choose start and days inside what the shapes cover."
        raise InputError([Problem("span", "/profile", "time", (), 0, asked, allowed, hint)])
    at = int((first - time[0]) / step)
    return np.asarray(time[at : at + int(length / step)])


def _laid(base: Columns, time: np.ndarray) -> np.ndarray:
    """Find the steps of a library that lie on an axis: by time, outside of what it covers by time of day."""
    step = base["time"][1] - base["time"][0]
    steps, day = len(base["time"]), int(np.timedelta64(1, "D") / step)
    offset = np.rint((time - base["time"][0]) / step).astype(np.int64)
    inside = ((offset >= 0) & (offset < steps)).all()
    return np.asarray(offset if inside else offset % (steps // day * day if steps >= day else steps))


def _from_library(own: Columns, libraries: Sequence[Columns]) -> np.ndarray:
    """Which shapes of a case a library gave it, so that their mean over a year is known: same name, same values."""
    found = np.zeros(len(own["id"]), bool)
    for base in libraries:
        at, rows = _laid(base, own["time"]), {name: k for k, name in enumerate(base["id"].tolist())}
        for k, name in enumerate(own["id"].tolist()):
            found[k] |= name in rows and np.allclose(own["p_pu"][k], base["p_pu"][rows[name], at], rtol=1e-5, atol=1e-6)
    return found


def _joined(own: Columns | None, base: Columns, time: np.ndarray, known: np.ndarray) -> Library:
    """Both libraries on one axis; `known` are the case's shapes whose mean over a year is that of the library."""
    at = _laid(base, time)
    new = np.ones(len(base["id"]), bool) if own is None else ~np.isin(base["id"], own["id"])
    parts = [(base["id"][new], base["p_pu"][new][:, at], base["q_pu"][new][:, at])]
    means, whole = [np.ones(new.sum())], [np.ones(new.sum(), bool)]
    if own is not None:
        first = int(np.searchsorted(own["time"], time[0]))
        span = slice(first, first + len(time))
        q_pu = own.get("q_pu", np.zeros_like(own["p_pu"]))
        parts.insert(0, (own["id"], own["p_pu"][:, span], q_pu[:, span]))
        means.insert(0, np.where(known, 1.0, own["p_pu"].mean(axis=1, dtype=np.float64)))
        whole.insert(0, known | (own["time"][-1] - own["time"][0] >= YEAR))
    ids, p_pu, q_pu = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Library(ids, time, p_pu, q_pu, np.concatenate(means), np.concatenate(whole))
