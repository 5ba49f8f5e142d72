"""Limits of the gas network that the program holds but the steady state does not, in data and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.schema import columns
from dispatch.model.gas_limits import LIMITED
from dispatch.solve.explain import local_time, spans
from dispatch.solve.explain_gas import NAMES, UNITS

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from dispatch.run.gas_margins import GasMargins


def unmet_by_gas(case: xr.DataTree, margins: GasMargins, dt: float) -> list[dict[str, Any]]:
    """List what the steady state exceeds beyond its tolerance although no limit of the program is relaxed there.

    Parameters
    ----------
    case : DataTree
        Of the feeder with the plants.
    margins : GasMargins
        Under the delivered schedule.
    dt : float
        Length of a step. [h]

    Returns
    -------
    list of dict
        As `dispatch.solve.explain.explain_unmet` makes them; empty where all holds.
    """
    local, feeder = local_time(case), columns(case, "source")["id"][0].decode(errors="replace")
    found = []
    for name, sides in margins.over.items():
        ids, unit = columns(case, LIMITED[name])["id"], UNITS.get(name, "kW")
        for side, limit in zip(sides, NAMES[name], strict=True):
            for k in np.nonzero(side.any(axis=1))[0].tolist():
                steps = np.nonzero(side[k])[0]
                element, hours, most = ids[k].decode(errors="replace"), spans(steps, local, dt), float(side[k].max())
                said = f"the steady state stays {most:.4g} {unit} beyond the limit {limit} ({hours[0]} …)"
                found.append(
                    {
                        "feeder": feeder,
                        "kind": LIMITED[name],
                        "element": element,
                        "limit": limit,
                        "hours": hours,
                        "hours_total": float(len(steps) * dt),
                        "amount": most,
                        "least_relaxation": None,
                        "unit": unit,
                        "text": f"{LIMITED[name]} {element!r}: {said}; more rounds did not hold it.",
                    }
                )
    return found + _without_pressure(case, margins, local, feeder, dt)


def _without_pressure(
    case: xr.DataTree, margins: GasMargins, local: pd.DatetimeIndex, feeder: str, dt: float
) -> list[dict[str, Any]]:
    """List junctions below 4 bar gauge whose demand takes more pressure than there is."""
    ids, found = columns(case, "junction")["id"], []
    for k in np.nonzero(margins.lacking.any(axis=1))[0].tolist():
        steps = np.nonzero(margins.lacking[k])[0]
        element, hours, most = ids[k].decode(errors="replace"), spans(steps, local, dt), float(margins.lacking[k].max())
        text = f"no pressure carries {most:.4g} kW of the gas that is taken here; {most:.4g} kW less would do"
        found.append(
            {
                "feeder": feeder,
                "kind": "junction",
                "element": element,
                "limit": "delivery",
                "hours": hours,
                "hours_total": float(len(steps) * dt),
                "amount": most,
                "least_relaxation": most,
                "unit": "kW",
                "text": f"junction {element!r}: {text} ({hours[0]} …; {len(steps) * dt:g} h in all).",
            }
        )
    return found
