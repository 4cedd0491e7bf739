"""The address for whoever watches: what it serves, when it says no, and what is left of a process that died."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.parser import text_string_to_metric_families

from relight.cli.main import relight
from relight.cli.metrics import _health, _OfTheLiving
from relight.cli.processes import Processes
from relight.flow.database import Database
from relight.flow.watch.pulse import Pulse
from relight.telemetry import folder
from relight.telemetry.serving import Health, Watched, address, serving
from tests.journeys.processes import wait_for

_TELLS = """
import sys, time
from relight.telemetry import metrics
metrics.failed("listen urgent", "database away")
metrics.LOOP_ROUND.labels("decide urgent").set(time.monotonic() - float(sys.argv[1]))
metrics.DECISIONS.labels("urgent", "step").inc(3)
print("told", flush=True)
sys.stdin.read()
"""


@contextmanager
def process(seconds_ago: float) -> Iterator[subprocess.Popen[str]]:
    """A worker whose loop came round so long ago, and which has decided three times."""
    command = [sys.executable, "-c", _TELLS, str(seconds_ago)]
    made = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert made.stdout is not None
    assert made.stdout.readline() == "told\n"
    try:
        yield made
    finally:
        made.kill()
        made.communicate()


def well() -> Health:
    return Health()


def get(watched: Watched, path: str) -> httpx.Response:
    with serving(watched, host="127.0.0.1", port=0) as port:
        return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False)


@pytest.mark.parametrize(
    ("text", "found"),
    [("9464", ("127.0.0.1", 9464)), ("0.0.0.0:80", ("0.0.0.0", 80)), ("[::1]:9464", ("::1", 9464))],
)
def test_only_a_port_means_loopback(text: str, found: tuple[str, int]) -> None:
    assert address(text) == found


@pytest.mark.parametrize("text", ["", "here", "host:", "99999", "-1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    seen = CliRunner().invoke(relight, ["worker", "--metrics", text])

    assert seen.exit_code == 2
    assert "write a port such as 9464" in seen.output


def test_figures_are_served_as_prometheus_reads_them() -> None:
    registry = CollectorRegistry()
    Counter("relight_example", "An example", registry=registry).inc()

    seen = get(Watched(registry, well, well), "/metrics")

    families = {family.name: family for family in text_string_to_metric_families(seen.text)}
    assert families["relight_example"].samples[0].value == 1
    assert seen.headers["Content-Type"].startswith("text/plain")


def test_an_address_of_version_six_is_served_as_well() -> None:
    with serving(Watched(CollectorRegistry(), well, well), host="::1", port=0) as port:
        seen = httpx.get(f"http://[::1]:{port}/health", trust_env=False)

    assert seen.status_code == 200


def test_what_is_wrong_is_said_with_503() -> None:
    watched = Watched(CollectorRegistry(), well, lambda: Health(("the database does not answer",)))

    healthy, ready, elsewhere = (get(watched, path) for path in ("/health", "/ready", "/"))

    assert (healthy.status_code, healthy.json()) == (200, {"ok": True, "wrong": []})
    assert (ready.status_code, ready.json()["wrong"]) == (503, ["the database does not answer"])
    assert elsewhere.status_code == 404


@pytest.fixture
def shared() -> Iterator[Path]:
    """The folder in which processes that are started now leave their figures."""
    with folder.shared() as made:
        yield made


@pytest.fixture
def counted(shared: Path) -> Callable[[str], float]:
    """The sum of one figure over all processes."""

    def read(name: str) -> float:
        families = MultiProcessCollector(CollectorRegistry(), path=str(shared)).collect()
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)

    return read


def test_a_loop_that_stands_still_makes_the_command_unhealthy(shared: Path) -> None:
    with Processes() as none, process(seconds_ago=5):
        fresh = _health(shared, none)
        with process(seconds_ago=300):
            stale = _health(shared, none)

    assert fresh.wrong == ()
    assert (fresh.facts or {})["loops"].keys() == {"decide urgent"}  # one that only failed once is no loop to wait for
    assert len(stale.wrong) == 1
    assert stale.wrong[0].startswith("the loop 'decide urgent' has not come round for 30")


def test_a_process_that_died_keeps_what_it_counted_and_takes_its_loops_along(
    shared: Path, counted: Callable[[str], float]
) -> None:
    with Processes() as none:
        with process(seconds_ago=300):
            before = _health(shared, none)
        after = _health(shared, none)

    assert before.wrong
    assert after.wrong == ()
    assert counted("relight_decisions_total") == 3


def test_whoever_only_scrapes_sees_nothing_of_those_that_have_ended(shared: Path) -> None:
    scraped = _OfTheLiving(CollectorRegistry(), path=str(shared))

    def rounds() -> list[str]:
        return [sample.name for family in scraped.collect() for sample in family.samples if "loop_round" in sample.name]

    with process(seconds_ago=5):
        alive = rounds()

    assert alive == ["relight_loop_round_monotonic_seconds"]
    assert rounds() == []


def test_who_scrapes_while_somebody_scrapes_gets_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, goes_on = Event(), Event()
    looks: list[int] = []

    def slow(_: Pulse) -> list[GaugeMetricFamily]:
        looks.append(1)
        asked.set()
        assert goes_on.wait(30)
        return []

    class Door:
        """The pulse's lock, and how many came to it."""

        def __init__(self, lock: AbstractContextManager[object]):
            self.lock, self.came = lock, 0

        def __enter__(self) -> None:
            self.came += 1
            self.lock.__enter__()

        def __exit__(self, *error: Any) -> None:
            self.lock.__exit__(*error)

    monkeypatch.setattr(Pulse, "_figures", slow)
    pulse = Pulse(Database("", size_max=1), lambda: datetime.now(UTC))
    door = Door(pulse._one_at_a_time)
    monkeypatch.setattr(pulse, "_one_at_a_time", door)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(lambda: list(pulse.collect()))
        assert asked.wait(30)
        others = [threads.submit(lambda: list(pulse.collect())) for _ in range(2)]
        wait_for(lambda: door.came == 3, "both wait for the first")
        goes_on.set()
        seen = [one.result(30) for one in (first, *others)]

    assert len(looks) == 1
    assert [len(families) for families in seen] == [1, 1, 1]
    list(pulse.collect())
    assert len(looks) == 2
