"""Gas of a one-family house by temperature: the standard load profile of the German gas industry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from dispatch.forecast.calendar import local_time

if TYPE_CHECKING:
    from pathlib import Path

HOUSE_A, HOUSE_B, HOUSE_C, HOUSE_D = 1.6209544, -37.1833141, 5.6727847, 0.0716431
HEATING, WATER = (-0.04957, 0.8401015), (-0.002209, 0.1074468)
"""SigLinDe profile HEF33 of BDEW, VKU and GEODE, guideline "Abwicklung von Standardlastprofilen Gas", 2016."""
REFERENCE = 40.0  # degree C
EARLIER = (1.0, 0.5, 0.25, 0.125)  # weights of a day and of the three before it
HOURS = np.array([
    (296, 294, 300, 307, 321, 381, 577, 525, 498, 476, 466, 437,
     423, 422, 418, 438, 472, 482, 472, 469, 461, 423, 345, 298),
    (292, 289, 296, 303, 318, 380, 573, 530, 501, 479, 469, 438,
     424, 422, 418, 439, 475, 485, 475, 471, 463, 424, 343, 294),
    (281, 279, 286, 294, 310, 377, 602, 537, 507, 483, 472, 438,
     424, 422, 418, 439, 478, 489, 478, 475, 465, 424, 337, 284),
    (262, 266, 274, 289, 333, 430, 551, 510, 497, 482, 467, 446,
     439, 435, 448, 456, 481, 489, 491, 484, 466, 414, 318, 272),
    (230, 237, 243, 262, 312, 448, 577, 537, 510, 488, 465, 448,
     438, 437, 446, 458, 481, 501, 506, 505, 485, 430, 309, 246),
    (196, 208, 217, 249, 326, 483, 619, 578, 527, 486, 452, 430,
     424, 422, 433, 452, 478, 509, 523, 527, 504, 440, 301, 218),
    (142, 155, 167, 200, 298, 541, 685, 679, 578, 527, 478, 435,
     415, 402, 399, 414, 441, 477, 515, 552, 535, 474, 315, 177),
    (96, 105, 112, 162, 289, 662, 821, 757, 609, 601, 513, 483,
     442, 397, 378, 359, 400, 428, 456, 513, 519, 442, 309, 147),
    (45, 54, 44, 81, 191, 601, 939, 809, 614, 587, 533, 541,
     521, 420, 403, 360, 423, 498, 482, 508, 526, 450, 262, 108),
]) / 1e4  # fmt: skip
"""Part of a day's gas in each of its local hours, below -15 degree C, then in steps of 5 K, and above 20; the same
guideline, one-family houses of class 11, as the PyPI package demandlib 0.2.2 has them."""
ZONE = "Europe/Berlin"


def of_day(celsius: np.ndarray) -> np.ndarray:
    """Gas of a day, 1 at 8 degree C.

    Parameters
    ----------
    celsius : ndarray
        Weighted temperature of the day. [degree_C]

    Returns
    -------
    ndarray
        [1]
    """
    heat = HOUSE_A / (1 + (HOUSE_B / (celsius - REFERENCE)) ** HOUSE_C)
    line = np.maximum(HEATING[0] * celsius + HEATING[1], WATER[0] * celsius + WATER[1])
    return np.asarray(heat + HOUSE_D + line)


def gas_shape(path: Path, time: np.ndarray) -> np.ndarray:
    """Gas that a house takes over its mean hour of the typical year.

    Days count from midnight local time, temperature of a day is the mean of its 24 hours.

    Parameters
    ----------
    path : Path
        PVGIS typical year (CSV).
    time : ndarray (time,) of datetime64
        Left edges in UTC.

    Returns
    -------
    ndarray (time,)
        [1]
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines if line[:8].isdigit()]
    hourly = pd.Series([float(r[1]) for r in rows], [r[0][4:] for r in rows])
    # The year repeats itself; local days begin an hour before those of UTC, in winter: no matter for a daily mean.
    daily = hourly.groupby(hourly.index.str[:4]).mean()
    weighted = sum(w * np.roll(daily.to_numpy(), k) for k, w in enumerate(EARLIER)) / sum(EARLIER)
    gas = pd.Series(of_day(weighted), daily.index)
    gas /= gas.mean()
    local = local_time(time, ZONE)
    day = pd.DatetimeIndex(local).strftime("%m%d")
    band = np.clip(np.floor_divide(weighted, 5).astype(int) + 4, 0, len(HOURS) - 1)
    part = HOURS[pd.Series(band, daily.index).loc[day].to_numpy(), pd.DatetimeIndex(local).hour]
    return np.asarray(gas.loc[day].to_numpy() * part * 24)
