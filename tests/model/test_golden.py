"""What each component states, as text to be read in review.

After an intended change write the files anew with ``GOLDEN=write python -m pytest tests/model/test_golden.py`` and read
the difference.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from model_cases import small_town
from plant_cases import plant_case, with_gas_limits

from dispatch.model.compiler import compile_program
from dispatch.model.inputs import make_inputs
from dispatch.model.registry import PLANT, components

if TYPE_CHECKING:
    from dispatch.model.program import Program, Span

GOLDEN = Path(__file__).parent / "golden"


def _names(spans: tuple[Span, ...]) -> list[str]:
    return [f"{s.component}.{s.name}[{e},{k}]" for s in spans for e in range(s.count) for k in s.steps]


def _sum(program: Program, row: int, names: list[str], chosen: set[int] | None = None) -> str:
    line = program.matrix.getrow(row)
    terms = [f"{a:+.6g} {names[j]}" for j, a in zip(line.indices, line.data, strict=True) if not chosen or j in chosen]
    return " ".join(terms) or "0"


def _limits(low: float, high: float) -> str:
    if low == high:
        return f"= {low:.6g}"
    return (
        " ".join(f"{sign} {bound:.6g}" for sign, bound in ((">=", low), ("<=", high)) if np.isfinite(bound)) or "free"
    )


def readable(program: Program, component: str) -> str:
    """Columns and rows of a component, and what its columns add to the rows of others."""
    columns, rows = _names(program.columns), _names(program.rows)
    own = {j for j, name in enumerate(columns) if name.startswith(f"{component}.")}
    text = ["columns"]
    for j in sorted(own):
        cost = f", cost {program.cost[j]:.6g}" if program.cost[j] else ""
        owner = f", behind meter {program.owner[j]}" if program.owner[j] >= 0 else ""
        text.append(f"  {columns[j]} {_limits(program.lower[j], program.upper[j])}{cost}{owner}")
    text.append("rows")
    for i, name in enumerate(rows):
        if name.startswith(f"{component}."):
            limits = _limits(program.row_lower[i], program.row_upper[i])
            text.append(f"  {name}: {_sum(program, i, columns)} {limits}")
    text.append("in rows of others")
    for i, name in enumerate(rows):
        if not name.startswith(f"{component}.") and own & set(program.matrix.getrow(i).indices):
            text.append(f"  {name}: {_sum(program, i, columns, own)}")
    return "\n".join(text) + "\n"


def ports(program: Program) -> str:
    """What enters the network where its rows are not stated."""
    columns, matrix = _names(program.columns), program.injection
    text = ["port: what enters"]
    for port in range(matrix.shape[0]):
        line = matrix.getrow(port)
        terms = [f"{a:+.6g} {columns[j]}" for j, a in zip(line.indices, line.data, strict=True)]
        if program.injection_constant[port]:
            terms.append(f"{program.injection_constant[port]:+.6g}")
        text.append(f"  {port}: {' '.join(terms) or '0'}")
    return "\n".join(text) + "\n"


def _compare(name: str, text: str) -> None:
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"{file.name} differs; see the module's first lines."


@pytest.mark.parametrize("component", sorted(components()))
def test_component(component: str) -> None:
    town = small_town(flexible=component in {"car", "tank"})
    if component in PLANT:
        town = plant_case(steps=3, compressor=component == "compressor", booster=component == "booster")
    inputs = make_inputs(town)
    if component in {"account", "deposit"}:
        inputs = make_inputs(plant_case(steps=3, account="day"))
    if component.startswith("gas_limit"):
        town = plant_case(steps=3, compressor=True)
        inputs = make_inputs(town, offsets=with_gas_limits(town))
    _compare(component, readable(compile_program(inputs, network=True), component))


def test_ports() -> None:
    _compare("ports", ports(compile_program(make_inputs(small_town()))))
