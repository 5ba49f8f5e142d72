"""Which line or transformer is worth more rating: ranked by prices, the first ones solved again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from dispatch.case.network import network_of
from dispatch.case.schema import columns, parent_index
from dispatch.case.slices import split_feeders
from dispatch.errors import InputError, Problem, SolverError
from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.model.registry import load_components
from dispatch.run.again import labels_of
from dispatch.run.parallel import map_feeders
from dispatch.run.result import without_results
from dispatch.solve.export import last_offsets
from dispatch.solve.methods import make_model
from dispatch.solve.reinforced import MORE, reinforced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dispatch.run.settings import Settings

SAME = 1e-5
"""The last program solved again may differ by so much from the optimum in the file, relative to 1 or the optimum."""
KINDS = ("line", "transformer")

Branch = tuple[str, bytes]
"""Kind and id."""


def rank_reinforcements(
    result: xr.DataTree,
    *,
    top: int = 5,
    components: Sequence[str] = (),
    workers: int | None = 1,
    progress: bool = False,
) -> xr.Dataset:
    """Rank lines and transformers by what 10 % more rating of each alone would save, and solve the first ones again.

    `estimate` follows from the prices in the result and is an upper bound on the saving, so a branch that is missing
    (no price in any hour) saves nothing. `saving` is the true one: the last program solved again with that rating and
    everything else as it was (AC offsets, the branch's impedance, the penalty of relaxing a limit by one kW). Where
    limits are unmet, both count the penalty that is no longer paid.

    Parameters
    ----------
    result : DataTree
        What `dispatch.optimize` returned or a result file holds.
    top : int
        How many are solved again.
    components : sequence of str
        Files of the user's own components.
    workers : int, optional
        See `optimize`.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    Dataset (rank)
        `kind`, `element`, `feeder`, `s_nom` [kVA], `hours` with a price [h], `estimate` and `saving` [money] over the
        horizon; the best estimate first, in the first `top` ranks the best saving first. `saving` is NaN where the
        program was not solved again.

    Raises
    ------
    InputError
        If there is no result.
    SolverError
        If a program finds no optimum, or another one than stands in the file.

    Examples
    --------
    >>> import dispatch
    >>> result = dispatch.load_case("out/schedule.nc")                     # doctest: +SKIP
    >>> dispatch.rank_reinforcements(result).to_dataframe().head()         # doctest: +SKIP
    """
    if top < 0:
        hint = "Give how many are solved again; 0 leaves it at the estimates."
        raise InputError([Problem("out-of-range", "top", value=str(top), allowed="≥ 0", hint=hint)])
    load_components(components)
    settings, _ = labels_of(result, str(result.attrs.get("title", "")))
    ranking = _by_estimate(result)
    chosen = ranking.isel(rank=slice(0, top))
    wanted = list(zip(chosen["kind"].to_numpy().tolist(), chosen["element"].to_numpy().tolist(), strict=True))
    saved = _solve_again(result, wanted, replace(settings, components=tuple(components)), workers, progress)
    saving = np.array([saved.get(branch, np.nan) for branch in wanted], float)
    order = np.argsort(-saving, kind="stable")
    rest = np.arange(len(wanted), ranking.sizes["rank"])
    ranking = ranking.isel(rank=np.concatenate([order, rest]).astype(int))
    labels = ranking["estimate"].attrs | {"long_name": "Saving of the last program solved again"}
    ranking["saving"] = xr.Variable("rank", np.append(saving[order], np.full(len(rest), np.nan)), labels)
    return ranking.assign_coords(rank=np.arange(1, ranking.sizes["rank"] + 1))


def _by_estimate(result: xr.DataTree) -> xr.Dataset:
    """Branches with a price, the highest estimate first; equal ones in the order of the case."""
    price = columns(result, "price")
    if "saving_line" not in price and "saving_transformer" not in price:
        hint = "Run the case again with this version of `dispatch run`."
        raise InputError([Problem("no-result", "/price", "saving_line", value="missing", hint=hint)])
    feeder_of, sources = np.append(network_of(result).feeder, -1), columns(result, "source")["id"]
    dt = columns(result, "schedule")["time_step"][0] / np.timedelta64(3600, "s")
    found: dict[str, list[Any]] = {name: [] for name in ("kind", "element", "feeder", "s_nom", "hours", "estimate")}
    for kind in KINDS:
        estimate = np.nan_to_num(price.get(f"saving_{kind}", np.zeros(0)))
        table, at = columns(result, kind), np.nonzero(estimate > 0)[0]
        feeder = feeder_of[parent_index(result, kind, "bus_from")[at]]
        found["kind"] += [kind] * len(at)
        found["element"] += table["id"][at].tolist()
        found["feeder"] += sources[feeder].tolist()
        found["s_nom"] += table["s_nom"][at].tolist()
        found["hours"] += (dt * (price[f"price_{kind}"][at] > 0).sum(axis=1)).tolist()
        found["estimate"] += estimate[at].tolist()
    order = np.argsort(-np.array(found["estimate"], float), kind="stable")
    money = str(result.attrs["currency"])
    units = {"s_nom": "kVA", "hours": "h", "estimate": money}
    data = {
        name: ("rank", np.array(values, dtype=float if name in units else object)[order], _units(units, name))
        for name, values in found.items()
    }
    text = f"{100 * MORE:g} % more rating of one line or transformer"
    return xr.Dataset(data, attrs={"title": text, "currency": money, "share": MORE})


def _units(units: dict[str, str], name: str) -> dict[str, str]:
    return {"units": units[name]} if name in units else {}


def _solve_again(
    result: xr.DataTree, wanted: list[Branch], settings: Settings, workers: int | None, progress: bool
) -> dict[Branch, float]:
    """Find the savings of the wanted branches, feeder by feeder."""
    chosen = [
        feeder
        for feeder in split_feeders(result)
        if any(name in columns(feeder, kind)["id"].tolist() for kind, name in wanted)
    ]
    call = partial(feeder_savings, wanted=wanted)
    parts = map_feeders(call, chosen, settings, lost=_lost, workers=workers, progress=progress)
    return {branch: saved for part in parts for branch, saved in part.items()}


def _lost(case: xr.DataTree) -> dict[Branch, float]:
    name = columns(case, "source")["id"][0].decode(errors="replace")
    raise SolverError(f"The process that solved feeder {name!r} again was ended from outside; use --workers 1.")


def feeder_savings(
    feeder: xr.DataTree, settings: Settings, _end: float = float("inf"), *, wanted: list[Branch]
) -> dict[Branch, float]:
    """Solve a feeder's last program, then once more for each wanted branch of its own.

    Parameters
    ----------
    feeder : DataTree
        Sub-case of one feeder, with its result.
    settings : Settings
        Of the run.
    wanted : list of (str, bytes)
        Kind and id of branches, of this feeder or others.

    Returns
    -------
    dict
        Saving of each of its own. [money]
    """
    load_components(settings.components)
    try:
        return _feeder_savings(feeder, settings, wanted)
    except SolverError:
        if settings.method == "monolithic":
            raise
        return _feeder_savings(feeder, replace(settings, method="monolithic"), wanted)


def _feeder_savings(feeder: xr.DataTree, settings: Settings, wanted: list[Branch]) -> dict[Branch, float]:
    network, held = network_of(feeder), columns(feeder, "certificate")
    offsets = last_offsets(feeder)
    inputs = make_inputs(without_results(feeder), offsets=offsets)
    penalty, optimum = float(held["limit_penalty"][0]), float(held["objective_relaxation"][0])
    model = make_model(settings.method, compile_program(inputs), network, inputs)
    base = model.solve(offsets, penalty).objective
    if not abs(base - optimum) <= SAME * max(1.0, abs(optimum)):
        raise SolverError(
            f"The last program has the optimum {base:.9g}, the file says {optimum:.9g}: the result was changed or comes"
            " from another version. Run the case again."
        )
    ids = {k: columns(feeder, k)["id"].tolist() for k in KINDS}
    first = {"line": 0, "transformer": network.lines}
    found = {}
    for kind, name in wanted:
        if name in ids[kind]:
            branch = np.array([first[kind] + ids[kind].index(name)])
            wider = model.solve(reinforced(offsets, network, branch), penalty).objective
            found[kind, name] = max(base - wider, 0.0)
    return found
