"""Build and solve one day of a real low-voltage feeder, beside Pyomo and PyPSA.

Timed on all sides: from arrays in memory to the optimum of one program, in one thread of a process that has imported
everything and solved something before. Ours starts from the case itself (parents by id, bounds not yet resolved), and
is the median of three; the peers start from resolved arrays.
"""

from __future__ import annotations

from functools import partial

from benchmarks.feeders import GRID, SETTINGS, simbench_day, street
from benchmarks.registry import Benchmark, Peer, Subject
from benchmarks.solving import build_and_solve, build_and_solve_all_rows, build_and_solve_by_prices

PYOMO = Peer("pyomo", ("pyomo", "highspy", "numpy"), "pyomo_day.py")
PYPSA = Peer("pypsa", ("pypsa>=1.4",), "pypsa_day.py", "relaxation", "voltage limits")

BENCHMARK = Benchmark(
    name="lv-day",
    about="build and solve one day of SimBench LV3.101 in three settings in which limits bind",
    measures={
        "build and solve": build_and_solve,
        "build and solve, by prices": build_and_solve_by_prices,
        "build and solve, all rows": build_and_solve_all_rows,
    },
    subjects=lambda: tuple(Subject(GRID, setting, partial(simbench_day, setting)) for setting in SETTINGS),
    small=lambda: (Subject("street", "small", street),),
    peers=(PYOMO, PYPSA),
)
