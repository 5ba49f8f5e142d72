"""What forecasts are worth to homes with PV and batteries: measured weeks, scheduled from noon of the day before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.load_sets import FOLDER, HOMES, DataMissingError, set_readers
from benchmarks.studies import Study, labels
from dispatch.case.schema import build_case
from dispatch.run.backtest import backtest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from benchmarks.load_sets import LoadSet

KWP = {4: 5.0}
"""Rated PV of the homes in the schema of CityLearn 2022; 4 kW where not named."""
STORE = {"energy_nom": 6.4, "p_nom": 5.0, "efficiency_charge": 0.95, "efficiency_discharge": 0.95}
"""Content and power are those of the schema, efficiency near its 0.9 there and back. [kWh, kW, 1]"""
EXPORT = 0.08
WEEKS = (10, 17, 24, 31, 38, 45)
"""Weeks after the first day that are run: every seventh of the measured year, after ten to learn from."""
WEEK_H = 7 * 24


def tariffs(time: np.ndarray) -> dict[str, np.ndarray]:
    """Prices of import over the measured year: one price, that of CityLearn, and one that is new each hour."""
    hours = np.arange(len(time))
    noisy = 0.28 + 0.08 * np.cos((hours - 19) / 24 * 2 * np.pi) + 0.03 * np.random.default_rng(1).normal(size=len(time))
    given = pd.read_csv(FOLDER / "citylearn2022/pricing.csv")["electricity_pricing"].to_numpy()
    return {"flat": np.full(len(time), 0.3), "time of use": given[hours % len(given)], "hourly": noisy}


def homes_until(sets: dict[str, LoadSet], tariff: np.ndarray, hours: int) -> xr.DataTree:
    """Build nine homes behind a transformer that carries them all, with what they measured in so many hours."""
    power = [sets[f"home {k}"].load.ravel() for k in HOMES]
    first = int(np.isfinite(power[0]).argmax())  # the fixed clock's first day begins before the measurements
    suns = [pd.read_csv(FOLDER / f"citylearn2022/Building_{k}.csv.gz")["solar_generation"] for k in HOMES]
    sun = [s.to_numpy() / 1000 * KWP.get(k, 4.0) for s, k in zip(suns, HOMES, strict=True)]
    use = [p[first : first + len(s)] for p, s in zip(power, sun, strict=True)]
    time = sets["home 1"].time[first : first + hours]
    names = [str(k) for k in HOMES]
    buses = [f"bus-{n}" for n in names]
    tables: dict[str, dict[str, Any]] = {
        "bus": {"id": ["high", "low", *buses], "v_nom": [20.0, 0.4, *[0.4] * 9]},
        "source": {"id": ["grid"], "bus": ["high"], "v_pu": [1.0]},
        "transformer": {
            "id": ["station"], "bus_from": ["high"], "bus_to": ["low"], "s_nom": 250.0, "v_nom_from": 20.0,
            "v_nom_to": 0.4, "r_pu": 0.01, "x_pu": 0.04,
        },
        "line": {"id": [f"line-{n}" for n in names], "bus_from": "low", "bus_to": buses, "r": 0.02, "x": 0.01,
                 "s_nom": 100.0},
        "prosumer": {"id": [f"home-{n}" for n in names]},
        "tariff": {"id": ["home"], "price_import": [0.3], "price_export": [EXPORT]},
        "meter": {"id": [f"meter-{n}" for n in names], "bus": buses, "prosumer": [f"home-{n}" for n in names],
                  "tariff": "home"},
        "load": {"id": [f"load-{n}" for n in names], "meter": [f"meter-{n}" for n in names], "p_nom": 1.0},
        "pv": {"id": [f"pv-{n}" for n in names], "meter": [f"meter-{n}" for n in names],
               "p_nom": [KWP.get(k, 4.0) for k in HOMES]},
        "store": {"id": [f"store-{n}" for n in names], "meter": [f"meter-{n}" for n in names], **STORE},
        "history": {
            "id": [f"{kind}-of-{n}" for kind in ("use", "sun") for n in names],
            "load": [*(f"load-{n}" for n in names), *[""] * 9], "pv": [*[""] * 9, *(f"pv-{n}" for n in names)],
            "time": time, "p": np.concatenate([[u[:hours] for u in use], [s[:hours] for s in sun]]),
        },
        "forecast": {
            "time": time, "source": "profile", "price_import": [tariff[:hours]],
            "price_export": [np.full(hours, EXPORT)],
        },
    }  # fmt: skip
    zone = {"time_zone": "America/Los_Angeles", "currency": "USD", "country": "US", "region": "CA"}
    return build_case({**tables, "case": zone}, title="Nine homes")


def measure(small: bool) -> Iterator[dict[str, Any]]:
    """Run every week under every tariff."""
    try:
        sets = {s.name: s for s in set_readers()["homes"]()}
    except FileNotFoundError:
        yield {"tariff": "-", "week": 0, "failure": str(DataMissingError()), **labels()}
        return
    for name, price in tariffs(sets["home 1"].time).items():
        for week in WEEKS[:1] if small else WEEKS:
            table = backtest(homes_until(sets, price, (week + 1) * WEEK_H + 48), days=1 if small else 7)
            cost = table["cost"].sum("day")
            row = {"tariff": name, "week": week, "days": table.sizes["day"], "currency": table.attrs["currency"]}
            row |= {f"cost_{s}": float(cost.sel(strategy=s)) for s in table["strategy"].to_numpy()}
            yield row | labels()


STUDY = Study(
    name="closed-loop",
    about="what forecasts are worth: measured weeks of nine homes with PV and batteries, against perfect knowledge",
    columns=("tariff", "week", "cost_perfect", "cost_forecast", "cost_yesterday", "cost_uncontrolled"),
    measure=measure,
)
