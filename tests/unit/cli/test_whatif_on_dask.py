"""`relight policy simulate --dask`: the same sums from a cluster, and a sentence where there is none."""

import json
import socket
import sys
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result
from distributed import LocalCluster

from relight.cli import places
from relight.cli.main import relight

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


def test_a_cluster_without_workers_is_told_at_once() -> None:
    with LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as empty:
        done = simulate("--dask", empty.scheduler_address)

    assert done.exit_code == 1
    assert "has no workers: start dask worker" in done.output


def test_without_the_extra_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)

    done = simulate("--dask", "tcp://127.0.0.1:8786")

    assert done.exit_code == 1
    assert "pip install 'relight[dask]'" in done.output
