"""Promise 19: a scheduler that others can reach needs TLS, and is sent names and settings, never code or data."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from stand_in import fatal
from tiny import Here, copied_utility, files_of

from dispatch.batch import run_batch as module
from dispatch.batch.cluster import connection
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
    from stand_in import stand_in

    monkeypatch.setattr(module, "run_group", stand_in)
    module.run_batch(utility, tmp_path / "here", executor=Here(), workers=1, report=False)
    assert files_of(tmp_path / "dask") == files_of(tmp_path / "here")
