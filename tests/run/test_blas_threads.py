"""Results do not depend on how many threads BLAS takes, which it is told before it is loaded: a process for each.

The area of the town with a closed loop is large enough for BLAS to share its vectors out among threads.
"""

import os
import subprocess
import sys

CODE = """
import hashlib
import dispatch
from dispatch.case.embedded import embedded_path
from dispatch.case.slices import split_feeders

town = dispatch.predict(dispatch.load_case(embedded_path("schutterwald_summer")), horizon_h=24)
result = dispatch.optimize(split_feeders(town)[12])
for node in result.subtree:
    for name, variable in sorted(node.data_vars.items()):
        print(node.path, name, hashlib.sha256(variable.to_numpy().tobytes()).hexdigest())
"""


def test_threads_of_blas_change_no_byte() -> None:
    told = []
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        run = [sys.executable, "-c", CODE]
        told.append(subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout)
    assert "/certificate objective" in told[0]
    assert told[0] == told[1]
