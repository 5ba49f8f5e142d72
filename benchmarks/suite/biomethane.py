"""How often demand limits biomethane: measured days of Denmark, as they were and with more biomethane.

The country stands for one zone without storage and without exports: a day's biomethane beyond that day's demand has
nowhere to go. Energinet's daily flows 2015 to 2021 are read from the shared data.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.studies import Study, labels

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path(__file__).parents[2].parent / "shared" / "data" / "gas" / "dk_gasflow_daily_2015_2021.csv"
COLUMNS = ("days", "share %", "lowest day %", "limited days a year", "in June to August", "does not fit %", "failure")
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
RECENT = 2018
SUMMER = (6, 7, 8)


def days(path: Path) -> pd.DataFrame:
    """Read each day's biomethane and demand, in kilowatt hours."""
    table = pd.read_csv(path, index_col=0, parse_dates=True)
    return pd.DataFrame({"biomethane": table["KWhFromBiogas"], "demand": -table["KWhToDenmark"]}).dropna()


def limited(biomethane: np.ndarray, demand: np.ndarray, month: np.ndarray) -> dict[str, float]:
    """Count days on which more would come than is used.

    Parameters
    ----------
    biomethane, demand : ndarray (day,)
        [kW h]
    month : ndarray (day,) of int
        Of each day.

    Returns
    -------
    dict of str to float
        Share of biomethane in demand, lowest day's demand over the mean, days a year, and the part that does not fit.
    """
    over = np.maximum(biomethane - demand, 0.0)
    years = len(demand) / 365.25
    return {
        "share %": 100 * float(biomethane.sum() / demand.sum()),
        "lowest day %": 100 * float(demand.min() / demand.mean()),
        "limited days a year": float((over > 0).sum() / years),
        "in June to August": float(((over > 0) & np.isin(month, SUMMER)).sum() / years),
        "does not fit %": 100 * float(over.sum() / biomethane.sum()),
    }


def measure(small: bool) -> Iterator[dict[str, Any]]:
    """Rows of the study: each year as it was, then the last years with shares that grow."""
    if not FILE.exists():
        missing = f"{FILE.name} is not part of the repository: it is read from ../shared/data/gas beside the checkout"
        yield {"days": "Denmark", "failure": missing, **labels()}
        return
    table = days(FILE)
    when = pd.DatetimeIndex(table.index)
    month, years = when.month.to_numpy(), when.year.to_numpy()
    for year in (RECENT,) if small else sorted(set(years.tolist())):
        own = (years == year).nonzero()[0]
        came, used = table.to_numpy()[own].T
        yield {"days": f"{year}, measured", **limited(came, used, month[own]), **labels()}
    recent = (years >= RECENT).nonzero()[0]
    came, used = table.to_numpy()[recent].T
    # Its growth within these years is taken out, its seasons and its better and worse days are kept.
    shape = came / pd.Series(came).rolling(365, center=True, min_periods=180).mean().to_numpy()
    for share in SHARES[:2] if small else SHARES:
        scaled = shape * share * used.sum() / shape.sum()
        named = f"{RECENT} to {years.max()}, biomethane {share:.0%} of demand"
        yield {"days": named, **limited(scaled, used, month[recent]), **labels()}


STUDY = Study("biomethane", "days on which demand limits biomethane, measured and at growing shares", COLUMNS, measure)
