"""The algebra, written once; the compiler and the explicit model made from it.

Where Pyomo finds SciPy loaded, it loads SciPy's statistics, optimisation and integration at once, though nothing here
asks it for what needs them: a third of the time that a process takes to start. So it does not find it.
"""

from __future__ import annotations

import sys
from importlib import import_module

_scipy = import_module("scipy")
del sys.modules["scipy"]
try:
    import_module("pyomo.common.dependencies")
finally:
    sys.modules["scipy"] = _scipy
