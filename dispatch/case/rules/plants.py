"""Rules of biogas plants that one attribute alone does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import positions

if TYPE_CHECKING:
    from dispatch.case.rules.findings import Findings

MOST_EFFICIENT = 0.95


def check_plants(findings: Findings) -> None:
    """Check holders, feeds and engines, and that what is upgraded has somewhere to go.

    Parameters
    ----------
    findings : Findings
        Receives the problems.
    """
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
    if chp.has("efficiency_electric", "efficiency_thermal"):
        over = chp.columns["efficiency_electric"] + chp.columns["efficiency_thermal"] > MOST_EFFICIENT
        hint = "Both refer to the lower heating value; lower one of them."
        allowed = f"at most {MOST_EFFICIENT:g} with efficiency_electric"
        findings.where("efficiency", chp, "efficiency_thermal", over, allowed=allowed, hint=hint)
    if upgrader.has("plant") and plant.has("junction"):
        at = positions(plant.ids, upgrader.columns["plant"])
        nowhere = (at >= 0) & (plant.columns["junction"][at] == b"") if len(plant.ids) else np.zeros(len(at), bool)
        hint = "Give the plant a junction, or remove the upgrader."
        findings.where("no-junction", upgrader, "plant", nowhere, value="a plant without a junction", hint=hint)
