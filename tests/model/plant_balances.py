"""Energy and carbon of biogas plants, forward from what a schedule set: of one plant with one upgrader."""

from __future__ import annotations

from typing import Any

import numpy as np

from dispatch.case.schema import columns

HIGHER, LOWER = 11.06, 9.97
USUAL = 72.0  # time constant in hours of a substrate that says neither its own nor its kind
WITHIN = 1e-6


def require_balances(day: Any, dt: float) -> None:
    """Gas, carbon and energy close to 1e-6 in every step of length `dt` hours, digester and off-gas included."""
    s = day["schedule"]
    plant, substrate, chp, upgrader = (columns(day, k) for k in ("plant", "substrate", "chp", "upgrader"))
    share = plant["methane_share"][0]
    feed = s["feed"].to_numpy()
    # Methane in the digester, forward from the feed; what left it in a step came as gas.
    tau = np.where(np.isnan(substrate["tau"]), USUAL, substrate["tau"])[:, None]
    gas = substrate["methane_yield"][:, None]
    start = np.where(
        np.isnan(substrate["gas_rate_initial"]),
        substrate["methane_yield"] * substrate["feed_day"] / 24,
        substrate["gas_rate_initial"],
    )[:, None]
    inventory, came, kept = tau * start, np.zeros(feed.shape), np.exp(-dt / tau)
    rates = np.zeros(feed.shape)
    for t in range(feed.shape[1]):
        after = kept * inventory + tau * (1 - kept) * gas * feed[:, [t]]
        came[:, [t]] = gas * feed[:, [t]] - (after - inventory) / dt
        inventory, rates[:, [t]] = after, after / tau
    np.testing.assert_allclose(s["gas_rate"].to_numpy(), rates, rtol=WITHIN, atol=WITHIN)
    burnt = s["p_chp"].to_numpy()[0] / (chp["efficiency_electric"][0] * LOWER) / share
    raw, flare, boiler = (s[n].to_numpy()[0] for n in ("flow_raw", "flow_flare", "flow_boiler"))
    used = burnt + raw + flare + boiler
    start = plant["holder_initial"][0]
    start = plant["holder_nom"][0] / 2 if np.isnan(start) else start
    holder = np.concatenate([[start], s["holder"].to_numpy()[0]])
    produced = came.sum(axis=0) / share
    np.testing.assert_allclose(np.diff(holder), dt * (produced - used), rtol=WITHIN, atol=WITHIN * produced.max())
    # Carbon: a mole of raw gas has one, be it methane or dioxide; upgrading parts it into biomethane and off-gas.
    methane, slip = share * raw, upgrader["methane_slip"][0]
    off_gas = (1 - share) * raw + slip * methane
    injected = s["gas_injected"].to_numpy()[0] / HIGHER
    carbon = burnt + boiler + flare + injected + off_gas + np.diff(holder) / dt
    np.testing.assert_allclose(carbon, produced, rtol=WITHIN)
    # Energy of the methane, higher heating value.
    energy = HIGHER * (share * (burnt + boiler + flare + np.diff(holder) / dt) + slip * methane) + injected * HIGHER
    np.testing.assert_allclose(energy, HIGHER * share * produced, rtol=WITHIN)
    heat = chp["efficiency_thermal"][0] / chp["efficiency_electric"][0] * s["p_chp"].to_numpy()[0]
    heat = heat + plant["efficiency_boiler"][0] * LOWER * share * boiler
    stored = np.concatenate([[0.0], s["heat_stored"].to_numpy()[0]])
    surplus = heat + s["heat_missing"].to_numpy()[0] - plant["heat_demand"][0] - np.diff(stored) / dt
    assert surplus.min() > -WITHIN
