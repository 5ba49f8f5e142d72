from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from dispatch.case.netcdf import load_case, save_case
from dispatch.case.schema import columns
from dispatch.cli import main
from dispatch.errors import InputError
from dispatch.run.utility import check_utility, equip_utility, import_utility, name_of

GRIDS = Path(__file__).parents[1] / "case" / "importers" / "nets"


@pytest.fixture(scope="module")
def utility(tmp_path_factory) -> Path:
    """Two equal grids and a small town, imported, and what is no grid at all."""
    folder, files = tmp_path_factory.mktemp("utility"), tmp_path_factory.mktemp("files")
    for name in ("north", "south"):
        shutil.copy(GRIDS / "mixed.json.gz", files / f"{name}.json.gz")
    (files / "broken.json").write_text("{")
    parts = [(name_of(f), f, {"drop_isolated": True}) for f in sorted(files.iterdir())]
    went = import_utility("pandapower", parts, folder)
    assert went.done == ["north", "south"]
    assert list(went.refused) == ["broken"]
    return folder


def test_two_networks_of_one_name_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="not unique"):
        import_utility("pandapower", [("a", tmp_path, {}), ("a", tmp_path, {})], tmp_path / "u")


def test_equal_grids_are_equipped_differently_and_always_the_same(utility, tmp_path) -> None:
    choices = {"pv_share": 0.5, "battery_share": 0.5, "days": 1}
    assert equip_utility(utility, tmp_path / "a", seed=3, **choices).done == ["north", "south"]
    equip_utility(utility, tmp_path / "b", seed=3, **choices)
    north, south = (tmp_path / "a" / f"{n}.nc" for n in ("north", "south"))
    assert north.read_bytes() == (tmp_path / "b" / "north.nc").read_bytes()
    sizes = [columns(load_case(f), "load")["p_nom"] for f in (north, south)]
    assert not np.allclose(*sizes)
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(utility / "south.nc", alone)
    equip_utility(alone, tmp_path / "c", seed=3, **choices)
    assert (tmp_path / "c" / "south.nc").read_bytes() == south.read_bytes()


def test_a_folder_is_not_equipped_onto_itself(utility) -> None:
    with pytest.raises(InputError, match="what is read"):
        equip_utility(utility, utility)


def test_check_lists_every_bad_feeder_and_goes_on(tmp_path, capsys) -> None:
    from small_town import small_town  # beside this file

    good, bad = small_town(), small_town()
    bad["electric/line"]["r"][0] = -1.0
    folder = tmp_path / "u"
    folder.mkdir()
    for name, case in (("a", good), ("b", bad), ("d", good)):
        save_case(case, folder / f"{name}.nc")
    (folder / "c.nc").write_bytes(b"\x89HDF\r\n\x1a\n nothing")
    went = check_utility(folder)
    assert went.done == ["a", "d"]
    assert list(went.refused) == ["b/feeder-a", "c"]
    assert main(["check", str(folder)]) == 1
    said = capsys.readouterr()
    assert "2 without problems, 2 with problems" in said.out
    assert "b/feeder-a" in said.err
    assert "'line-a0'" in said.err


def test_an_empty_folder_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="without case files"):
        check_utility(tmp_path)
