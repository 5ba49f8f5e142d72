from __future__ import annotations

import copy
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from small_net import NET, frame

from dispatch.case.importers.pandapower import import_pandapower
from dispatch.case.rules import check_case
from dispatch.errors import InputError

CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.sampled_from(
        [10**400, -1e308, 1e308, 1e-320, float("nan"), float("inf"), "", "b", "t", "lv", "Ideal", "__import__"]
    ),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.sampled_from(["_module", "_class", "coordinates"]), st.text(max_size=5), max_size=2),
)
PLACES = st.sampled_from([(t, c) for t, columns in NET.items() for c in columns])


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(PLACES, CELLS, st.integers(0, 2)), min_size=1, max_size=4), st.booleans())
def test_any_cell_gives_a_case_or_an_input_error(
    changes: list[tuple[tuple[str, str], Any, int]], drop_isolated: bool
) -> None:
    tables = copy.deepcopy(NET)
    for (table, column), value, row in changes:
        cells = tables[table][column]
        cells[row % len(cells)] = value
    net = {"_object": {name: frame(table) for name, table in tables.items()}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.json"
        path.write_text(json.dumps(net))
        case, refused = None, None
        try:
            case, _ = import_pandapower(path, drop_isolated=drop_isolated)
        except InputError as error:
            refused = error
    if case is not None:
        assert {p.code for p in check_case(case)} <= {"no-series"}
    else:
        assert refused is not None
        assert refused.problems
        assert all(p.hint for p in refused.problems)
        assert len(str(refused)) < 20_000
