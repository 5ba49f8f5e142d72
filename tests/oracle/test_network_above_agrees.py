"""Feeders under a network above them, by rounds of prices, against one program with every row of it stated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rebuild.above import rows_above
from rebuild.plain import plain_kinds
from rebuild.shared import Shared, together
from test_shared_limits_agree import GAP, Here, Night, Utility

from dispatch.batch.above import NetworkAbove
from dispatch.batch.round_records import RoundRecords
from dispatch.batch.run_batch import run_batch
from dispatch.batch.status import status_of
from dispatch.case.netcdf import save_case
from dispatch.case.schema import build_case
from dispatch.case.shared import read_shared
from dispatch.run.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import xarray as xr

Columns = dict[str, Any]


@dataclass(frozen=True)
class Above:
    """A network above the feeders of a utility: which of its limits bind, and whether it has a loop."""

    utility: Utility
    kind: str
    loop: bool = False
    share: float = 0.5  # of what feeders do to the limit without it
    unmet: bool = False


GIVEN = [
    Above(Utility("wide limits", 1, 3), "v_max"),
    Above(Utility("wide limits", 4, 2), "v_min", share=0.7),
    Above(Utility("wide limits", 2, 3), "rating"),
    Above(Utility("plain", 3, 3), "v_max", loop=True),
    Above(Utility("cars and tanks", 1, 2), "rating", share=0.3, unmet=True),
    Above(Utility("peak price", 1, 2), "v_max"),
]


def network(loop: bool, v: tuple[float, float] = (0.5, 1.5), s_nom: float = 1e6, line: str = "") -> xr.DataTree:
    """A source and a line of buses 1, 2, 3 behind it, two meters of its own at bus 2, and a line from 3 back to it."""
    ends = [("hv", "1"), ("1", "2"), ("2", "3"), ("hv", "3")][: 4 if loop else 3]
    names = [f"{a}-{b}" for a, b in ends]
    tables: dict[str, Columns] = {
        "bus": {"id": ["hv", "1", "2", "3"], "v_nom": 10.0, "v_min_pu": v[0], "v_max_pu": v[1]},
        "source": {"id": ["s"], "bus": ["hv"], "v_pu": 1.0},
        "line": {
            "id": names, "bus_from": [a for a, _ in ends], "bus_to": [b for _, b in ends],
            "r": [40.0, 60.0, 30.0, 50.0][: len(ends)], "x": [30.0, 20.0, 20.0, 40.0][: len(ends)],
            "s_nom": [s_nom if name == line else 1e6 for name in names],
        },
        "prosumer": {"id": ["mill"]},
        "tariff": {"id": ["any"], "price_import": [0.3], "price_export": [0.1]},
        "meter": {"id": ["mill"], "bus": ["2"], "prosumer": ["mill"], "tariff": ["any"]},
        "load": {"id": ["mill"], "meter": ["mill"], "p_nom": [3.0], "q_nom": [1.0]},
    }  # fmt: skip
    return build_case(tables, title="Above")


@pytest.mark.slow
@pytest.mark.parametrize("given", GIVEN, ids=lambda g: f"{g.utility.recipe}, {g.kind}{', loop' if g.loop else ''}")
def test_optimum_is_that_of_one_program(given: Above, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RoundRecords, "forget", lambda _: None)
    night = Night(given.utility, tmp_path)
    names = [f"{name}/*" for name in night.cases]
    lines = [f'"{k + 1}" = "{name}"' for k, name in enumerate(names)]
    (night.utility / "above").mkdir()
    text = ["[[network]]", 'id = "above"', 'case = "above/net.nc"', "[network.feeders]", *lines]
    (night.utility / "shared.toml").write_text("\n".join(text))
    settings = Settings(horizon_h=night.recipe.steps * night.recipe.step_s / 3600)

    def run(case: xr.DataTree, name: str) -> dict[str, Any]:
        save_case(case, night.utility / "above" / "net.nc")
        run_batch(night.utility, night.folder / name, settings, executor=Here(), workers=1, report=False)
        shared = status_of(night.folder / name).shared
        assert shared is not None
        return shared

    loose = run(network(given.loop), "loose")
    assert loose["rounds"] == 1  # nothing binds
    v_min, v_max, loading = (loose["limits"][0][n] for n in ("v_min_pu", "v_max_pu", "loading_pu"))
    part = given.share
    case = {
        "v_max": lambda: network(given.loop, (0.5, 1 + part * (max(v_max) - 1))),
        "v_min": lambda: network(given.loop, (1 - part * (1 - min(v_min)), 1.5)),
        "rating": lambda: network(given.loop, s_nom=part * 1e6 * max(loading), line="hv-1"),
    }[given.kind]()
    found = run(case, "tight")
    assert found["rounds"] > 1
    assert found["limits"][0]["binding"]

    feeders, losses, q = night.program("tight")
    rows = _rows(night, case, settings, q)
    optimum, _ = together(feeders, losses, q, Shared(), network=rows)
    room = max(1.0, abs(optimum))
    assert found["lower_bound"] == pytest.approx(optimum, abs=GAP * room)
    assert found["lower_bound"] <= optimum + 1e-6 * room
    if not night.repaired("tight"):
        assert found["objective_relaxation"] == pytest.approx(optimum, abs=GAP * room)
    assert bool(found["limits"][0]["unmet"]) == given.unmet


def _rows(night: Night, case: xr.DataTree, settings: Settings, q: np.ndarray) -> Any:
    """Rows of the last program, about the schedules before it."""
    kept = night.kept("tight")
    before = ["1", *(stage for stage in kept if stage.startswith("m"))][-2]
    names = list(kept["1"])
    p = np.array([kept[before][name]["p"] for name in names])
    time = kept["1"][names[0]]["time"].astype("datetime64[s]")
    above = NetworkAbove(read_shared(night.utility).networks[0], names, time, settings)
    offsets = above.limits(p, q, foretold=before == "1").offsets
    own = np.zeros((2, 4, len(time)))
    own[:, 2] = [[-3.0], [-1.0]]
    bus = np.arange(len(names)) + 1
    by_name = {n: np.asarray(getattr(offsets, n)) for n in ("v_max", "v_min", "s")}
    return rows_above(
        plain_kinds(case, ("bus", "line", "transformer", "source")), bus, (own[0], own[1]), q, by_name, 10.0
    )
