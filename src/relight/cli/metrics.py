"""The address for whoever watches, of a command and its processes: figures, health and readiness."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import click
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector

from relight.cli.context import installation
from relight.cli.processes import Processes
from relight.flow.database import Database
from relight.flow.watch.pulse import Pulse
from relight.flow.watch.ready import away
from relight.telemetry import folder
from relight.telemetry.serving import Health, Watched, address, serving

VARIABLE = "RELIGHT_METRICS"
_ROUND_SECONDS_MAX = 120.0
_LOOP_ROUND = "relight_loop_round_monotonic_seconds"


class _Address(click.ParamType):
    """A port on loopback, or a host and a port."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Host and port."""
        if isinstance(value, tuple):
            return value
        try:
            return address(value)
        except ValueError as wrong:
            self.fail(f"{wrong}.", param, ctx)


metrics_option = click.option(
    "--metrics", type=_Address(), envvar=VARIABLE, metavar="[HOST:]PORT",
    help="Serve /metrics, /health and /ready there; on loopback unless a host is given.",
)  # fmt: skip

Serve = Callable[[Processes], None]


@contextmanager
def watched(at: tuple[str, int] | None, *, lanes: Sequence[str]) -> Iterator[Serve]:
    """Around starting processes: what is yielded serves their figures once they are started. Nothing without `at`.

    They are ready when the loops of these lanes have come round. Where there is a worker, the figures that lie in the
    database are served too.
    """
    if at is None:
        yield lambda _processes: None
        return
    os.environ.pop(VARIABLE, None)  # ours alone: the processes that we start tell us
    with ExitStack() as stack:
        shared = stack.enter_context(folder.shared())
        db = stack.enter_context(_database())

        def serve(processes: Processes) -> None:
            stack.enter_context(_pages(_watched(shared, db, processes, lanes), *at))

        yield serve


@contextmanager
def _database() -> Iterator[Database]:
    """A small pool of our own: whoever scrapes waits for seconds at most."""
    with installation().database(size_max=1) as asked:
        conninfo = asked.conninfo
    db = Database(conninfo, size_max=2, name="relight-watch", wait_seconds=3)
    with db:
        yield db


class _OfTheLiving(MultiProcessCollector):
    """The processes' figures, without the gauges of those that have ended."""

    def collect(self) -> Any:
        """Called for each scrape."""
        folder.forget_the_dead(Path(self._path))
        return super().collect()


def _watched(shared: Path, db: Database, processes: Processes, lanes: Sequence[str]) -> Watched:
    """What is served: the processes' figures and health, and the database's figures beside them."""
    registry = CollectorRegistry()
    _OfTheLiving(registry, path=str(shared))
    if lanes:
        registry.register(Pulse(db, installation().now))

    def health() -> Health:
        return _health(shared, processes)

    def ready() -> Health:
        told, gone = health(), away(db.conninfo)
        begun: Any = (told.facts or {}).get("loops", {})
        wrong = [f"the {lane} lane has not begun" for lane in lanes if f"decide {lane}" not in begun]
        if gone:
            wrong.append(f"the database does not answer ({gone})")
        return Health((*told.wrong, *wrong), told.facts)

    return Watched(registry, health, ready)


@contextmanager
def _pages(served: Watched, host: str, port: int) -> Iterator[None]:
    """The pages for as long as the block lasts. Refuses an address that is taken."""
    try:
        with serving(served, host=host, port=port):
            yield
    except OSError as taken:
        why = taken.strerror or str(taken)
        raise click.ClickException(
            f"Nothing can be served at {host}:{port}: {why}. Say where with --metrics."
        ) from taken


def _health(shared: Path, processes: Processes) -> Health:
    """All processes run, and every loop has come round lately."""
    folder.forget_the_dead(shared)
    rounds = _rounds(shared)
    late = [f"the loop {loop!r} has not come round for {age:.0f} seconds" for loop, age in sorted(rounds.items())
            if age > _ROUND_SECONDS_MAX]  # fmt: skip
    wrong = ([] if processes.are_well else ["a process has ended"]) + late
    return Health(tuple(wrong), {"loops": {loop: round(age, 1) for loop, age in sorted(rounds.items())}})


def _rounds(shared: Path) -> dict[str, float]:
    """By loop, how many seconds ago the process that is latest came round."""
    registry = CollectorRegistry()
    collector = MultiProcessCollector(registry, path=str(shared))
    ages: dict[str, float] = {}
    now = time.monotonic()
    for family in collector.collect():
        for sample in family.samples:
            if sample.name == _LOOP_ROUND:
                loop = sample.labels["loop"]
                ages[loop] = max(ages.get(loop, 0.0), now - sample.value)
    return ages
