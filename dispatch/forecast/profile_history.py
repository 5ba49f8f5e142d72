"""Histories that many loads share: a profile that was measured, for each load that has it at its own shift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dispatch.case.schema import positions

if TYPE_CHECKING:
    from dispatch.case.schema import Columns


def of_profiles(table: Columns, loads: Columns, bare: np.ndarray) -> tuple[Columns, np.ndarray, np.ndarray]:
    """Give each profile that was measured a row for every shift at which loads have it.

    A load that is moved later by an hour was seen an hour later: its row ends an hour earlier in the shape. So no load
    learns from what its own meter did not yet show.

    Parameters
    ----------
    table : Columns
        ``/history``.
    loads : Columns
        Of kind ``load``.
    bare : ndarray (load,) of bool
        Loads without a history of their own.

    Returns
    -------
    table : Columns
        With further rows at its end, per unit of ``p_nom``.
    load, row : ndarray (pair,) of int
        Loads that a profile stands for, and the row of each.
    """
    shared = np.nonzero(table["profile"] != b"")[0]
    at = positions(table["profile"][shared], loads["profile"])
    own = np.nonzero(bare & (at >= 0))[0]
    if not len(own):
        return table, own, own
    step = (table["time"][1] - table["time"][0]) / np.timedelta64(1, "h") if len(table["time"]) > 1 else 1.0
    moved = np.rint(loads["profile_shift"][own] / step).astype(np.int64)
    pairs, which = np.unique(np.stack([at[own], moved]), axis=1, return_inverse=True)
    count = len(table["time"])
    source = np.arange(count)[None, :] - pairs[1][:, None]
    inside = (source >= 0) & (source < count)
    values = table["p"][shared[pairs[0]][:, None], np.clip(source, 0, count - 1)]
    new = np.where(inside, values, np.nan).astype(table["p"].dtype)
    ids = table["id"][shared[pairs[0]]]
    rows = {**dict.fromkeys(("load", "meter", "pv", "profile"), np.full(len(ids), b"")), "id": ids, "p": new}
    whole = {name: np.concatenate([table[name], values]) for name, values in rows.items()}
    return {**table, **whole}, own, len(table["id"]) + which.ravel()
