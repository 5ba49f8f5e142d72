from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tiny import tiny_case, write_utility

from dispatch.batch import planning as module
from dispatch.batch.memory import plan_object, predicted_bytes, require_memory
from dispatch.batch.plan import Part, read_plan
from dispatch.batch.planning import make_plan
from dispatch.batch.predicted import METER_S, WORKER_BYTES, Size, joint_bytes_of, seconds_of
from dispatch.case.embedded import embedded_path
from dispatch.case.netcdf import load_case, save_case
from dispatch.case.netcdf.peek import glance_at, step_of
from dispatch.case.schema import columns
from dispatch.errors import InputError
from dispatch.report.batch_text import plan_text
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def utility(tmp_path_factory) -> Path:
    return write_utility(tmp_path_factory.mktemp("plan") / "u", 3)


def parts(count: int, seconds: float = 0.5) -> list[Part]:
    meters = round((seconds - seconds_of(Size(feeders=1))) / 96 / METER_S)
    return [
        Part(f"f{k:05d}.nc", hashlib.sha256(b"%d" % k).hexdigest(), ("s",), Size(meters, 0, 96, 1))
        for k in range(count)
    ]


def grouped(given: list[Part]) -> list[tuple[str, ...]]:
    return [tuple(p.file for p in group) for group in module._grouped(given)]


def test_groups_hold_every_part_once_and_are_neither_tiny_nor_huge() -> None:
    given = parts(2000)
    groups = grouped(given)
    assert [f for g in groups for f in g] == [p.file for p in given]
    seconds = [0.5 * len(g) for g in groups]
    assert min(seconds[:-1]) >= module.LEAST_S
    assert max(seconds) <= 2 * module.GROUP_S + 1
    assert 3.5 < sum(seconds) / len(seconds) < 6.5


def test_a_new_or_missing_file_changes_its_own_group_and_hardly_another() -> None:
    given = parts(600)
    before = set(grouped(given))
    for at in range(0, 600, 37):
        new = Part(f"f{at:05d}x.nc", "new", ("s",), given[0].size)
        added = set(grouped([*given[: at + 1], new, *given[at + 1 :]]))
        removed = set(grouped([*given[:at], *given[at + 1 :]]))
        assert len(added - before) <= 4
        assert len(removed - before) <= 4


def test_the_key_follows_contents_and_choices_but_no_deadline(utility, tmp_path) -> None:
    plan = make_plan(utility, Settings())
    copy = tmp_path / "elsewhere"
    shutil.copytree(utility, copy)
    assert make_plan(copy, Settings(deadline_s=5)).groups == plan.groups
    assert {g.key for g in make_plan(copy, Settings(gap=1e-4)).groups}.isdisjoint(g.key for g in plan.groups)
    save_case(tiny_case(pv_kw=9.0), copy / "case0001.nc")
    changed = make_plan(copy, Settings())
    assert changed.feeders == plan.feeders == 3
    assert {g.key for g in changed.groups} != {g.key for g in plan.groups}
    own = tmp_path / "own.py"
    own.write_text("X = 1\n")
    one = make_plan(copy, Settings(components=(str(own),)))
    own.write_text("X = 2\n")
    assert {g.key for g in make_plan(copy, Settings(components=(str(own),))).groups}.isdisjoint(
        g.key for g in one.groups
    )


def test_files_that_did_not_change_are_not_read_again(utility, tmp_path, monkeypatch) -> None:
    plan = make_plan(utility, Settings())
    plan.write(tmp_path)
    assert read_plan(tmp_path) == plan
    seen: list[str] = []
    real = module.glance_at
    monkeypatch.setattr(module, "glance_at", lambda f: seen.append(f.name) or real(f))
    assert make_plan(utility, Settings(), tmp_path) == plan
    assert seen == []
    touched = utility / "case0002.nc"
    os.utime(touched, (1, 1))
    assert make_plan(utility, Settings(), tmp_path).groups == plan.groups
    assert seen == ["case0002.nc"]


def test_a_glance_sees_what_reading_sees(utility) -> None:
    for file in (*sorted(utility.iterdir()), embedded_path("schutterwald_winter")):
        case, glance = load_case(file), glance_at(file)
        assert list(glance.sources) == [i.decode() for i in columns(case, "source")["id"]]
        assert glance.meters == len(columns(case, "meter")["id"])
        assert glance.buses == len(columns(case, "bus")["id"])
        series = columns(case, "forecast").get("time", columns(case, "profile").get("time"))
        assert glance.steps == len(series) or glance.steps == len(columns(case, "profile")["time"])
    assert step_of(utility / "case0000.nc") == 1.0


def test_a_glance_at_a_broken_file_sees_nothing(utility, tmp_path) -> None:
    whole = (utility / "case0000.nc").read_bytes()
    file = tmp_path / "broken.nc"
    for length in [0, 4, 8, 50, *range(100, len(whole), len(whole) // 60)]:
        file.write_bytes(whole[:length])
        assert glance_at(file).meters in {0, 1}
    for at in range(8, len(whole), len(whole) // 200):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        glance_at(file)
    file.write_bytes(b"x" * 5000)
    assert glance_at(file).meters == 0
    assert glance_at(tmp_path / "nothing.nc").sources == ()


def test_feeders_that_are_solved_together_are_in_the_memory(utility) -> None:
    plan = make_plan(utility, Settings())
    group = replace(plan.groups[0], parts=tuple(parts(1, 5.0)))
    alone = replace(plan, groups=(group,) * 8)
    together = replace(alone, together=(group.key,))
    assert joint_bytes_of(Size(1000, 2000, 96, 8)) == WORKER_BYTES + 96 * (1000 * 1600 + 2000 * 280)
    assert predicted_bytes(together, 2) > predicted_bytes(alone, 2)
    many = Size(200_000, 400_000, 96, 8)
    assert joint_bytes_of(many) < joint_bytes_of(Size(40_000, 80_000, 96, 8))
    assert joint_bytes_of(Size()) == 0


def test_a_plan_says_what_more_cores_would_take(utility) -> None:
    plan = make_plan(utility, Settings())
    groups = (replace(plan.groups[0], parts=tuple(parts(1, 5.0))),) * 4000
    found = plan_object(replace(plan, groups=groups), 2)
    walls = {c["workers"]: c["wall_s"] for c in found["on_more_cores"]}
    assert walls[16] == pytest.approx(7 + 5.0 * 4000 / 16, rel=0.01)
    assert walls[256] == pytest.approx(7 + 5.0 * 16, rel=0.05)
    assert [c["limited_by"] for c in found["on_more_cores"]] == ["work"] * 3
    text = plan_text({**found, "sharing": 7})
    assert "with 64 (work decides)" in text
    assert "7 feeders share limits" in text


def test_too_little_memory_is_refused_before_the_start_with_what_would_do(utility) -> None:
    plan = make_plan(utility, Settings())
    assert plan_object(plan, 2)["feeders"] == 3
    one, four = (predicted_bytes(replace(plan, groups=plan.groups * 4), n) for n in (1, 4))
    plan = replace(plan, groups=plan.groups * 4)
    require_memory(plan, 1, 1.01 * one / 2**30)
    with pytest.raises(InputError, match="--workers 3"):
        require_memory(plan, 4, 0.99 * four / 2**30)
    with pytest.raises(InputError, match="Split the largest case"):
        require_memory(plan, 4, 0.5 * one / 2**30)
