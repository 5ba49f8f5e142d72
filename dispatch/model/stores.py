"""Elements of the stores' components: powers, contents and efficiencies as docs/formulation.md has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from dispatch.case.schema import Columns

GIVEN = ("energy_nom", "efficiency_charge", "standing_loss", "wear_cost")


def discharge_power(store: Columns) -> np.ndarray:
    """Largest discharging power of each store.

    Parameters
    ----------
    store : Columns
        Of the case.

    Returns
    -------
    ndarray (store,)
        As given, else `p_nom` of a battery and 0 of a car; 0 of a tank. [kW]
    """
    kind, given = store["kind"], store["p_discharge_nom"]
    otherwise = np.where(kind == b"battery", store["p_nom"], 0.0)
    return np.where(kind == b"tank", 0.0, np.where(np.isnan(given), otherwise, given))


def contents(store: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Content of each store before the first step, and the least after the last one.

    Parameters
    ----------
    store : Columns
        Of the case.

    Returns
    -------
    initial, final : ndarray (store,)
        Where not known, half of `energy_nom`, and the initial content. [kW h]
    """
    initial, final = store["state_of_charge_initial"], store["state_of_charge_final"]
    initial = np.where(np.isnan(initial), store["energy_nom"] / 2, initial)
    return initial, np.where(np.isnan(final), initial, final)


def battery_parameters(store: Columns, surplus: np.ndarray, deficit: np.ndarray, green: np.ndarray) -> Columns:
    """Parameters of every store as if it were a battery.

    Parameters
    ----------
    store : Columns
        Of the case.
    surplus, deficit : ndarray (store, step)
        Of its meter, which bound the powers at a green-only meter. [kW]
    green : ndarray (store, 1) of bool
        Whether its meter is green-only.

    Returns
    -------
    dict of str to ndarray (store, step or 1)
    """
    power, out_of = store["p_nom"][:, None], discharge_power(store)[:, None]
    parameters = {"p_charge_max": power, "p_discharge_max": out_of}
    if green.any():
        parameters = {
            "p_charge_max": np.where(green, np.minimum(power, surplus), power),
            "p_discharge_max": np.where(green, np.minimum(out_of, deficit), out_of),
        }
    initial, final = contents(store)
    parameters |= {name: store[name][:, None] for name in (*GIVEN, "efficiency_discharge")}
    return parameters | {"state_of_charge_initial": initial[:, None], "state_of_charge_final": final[:, None]}


def flexible_parameters(store: Columns, series: dict[str, np.ndarray], kind: str) -> Columns:
    """Parameters of cars or of tanks.

    Parameters
    ----------
    store : Columns
        Those of the kind.
    series : dict of str to ndarray (store, step)
        `p_max_pu`, `p_withdrawn`, `state_of_charge_least` and `coefficient_of_performance` of the same.
    kind : str
        ``"car"`` or ``"tank"``.

    Returns
    -------
    dict of str to ndarray (store, step or 1)
    """
    initial, final = contents(store)
    least = series["state_of_charge_least"].copy()
    least[:, -1:] = np.maximum(least[:, -1:], final[:, None])
    parameters = {name: store[name][:, None] for name in GIVEN}
    parameters |= {
        "p_charge_max": store["p_nom"][:, None] * series["p_max_pu"],
        "state_of_charge_initial": initial[:, None],
        "state_of_charge_least": least,
        "p_withdrawn": series["p_withdrawn"],
    }
    if kind == "car":
        discharge_max = discharge_power(store)[:, None] * series["p_max_pu"]
        out_of = store["efficiency_discharge"][:, None]
        return parameters | {"p_discharge_max": discharge_max, "efficiency_discharge": out_of}
    performance = gained(store, series)
    return parameters | {"efficiency_charge": parameters["efficiency_charge"] * performance}


def gained(store: Columns, series: dict[str, np.ndarray]) -> np.ndarray:
    """Heat that a tank gains for each unit of electric energy, before losses of charging; 1 for all others.

    Parameters
    ----------
    store : Columns
        Of the case.
    series : dict of str to ndarray (store, step)
        `coefficient_of_performance`; empty where the case has neither cars nor tanks.

    Returns
    -------
    ndarray (store, step or 1)
        [1]
    """
    tank = (store["kind"] == b"tank")[:, None]
    return np.where(tank, series["coefficient_of_performance"], 1.0) if series else np.ones((len(tank), 1))
