from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kernels

RUN = """
import numpy as np
from kernels.outer import outer
print(outer(np.array([1.0, 2.0])), sum(outer.stats.cache_hits.values()))
"""
OUTER = """
from kernels._jit import kernel
from kernels.inner import inner

@kernel
def outer(a):
    return inner(a[0]) + inner(a[1])
"""
INNER = """
from kernels._jit import kernel

@kernel
def inner(x):
    return 10.0 * x
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a folder with the real modules that compile, a kernel that calls another file's, and a home of its own."""
    folder = tmp_path / "kernels"
    folder.mkdir()
    (tmp_path / "home").mkdir()
    for name in ("_jit", "_compiler"):
        shutil.copy(Path(kernels.__file__).with_name(f"{name}.py"), folder)
    for name, text in (("__init__", ""), ("outer", OUTER), ("inner", INNER)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


def start(place: Path, code: str = RUN, stdin: int | None = None, **environment: str) -> subprocess.Popen[str]:
    """Start Python beside the kernels, with home and temporary folder inside `place`."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "NUMBA_", "PYTHON"))}
    own |= {"HOME": str(place / "home"), "TMPDIR": str(place), **environment}
    command = [sys.executable, "-W", "error", "-c", code]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=place, env=own, stdin=stdin, stdout=pipe, stderr=pipe, text=True)


def run(place: Path, code: str = RUN, **environment: str) -> tuple[str, str]:
    """Run to the end and return what was printed on stdout and stderr."""
    process = start(place, code, **environment)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out.strip(), err.strip()


def entries(place: Path) -> list[Path]:
    """List compiled entries below the home."""
    return sorted((place / "home" / ".cache" / "prosumer-dispatch").glob("kernels-*/*.nbc"))


def test_second_process_reads_what_the_first_compiled(place: Path) -> None:
    assert run(place) == ("30.0 0", "")
    assert [f.name.rsplit(".", 2)[0] for f in entries(place)] == ["kernels.outer.outer"]  # inner is a part of it
    assert stat.S_IMODE(entries(place)[0].parent.stat().st_mode) == 0o700
    assert run(place) == ("30.0 1", "")


def test_edit_in_another_file_is_seen(place: Path) -> None:
    assert run(place) == ("30.0 0", "")
    inner = place / "kernels" / "inner.py"
    inner.write_text(INNER.replace("10.0", "200.0"), encoding="utf-8")
    assert run(place) == ("600.0 0", "")


def test_broken_entries_are_compiled_anew(place: Path) -> None:
    run(place)
    (outer,) = entries(place)
    for content in (b"", outer.read_bytes()[:-10]):
        outer.write_bytes(content)
        assert run(place) == ("30.0 0", "")
        assert run(place) == ("30.0 1", "")


def test_kernel_that_is_part_of_another_can_be_called_too(place: Path) -> None:
    code = RUN + "from kernels.inner import inner\nprint(inner(2.5), outer(np.array([3, 4])), inner(3))"
    assert run(place, code) == ("30.0 0\n25.0 70.0 30.0", "")
    names = [f.name.rsplit(".", 2)[0] for f in entries(place)]
    assert names == ["kernels.inner.inner"] * 2 + ["kernels.outer.outer"] * 2
    assert run(place, code) == ("30.0 1\n25.0 70.0 30.0", "")


def test_only_the_outermost_kernel_becomes_machine_code(place: Path) -> None:
    counted = (
        "from numba.core.codegen import JITCodeLibrary as L\n"
        "made, finish = [], L._finalize_specific\n"
        "L._finalize_specific = lambda self: (made.append(self.name), finish(self))\n"
    )
    assert run(place, counted + RUN + "print([m for m in made if m in ('inner', 'outer')])")[0] == "30.0 0\n['outer']"


def test_code_of_another_signature_is_not_used(place: Path) -> None:
    run(place, RUN + "print(outer(np.array([1, 2])), outer(np.array([1, 2], 'f4')))")
    found = [f for f in entries(place) if "outer" in f.name]
    assert len(found) == 3
    texts = [f.read_bytes() for f in found]
    for file, text in zip(found, texts[1:] + texts[:1], strict=True):
        file.write_bytes(text)
    assert run(place) == ("30.0 0", "")


def test_numba_that_is_loaded_already_keeps_its_settings(place: Path) -> None:
    code = "import numba\nnumba.config.CACHE_DIR = 'theirs'\n" + RUN + "print(numba.config.CACHE_DIR)"
    assert run(place, code) == ("30.0 0\ntheirs", "")
    assert len(entries(place)) == 1
    assert not (place / "theirs").exists()
    elsewhere = place / "elsewhere"
    assert run(place, NUMBA_CACHE_DIR=str(elsewhere)) == ("30.0 1", "")
    assert not elsewhere.exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_home_without_write_permission(place: Path) -> None:
    (place / "home").chmod(0o500)
    out, err = run(place)
    assert out == "30.0 0"
    assert len(err.splitlines()) == 1


def test_home_that_cannot_be_written_gets_one_notice(place: Path) -> None:
    (place / "home" / ".cache").write_text("a file where the folder should be", encoding="utf-8")
    out, err = run(place)
    assert out == "30.0 0"
    assert len(err.splitlines()) == 1
    assert str(place / "home" / ".cache" / "prosumer-dispatch") in err
    assert run(place)[0] == "30.0 1"


def test_nothing_that_can_be_written_still_works(place: Path) -> None:
    blocked = place / "home" / ".cache"
    blocked.write_text("", encoding="utf-8")
    (place / f"prosumer-dispatch-{os.getuid()}").write_text("", encoding="utf-8")
    for _ in range(2):
        out, err = run(place)
        assert out == "30.0 0"
        assert err.endswith("kernels are compiled anew in every run")
        assert len(err.splitlines()) == 1


def test_workers_do_not_repeat_the_notice(place: Path) -> None:
    (place / "home" / ".cache").write_text("", encoding="utf-8")
    (place / "work.py").write_text(
        "import numpy as np\nfrom kernels.outer import outer\ndef work(_):\n    return outer(np.ones(2))\n",
        encoding="utf-8",
    )
    code = (
        "import multiprocessing\nfrom work import work\n"
        "with multiprocessing.get_context('spawn').Pool(2) as pool:\n    print(pool.map(work, range(2)))"
    )
    out, err = run(place, code)
    assert out == "[20.0, 20.0]"
    assert len(err.splitlines()) == 1


@pytest.mark.skipif(os.name != "posix", reason="owners and modes of folders are POSIX")
def test_folder_that_others_can_write_is_not_trusted(place: Path) -> None:
    base = place / "home" / ".cache" / "prosumer-dispatch"
    base.mkdir(parents=True)
    base.chmod(0o777)
    out, err = run(place)
    assert out == "30.0 0"
    assert len(err.splitlines()) == 1
    assert not list(base.rglob("*.nbc"))


def test_code_that_nobody_used_for_long_is_removed(place: Path) -> None:
    base = place / "home" / ".cache" / "prosumer-dispatch"
    base.mkdir(parents=True, mode=0o700)
    for name, days in (("kernels-old", 31), ("kernels-recent", 29), ("something-else", 400)):
        (base / name).mkdir()
        (base / name / "x.nbc").write_bytes(b"")
        os.utime(base / name, (time.time() - days * 86400,) * 2)
    run(place)
    assert not (base / "kernels-old").exists()
    assert (base / "kernels-recent" / "x.nbc").exists()
    assert (base / "something-else" / "x.nbc").exists()


def test_cache_that_vanishes_costs_time_only(place: Path) -> None:
    code = "import shutil, kernels._jit\nshutil.rmtree(kernels._jit.CACHE_FOLDER)\n" + RUN
    assert run(place, code.replace("shutil, ", "shutil\nimport kernels.outer, ")) == ("30.0 0", "")


def test_without_compilation_kernels_are_plain_functions(place: Path) -> None:
    code = (
        "import numpy as np\nfrom kernels.outer import outer\nprint(outer(np.array([1.0, 2.0])), type(outer).__name__)"
    )
    assert run(place, code, NUMBA_DISABLE_JIT="1") == ("30.0 function", "")


FORKED = """
import os, sys
import numba, numpy
numba.njit(lambda a: a[0] + 1.0)(numpy.ones(1))
codes = sys.stdin.read().split("\\0")
running = {}
for code in codes:
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        try:
            exec(code, {"__name__": "__main__"})
        finally:
            sys.stdout.flush()
            os._exit(sys.exc_info()[0] is not None)
    os.close(writing)
    running[child] = os.fdopen(reading)
for child, printed in running.items():
    with printed:
        text = printed.read().strip()
    _, ended = os.waitpid(child, 0)
    print(ended, text, sep="\\t")
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_32_cold_processes_at_once(place: Path) -> None:
    """They share a Numba that has compiled before, so that all compile, write and read at the same time."""
    dtypes = ("float64", "float32", "int64", "int32")
    codes = [RUN.replace("2.0])", f"2.0]).astype('{dtypes[i % 4]}')") for i in range(32)]
    process = start(place, FORKED, stdin=subprocess.PIPE)
    out, err = process.communicate("\0".join(codes), timeout=300)
    assert (process.returncode, err) == (0, "")
    ended = [line.split("\t") for line in out.splitlines()]
    assert [(status, printed.split()[0]) for status, printed in ended] == [("0", "30.0")] * 32
    for code in codes[:4]:
        assert run(place, code)[0] == "30.0 1"
    assert not list((place / "home").rglob("*.part"))
