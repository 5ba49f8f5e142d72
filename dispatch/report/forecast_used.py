"""From what the series of a result were forecast, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.report.words import number, plural

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCES = {
    "history": "from meters",
    "weather": "from weather",
    "profile": "from profiles",
    "given": "as given",
}
WEATHER = {
    "forecast": "a weather forecast",
    "reanalysis": "a reanalysis made after its time: what perfect weather would give",
    "measurement": "weather that was measured: what perfect weather would give",
    "typical_year": "a typical year: what perfect weather would give",
    "unknown": "weather of unknown source",
}


def forecast_used(origins: Mapping[str, Any], limits_at: float) -> str:
    """Say from what loads and PV were forecast.

    Parameters
    ----------
    origins : mapping
        Attribute ``origins`` of ``/forecast``; what is not as `predict` writes it is left out.
    limits_at : float
        Quantile of net load against which limits were held.

    Returns
    -------
    str
        A sentence or two; empty where nothing is known.
    """
    parts = [_part(origins.get(kind), noun) for kind, noun in (("load", "load"), ("pv", "PV system"))]
    text = "; ".join(part for part in parts if part)
    if not text:
        return ""
    days, weather = origins.get("history_days"), origins.get("weather")
    told = f"Forecast: {text}."
    if isinstance(days, int | float) and "from meters" in text:
        told += f" Meters are known for {number(float(days), 0)} days before."
    if isinstance(weather, dict) and weather and "from weather" in text:
        far = origins.get("weather_km")
        place = f" {number(float(far), 0)} km away" if isinstance(far, int | float) and far > 1 else ""
        names = " and ".join(WEATHER.get(str(name), WEATHER["unknown"]) for name in weather)
        told += f" The weather{place} is {names}."
    return told + (f" Limits hold against the {limits_at:g} quantile of net load." if limits_at > 0.5 else "")


def _part(counts: Any, noun: str) -> str:
    """Say how many of a kind came from what."""
    if not isinstance(counts, dict):
        return ""
    found = [(int(n), SOURCES[name]) for name, n in counts.items() if name in SOURCES and isinstance(n, int) and n > 0]
    return ", ".join(f"{plural(n, noun)} {source}" for n, source in found)
