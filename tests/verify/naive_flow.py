"""Slow AC power flow in ohm and volt, one branch after the other: the oracle of `dispatch.verify.electric`."""

from __future__ import annotations

from typing import Any

import numpy as np


def admittances(tables: dict[str, Any]) -> list[Any]:
    """Four admittances (from-from, from-to, to-from, to-to) of each branch in service, in siemens."""
    v_nom = dict(zip(tables["bus"]["id"], tables["bus"]["v_nom"], strict=True))
    found = []
    for row in rows(tables.get("line", {"id": []})):
        y, shunt = 1 / complex(row["r"], row["x"]), 0.5j * row.get("b", 0.0)
        rated = row["s_nom"] / np.sqrt(3) / v_nom[row["bus_from"]]  # A
        found.append((row, (y + shunt, -y, -y, y + shunt), ("current", rated)))
    for row in rows(tables.get("transformer", {"id": []})):
        step = 1 + row.get("tap_step_pu", 0.0) * (row.get("tap_position", 0) - row.get("tap_neutral", 0))
        high, low = 1e3 * row["v_nom_from"], 1e3 * row["v_nom_to"]
        if row.get("tap_side", "from") == "from":
            high *= step
        else:
            low *= step
        turns = high / low * np.exp(1j * np.radians(row.get("phase_shift", 0.0)))
        y_base = 1e3 * row["s_nom"] / low**2
        y = y_base / complex(row["r_pu"], row["x_pu"])
        g = row.get("p_no_load", 0.0) / row["s_nom"]
        shunt = y_base * complex(g, -np.sqrt(max(row.get("i_no_load_pu", 0.0) ** 2 - g**2, 0))) / 2
        four = ((y + shunt) / abs(turns) ** 2, -y / np.conj(turns), -y / turns, y + shunt)
        found.append((row, four, ("power", row["s_nom"])))
    return found


def rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of a table of columns."""
    return [{name: values[i] for name, values in table.items()} for i in range(len(table["id"]))]


def naive_flow(tables: dict[str, Any], p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Voltage, active power into each branch and loading for one step; every bus must hang on a source.

    The voltages of all buses but the sources' are found by Gauss's method with the inverse of their admittances:
    ``v ← Y⁻¹ (conj(s / v) - Y_source v_source)``.
    """
    number = {b: i for i, b in enumerate(tables["bus"]["id"])}
    volt = 1e3 * np.array(tables["bus"]["v_nom"], float)
    y = np.zeros((len(volt), len(volt)), complex)
    branches = [(row, four, rating) for row, four, rating in admittances(tables) if row.get("in_service", True)]
    for row, four, _ in branches:
        i, j = number[row["bus_from"]], number[row["bus_to"]]
        y[i, i] += four[0]
        y[i, j] += four[1]
        y[j, i] += four[2]
        y[j, j] += four[3]
    held = [number[b] for b in tables["source"]["bus"]]
    free = [i for i in range(len(volt)) if i not in held]
    v = volt.astype(complex)
    v[held] *= np.array(tables["source"]["v_pu"])
    offered = np.linalg.solve(y[np.ix_(free, free)], -y[np.ix_(free, held)] @ v[held])
    inverse = np.linalg.inv(y[np.ix_(free, free)])
    v[free] = offered
    s = 1e3 * (np.asarray(p, float) + 1j * np.asarray(q, float))[free]
    for _ in range(2000):
        new = offered + inverse @ np.conj(s / v[free])
        change = np.abs(new / volt[free] - v[free] / volt[free]).max(initial=0.0)
        v[free] = new
        if change < 1e-14:
            break
    p_from, loading = [], []
    for row, four, (kind, rating) in branches:
        i, j = number[row["bus_from"]], number[row["bus_to"]]
        into = np.array([four[0] * v[i] + four[1] * v[j], four[2] * v[i] + four[3] * v[j]])
        power = v[[i, j]] * np.conj(into)
        p_from.append(power[0].real / 1e3)
        amount = np.abs(into) / np.sqrt(3) if kind == "current" else np.abs(power) / 1e3
        loading.append(amount.max() / rating)
    return np.abs(v) / volt, np.array(p_from), np.array(loading)
