from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import dispatch

ROOT = Path(__file__).parents[1]


def test_every_package_is_in_the_wheel() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {
        ".".join(init.parent.relative_to(ROOT).parts)
        for package in ("dispatch", "kernels")
        for init in (ROOT / package).rglob("__init__.py")
    }
    assert listed == found | {"dispatch._data"}


def test_every_public_name_can_be_had() -> None:
    assert all(callable(getattr(dispatch, name)) for name in dispatch.__all__)
    with pytest.raises(AttributeError, match="it has Rolling, Settings"):
        _ = dispatch.solve_everything
