"""Make the HDF5 files of this folder, which the netCDF4 package cannot: `python tests/case/traps/make_traps.py`.

Needs h5py, which nothing else in this project does.
"""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

FOLDER = Path(__file__).parent


def new(name: str) -> h5py.File:
    """Open a file of the newest format."""
    return h5py.File(FOLDER / name, "w", libver="latest")


if __name__ == "__main__":
    with new("extlink.nc") as file:
        file.create_group("electric/bus")
        file["electric/bus/v_nom"] = h5py.ExternalLink("target.nc", "/v_nom")
    with new("extgroup.nc") as file:
        file["electric"] = h5py.ExternalLink("target.nc", "/")
    with new("soft.nc") as file:
        file["a"] = np.arange(3.0)
        file["b"] = h5py.SoftLink("/a")
    with new("softloop.nc") as file:
        file.create_group("g")
        file["g/up"] = h5py.SoftLink("/")
    with new("hardloop.nc") as file:
        file.create_group("g")["up"] = file["/"]
    with new("extstore.nc") as file:
        file.create_dataset("v", shape=(3,), dtype="f8", external=[("secret.bin", 0, 24)])
    with new("virtual.nc") as file:
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource("target.nc", "v_nom", shape=(3,))
        file.create_virtual_dataset("v", layout)
    with new("objref.nc") as file:
        file["a"] = np.arange(3.0)
        file.create_dataset("r", (1,), dtype=h5py.ref_dtype)[0] = file["a"].ref
    with new("vlen.nc") as file:
        file.create_dataset("v", (2,), dtype=h5py.string_dtype())
        file.create_dataset("vl", (2,), dtype=h5py.vlen_dtype("f8"))
