"""Histories of profiles: what loads at their own shift would have learnt from meters of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import dispatch
from dispatch.case.embedded import embedded_path
from dispatch.case.rules import check_case
from dispatch.case.schema import build_case, columns

if TYPE_CHECKING:
    import xarray as xr

HOUR = np.timedelta64(3600, "s")
START = np.datetime64("2023-05-31T22:00", "s")
TIME = START + np.arange(-21 * 24, 7 * 24) * HOUR
SHAPE = 1 + 0.5 * np.sin(np.arange(len(TIME)) * 2 * np.pi / 24) + 0.3 * np.random.default_rng(1).random(len(TIME))
SHIFT, P_NOM = np.array([0.0, 2.0, -1.0, 2.0]), np.array([0.5, 2.0, 3.0, 1.0])


def case_with(history: dict[str, Any]) -> xr.DataTree:
    """Four houses of one shape, at three shifts."""
    names = [f"l{k}" for k in range(4)]
    shape = SHAPE[None, 21 * 24 :]
    return build_case(
        {
            "bus": {"id": ["b"], "v_nom": [0.4]},
            "source": {"id": ["s"], "bus": ["b"]},
            "prosumer": {"id": ["h"]},
            "tariff": {"id": ["t"], "price_import": [0.3]},
            "meter": {"id": ["m"], "bus": ["b"], "prosumer": ["h"], "tariff": ["t"]},
            "load": {"id": names, "meter": ["m"] * 4, "p_nom": P_NOM, "profile": ["x"] * 4, "profile_shift": SHIFT},
            "profile": {"id": ["x"], "time": TIME[21 * 24 :], "p_pu": shape},
            "history": history,
        }
    )


def test_as_if_each_house_had_a_meter_of_its_own() -> None:
    shared = case_with({"id": ["x"], "profile": ["x"], "time": TIME, "p": SHAPE[None]})
    assert not check_case(shared)
    own = np.full((4, len(TIME)), np.nan)
    for k, hours in enumerate(SHIFT.astype(int)):
        for t in range(len(TIME)):
            if 0 <= t - hours < len(TIME):
                own[k, t] = P_NOM[k] * np.float32(SHAPE[t - hours])
    meters = case_with({"id": list("abcd"), "load": [f"l{k}" for k in range(4)], "time": TIME, "p": own})
    one, two = (columns(dispatch.predict(case, start=START + 24 * HOUR), "forecast") for case in (shared, meters))
    for name in ("p_load", "p_load_quantile"):
        np.testing.assert_allclose(one[name], two[name], rtol=2e-5)
    assert one["source"] == b"model"
    np.testing.assert_allclose(one["p_load"][3], one["p_load"][1] / 2, rtol=1e-6)


def test_no_house_learns_what_its_meter_has_not_shown() -> None:
    issue = START + 24 * HOUR
    changed = SHAPE.copy()
    changed[issue - 2 * HOUR <= TIME] = 99.0  # what the houses at +2 h show from the issue on
    one, two = (
        columns(
            dispatch.predict(case_with({"id": ["x"], "profile": ["x"], "time": TIME, "p": p[None]}), start=issue),
            "forecast",
        )["p_load"]
        for p in (SHAPE, changed)
    )
    np.testing.assert_array_equal(one[[1, 3]], two[[1, 3]])
    assert (one[0] != two[0]).any()


def test_a_history_of_its_own_comes_first() -> None:
    own = np.full((2, len(TIME)), 7.0) + 0.1 * SHAPE
    own[0] = SHAPE
    case = case_with({"id": ["x", "y"], "profile": ["x", ""], "load": ["", "l2"], "time": TIME, "p": own})
    found = columns(dispatch.predict(case, start=START), "forecast")["p_load"]
    assert 6.9 < found[2].mean() < 7.3
    assert 0.3 < found[0].mean() < 0.8


def test_equipping_again_keeps_the_histories_that_are_still_meant() -> None:
    town = dispatch.load_case(embedded_path("schutterwald_winter"))
    again = dispatch.equip(town, pv_share=0.9, season="winter")
    assert not check_case(again)
    history, loads = columns(again, "history"), columns(again, "load")
    assert set(history["profile"]) == set(loads["profile"][loads["kind"] == b"household"])
