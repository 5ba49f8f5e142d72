"""Readable ids from names that other tools leave free, empty or repeated."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 80
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]+")
_HOUSE = re.compile(r"^[A-Za-z]{2,4}_(?P<house>.+)$")


def clean(name: object) -> str:
    """Text of a name without control characters and outer blanks; empty where it is not a text or too long."""
    if not isinstance(name, str):
        return ""
    text = _UNSAFE.sub(" ", name).strip()
    return text if len(text.encode("utf-8")) <= LONGEST else ""


def unique_ids(names: Sequence[object], kind: str, numbers: Sequence[int]) -> np.ndarray:
    """Give each element of a kind an id of its own.

    Parameters
    ----------
    names : sequence
        Names of the file, one an element; anything that is not a text counts as no name.
    kind : str
        Start of the id of an element without a name of its own.
    numbers : sequence of int
        Number of each element in its file.

    Returns
    -------
    ndarray (element,) of object
        The name where it is not empty and occurs once, otherwise ``kind_number``; an id that is taken gets ``_`` at
        its end.
    """
    texts = [clean(n) for n in names]
    seen = Counter(texts)
    named = frozenset(t for t, n in seen.items() if t and n == 1)
    taken = set(named)
    ids = []
    for text, number in zip(texts, numbers, strict=True):
        own = text
        if text not in named:
            own = f"{kind}_{number}"
            while own in taken:
                own += "_"
            taken.add(own)
        ids.append(own)
    return np.array(ids, dtype=object)


def house_of(name: str) -> str:
    """House in a name such as ``HH_w123`` or ``HP_w123``; empty where there is none."""
    found = _HOUSE.match(name)
    return found["house"] if found else ""
