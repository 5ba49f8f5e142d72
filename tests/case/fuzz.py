"""Break bytes of valid inputs at random and see that only input errors come of it.

`python tests/case/fuzz.py --count 100000 --seed 1` runs by hand what the tests run in small. Of six inputs, two are
netCDF files, two pandapower files, one is a SimBench folder and one a folder of tables.
"""

from __future__ import annotations

import argparse
import copy
import gzip
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.append(str(Path(__file__).parent / "importers"))

from small_case import small_case
from small_net import NET, frame
from small_simbench import TABLES

from dispatch.case.importers.pandapower import import_pandapower
from dispatch.case.importers.simbench import import_simbench
from dispatch.case.netcdf import load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.tables import export_tables, import_tables
from dispatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import xarray as xr

    Way = Callable[[Path, Path, random.Random], xr.DataTree]

SLOW_S = 20.0
LONG = 50_000  # characters of a message
DICTIONARY = (
    b"\0",
    b"\xff" * 8,
    b"\xff\xff\xff\x7f",
    b"nan",
    b"inf",
    b"-1",
    b"OHDR",
    b"TREE",
    b"[",
    b'"',
    b",",
    b"\n",
    b"kW",
)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Flip, insert, drop, repeat or cut some bytes."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        at = chance.randrange(max(len(out), 1))
        what = chance.randrange(12)
        if what < 5:
            out[at : at + 1] = bytes([chance.randrange(256)])
        elif what < 7:
            word = chance.choice(DICTIONARY)
            out[at : at + len(word)] = word
        elif what == 7:
            del out[at : at + chance.randrange(1, 64)]
        elif what == 8:
            out[at:at] = out[at : at + chance.randrange(1, 64)]
        elif what == 9:
            other = chance.randrange(max(len(out), 1))
            out[at : at + 8] = out[other : other + 8]
        elif what == 10:
            out[at : at + 1] = bytes([out[at] ^ (1 << chance.randrange(8))]) if at < len(out) else b"x"
        elif chance.random() < 0.2:
            del out[at:]
    return bytes(out)


CELLS: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2, 10**400, -1e308, 1e-320, float("nan"), float("inf"), 0.5, -3.7),
    *(
        "",
        "b",
        "t",
        "lv",
        "Ideal",
        "__import__",
        "\0",
        "ä" * 300,
        [],
        [1, 2],
        {},
        {"_module": "os", "_class": "system"},
    ),
)


def broken_net(chance: random.Random) -> bytes:
    """Build a pandapower file with odd cells, columns that are missing, or damaged bytes."""
    tables = copy.deepcopy(NET)
    tables["switch"]["closed"] = [chance.random() < 0.8]
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        table = tables[chance.choice(list(tables))]
        column = chance.choice(list(table))
        table[column][chance.randrange(len(table[column]))] = chance.choice(CELLS)
        if chance.random() < 0.1 and len(table) > 1:
            del table[column]
    text = chance.random() < 0.5
    orient = chance.choice(("split", "columns"))
    frames = {name: frame(table, orient=orient, text=text) for name, table in tables.items()}
    data = json.dumps({"_module": "pandapower.auxiliary", "_class": "pandapowerNet", "_object": frames}).encode()
    return mutated(data, chance) if chance.random() < 0.5 else data


def from_file(good: Path, folder: Path, chance: random.Random) -> xr.DataTree:
    """Load a netCDF file with damaged bytes."""
    path = folder / "broken.nc"
    path.write_bytes(mutated((good / "case.nc").read_bytes(), chance))
    return load_case(path)


def from_net(_: Path, folder: Path, chance: random.Random) -> xr.DataTree:
    """Import a broken pandapower file, sometimes packed."""
    data, path = broken_net(chance), folder / "net.json"
    if chance.random() < 0.1:
        path = path.with_name("net.json.gz")
        data = mutated(gzip.compress(data, mtime=0), chance)
    path.write_bytes(data)
    return import_pandapower(path, drop_isolated=chance.random() < 0.5)[0]


def damaged_copy(good: Path, folder: Path, chance: random.Random) -> Path:
    """Copy a folder and damage one of its files."""
    target = folder / "damaged"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(good, target)
    victim = chance.choice(sorted(target.iterdir()))
    victim.write_bytes(mutated(victim.read_bytes(), chance))
    return target


def from_simbench(good: Path, folder: Path, chance: random.Random) -> xr.DataTree:
    """Import a SimBench folder with a damaged file."""
    return import_simbench(damaged_copy(good / "simbench", folder, chance), "LV9.1")[0]


def from_tables(good: Path, folder: Path, chance: random.Random) -> xr.DataTree:
    """Import a folder of tables with a damaged one."""
    return import_tables(damaged_copy(good / "tables", folder, chance))


WAYS: tuple[Way, ...] = (from_tables, from_file, from_net, from_simbench, from_file, from_net)


def write_good(good: Path) -> None:
    """Write the valid inputs that are broken then."""
    (good / "simbench").mkdir(parents=True)
    save_case(small_case(), good / "case.nc")
    export_tables(small_case(), good / "tables")
    for name, text in TABLES.items():
        (good / "simbench" / f"{name}.csv").write_text(text, encoding="utf-8")


def run(count: int, seed: int) -> dict[str, int]:
    """Try so many broken inputs; raise at the first that does harm, naming the seed that repeats it."""
    outcomes = {"valid": 0, "problems": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as name:
        good, folder = Path(name) / "good", Path(name)
        write_good(good)
        for k in range(seed, seed + count):
            chance = random.Random(k)
            sys.stderr.write(f"{k}\n")  # the last one printed is the one that crashed
            start = time.process_time()
            try:
                found = check_case(WAYS[k % len(WAYS)](good, folder, chance))
                outcomes["problems" if found else "valid"] += 1
            except InputError as error:
                if not all(p.hint and p.group for p in error.problems) or len(str(error)) > LONG:
                    raise AssertionError(f"input {k} is refused without help: {error}") from error
                outcomes["refused"] += 1
            if time.process_time() - start > SLOW_S:
                raise TimeoutError(f"input {k} took more than {SLOW_S} s of processor time")
    return outcomes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    sys.stdout.write(f"{run(settings.count, settings.seed)}\n")
