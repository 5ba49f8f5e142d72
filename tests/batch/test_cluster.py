"""Promise 19: a scheduler that others can reach needs TLS, and is sent names and settings, never code or data."""

from __future__ import annotations

import gc
import os
import pickle
import shutil
import subprocess
from pathlib import Path

import pytest
from stand_in import fatal, stand_in
from tiny import Here, copied_utility, files_of

from dispatch.batch import run_batch as module
from dispatch.batch.cluster import connection, dask_executor
from dispatch.batch.journal import read_journal
from dispatch.errors import InputError

TLS = '[tls]\nca_file = "ca.pem"\ncertificate = "own.pem"\nkey = "own.key"\n'


@pytest.mark.parametrize(
    "address",
    [
        "tcp://10.0.0.7:8786",
        "10.0.0.7:8786",
        "tcp://scheduler.example.org:8786",
        "tcp://localhost.example.org:8786",
        "tcp://127.0.0.1.example.org:8786",
        "tcp://0.0.0.0:8786",
        "tcp://[::]:8786",
        "tcp://[2001:db8::1]:8786",
        "tls://10.0.0.7:8786",
        "ws://127.0.0.1:8786",
        "inproc://1/2/3",
        "127.0.0.1",
        "tcp://:8786",
        "tcp://127.0.0.1:port",
        "",
    ],
)
def test_what_is_not_protected_is_refused_before_anything_is_sent(address, tmp_path) -> None:
    with pytest.raises(InputError) as caught:
        connection(address, None)
    assert all(p.hint for p in caught.value.problems)
    utility = copied_utility(tmp_path / "u", 1)
    with pytest.raises(InputError):
        module.run_batch(utility, tmp_path / "r", scheduler=address)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:8786", "127.0.0.9:1", "localhost:8786", "tcp://[::1]:8786"])
def test_a_scheduler_of_this_machine_needs_no_certificates(address) -> None:
    assert connection(address, None).address.endswith(address)


def test_certificates_and_queues_come_from_a_short_file(tmp_path) -> None:
    file = tmp_path / "cluster.toml"
    file.write_text(TLS)
    assert connection("tls://10.0.0.7:8786", file).tls["key"] == "own.key"
    file.write_text('[cluster]\nqueue = "slurm"\njobs = 8\n\n[options]\nwalltime = "01:00:00"\n')
    found = connection(None, file)
    assert (found.queue, found.jobs, found.options) == ("slurm", 8, {"walltime": "01:00:00"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[cluster", "not readable"),
        ("[cluser]\n", "cluser"),
        ('[cluster]\nqueue = "magic"\njobs = 0\n', "magic"),
        ('[cluster]\nqueue = "slurm"\njobs = true\n', "jobs"),
        ("[tls]\npassword = 1\n", "password"),
        ("", "queue"),
    ],
)
def test_a_wrong_file_is_refused(text, said, tmp_path) -> None:
    file = tmp_path / "cluster.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=said):
        connection(None, file)
    with pytest.raises(InputError, match="not readable"):
        connection(None, tmp_path / "nowhere.toml")


def test_tasks_are_short_names_of_files_that_hold_names_and_settings(tmp_path) -> None:
    sent: list[bytes] = []

    class Listens(Here):
        def submit(self, function, /, *args, **kwargs):
            sent.append(pickle.dumps((function, args, kwargs)))
            text = Path(args[0]).read_text()
            assert text.startswith("{")
            assert "dispatch.batch" not in text
            return super().submit(function, *args, **kwargs)

    module.run_batch(copied_utility(tmp_path / "u", 3), tmp_path / "r", executor=Listens(), workers=1, report=False)
    assert sent
    assert all(len(message) < 500 for message in sent)


def certificates(folder: Path) -> Path:
    """Make an authority of our own and a certificate of it, and the file that names them."""
    if shutil.which("openssl") is None:
        pytest.skip("makes its certificates by openssl")

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "1")
    openssl("req", *key, "-keyout", "own.key", "-out", "own.csr", "-subj", "/CN=worker")
    openssl("x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", "own.pem", "-days", "1")
    names = {"ca_file": "ca.pem", "certificate": "own.pem", "key": "own.key"}
    file = folder / "certificates.toml"
    file.write_text("[tls]\n" + "".join(f"{k} = {str(folder / v)!r}\n" for k, v in names.items()))
    return file


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask and its web server warn in their own ways
def test_a_live_scheduler_with_certificates_is_used_and_not_without_them(tmp_path, monkeypatch) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    file = certificates(tmp_path)
    tls = connection("tls://127.0.0.1:1", file).tls
    own = {"tls_ca_file": tls["ca_file"]}
    own |= {f"tls_{role}_cert": tls["certificate"] for role in ("client", "scheduler", "worker")}
    own |= {f"tls_{role}_key": tls["key"] for role in ("client", "scheduler", "worker")}
    security = distributed.Security(require_encryption=True, **own)
    monkeypatch.setattr(module, "run_group", stand_in)
    utility = copied_utility(tmp_path / "u", 4)
    options = {"threads_per_worker": 1, "dashboard_address": None, "silence_logs": 50, "protocol": "tls://"}
    with distributed.LocalCluster(1, security=security, **options) as cluster:
        address = cluster.scheduler_address
        assert address.startswith("tls://")
        status = module.run_batch(utility, tmp_path / "r", scheduler=address, cluster=file, workers=1, report=False)
        with pytest.raises(InputError):
            module.run_batch(utility, tmp_path / "s", scheduler=address, workers=1)
        strangers = tmp_path / "strangers"
        strangers.mkdir()
        with (
            pytest.raises(OSError, match=r"certificate|connect"),
            dask_executor(connection(address, certificates(strangers)), wait_s=3),
        ):
            pass
    assert status.counts["optimal"] == 4


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask and its web server warn in their own ways
def test_the_same_bytes_from_a_dask_cluster_that_loses_workers(tmp_path, monkeypatch) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    import dask

    monkeypatch.setattr(module, "run_group", fatal)
    utility = copied_utility(tmp_path / "u", 8)
    quiet = {"distributed.scheduler.allowed-failures": 0, "distributed.worker.daemon": False}
    with (
        dask.config.set(quiet),
        distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
    ):
        address = cluster.scheduler_address
        status = module.run_batch(utility, tmp_path / "dask", scheduler=address, workers=2, report=False)
    assert status.counts["optimal"] == 8
    assert any(r["what"] == "lost" and r["at"] == "case0003/f0" for r in read_journal(tmp_path / "dask"))
    monkeypatch.setattr(module, "run_group", stand_in)
    module.run_batch(utility, tmp_path / "here", executor=Here(), workers=1, report=False)
    assert files_of(tmp_path / "dask") == files_of(tmp_path / "here")


FAKE = {
    "sbatch": 'cat "$1" > "$QUEUE/script"\nsetsid sh "$QUEUE/script" > "$QUEUE/said" 2>&1 &\necho $! > "$QUEUE/pid"\n'
    'echo "Submitted batch job 7"\n',
    "scancel": 'kill -- -$(cat "$QUEUE/pid")\n',
}
"""A queue that runs a job at once, on this machine."""


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Dask and its web server warn in their own ways
def test_a_queue_of_a_short_file_runs_the_night(tmp_path, monkeypatch) -> None:
    pytest.importorskip("dask_jobqueue", reason="the extra `cluster` is not installed")
    pytest.importorskip("cryptography", reason="the extra `cluster` is not installed")
    queue = tmp_path / "queue"
    queue.mkdir()
    for name, text in FAKE.items():
        (queue / name).write_text(f"#!/bin/sh\n{text}")
        (queue / name).chmod(0o700)
    monkeypatch.setenv("QUEUE", str(queue))
    monkeypatch.setenv("PATH", f"{queue}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])]))
    monkeypatch.setattr(module, "run_group", stand_in)
    file = tmp_path / "slurm.toml"
    options = f'walltime = "00:10:00"\nmemory = "1GB"\nlog_directory = "{queue}"\nshared_temp_directory = "{queue}"\n'
    options += 'interface = "lo"\nscheduler_options = {interface = "lo", dashboard_address = ":0"}\n'
    file.write_text(f'[cluster]\nqueue = "slurm"\njobs = 1\n\n[options]\n{options}')
    utility = copied_utility(tmp_path / "u", 4)
    status = module.run_batch(utility, tmp_path / "r", cluster=file, workers=1, report=False)
    assert status.counts["optimal"] == 4
    script = (queue / "script").read_text()
    assert "#SBATCH -t 00:10:00" in script
    assert "tls://" in script
    assert "--nthreads 1" in script
    assert "--tls-key" in script
    module.run_batch(utility, tmp_path / "here", executor=Here(), workers=1, report=False)
    assert files_of(tmp_path / "r") == files_of(tmp_path / "here")
    gc.collect()  # dask-jobqueue leaves files open, which would be told of in a later test
