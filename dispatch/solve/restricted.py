"""The restricted program: the parts of all blocks side by side, and how its columns fall apart again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse as sp

from dispatch.solve.protocols import Part

if TYPE_CHECKING:
    from collections.abc import Sequence


def join(parts: Sequence[Part], given: np.ndarray) -> Part:
    """Put parts side by side.

    Parameters
    ----------
    parts : sequence of Part
        At least one.
    given : ndarray (port,)
        What enters besides. [kW, kvar]

    Returns
    -------
    Part
    """
    filled = [part for part in parts if len(part.cost)] or list(parts[:1])
    one = len(filled) == 1
    return Part(
        filled[0].matrix if one else sp.csc_matrix(sp.block_diag([part.matrix for part in filled])),
        np.concatenate([part.row_lower for part in parts]),
        np.concatenate([part.row_upper for part in parts]),
        np.concatenate([part.lower for part in parts]),
        np.concatenate([part.upper for part in parts]),
        np.concatenate([part.cost for part in parts]),
        sum(part.constant for part in parts),
        filled[0].injection if one else sp.hstack([part.injection for part in filled], format="csr"),
        sum((part.injection_constant for part in parts), given),
    )


def split(parts: Sequence[Part], columns: np.ndarray, rows: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Take values of columns and prices of rows of the joined program apart again.

    Returns
    -------
    list of ndarray
        Of each part's columns.
    list of ndarray
        Of each part's rows.
    """
    at_column = np.cumsum([len(part.cost) for part in parts])[:-1]
    at_row = np.cumsum([len(part.row_lower) for part in parts])[:-1]
    return np.split(columns, at_column), np.split(rows, at_row)
