"""A small reader of MPS files that shares nothing with the one that writes them."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def read_mps(text):
    """Cost, matrix, row bounds and column bounds of a free MPS file, and the names of its columns."""
    section, rows, kinds, names, entries = "", {}, [], {}, []
    right, spans, bounds = {}, {}, {}
    for line in text.splitlines():
        if not line.startswith(" "):
            section = line.split()[0]
            continue
        word = line.split()
        if section == "ROWS":
            rows[word[1]] = len(rows)
            kinds.append(word[0])
        elif section == "COLUMNS":
            column = names.setdefault(word[0], len(names))
            entries.append((rows[word[1]], column, float(word[2])))
        elif section in {"RHS", "RANGES"}:
            (right if section == "RHS" else spans)[rows[word[1]]] = float(word[2])
        elif section == "BOUNDS":
            bounds.setdefault(word[2], []).append((word[0], float(word[3]) if len(word) > 3 else 0.0))
    i, j, v = (np.array(part) for part in zip(*entries, strict=True))
    whole = sp.csr_matrix((v, (i, j)), shape=(len(rows), len(names)))
    low, high = np.full(len(rows), -np.inf), np.full(len(rows), np.inf)
    for k, kind in enumerate(kinds):
        value = right.get(k, 0.0)
        if kind in {"G", "E"}:
            low[k] = value
        if kind in {"L", "E"}:
            high[k] = value
        if k in spans:
            low[k] = value - abs(spans[k])
    lower, upper = np.zeros(len(names)), np.full(len(names), np.inf)
    for name, found in bounds.items():
        k = names[name]
        for kind, value in found:
            if kind in {"FR", "MI"}:
                lower[k] = -np.inf
            if kind in {"LO", "FX"}:
                lower[k] = value
            if kind in {"UP", "FX"}:
                upper[k] = value
    return whole[0].toarray().ravel(), whole[1:], low[1:], high[1:], lower, upper, list(names)
