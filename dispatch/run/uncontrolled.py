"""The network under PV self-use without control: what a schedule is compared with, and what foretells its losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dispatch.model.baseline import self_use
from dispatch.model.linear import linear_flow
from dispatch.verify.electric import injections

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.model.baseline import Baseline
    from dispatch.model.linear import LinearFlow
    from dispatch.verify.electric import AcModel, AcState


@dataclass(frozen=True)
class Uncontrolled:
    """Self-use without control.

    Attributes
    ----------
    plan : Baseline
        What everybody does.
    linear : LinearFlow
        Linear state of the network.
    ac : AcState
        Its state by AC power flow.
    """

    plan: Baseline
    linear: LinearFlow
    ac: AcState


def uncontrolled_of(case: xr.DataTree, ac: AcModel) -> Uncontrolled:
    """Look at a feeder without control.

    Parameters
    ----------
    case : DataTree
        Of one feeder.
    ac : AcModel
        Its network.

    Returns
    -------
    Uncontrolled
    """
    plan = self_use(case)
    p, q = injections(case, plan.p_import, plan.p_export)
    return Uncontrolled(plan, linear_flow(ac.network, p, q), ac.flow(p, q))
