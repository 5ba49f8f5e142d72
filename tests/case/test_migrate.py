from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from small_case import small_case
from strategies import differences

from dispatch.case import migrate
from dispatch.case.attributes import attribute_table
from dispatch.case.netcdf import load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.schema import columns, has
from dispatch.errors import InputError

ARCHIVE = Path(__file__).parent / "archive"


@pytest.mark.parametrize("version", range(1, migrate.CURRENT + 1))
def test_every_version_is_readable(version: int) -> None:
    assert check_case(load_case(ARCHIVE / f"version_{version}.nc")) == []


def known(table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Leave out series of which nothing is known: they may stand in a file, or not."""
    return {n: v for n, v in table.items() if not (v.ndim == 2 and v.dtype.kind == "f" and np.isnan(v).all())}


def test_the_first_version_holds_the_small_case() -> None:
    """Attributes that were added since have defaults, so that both cases read alike."""
    old, new = load_case(ARCHIVE / "version_1.nc"), small_case()
    for name, kind in attribute_table().items():
        assert has(old, name) == has(new, name), name
        if name == "case" or not has(old, name):
            continue
        one, two = known(columns(old, name)), known(columns(new, name))
        assert set(one) == set(two), name
        for column in one:
            np.testing.assert_array_equal(one[column], two[column], err_msg=f"{kind.group} {column}", strict=True)
    groups = {node.path: node.to_dataset(inherit=False) for node in new.subtree}
    for path, data in groups.items():
        groups[path] = data.drop_vars([n for n in data.data_vars if n not in old[path].data_vars])
    present = xr.DataTree.from_dict(groups)
    present.attrs = new.attrs
    assert differences(old, present) == []


def test_each_version_below_the_present_has_its_function() -> None:
    assert sorted(migrate.MIGRATIONS) == list(range(1, migrate.CURRENT))


def second(groups: migrate.Groups) -> migrate.Groups:
    """Stand in for a change of version 2: a renamed variable."""
    groups["/tariff"] = groups["/tariff"].rename(network_fee="fee")
    return groups


def third(groups: migrate.Groups) -> migrate.Groups:
    """Stand in for a change of version 3: a renamed group."""
    groups["/wind"] = groups.pop("/weather")
    return groups


def test_functions_are_applied_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "CURRENT", 3)
    monkeypatch.setattr(migrate, "MIGRATIONS", {1: second, 2: third})
    notes: list[str] = []
    case = load_case(ARCHIVE / "version_1.nc", notes)
    assert notes == ["/: migrated from schema version 1 to 3"]
    assert case.attrs["schema_version"] == 3
    assert "fee" in case["tariff"]
    assert "wind" in case
    assert "weather" not in case


@pytest.mark.parametrize(
    ("version", "code"),
    [
        (np.int32(2), "newer-schema"),
        (99, "newer-schema"),
        (0, "schema-version"),
        ("1", "schema-version"),
        (1.0, "schema-version"),
    ],
)
def test_other_versions_are_refused(version: object, code: str, tmp_path: Path) -> None:
    case = small_case()
    case.attrs["schema_version"] = version
    save_case(case, tmp_path / "case.nc")
    with pytest.raises(InputError) as caught:
        load_case(tmp_path / "case.nc")
    (problem,) = caught.value.problems
    assert problem.code == code
    assert ("upgrade" in problem.hint) == (code == "newer-schema")


def test_without_a_version_it_is_no_case(tmp_path: Path) -> None:
    xr.Dataset({"a": ("x", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="netcdf4")
    with pytest.raises(InputError, match="not a case file"):
        load_case(tmp_path / "other.nc")
