"""Break bytes of valid inputs at random and see that only input errors come of it.

`python tests/case/fuzz.py --count 100000 --seed 1` runs by hand what the tests run in small.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

from small_case import small_case

from dispatch.case.netcdf import load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.tables import export_tables, import_tables
from dispatch.errors import InputError

SLOW_S = 20.0
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


def try_file(data: bytes, folder: Path, outcomes: dict[str, int]) -> None:
    """Load and check one broken netCDF file."""
    path = folder / "broken.nc"
    path.write_bytes(data)
    try:
        found = check_case(load_case(path))
        outcomes["problems" if found else "valid"] += 1
    except InputError:
        outcomes["refused"] += 1


def try_tables(tables: Path, folder: Path, chance: random.Random, outcomes: dict[str, int]) -> None:
    """Import and check one folder with a broken table."""
    target = folder / "tables"
    shutil.copytree(tables, target)
    victim = chance.choice(sorted(target.iterdir()))
    victim.write_bytes(mutated(victim.read_bytes(), chance))
    try:
        found = check_case(import_tables(target))
        outcomes["problems" if found else "valid"] += 1
    except InputError:
        outcomes["refused"] += 1
    finally:
        shutil.rmtree(target)


def run(count: int, seed: int) -> dict[str, int]:
    """Try so many broken inputs; raise at the first that does harm, naming the seed that repeats it."""
    outcomes = {"valid": 0, "problems": 0, "refused": 0}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_case(small_case(), folder / "good.nc")
        export_tables(small_case(), folder / "good")
        good = (folder / "good.nc").read_bytes()
        for k in range(seed, seed + count):
            chance = random.Random(k)
            sys.stderr.write(f"{k}\n")  # the last one printed is the one that crashed
            start = time.perf_counter()
            if k % 3:
                try_file(mutated(good, chance), folder, outcomes)
            else:
                try_tables(folder / "good", folder, chance, outcomes)
            if time.perf_counter() - start > SLOW_S:
                raise TimeoutError(f"input {k} took longer than {SLOW_S} s")
    return outcomes


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    settings = parser.parse_args()
    sys.stdout.write(f"{run(settings.count, settings.seed)}\n")
