"""A case that a scenario made goes through tables and comes back the same, widths of ids included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from plain_case import plain_case

from dispatch.case.schema import as_bytes
from dispatch.case.tables import export_tables, import_tables
from dispatch.scenario.equip import equip

if TYPE_CHECKING:
    from pathlib import Path


def test_an_equipped_case_comes_back_identical(tmp_path: Path) -> None:
    case = equip(plain_case(), heat_pump_share=0.3, car_share=0.2, seed=3)
    export_tables(case, tmp_path / "tables")
    back = import_tables(tmp_path / "tables")
    assert back.identical(case)
    for node in case.subtree:
        for name, variable in node.to_dataset(inherit=False).variables.items():
            assert back[node.path].variables[name].dtype == variable.dtype, f"{node.path}/{name}"


def test_texts_are_as_wide_as_the_longest() -> None:
    wide = np.array([b"a", b"bcd"], "S9")
    assert as_bytes(wide).dtype == "S3"
    assert as_bytes(wide).tolist() == [b"a", b"bcd"]
    assert as_bytes(np.zeros(0, "S7")).dtype == "S1"
    assert as_bytes(["", "ü"]).tolist() == [b"", "ü".encode()]
