"""`relight policy simulate --dask`: the same sums from a cluster, and a sentence where there is none."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from distributed import LocalCluster

from relight.cli import places
from relight.cli.main import relight
from tests.journeys.processes import wait_for

SMALL = ("broadband-no", "--accounts", "600", "--days", "60", "--seeds", "1", "--json")


def simulate(*words: str) -> Result:
    return CliRunner().invoke(relight, ["policy", "simulate", *SMALL, *words])


def measures(done: Result) -> dict[str, object]:
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout.splitlines()[-1])["measures"])


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Two workers in processes of their own, on this machine only."""
    with LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0") as found:
        yield found


def test_a_cluster_comes_to_the_same_sums_as_this_machine(cluster: LocalCluster) -> None:
    here = simulate()

    there = simulate("--dask", cluster.scheduler_address)

    assert measures(there) == measures(here)
    assert "3 of 3 parts" in there.stderr


def test_a_scheduler_that_does_not_answer_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_ANSWERS_WITHIN", "500ms")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"

    silent, nonsense = simulate("--dask", address), simulate("--dask", "somewhere:else")

    assert (silent.exit_code, nonsense.exit_code) == (1, 1)
    assert f"No Dask scheduler answers at {address}." in silent.output
    assert "No Dask scheduler answers at somewhere:else." in nonsense.output
    assert "Traceback" not in silent.output + nonsense.output


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[str]:
    """The address of a scheduler that no worker has come to, started as an operator starts one."""
    written = tmp_path / "scheduler.json"
    words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(written)]
    with subprocess.Popen([sys.executable, "-m", "distributed.cli.dask_scheduler", *words]) as scheduler:
        try:
            wait_for(lambda: written.exists() and written.read_text("utf-8"), "the scheduler has written its address")
            yield json.loads(written.read_text("utf-8"))["address"]
        finally:
            scheduler.terminate()


def test_a_cluster_without_workers_is_told_at_once(alone: str) -> None:
    done = simulate("--dask", alone)

    assert done.exit_code == 1
    assert "has no workers: start dask worker" in done.output


def test_without_the_extra_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)

    done = simulate("--dask", "tcp://127.0.0.1:8786")

    assert done.exit_code == 1
    assert "pip install 'relight[dask]'" in done.output
