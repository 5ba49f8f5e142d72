"""The peers' own environments: made with venv and pip, used through files of plain arrays."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from benchmarks.registry import Peer

FOLDER = Path(__file__).parent / "environments"
SCRIPTS = Path(__file__).parent / "peers"
TIMEOUT_S = 1800.0


def python_of(peer: Peer) -> Path:
    """Where the peer's Python is, or would be."""
    place = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    return FOLDER.joinpath(peer.name, *place)


def set_up(peer: Peer) -> Path:
    """Make the peer's environment anew and install its packages there.

    Returns
    -------
    Path
        Its Python.

    Raises
    ------
    CalledProcessError
        If pip fails.
    """
    venv.create(FOLDER / peer.name, with_pip=True, clear=True)
    python = python_of(peer)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *peer.packages], check=True)
    return python


def ask(peer: Peer, arrays: dict[str, np.ndarray], python: Path | None = None) -> dict[str, Any]:
    """Let a peer solve a day and tell what it found.

    Parameters
    ----------
    peer : Peer
        Whose script runs.
    arrays : dict of str to ndarray
        What `benchmarks.arrays.day_arrays` gives; handed over as one ``.npz`` without pickles.
    python : Path, optional
        Another Python than that of the peer's environment.

    Returns
    -------
    dict
        ``seconds``, ``objective``, ``versions``, ``note`` as the script reports them, or ``failure``.
    """
    python = python or python_of(peer)
    if not python.exists():
        return {"failure": f"not installed: python -m benchmarks setup {peer.name}"}
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder, "day.npz"), Path(folder, "answer.json")
        np.savez(given, allow_pickle=False, **arrays)
        command = [str(python), str(SCRIPTS / peer.script), str(given), str(answer)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired:
            return {"failure": f"no answer within {TIMEOUT_S:g} s"}
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            return {"failure": f"exit code {done.returncode}: {last}"}
        found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
        return found
