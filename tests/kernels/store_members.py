"""Generated members of every kind that the store kernel plans."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernels.store import Stores

KINDS = ("battery", "narrow", "negative", "flat", "green", "car", "tank", "holder", "edge", "paid", "anything")


def ordinary(rng: np.random.Generator, n: int, steps: int) -> dict[str, Any]:
    """Houses with PV and a battery, at ordinary noisy prices."""
    load, sun = rng.uniform(0, 3, (n, steps)), np.maximum(rng.normal(0, 4, (n, steps)), 0)
    power = rng.uniform(0.5, 6, (n, 1))
    energy = power * rng.uniform(0.3, 4, (n, 1))
    buy = rng.uniform(0.05, 0.4, (n, steps))
    wear = rng.choice([0, 0.02], (n, 1))
    zero = np.zeros((1, 1))
    return {
        "p_net": load - sun,
        "p_curtailed_max": sun,
        "p_import_max": load + power,
        "p_export_max": sun + power,
        "p_unserved_max": zero,
        "p_spilled_max": zero,
        "price_import": buy,
        "price_export": np.minimum(buy, 0.08),
        "p_charge_max": power,
        "p_discharge_max": power,
        "efficiency_charge": rng.choice([1.0, 0.95, 0.8], (n, 1)),
        "efficiency_discharge": rng.choice([1.0, 0.95, 0.8], (n, 1)),
        "wear_charge": wear,
        "wear_discharge": wear,
        "capacity": energy,
        "content_least": zero,
        "inflow": zero,
        "retained": rng.choice([1.0, 0.99], (n, 1)),
        "initial": energy[:, 0] * rng.uniform(0, 1, n),
        "final_least": energy[:, 0] * rng.choice([0, 0.5, 1.2], n),
        "final_most": np.full(1, np.inf),
        "final_value": np.zeros(1),
        "dt": 0.25,
        "price_unmet": 10.0,
        "price_shortfall": 10.0,
        "price_wasted": 0.0,
    }


def narrow(rng: np.random.Generator, f: dict[str, Any], n: int, steps: int) -> None:
    """Small connections: import and export bind, what cannot pass is unserved or spilled; part of the PV must run."""
    most_in, most_out = rng.uniform(0, 3, (n, 1)), rng.uniform(0, 3, (n, 1))
    fixed = f["p_curtailed_max"] * rng.choice([0, 0.5, 1], (n, 1))
    load = f["p_net"] + f["p_curtailed_max"]
    f["p_curtailed_max"] = f["p_curtailed_max"] - fixed
    f["p_import_max"], f["p_export_max"] = np.broadcast_to(most_in, (n, steps)), np.broadcast_to(most_out, (n, steps))
    f["p_unserved_max"] = np.maximum(np.maximum(load - fixed, 0) - most_in, 0)
    f["p_spilled_max"] = np.maximum(np.maximum(fixed - load, 0) - most_out, 0)


def negative(rng: np.random.Generator, f: dict[str, Any], n: int, steps: int) -> None:
    """Prices of either sign, far apart or equal, with a drain that pays for wasting."""
    f["price_import"] = rng.normal(0.05, 0.3, (n, steps))
    f["price_export"] = f["price_import"] - np.abs(rng.normal(0, 0.1, (n, steps))) * rng.integers(0, 2, (n, 1))
    f["p_import_max"] = f["p_import_max"] * rng.uniform(0.3, 1.5, (n, 1)) + np.maximum(f["p_net"], 0)
    f["p_export_max"] = f["p_export_max"] * rng.uniform(0, 1, (n, 1))
    f["p_spilled_max"] = np.maximum(-f["p_net"] - f["p_curtailed_max"] - f["p_export_max"], 0)


def flat(rng: np.random.Generator, f: dict[str, Any], n: int, steps: int) -> None:
    """One price for everything, and powers on a grid: ties everywhere, often without loss."""
    price = rng.choice([0.0, 0.25], (n, 1))
    f["price_import"], f["price_export"] = np.broadcast_to(price, (n, steps)), np.broadcast_to(price, (n, steps))
    f["p_net"] = np.round(f["p_net"])
    f["p_curtailed_max"] = np.round(f["p_curtailed_max"])
    f["p_charge_max"] = f["p_discharge_max"] = np.ceil(f["p_charge_max"])
    f["capacity"] = f["p_charge_max"] * rng.choice([0.25, 0.5, 1], (n, 1))
    f["efficiency_charge"] = f["efficiency_discharge"] = rng.choice([1.0, 1.0, 0.5], (n, 1))
    f["initial"] = f["final_least"] = f["capacity"][:, 0] / 2
    f["p_import_max"], f["p_export_max"] = np.full((1, 1), 40.0), np.full((1, 1), 40.0)


def green(rng: np.random.Generator, f: dict[str, Any], n: int, steps: int) -> None:
    """Charged from the meter's own surplus only; the export price may exceed the import price."""
    surplus, deficit = np.maximum(-f["p_net"], 0), np.maximum(f["p_net"], 0)
    f["p_charge_max"] = np.minimum(f["p_charge_max"], surplus)
    f["p_discharge_max"] = np.minimum(f["p_discharge_max"], deficit)
    f["p_curtailed_max"], f["p_export_max"] = surplus, surplus * rng.choice([1, 0.4], (n, 1))
    f["p_import_max"] = deficit
    f["price_export"] = rng.uniform(0, 0.5, (n, steps))


def car(rng: np.random.Generator, f: dict[str, Any], n: int, steps: int) -> None:
    """Away at times, drives then, must leave with enough; some feed back."""
    away = rng.random((n, steps)) < 0.4
    leaves = ~away & np.roll(away, -1, axis=1)
    f["p_charge_max"] = np.where(away, 0, f["p_charge_max"])
    f["p_discharge_max"] = f["p_charge_max"] * rng.integers(0, 2, (n, 1))
    f["inflow"] = np.where(away, -rng.uniform(0, 1, (n, steps)), 0.0)
    f["content_least"] = np.where(leaves, f["capacity"] * rng.uniform(0, 1.1, (n, 1)), 0.0)
    f["final_value"] = rng.choice([0, 0.2], n)


def tank(rng: np.random.Generator, f: dict[str, Any], n: int, steps: int) -> None:
    """Heat pump and tank: efficiency by step above 1, heat demand, some solar heat, standing loss."""
    f["p_discharge_max"] = np.zeros((1, 1))
    f["efficiency_charge"] = rng.uniform(2, 5, (n, steps))
    f["inflow"] = rng.uniform(-3, 0.7, (n, steps)) * rng.choice([1, 2], (n, 1))
    f["retained"] = rng.uniform(0.9, 1, (n, steps))
    f["wear_charge"] = np.zeros((1, 1))
    f["price_wasted"] = 0.01


def holder(rng: np.random.Generator, f: dict[str, Any], n: int, steps: int) -> None:
    """Gas holder: the second outlet (upgrading) draws power and is paid; what does not fit is flared."""
    f["efficiency_charge"] = -rng.uniform(2, 20, (n, 1))
    f["wear_charge"] = -rng.uniform(0, 2, (n, steps))
    f["efficiency_discharge"] = rng.uniform(0.3, 0.45, (n, 1))
    f["inflow"] = rng.uniform(0, 4, (n, steps))
    f["price_import"] = rng.normal(0.1, 0.2, (n, steps))
    f["price_export"] = f["price_import"] - 0.05


def edge(rng: np.random.Generator, f: dict[str, Any], n: int, steps: int) -> None:
    """Nothing there: no capacity, no power either way, contents fixed at the end."""
    for name in ("capacity", "p_charge_max", "p_discharge_max", "p_curtailed_max"):
        f[name] = f[name] * rng.integers(0, 2, (n, 1))
    f["p_import_max"] = np.maximum(f["p_net"], 0) + 8
    f["p_export_max"] = np.maximum(-f["p_net"], 0) + 8
    f["initial"] = f["capacity"][:, 0] * rng.choice([0, 0.5, 1], n)
    f["final_least"] = f["capacity"][:, 0] * rng.choice([0, 0.5, 1], n)
    reach = 0.2 * np.minimum(f["p_discharge_max"][:, 0], f["p_charge_max"][:, 0] * 0.8)
    fixed = np.maximum(f["initial"] * f["retained"][:, 0] ** steps - reach, 0)
    f["final_most"] = np.where(rng.random(n) < 0.5, np.maximum(fixed, f["initial"] * 0.995**steps), np.inf)


def paid(rng: np.random.Generator, f: dict[str, Any], n: int, steps: int) -> None:
    """Paid for charging, for discharging, or for both, with little loss or none: cycling on the spot pays."""
    f["efficiency_charge"] = f["efficiency_discharge"] = rng.choice([1.0, 0.99], (n, 1))
    f["wear_charge"], f["wear_discharge"] = rng.uniform(-0.1, 0.05, (2, n, steps))


def anything(rng: np.random.Generator, f: dict[str, Any], n: int, steps: int) -> None:
    """Everything by step and at once, with prices beyond those of unserved and spilled power."""
    narrow(rng, f, n, steps)
    f["p_spilled_max"] = np.maximum(-f["p_net"] - f["p_curtailed_max"] - f["p_export_max"], 0) + rng.uniform(
        0, 1, (n, 1)
    )
    f["price_import"] = rng.normal(0, 8, (n, steps))
    f["price_export"] = rng.normal(0, 8, (n, steps))
    f["p_charge_max"], f["p_discharge_max"] = rng.uniform(0, 6, (n, steps)), rng.uniform(0, 6, (n, steps))
    f["efficiency_charge"], f["efficiency_discharge"] = rng.uniform(0.5, 3, (n, steps)), rng.uniform(0.5, 1, (n, steps))
    f["inflow"] = rng.uniform(-1, 1, (n, steps)) * rng.integers(0, 2, (n, 1))
    f["content_least"] = f["capacity"] * rng.uniform(0, 1, (n, steps)) * (rng.random((n, steps)) < 0.3)
    f["wear_charge"], f["wear_discharge"] = rng.uniform(0, 1, (n, steps)), rng.uniform(-0.1, 1, (n, steps))
    f["final_value"] = rng.uniform(-1, 1, n)


SPECIAL = {f.__name__: f for f in (narrow, negative, flat, green, car, tank, holder, edge, paid, anything)}


def members(kind: str, seed: int, n: int, steps: int) -> Stores:
    """So many members of a kind."""
    rng = np.random.default_rng(seed)
    fields = ordinary(rng, n, steps)
    if kind in SPECIAL:
        SPECIAL[kind](rng, fields, n, steps)
    return Stores(**{k: np.ascontiguousarray(v, float) if np.ndim(v) else float(v) for k, v in fields.items()})
