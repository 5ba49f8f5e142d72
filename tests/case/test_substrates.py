from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from dispatch.case.attributes import attribute_table
from dispatch.case.explain import explain
from dispatch.case.rules import check_case
from dispatch.case.schema import build_case
from dispatch.case.substrates import substrate_kinds
from dispatch.model.inputs import make_inputs

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
from plant_cases import plant_tables

GUIDE = {  # methane potential of organic dry matter, dry matter and organic matter in % (LfL)
    "maize_silage": (357, 35.1, 96.5),
    "grass_silage": (315, 28.2, 89.7),
    "cattle_slurry": (230, 8.9, 78.9),
    "cattle_manure": (202, 22.9, 82.2),
    "pig_slurry": (230, 4.8, 72.7),
    "poultry_manure": (286, 47.7, 75.3),
}
PARTS = ("dry_matter", "organic_share", "methane_potential")


def by_kind(kinds: list[str], **more: list[float]) -> dict:
    tables = plant_tables(steps=3)
    for name in ("methane_yield", "tau", "gas_rate_initial"):
        del tables["substrate"][name]
    tables["substrate"] |= {"kind": kinds, **more}
    return tables


def test_what_is_not_given_comes_from_the_kind():
    for first, (potential, dry, organic) in GUIDE.items():
        inputs = make_inputs(build_case(by_kind([first, "pig_slurry"])))
        made = inputs.kinds["substrate"].parameters
        assert made["methane_yield"][0, 0] == pytest.approx(potential * dry / 100 * organic / 100, rel=1e-12)
        assert made["tau"][1, 0] == pytest.approx(24 / 0.27, rel=1e-3)
    assert check_case(build_case(by_kind(["maize_silage", "pig_slurry"]))) == []


def test_what_is_given_goes_before_the_kind():
    given = {"dry_matter": [0.3, 0.1], "organic_share": [np.nan, 0.8], "methane_potential": [np.nan, 200.0]}
    tables = by_kind(["maize_silage", "own"], **given, tau=[50.0, np.nan])
    made = make_inputs(build_case(tables)).kinds["substrate"].parameters
    np.testing.assert_allclose(made["methane_yield"][:, 0], [0.3 * 0.965 * 357, 0.1 * 0.8 * 200.0])
    np.testing.assert_allclose(made["tau"][:, 0], [50.0, 72.0])


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"kind": ["own", "maize_silage"]}, "maize"),
        ({"dry_matter": [1.2, 0.1]}, "(0, 1]"),
        ({"methane_potential": [1000.0, 200.0], "dry_matter": [0.9, 0.1]}, "(0, 500]"),
        ({"kind": ["mais_silage", "pig_slurry"]}, "maize_silage"),
    ],
)
def test_a_yield_that_is_not_known_or_cannot_be_is_refused(more, shown):
    tables = by_kind(["maize_silage", "pig_slurry"])
    tables["substrate"] |= more
    (problem, *_) = check_case(build_case(tables))
    assert problem.group == "/plant/substrate"
    assert shown in str(problem)


def test_every_number_is_explained_with_its_source():
    choices = attribute_table()["substrate"].attributes["kind"].choices
    assert set(choices) == {"own", *substrate_kinds()}
    for name, kind in substrate_kinds().items():
        text = explain(name)
        for key, value in kind.values.items():
            assert f"{value:g}" in text
            assert kind.sources[key] in text
    assert "LfL" in explain("chp.efficiency_electric")
    assert "assumed" in explain("price_gas")


def test_kinds_lie_inside_the_ranges_of_the_table():
    rows = attribute_table()["substrate"].attributes
    for kind in substrate_kinds().values():
        for name, value in kind.values.items():
            assert rows[name].range.contains(np.array(value))
        assert rows["methane_yield"].range.contains(np.prod([kind.values[n] for n in PARTS]))


def test_plants_on_energy_crops_and_on_manure_yield_what_is_measured():
    """LfL: 75 to 84 m3 of methane from a tonne where crops prevail, 25 to 33 where manure does."""
    made = {n: np.prod([k.values[p] for p in PARTS]) for n, k in substrate_kinds().items()}
    assert 70 < 0.6 * made["maize_silage"] + 0.4 * made["cattle_slurry"] < 90
    assert 25 < 0.15 * made["maize_silage"] + 0.85 * made["cattle_slurry"] < 35
