"""From what a forecast was made, in words; labels of a file are data."""

from __future__ import annotations

from dispatch.report.forecast_used import forecast_used


def test_says_sources_and_how_far_the_weather_is() -> None:
    said = {
        "load": {"history": 1506},
        "pv": {"weather": 1204, "profile": 1},
        "history_days": 28.0,
        "weather": {"typical_year": 1},
        "weather_km": 385.4,
    }
    text = forecast_used(said, 0.9)
    assert text.startswith(
        "Forecast: 1,506 loads from meters; 1,204 PV systems from weather, 1 PV system from profiles."
    )
    assert "28 days" in text
    assert "385 km away is a typical year" in text
    assert text.endswith("Limits hold against the 0.9 quantile of net load.")


def test_nothing_known_says_nothing_and_odd_labels_do_no_harm() -> None:
    assert forecast_used({}, 0.5) == ""
    odd = {"load": {"history": "<b>", "<script>": 3}, "pv": 7, "weather": {"<script>": 1}}
    assert forecast_used(odd, 0.9) == ""
    assert "<" not in forecast_used({**odd, "pv": {"weather": 2}}, 0.5)
