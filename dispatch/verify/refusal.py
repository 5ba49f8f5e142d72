"""What power-grid-model's own validation refuses, in the words of the case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from power_grid_model.validation import validate_input_data

from dispatch.case.attributes import attribute_table
from dispatch.errors import Problem, raise_if_any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

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
    names = {int(i): name for component in data for i, name in zip(data[component]["id"], ids[component], strict=True)}
    problems = []
    for error in validate_input_data(data, symmetric=True) or []:
        component = error.component[0] if isinstance(error.component, list) else error.component
        numbers = [i[1] if isinstance(i, tuple) else i for i in error.ids or []]
        group = attribute_table()[KINDS.get(str(component.value), "bus")].group if component else "/electric"
        problems.append(_problem("ac-model", group, [names[i] for i in numbers if i in names], str(error)))
    if "generic_branch" in data:
        table = data["generic_branch"]
        dead = (table["r1"] == 0) & (table["x1"] == 0)
        if dead.any():
            group = attribute_table()["transformer"].group
            problems.append(_problem("ac-model", group, list(ids["generic_branch"][dead]), "No impedance."))
    raise_if_any(problems)


def _problem(code: str, group: str, ids: list[bytes], text: str) -> Problem:
    return Problem(
        code=code,
        group=group,
        ids=tuple(i.decode() for i in ids[:SHOWN]),
        count=len(ids),
        hint=f"The AC power flow refuses the network: {text} Correct it and run 'dispatch check'.",
    )
