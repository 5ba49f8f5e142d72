"""Sections of the attribute table that come with a user's own component."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from dispatch.case.attributes import MEMORY_DTYPE, Attribute, Interval, Kind, attribute_table
from dispatch.errors import Problem, raise_if_any

if TYPE_CHECKING:
    from collections.abc import Iterator

SERIES = ("forecast", "schedule")  # groups to which a component may add series of its own kind
NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
INTERVAL = re.compile(r"[\[(][^,]+,[^,]+[\])]\Z")
ROW_KEYS = set(Attribute.__dataclass_fields__) - {"kind", "name", "required"}
SECTION_KEYS = set(Kind.__dataclass_fields__) - {"name", "network", "result"}


def parse_sections(text: str, source: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """Read the table section of a component.

    Parameters
    ----------
    text : str
        TOML: one section for the kind, and where it has series ``[forecast.attributes]`` (given) and
        ``[schedule.attributes]`` (results) with rows ``of`` that kind.
    source : str
        Where it stands, for messages.

    Returns
    -------
    kind : str
        Name of the kind.
    sections : dict
        For `dispatch.case.attributes.add_sections`.

    Raises
    ------
    InputError
        With everything that is wrong with it.
    """
    try:
        sections = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = Problem("table-syntax", source, value=str(error), hint="Correct the TOML text of the table section.")
        raise_if_any([problem], source)
    kinds = [name for name in sections if name not in SERIES]
    if len(kinds) != 1:
        value, allowed = f"{len(kinds)} kinds ({', '.join(kinds)})", "one kind"
        raise_if_any([Problem("table-kinds", source, "", (), 0, value, allowed, "Make one file a kind.")], source)
    (kind,) = kinds
    raise_if_any(_problems(kind, sections, source), source)
    return kind, sections


def _problems(kind: str, sections: dict[str, dict[str, Any]], source: str) -> Iterator[Problem]:
    table = attribute_table()
    if kind in table or not NAME.match(kind):
        allowed = "a new name of small letters, digits and _"
        yield Problem("table-name", source, kind, value=f"{kind!r}", allowed=allowed, hint="Name it otherwise.")
    unknown = set(sections[kind]) - SECTION_KEYS
    missing = {"group", "description", "attributes"} - set(sections[kind])
    if unknown or missing:
        value = f"a section with {', '.join(sorted(sections[kind]))}"
        yield Problem(
            "table-section", source, kind, (), 0, value, "group, description, attributes", "Correct the keys."
        )
    for name, section in sections.items():
        for attribute, row in section.get("attributes", {}).items():
            wrong = _row(kind, name, attribute, row)
            if wrong:
                yield Problem("table-row", source, f"{name}.{attribute}", (), 0, wrong[0], wrong[1], "Correct the row.")


def _row(kind: str, section: str, attribute: str, row: Any) -> tuple[str, str] | None:
    """Say what is wrong with a row, and what is allowed."""
    table = attribute_table()
    if not isinstance(row, dict) or set(row) - ROW_KEYS:
        return f"{row!r}", f"an inline table with keys of {', '.join(sorted(ROW_KEYS))}"
    own, dtype = section == kind, row.get("dtype")
    series_allowed = f'series = true and of = "{kind}" in [forecast.attributes], neither in [{kind}.attributes]'
    faults = (
        (not NAME.match(attribute), f"the name {attribute!r}", "small letters, digits and _"),
        (dtype not in MEMORY_DTYPE, f"the dtype {dtype!r}", ", ".join(MEMORY_DTYPE)),
        (not row.get("description"), "without description", "one sentence"),
        (dtype in {"float", "int"} and not row.get("unit"), "a number without unit", 'a unit ("1" for fractions)'),
        (row.get("parent", "bus") not in table, f"of parent {row.get('parent')!r}", ", ".join(table)),
        (not _is_interval(row.get("range", "(-1, 1)")), f"of range {row.get('range')!r}", 'such as "[0, inf)"'),
        (own and bool(row.get("series") or row.get("of")), "a series", series_allowed),
        (not own and not (row.get("of") == kind and row.get("series")), "not a series of it", series_allowed),
        (not own and attribute in table[section].attributes, "a name that is taken", "a name of its own"),
    )
    return next(((value, allowed) for wrong, value, allowed in faults if wrong), None)


def _is_interval(text: object) -> bool:
    if not isinstance(text, str) or not INTERVAL.match(text):
        return False
    try:
        Interval.parse(text)
    except ValueError:
        return False
    return True
