"""Rules of biogas plants that one attribute alone does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.attributes import attribute_table
from dispatch.case.schema import positions
from dispatch.case.substrates import PARTS, methane_yields, substrate_kinds

if TYPE_CHECKING:
    from dispatch.case.rules.findings import Findings, Table

MOST_EFFICIENT = 0.95


def check_plants(findings: Findings) -> None:
    """Check holders, feeds and engines, and that what is upgraded has somewhere to go.

    Parameters
    ----------
    findings : Findings
        Receives the problems.
    """
    _connected(findings)
    plant, substrate, chp, upgrader = (findings.table(k) for k in ("plant", "substrate", "chp", "upgrader"))
    for name in ("holder_initial", "holder_final"):
        if plant.has(name, "holder_nom"):
            over = plant.columns[name] > plant.columns["holder_nom"]
            hint = "Correct it, or enlarge holder_nom."
            findings.where("holder", plant, name, over, allowed="at most holder_nom", hint=hint)
    if substrate.has("feed_max", "feed_day"):
        over = substrate.columns["feed_day"] > 24 * substrate.columns["feed_max"] * (1 + 1e-9)
        hint = "Lower feed_day, or give a larger feed_max."
        findings.where("feed", substrate, "feed_day", over, allowed="at most 24 h of feed_max", hint=hint)
    if substrate.has("kind", "methane_yield", "tau", *PARTS):
        _yields(findings, substrate)
    if chp.has("efficiency_electric", "efficiency_thermal"):
        over = chp.columns["efficiency_electric"] + chp.columns["efficiency_thermal"] > MOST_EFFICIENT
        hint = "Both refer to the lower heating value; lower one of them."
        allowed = f"at most {MOST_EFFICIENT:g} with efficiency_electric"
        findings.where("efficiency", chp, "efficiency_thermal", over, allowed=allowed, hint=hint)
    _accounts(findings, plant)
    if upgrader.has("plant") and plant.has("junction"):
        at = positions(plant.ids, upgrader.columns["plant"])
        nowhere = (at >= 0) & (plant.columns["junction"][at] == b"") if len(plant.ids) else np.zeros(len(at), bool)
        hint = "Give the plant a junction, or remove the upgrader."
        findings.where("no-junction", upgrader, "plant", nowhere, value="a plant without a junction", hint=hint)


def _connected(findings: Findings) -> None:
    """Meters have a bus where there are any, plants and compressors a meter."""
    bus, meter = findings.table("bus"), findings.table("meter")
    for kind, name, parents, others in (
        ("meter", "bus", bus, 0),
        ("plant", "meter", meter, len(bus.ids)),
        ("compressor", "meter", meter, len(bus.ids)),
        ("booster", "meter", meter, len(bus.ids)),
    ):
        table = findings.table(kind)
        if table.has(name) and len(parents.ids) + others:
            hint = f"Name a {name}; it may be left out only where the case has none and no electric network."
            findings.where(f"no-{name}", table, name, table.columns[name] == b"", value="empty", hint=hint)


def _yields(findings: Findings, substrate: Table) -> None:
    """Every substrate has a yield, given or made of its parts, inside the physical range."""
    made, allowed = methane_yields(substrate.columns), attribute_table()["substrate"].attributes["methane_yield"].range
    hint = f"Give methane_yield, or {', '.join(PARTS)}, or a kind: {', '.join(substrate_kinds())}."
    findings.where("no-yield", substrate, "methane_yield", np.isnan(made), value="not known", hint=hint)
    over = np.isnan(substrate.columns["methane_yield"]) & ~np.isnan(made) & ~allowed.contains(made)
    if not over.any():
        return
    hint = "Correct one of the three, or its unit: shares are parts of 1."
    value = f"a product of {made[np.argmax(over)]:.4g} m3 t-1"
    findings.where("yield", substrate, "methane_potential", over, value=value, allowed=str(allowed), hint=hint)


def _accounts(findings: Findings, plant: Table) -> None:
    """Refuse accounts that would earn money by buying and selling, and plants that cannot put anything into theirs."""
    account = findings.table("account")
    if account.has("price_short", "price_surplus", "fee"):
        over = account.columns["price_surplus"] > account.columns["price_short"] + 2 * account.columns["fee"]
        hint = "Lower it: gas could be bought and sold at once at a profit."
        findings.where(
            "account-prices", account, "price_surplus", over, allowed="at most price_short + 2 fee", hint=hint
        )
    if plant.has("account", "junction"):
        nowhere = (plant.columns["account"] != b"") & (plant.columns["junction"] == b"")
        hint = "Give the plant a junction, or leave out its account."
        findings.where("no-junction", plant, "account", nowhere, value="an account but no junction", hint=hint)
