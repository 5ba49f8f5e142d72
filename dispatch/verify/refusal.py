"""What power-grid-model's own validation refuses, in the words of the case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from power_grid_model.validation import validate_input_data

from dispatch.case.attributes import attribute_table
from dispatch.errors import Problem, raise_if_any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHOWN = 5  # ids named in a message
KINDS = {"node": "bus", "line": "line", "generic_branch": "transformer", "source": "source", "sym_load": "bus"}


def refuse_invalid(data: dict[str, np.ndarray], ids: Mapping[str, np.ndarray]) -> None:
    """Validate input of power-grid-model, whose calculations do not do that themselves.

    Parameters
    ----------
    data : dict of str to structured ndarray
        Input by component.
    ids : mapping of str to ndarray of bytes
        For each component the id in the case of each of its rows.

    Raises
    ------
    InputError
        With everything that is refused.
    """
    problems, refused = [], validate_input_data(data, symmetric=True) or []
    names = {int(i): n for c in data for i, n in zip(data[c]["id"], ids[c], strict=True)} if refused else {}
    for error in refused:
        component = error.component[0] if isinstance(error.component, list) else error.component
        numbers = [i[1] if isinstance(i, tuple) else i for i in error.ids or []]
        kind = KINDS.get(str(component.value), "bus") if component else "bus"
        problems.append(_problem(kind, [names[i] for i in numbers if i in names], f"{error}"))
    for component, wrong, text in _overlooked(data):
        if wrong.any():
            problems.append(_problem(KINDS[component], list(ids[component][wrong]), text))
    raise_if_any(problems)


def _overlooked(data: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray, str]]:
    """Find what the validation lets pass although no calculation can use it: component, rows, text."""
    if "generic_branch" in data:
        table = data["generic_branch"]
        yield "generic_branch", (table["r1"] == 0) & (table["x1"] == 0), "There is no impedance."
    if "line" in data:
        table, node = data["line"], data["node"]
        order = np.argsort(node["id"])
        at = (order[np.searchsorted(node["id"], table[end], sorter=order)] for end in ("from_node", "to_node"))
        ends = [node["u_rated"][k] for k in at]
        yield "line", ends[0] != ends[1], "The buses at both ends differ in nominal voltage."


def _problem(kind: str, ids: list[bytes], text: str) -> Problem:
    return Problem(
        code="ac-model",
        group=attribute_table()[kind].group,
        ids=tuple(i.decode() for i in ids[:SHOWN]),
        count=len(ids),
        hint=f"The AC power flow refuses the network: {text} Correct it and run 'dispatch check'.",
    )
