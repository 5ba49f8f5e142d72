"""The same town again under a newer forecast, each feeder solved from where it was left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dispatch.run.feeder import run_feeder
from dispatch.run.optimize import optimize
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    import xarray as xr

    from dispatch.run.feeder import FeederRun
    from dispatch.run.rounds import Kept
    from dispatch.run.stages import Stages


class Rolling:
    """A town that is solved again and again, as when a new forecast of load, generation or prices comes in.

    Prices, stated limits, undecided steps and the basis of each feeder's last program are kept in this process and are
    where its next solve starts. The optimum of every program is that of `optimize`; which of several equally good
    schedules is found may depend on what was solved before, so `rerun` of such a result compares with a cold solve.

    Parameters
    ----------
    settings : Settings, optional
        Of every run.

    Examples
    --------
    >>> town = dispatch.Rolling()                                      # doctest: +SKIP
    >>> morning = town.optimize(case)                                  # doctest: +SKIP
    >>> noon = town.optimize(case_with_newer_forecast)                 # doctest: +SKIP
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self._kept: Kept = {}

    def optimize(self, case: xr.DataTree, *, stages: Stages | None = None) -> xr.DataTree:
        """Find the schedule of a case; see `dispatch.optimize`.

        Parameters
        ----------
        case : DataTree
            Any case; feeders with the same elements as in the last call are solved hot.
        stages : Stages, optional
            Filled with seconds by stage.

        Returns
        -------
        DataTree
            See `dispatch.optimize`.
        """
        return optimize(case, self.settings, stages=stages, feeder=self._feeder)

    def _feeder(self, case: xr.DataTree, settings: Settings, end: float) -> FeederRun:
        return run_feeder(case, settings, end, self._kept)
