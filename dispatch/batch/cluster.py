"""The one module that knows Dask: an existing scheduler, or a cluster by dask-jobqueue, as an executor.

Whoever reaches a Dask scheduler can run any code on its workers, so one that can be reached from other machines must
ask for certificates (TLS); everything else is refused before anything is sent.
"""

from __future__ import annotations

import ipaddress
import tomllib
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dispatch.batch.executors import WorkerLost
from dispatch.errors import InputError, Problem, raise_if_any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QUEUES = {
    "htcondor": "HTCondorCluster",
    "lsf": "LSFCluster",
    "oar": "OARCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "slurm": "SLURMCluster",
}
CONNECT_S = 30.0
"""So long a scheduler is waited for. [s]"""
TLS = ("ca_file", "certificate", "key")
TABLES = {"cluster", "options", "tls"}


@dataclass(frozen=True)
class Connection:
    """Where the work is to be done.

    Attributes
    ----------
    address : str
        Of a scheduler that is there; empty: a cluster is started.
    queue : str
        Which queueing system starts it.
    jobs : int
        How many jobs it starts.
    options : dict
        Of dask-jobqueue's class, such as ``queue``, ``walltime``, ``memory``.
    tls : dict of str to str
        Files of certificates.
    """

    address: str = ""
    queue: str = ""
    jobs: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    tls: dict[str, str] = field(default_factory=dict)


def connection(scheduler: str | None, cluster: Path | str | None) -> Connection:
    """Read where the work is to be done, and refuse what is not protected.

    Parameters
    ----------
    scheduler : str or None
        Address such as ``tls://host:8786`` or ``tcp://127.0.0.1:8786``.
    cluster : Path, str or None
        TOML file with ``[cluster]`` (``queue``, ``jobs``), ``[options]`` and ``[tls]``.

    Returns
    -------
    Connection

    Raises
    ------
    InputError
        If the file is not as it should be, or the scheduler can be reached from elsewhere without TLS.
    """
    given = _toml(Path(cluster)) if cluster is not None else {}
    tls = {str(k): str(v) for k, v in given.get("tls", {}).items()}
    if scheduler is not None:
        _require_protected(scheduler, tls)
        return Connection(scheduler if "://" in scheduler else f"tcp://{scheduler}", tls=tls)
    chosen = given.get("cluster", {})
    queue, jobs = str(chosen.get("queue", "")), chosen.get("jobs", 0)
    problems = []
    if queue not in QUEUES:
        hint = "Name the queueing system, or give --scheduler with the address of a scheduler that is there."
        problems.append(Problem("cluster", "cluster", "queue", value=repr(queue), allowed=", ".join(QUEUES), hint=hint))
    if not isinstance(jobs, int) or isinstance(jobs, bool) or jobs < 1:
        hint = "Say how many jobs are to be started."
        problems.append(Problem("cluster", "cluster", "jobs", value=repr(jobs), allowed="1 or more", hint=hint))
    raise_if_any(problems, str(cluster))
    return Connection("", queue, jobs, dict(given.get("options", {})), tls)


def _toml(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        hint = "Give a TOML file as docs/batch.md shows it."
        raise InputError(
            [Problem("cluster", path.name, value=f"not readable ({error})", hint=hint)], str(path)
        ) from error
    problems = []
    for name, table in found.items():
        if name not in TABLES or not isinstance(table, dict):
            allowed, hint = ", ".join(sorted(TABLES)), "Correct its name; see docs/batch.md."
            problems.append(Problem("cluster", path.name, name, value="not known", allowed=allowed, hint=hint))
    for name in found.get("tls", {}) if isinstance(found.get("tls"), dict) else ():
        if name not in TLS:
            hint = "Correct its name; see docs/batch.md."
            problems.append(Problem("cluster", "tls", name, value="not known", allowed=", ".join(TLS), hint=hint))
    raise_if_any(problems, str(path))
    return found


def _require_protected(address: str, tls: dict[str, str]) -> None:
    """Refuse a scheduler that other machines can reach without certificates."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if parts.scheme not in {"tcp", "tls"} or not host or port is None:
        hint = "Give an address such as tls://host:8786."
        raise InputError([Problem("scheduler", "scheduler", value=repr(address), allowed="tcp, tls", hint=hint)])
    if parts.scheme == "tls":
        missing = [name for name in TLS if name not in tls]
        if missing:
            hint = "Give --cluster with a TOML file whose table [tls] names the files of certificates."
            raise InputError([Problem("scheduler", "tls", ", ".join(missing), value="missing", hint=hint)])
    elif not _loopback(host):
        hint = "Start it with TLS and give tls://…, or run it on this machine: whoever reaches it can run any code."
        allowed = "tls://, or an address of this machine"
        raise InputError(
            [Problem("scheduler", "scheduler", value=f"{address} without TLS", allowed=allowed, hint=hint)]
        )


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Dask(Executor):
    """Dask's own executor, with the end of a worker told as `WorkerLost`."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Send a call; what is sent is the function's name and its arguments."""
        future: Future[Any] = Future()
        sent = self._client.submit(function, *args, **kwargs, pure=False, retries=0)
        future.set_running_or_notify_cancel()
        sent.add_done_callback(lambda s: _hand_over(s, future))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the workers to whoever started them."""


def _hand_over(sent: Any, future: Future[Any]) -> None:
    from distributed.client import FutureCancelledError  # noqa: PLC0415
    from distributed.scheduler import KilledWorker  # noqa: PLC0415

    try:
        future.set_result(sent.result())
    except (KilledWorker, FutureCancelledError):
        future.set_exception(WorkerLost("its worker was ended from outside"))
    except Exception as error:  # noqa: BLE001  (handed to whoever asked)
        future.set_exception(error)


@contextmanager
def dask_executor(given: Connection, wait_s: float = CONNECT_S) -> Iterator[Executor]:
    """Connect to a scheduler, or start a cluster that ends with the block.

    Parameters
    ----------
    given : Connection
        As `connection` read it.
    wait_s : float
        How long a scheduler is waited for. [s]

    Yields
    ------
    Executor
        Of `concurrent.futures`.

    Raises
    ------
    InputError
        If Dask is not installed.
    """
    try:
        from distributed import Client  # noqa: PLC0415  (an extra)
        from distributed.security import Security  # noqa: PLC0415
    except ImportError as error:
        hint = "Install the extra: pip install 'prosumer-dispatch[cluster]'."
        raise InputError([Problem("extra", "cluster", value="not installed", hint=hint)]) from error
    files = {"tls_ca_file": "ca_file", "tls_client_cert": "certificate", "tls_client_key": "key"}
    own = {name: given.tls[key] for name, key in files.items() if key in given.tls}
    if given.address:
        security = Security(require_encryption=True, **own) if own else None
        with Client(given.address, security=security, set_as_default=False, timeout=wait_s) as client:
            yield _Dask(client)
        return
    import dask_jobqueue  # noqa: PLC0415  (an extra)

    kind = getattr(dask_jobqueue, QUEUES[given.queue])
    # One thread a worker; certificates that live as long as the cluster, known to its own workers alone.
    options = {"cores": 1, "processes": 1, "memory": "4GB", **given.options, "protocol": "tls://"}
    with kind(**options, security=Security.temporary()) as cluster:
        cluster.scale(jobs=given.jobs)
        with Client(cluster, set_as_default=False) as client:
            yield _Dask(client)
