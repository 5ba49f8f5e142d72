"""Shapes of roofs that face the four ways, from the weather of the week by the project's own PV chain."""

from __future__ import annotations

import numpy as np

from dispatch.case.schema import build_case
from dispatch.forecast.pv import pv_forecast

STEP = np.timedelta64(900, "s")
ROOFS = {
    "PV_south": ((35.0, 180.0),),
    "PV_east": ((30.0, 90.0),),
    "PV_west": ((30.0, 270.0),),
    "PV_east_west": ((30.0, 90.0), (30.0, 270.0)),
}
"""Tilt and azimuth of the planes of each shape, as the scenario rule has them on average. [degree]"""


def roof_shapes(
    station: dict[str, np.ndarray], latitude: float, longitude: float, time: np.ndarray
) -> dict[str, np.ndarray]:
    """Power of each kind of roof per unit of its peak power.

    Parameters
    ----------
    station : dict of str to ndarray
        Weather.
    latitude, longitude : float
        Of the town. [degree_north, degree_east]
    time : ndarray (time,) of datetime64
        Left edges, UTC.

    Returns
    -------
    dict of str to ndarray (time,)
        [1]
    """
    names = list(ROOFS)
    owner = [name for name, planes in ROOFS.items() for _ in planes]
    tilt, azimuth = zip(*(plane for planes in ROOFS.values() for plane in planes), strict=True)
    case = build_case(
        {
            "bus": {"id": ["b"], "v_nom": [0.4], "latitude": [latitude], "longitude": [longitude]},
            "prosumer": {"id": ["p"]},
            "tariff": {"id": ["t"], "price_import": [0.0]},
            "meter": {"id": ["m"], "bus": ["b"], "prosumer": ["p"], "tariff": ["t"]},
            "pv": {"id": names, "meter": ["m"] * len(names), "p_nom": np.ones(len(names))},
            "inverter": {"id": names, "pv": names, "p_ac_nom": np.ones(len(names))},
            "plane": {
                "id": [f"{name}{k}" for k, name in enumerate(owner)],
                "inverter": owner,
                "p_dc_nom": [1.0 / len(ROOFS[name]) for name in owner],
                "surface_tilt": tilt,
                "surface_azimuth": azimuth,
            },
            "station": station,
        }
    )
    return dict(zip(names, pv_forecast(case, time, STEP).to_numpy(), strict=True))
