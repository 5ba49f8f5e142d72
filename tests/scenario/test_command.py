"""`dispatch scenario` says on the command line what `equip` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from plain_case import plain_case

from dispatch.case.netcdf import load_case, save_case
from dispatch.case.schema import columns
from dispatch.cli import main
from dispatch.scenario.equip import equip

if TYPE_CHECKING:
    from pathlib import Path

CHOICES = {"pv_share": 0.5, "battery_share": 0.5, "heat_pump_share": 0.3, "season": "winter", "seed": 2}


@pytest.mark.parametrize("folder", [False, True])
def test_the_command_makes_what_the_function_makes(folder: bool, tmp_path: Path) -> None:
    (tmp_path / "cases").mkdir()
    save_case(plain_case(), tmp_path / "cases" / "street.nc")
    given = tmp_path / "cases" if folder else tmp_path / "cases" / "street.nc"
    output = tmp_path / "out" if folder else tmp_path / "out.nc"
    options = [text for name, value in CHOICES.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    assert main(["scenario", str(given), "-o", str(output), *options]) == 0
    found, expected = load_case(output / "street.nc" if folder else output), equip(plain_case(), **CHOICES)
    for kind in ("pv", "store", "meter"):
        assert len(columns(found, kind)["id"]) > 0
        if not folder:  # each case of a folder has a seed of its own
            for name, values in columns(expected, kind).items():
                np.testing.assert_array_equal(columns(found, kind)[name], values, err_msg=f"{kind} {name}")
