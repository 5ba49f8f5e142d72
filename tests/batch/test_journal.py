from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.batch.journal import NAME, Journal, line_of, only_writer, read_journal, record_of
from dispatch.errors import InputError

RECORDS = [{"what": "done", "group": f"g{k}", "says": "ä\n" * k} for k in range(3)]


def write(folder, records) -> None:
    journal = Journal(folder)
    for record in records:
        journal.append(record)
    journal.close()


def test_what_was_written_is_read_again(tmp_path) -> None:
    write(tmp_path, RECORDS)
    assert read_journal(tmp_path) == RECORDS
    assert read_journal(tmp_path / "nowhere") == []


@pytest.mark.parametrize("left", [1, 5, 9, 20])
def test_a_torn_last_line_is_passed_over_and_not_glued_to_the_next(left, tmp_path) -> None:
    write(tmp_path, RECORDS)
    path = tmp_path / NAME
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - len(line_of(RECORDS[-1])) + left])
    assert read_journal(tmp_path) == RECORDS[:-1]
    write(tmp_path, [{"what": "more"}])
    assert read_journal(tmp_path) == [*RECORDS[:-1], {"what": "more"}]


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_byte_is_noticed(at, value) -> None:
    line = bytearray(line_of(RECORDS[1]))
    at %= len(line) - 1
    if line[at] == value:
        return
    line[at] = value
    found = record_of(bytes(line))
    # Capital letters of the checksum are the same number, but not what was written.
    assert found is None


def test_a_second_writer_is_kept_out(tmp_path) -> None:
    with only_writer(tmp_path), pytest.raises(InputError, match="another batch"), only_writer(tmp_path):
        pass
    with only_writer(tmp_path):
        pass
