"""Case file with history → case file with forecast, and what there is to say about it."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.case.netcdf import load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.schema import columns
from dispatch.errors import raise_if_any
from dispatch.forecast.history import history_step
from dispatch.forecast.meter_use import likely_prosumers
from dispatch.forecast.origins import LABEL
from dispatch.forecast.profile import predict
from dispatch.forecast.quality import clean
from dispatch.forecast.quantiles import QUANTILES
from dispatch.run.forecast_figure import figure_of_feeder, figure_of_load
from dispatch.run.outputs import require_output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    import xarray as xr

NAMED = 20  # series with faults that are named


def forecast_case(
    path: Path,
    output: Path,
    *,
    start: str | None = None,
    horizon_h: float | None = None,
    quantiles: Sequence[float] | None = None,
    figure: Path | None = None,
    load: str | None = None,
    feeder: str | None = None,
    progress: bool = False,
) -> dict[str, Any]:
    """Write a case with its forecast.

    Parameters
    ----------
    path, output : Path
        Case to read and to write.
    start, horizon_h, quantiles
        As for `dispatch.predict`.
    figure : Path, optional
        SVG of forecast against what came.
    load : str, optional
        Load that is drawn; default: the first with a history.
    feeder : str, optional
        Source whose feeder's net load is drawn instead.
    progress : bool
        Show a bar on stderr.

    Returns
    -------
    dict
        What is said with ``--json``: source, span, counts, and faults by series of the history.

    Raises
    ------
    InputError
        If the case is invalid, or the load or feeder that is to be drawn is not there.
    """
    files = [output] if figure is None else [output, figure]
    for file in files:
        require_output(file, inputs=[path])
    case = load_case(path)
    with _bar(progress) as done:
        found = predict(
            case,
            start=start,
            horizon_h=horizon_h,
            quantiles=quantiles or QUANTILES,
            progress=done if progress else None,
        )
    raise_if_any(check_case(found), str(path))
    drawing = None
    if figure is not None:
        drawing = figure_of_load(found, load) if feeder is None else figure_of_feeder(found, feeder)
    output.parent.mkdir(parents=True, exist_ok=True)
    save_case(found, output)
    if figure is not None and drawing is not None:
        figure.parent.mkdir(parents=True, exist_ok=True)
        figure.write_text(drawing, "utf-8")
    return _summary(found) | {"files": [str(f) for f in files]}


@contextmanager
def _bar(shown: bool) -> Iterator[Callable[[float], None]]:
    if not shown:
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415  (loads when needed)
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loads", total=1.0)
        yield lambda part: bar.update(task, completed=part)


def _summary(case: xr.DataTree) -> dict[str, Any]:
    forecast, table = columns(case, "forecast"), columns(case, "history")
    origins = json.loads(str(case["/forecast"].attrs[LABEL]))
    said: dict[str, Any] = {
        "status": "done",
        "source": forecast["source"].item().decode(),
        "start": str(forecast["time"][0]),
        "steps": len(forecast["time"]),
        "loads": len(columns(case, "load")["id"]),
        "loads_from_history": origins["load"].get("history", 0),
        "pv": len(columns(case, "pv")["id"]),
        "pv_from_weather": origins["pv"].get("weather", 0),
        "pv_from_history": origins["pv"].get("history", 0),
        "quantiles": forecast.get("quantile", np.zeros(0)).tolist(),
        "origins": origins,
    }
    if len(table.get("time", ())):
        cleaned, quality = clean(table["p"].astype(float), history_step(table) / np.timedelta64(1, "h"))
        said["likely_prosumers"] = likely_prosumers(case, table, cleaned, table["time"].astype("datetime64[s]"))
        faults = {i.decode(): quality.faults(s) for s, i in enumerate(table["id"]) if quality.faults(s)}
        said["series"], said["series_with_faults"] = len(table["id"]), len(faults)
        said["faults"] = dict(list(faults.items())[:NAMED])
    return said
