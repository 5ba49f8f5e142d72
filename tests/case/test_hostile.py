from __future__ import annotations

import os
import pickle
import resource
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import netCDF4
import numpy as np
import pytest
from small_case import small_case

from dispatch.case.netcdf import load_case, save_case
from dispatch.case.rules import check_case
from dispatch.case.tables import export_tables, import_tables
from dispatch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
COUNT = int(os.environ.get("DISPATCH_FUZZ_COUNT", "300"))


class Exploit:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch exploited",)


def whole(folder: Path) -> bytes:
    """Bytes of a valid file."""
    save_case(small_case(), folder / "valid.nc")
    data = (folder / "valid.nc").read_bytes()
    (folder / "valid.nc").unlink()
    return data


def declared(shape: tuple[int, ...], chunks: tuple[int, ...]) -> Callable[[Path], bytes]:
    """A file that declares a huge variable and stores nothing of it."""

    def make(folder: Path) -> bytes:
        with netCDF4.Dataset(folder / "bomb.nc", "w") as file:
            file.setncattr("schema_version", np.int32(1))
            group = file.createGroup("/forecast")
            for k, size in enumerate(shape):
                group.createDimension(f"d{k}", size)
            dims = [f"d{k}" for k in range(len(shape))]
            group.createVariable("p_load", "f8", dims, zlib=True, chunksizes=chunks, fill_value=False)
        data = (folder / "bomb.nc").read_bytes()
        (folder / "bomb.nc").unlink()
        return data

    return make


def of_zeros(folder: Path) -> bytes:
    """A file of a few hundred kB that unpacks to 290 MB, more than any file may."""
    with netCDF4.Dataset(folder / "bomb.nc", "w") as file:
        file.createDimension("x", 36_000_000)
        variable = file.createVariable("v", "f8", ("x",), zlib=True, complevel=9, chunksizes=(4_000_000,))
        variable[:] = 0.0
    data = (folder / "bomb.nc").read_bytes()
    (folder / "bomb.nc").unlink()
    return data


def with_type(folder: Path) -> bytes:
    """A file with a compound type and an enumeration."""
    with netCDF4.Dataset(folder / "odd.nc", "w") as file:
        file.setncattr("schema_version", np.int32(1))
        file.createDimension("x", 1)
        compound = file.createCompoundType(np.dtype([("a", "f8"), ("b", "i4")]), "pair")
        file.createVariable("v", compound, ("x",))
        file.createVariable("w", file.createEnumType(np.int8, "colour", {"red": 1}), ("x",))
        file.createVariable("t", str, ("x",))[0] = "text"
    data = (folder / "odd.nc").read_bytes()
    (folder / "odd.nc").unlink()
    return data


def deep(folder: Path) -> bytes:
    """A file of groups in groups in groups."""
    with netCDF4.Dataset(folder / "odd.nc", "w") as file:
        file.createGroup("/" + "/".join("g" * 60))
    data = (folder / "odd.nc").read_bytes()
    (folder / "odd.nc").unlink()
    return data


def huge_end(folder: Path) -> bytes:
    """A file whose superblock says that it is much longer."""
    data = bytearray(whole(folder))
    struct.pack_into("<Q", data, 28, 1 << 60)
    return bytes(data)


def circle(folder: Path) -> bytes:
    """A file whose root is said to be somewhere else."""
    data = bytearray(whole(folder))
    struct.pack_into("<Q", data, 36, 0)
    return bytes(data)


FILES: dict[str, Callable[[Path], bytes]] = {
    "pickle": lambda _: pickle.dumps(Exploit()),
    "pickle in npy": lambda _: b"\x93NUMPY\x01\x00v\x00" + pickle.dumps(Exploit()),
    "nothing": lambda _: b"",
    "signature alone": lambda _: b"\x89HDF\r\n\x1a\n",
    "signature and noise": lambda _: b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 40,
    "half a file": lambda folder: whole(folder)[: len(whole(folder)) // 2],
    "all but a byte": lambda folder: whole(folder)[:-1],
    "only zeros": lambda _: bytes(100_000),
    "end beyond the file": huge_end,
    "root elsewhere": circle,
    "JSON with classes": lambda _: b'{"_module": "os", "_class": "system", "_object": "touch exploited"}',
    "YAML with tags": lambda _: b'!!python/object/apply:os.system ["touch exploited"]',
    "XML with entities": lambda _: b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
    "zip": lambda _: b"PK\x03\x04" + bytes(100),
    "netCDF3": lambda _: b"CDF\x01" + bytes(100),
    "terabytes declared": declared((1 << 40,), (1 << 20,)),
    "many small dims": declared((4096, 4096, 4096), (64, 64, 64)),
    "huge chunk": declared((1 << 29,), (1 << 28,)),
    "zip bomb": of_zeros,
    "types of its own": with_type,
    "groups in groups": deep,
    **{p.name: lambda _, p=p: p.read_bytes() for p in sorted((HERE / "traps").glob("*.nc"))},  # type: ignore[misc]
}


@pytest.mark.parametrize("name", FILES)
def test_trap_files(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_case(small_case(), tmp_path / "target.nc")  # what links point at
    (tmp_path / "secret.bin").write_bytes(b"SECRETSE" * 3)
    (tmp_path / "trap.nc").write_bytes(FILES[name](tmp_path))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError) as caught:
        load_case(tmp_path / "trap.nc")
    assert all(p.hint for p in caught.value.problems)
    assert "SECRET" not in str(caught.value)
    assert not (tmp_path / "exploited").exists()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 500_000  # kB


def test_a_link_into_a_valid_case_is_not_followed(tmp_path: Path) -> None:
    save_case(small_case(), tmp_path / "target.nc")
    (tmp_path / "trap.nc").write_bytes((HERE / "traps" / "extlink.nc").read_bytes())
    with pytest.raises(InputError, match="a link into another file"):
        load_case(tmp_path / "trap.nc")


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/null", ".", "no\0name", "nowhere.nc", "a" * 5000])
def test_paths_that_are_no_files(target: str) -> None:
    with pytest.raises(InputError):
        load_case(target)


TABLES: dict[str, tuple[str, bytes]] = {
    "NUL bytes": ("bus.csv", b"id,v_nom\na\0b,0.4\n"),
    "not UTF-8": ("bus.csv", b"id,v_nom\n\xff\xfe,0.4\n"),
    "UTF-16": ("bus.csv", "id,v_nom\na,0.4\n".encode("utf-16")),
    "huge field": ("bus.csv", b"id,v_nom\n" + b"a" * 200_000 + b",0.4\n"),
    "open quote": ("bus.csv", b'id,v_nom\n"a,0.4\n'),
    "JSON": ("bus.csv", b'{"id": ["a"]}'),
    "pickle": ("bus.csv", pickle.dumps(Exploit())),
    "empty": ("bus.csv", b""),
    "number of many digits": ("bus.csv", b"id,v_nom\na," + b"9" * 5000 + b"x\n"),
    "years beyond": ("profile_p_pu.csv", b"time,h0,sun\n99999-01-01T00:00Z,1,1\n"),
    "many columns": ("bus.csv", b"id" + b",x" * 5000 + b"\n"),
    "YAML for TOML": ("case.toml", b"title: !!python/object/apply:os.system ['touch exploited']\n"),
    "JSON for TOML": ("case.toml", b'{"title": "a"}'),
    "TOML nested deeply": ("case.toml", b"a = " + b"[" * 100_000),
    "TOML of many digits": ("case.toml", b"schema_version = " + b"9" * 10_000),
    "TOML that is too long": ("case.toml", b"# " + b"x" * (2 << 20)),
}


@pytest.mark.parametrize("name", TABLES)
def test_trap_tables(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    export_tables(small_case(), tmp_path / "tables")
    file, data = TABLES[name]
    (tmp_path / "tables" / file).write_bytes(data)
    with pytest.raises(InputError) as caught:
        import_tables(tmp_path / "tables")
    assert any(p.group == file for p in caught.value.problems)
    assert not (tmp_path / "exploited").exists()


def test_trap_ids_are_only_texts(tmp_path: Path) -> None:
    case = small_case()
    data = case["electric/source"].to_dataset(inherit=False)
    names = np.array([b"../../../tmp/x", b"$(touch exploited)"])
    case["electric/source"].dataset = data.assign_coords(source=names)
    save_case(case, tmp_path / "case.nc")
    assert check_case(load_case(tmp_path / "case.nc")) == []


def test_random_damage_makes_input_errors_only() -> None:
    # In a process of its own: damage could end it.
    command = [sys.executable, str(HERE / "fuzz.py"), "--count", str(COUNT), "--seed", "0"]
    path = os.pathsep.join([str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
    limit = 120 + COUNT
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=limit, check=False, env={**os.environ, "PYTHONPATH": path}
    )
    assert done.returncode == 0, f"seed {done.stderr[-2000:]}"
    assert "refused" in done.stdout
