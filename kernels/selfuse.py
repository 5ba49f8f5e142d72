"""Stores without any control: batteries follow their own meter, cars and tanks are kept full."""

from __future__ import annotations

import numpy as np

from kernels._jit import kernel


@kernel
def follow_meter(
    surplus: np.ndarray,
    first: np.ndarray,
    p_charge_max: np.ndarray,
    p_discharge_max: np.ndarray,
    energy_nom: np.ndarray,
    efficiency_charge: np.ndarray,
    efficiency_discharge: np.ndarray,
    retained: np.ndarray,
    initial: np.ndarray,
    dt: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Charge each store from its meter's surplus and discharge it into its meter's deficit.

    Parameters
    ----------
    surplus : ndarray (meter, time)
        Available generation less demand. [kW]
    first : ndarray (meter + 1,) of int
        Stores of meter m are those from first[m] to first[m + 1], served in that order.
    p_charge_max, p_discharge_max, energy_nom, efficiency_charge, efficiency_discharge : ndarray (store,)
        [kW, kW, kW h, 1, 1]
    retained : ndarray (store,)
        Part of the content that is left after a step without use. [1]
    initial : ndarray (store,)
        Content before the first step. [kW h]
    dt : float
        Length of a step. [h]

    Returns
    -------
    charge, discharge : ndarray (store, time)
        [kW]
    content : ndarray (store, time)
        At the end of each step. [kW h]
    """
    stores, steps = len(energy_nom), surplus.shape[1]
    charge, discharge = np.zeros((stores, steps)), np.zeros((stores, steps))
    content = np.zeros((stores, steps))
    for m in range(len(first) - 1):
        for t in range(steps):
            left = surplus[m, t]
            for s in range(first[m], first[m + 1]):
                held = retained[s] * (content[s, t - 1] if t > 0 else initial[s])
                if left > 0:
                    room = max(energy_nom[s] - held, 0.0)
                    charge[s, t] = min(left, p_charge_max[s], room / (dt * efficiency_charge[s]))
                    held = min(held + dt * efficiency_charge[s] * charge[s, t], energy_nom[s])
                    left -= charge[s, t]
                elif left < 0:
                    discharge[s, t] = min(-left, p_discharge_max[s], held * efficiency_discharge[s] / dt)
                    held = max(held - dt * discharge[s, t] / efficiency_discharge[s], 0.0)
                    left += discharge[s, t]
                content[s, t] = held
    return charge, discharge, content


@kernel
def keep_full(
    p_charge_max: np.ndarray,
    energy_nom: np.ndarray,
    efficiency_charge: np.ndarray,
    p_withdrawn: np.ndarray,
    retained: np.ndarray,
    initial: np.ndarray,
    dt: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Charge each store as soon and as much as it can, whatever that costs.

    Parameters
    ----------
    p_charge_max, efficiency_charge, p_withdrawn : ndarray (store, time)
        [kW, 1, kW]
    energy_nom : ndarray (store,)
        [kW h]
    retained : ndarray (store,)
        Part of the content that is left after a step without use. [1]
    initial : ndarray (store,)
        Content before the first step. [kW h]
    dt : float
        Length of a step. [h]

    Returns
    -------
    charge : ndarray (store, time)
        [kW]
    content : ndarray (store, time)
        At the end of each step; 0 where more is withdrawn than there is. [kW h]
    """
    stores, steps = p_charge_max.shape
    charge, content = np.zeros((stores, steps)), np.zeros((stores, steps))
    for s in range(stores):
        held = initial[s]
        for t in range(steps):
            gain = dt * efficiency_charge[s, t]
            held = retained[s] * held - dt * p_withdrawn[s, t]
            charge[s, t] = min(p_charge_max[s, t], max(energy_nom[s] - held, 0.0) / gain)
            held = min(max(held + gain * charge[s, t], 0.0), energy_nom[s])
            content[s, t] = held
    return charge, content
