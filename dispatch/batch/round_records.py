"""What the journal knows of rounds of shared limits: which group has done its part of which, and its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dispatch.case.netcdf import move_into_place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from dispatch.batch.plan import Plan
    from dispatch.batch.record import Record

ROUNDS = "rounds"


class RoundRecords:
    """Records of (stage, group) of this night: of earlier runs, and those that are added.

    Parameters
    ----------
    plan : Plan
        Whose limits are shared; records of other inputs or settings do not count.
    folder : Path
        Of results.
    records : iterable of dict
        Of the journal.
    """

    def __init__(self, plan: Plan, folder: Path, records: Iterable[Record]) -> None:
        self._folder, self._plan = folder, plan
        self._found: dict[tuple[str, str], Record] = {}
        for record in records:
            if record.get("what") == "round" and record["night"] == plan.shared:
                self.add(record)
        for file in (folder / ROUNDS).glob("*"):
            if file.name.partition(".")[0] not in plan.together:
                file.unlink()

    def add(self, record: Record) -> None:
        """Take a record that was written."""
        self._found[record["stage"], record["group"]] = record

    def known(self, stage: str, keys: Iterable[str]) -> dict[str, Record]:
        """Find records of a stage whose files are there as they were written."""
        found = {key: self._found[stage, key] for key in keys if (stage, key) in self._found}
        return {key: record for key, record in found.items() if self._there(record)}

    def _there(self, record: Record) -> bool:
        if record.get("given_up"):
            return True
        key = record["group"]
        sizes = [_size(self._folder / ROUNDS / f"{key}.{record['stage']}.npz") == record["kept"]]
        if record["file"]:
            places = (self._folder / record["file"], self._folder / "groups" / f"{key}.nc")
            sizes.append(record["bytes"] in [_size(place) for place in places])
        return all(sizes)

    def agreed(self, record: Record) -> Record:
        """Give a group's results of a stage the group's own name, and say that it is done."""
        written, name = self._folder / record["file"], f"groups/{record['group']}.nc"
        if written.exists():
            move_into_place(written, self._folder / name)
        kept = {k: record[k] for k in ("at", "group", "bytes", "sha256", "feeders")}
        return {"what": "done", "file": name, **kept}

    @staticmethod
    def failed(record: Record | None) -> bool:
        """Whether a group is given up."""
        return record is not None and not record["file"]

    def given_up(self, keys: Iterable[str], done: Mapping[str, Any]) -> dict[str, Record]:
        """Find records of groups that are given up."""
        return {key: done[key] for key in keys if self.failed(done.get(key))}

    def forget(self) -> None:
        """Leave no file of the rounds."""
        for file in (self._folder / ROUNDS).glob("*"):
            file.unlink()
        if (self._folder / ROUNDS).is_dir():
            (self._folder / ROUNDS).rmdir()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1
