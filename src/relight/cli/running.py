"""`relight serve`, `web`, `worker` and `run`: the installation at work."""

import asyncio
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import datetime

import click
import structlog

from relight.cli import compiled, nightly
from relight.cli.context import database, installation, moment, partner_id, partner_option, refusals
from relight.cli.metrics import metrics_option, watched
from relight.cli.output import answer, json_option, news
from relight.cli.processes import Processes
from relight.flow.database import Database
from relight.flow.effects.drivers import DriverRoom
from relight.flow.payments.asking import poll_open_checkouts
from relight.flow.payments.mandates import running as collecting
from relight.flow.payments.reconciling import reconcile_due
from relight.flow.payments.refunds import send_refunds
from relight.flow.road import heap
from relight.flow.road.agencies import read_letters
from relight.flow.road.due import Only
from relight.flow.road.machine import Done, Machine, NeverAtRest
from relight.flow.road.worker import LANES, Extra, Worker
from relight.telemetry import logs, traces

log = structlog.get_logger(__name__)

_POLL_PAYMENTS_SECONDS = 20
_REFUNDS_SECONDS = 20
_SETTLEMENTS_SECONDS = 3600
_AGENCIES_SECONDS = 30
_COLLECTIONS_SECONDS = 60

base_url_option = click.option(
    "--base-url", envvar="RELIGHT_BASE_URL", default="http://127.0.0.1:8000", show_default=True,
    help="How customers reach the pay page.",
)  # fmt: skip


@click.command()
@click.option("--lane", "lanes", multiple=True, type=click.Choice(LANES), help="Only this lane; both if left out.")
@partner_option
@base_url_option
@metrics_option
@refusals
def worker(lanes: tuple[str, ...], partner_slug: str | None, base_url: str, metrics: tuple[str, int] | None) -> None:
    """Work: decide, send, restore, listen. Start as many as wanted, on as many hosts; any of them may die.

    Without --lane the urgent lane gets a process of its own, so that no restore waits for a night run's arithmetic.
    Without --partner every partner is worked for.

    \b
    Example:  relight worker
    Example:  relight worker --metrics 9464
    """
    _tells("worker")
    if lanes and metrics is None:
        _work(lanes, partner_slug, base_url)
        return
    only = ["--partner", partner_slug] if partner_slug else []
    chosen = [[word for lane in lanes for word in ("--lane", lane)]] if lanes else [["--lane", lane] for lane in LANES]
    _children([["worker", *words, *only, "--base-url", base_url] for words in chosen], lanes or LANES, metrics=metrics)


def _tells(service: str) -> None:
    """Logs in one form, and traces if they are asked for: refused now rather than by a process of ours later."""
    logs.configure(service)
    try:
        traces.check()
    except traces.UnableToTrace as missing:
        raise click.ClickException(str(missing)) from missing


def _work(lanes: tuple[str, ...], partner_slug: str | None, base_url: str) -> None:
    link = installation().pay_link(base_url)
    if tuple(lanes) == ("bulk",):
        installation().go_gently()
    with database(size_max=16) as db:
        only = {partner_id(db, partner_slug)} if partner_slug else None

        async def main() -> None:
            made = Worker(db, link, lanes=lanes, extras=_extras(db, only), only=only)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, made.stop)
            heap.settle()
            log.info("working", lanes=", ".join(lanes), core=compiled.running())
            await made.run()

        traces.start("worker")
        asyncio.run(main())
        traces.stop()


def _extras(db: Database, only: Only) -> list[tuple[str, Extra]]:
    """What a worker does beside the road, each in a loop of its own: none of them waits for another's provider."""
    room = DriverRoom(db)
    live = db.by_its_own_clock()  # a provider's answer takes its time
    return [
        ("poll payments", _every(_POLL_PAYMENTS_SECONDS, lambda: poll_open_checkouts(live, db.clock()))),
        ("refunds", _every(_REFUNDS_SECONDS, lambda: send_refunds(live, db.clock()))),
        ("settlements", _every(_SETTLEMENTS_SECONDS, lambda: reconcile_due(live, db.clock()))),
        ("agencies", _every(_AGENCIES_SECONDS, lambda: read_letters(live, room, db.clock(), only))),
        ("collections", _every(_COLLECTIONS_SECONDS, lambda: collecting.run_all(live, db.clock(), only))),
        ("audits", lambda: nightly.watch_over(db, only)),
    ]


def _every(seconds: float, work: Callable[[], object]) -> Extra:
    """A loop that does some work in a thread, and rests."""

    async def loop() -> None:
        while True:
            await asyncio.to_thread(work)
            await asyncio.sleep(seconds)

    return loop


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback unless you say otherwise.")
@click.option("--port", default=8000, show_default=True)
@click.option("--processes", default=2, show_default=True)
@metrics_option
@refusals
def web(host: str, port: int, processes: int, metrics: tuple[str, int] | None) -> None:
    """Serve the pay pages, webhooks and console; /health and /ready tell a load balancer how this process is.

    Example:  relight web --port 8000
    """
    _tells("web")
    if metrics is None:
        installation().serve(host=host, port=port, workers=processes)
        return
    words = ["web", "--host", host, "--port", str(port), "--processes", str(processes)]
    _children([words], lanes=(), metrics=metrics)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback unless you say otherwise.")
@click.option("--port", default=8000, show_default=True)
@base_url_option
@metrics_option
@refusals
def serve(host: str, port: int, base_url: str, metrics: tuple[str, int] | None) -> None:
    """Web and workers together, for a small installation.

    \b
    Example:  relight serve
    Example:  relight serve --metrics 9464
    """
    _tells("serve")
    installation().migrate()
    if logs.is_for_people(sys.stderr):
        news(f"console: http://{host}:{port}/console/")
    _children(
        [
            ["web", "--host", host, "--port", str(port)],
            *(["worker", "--lane", lane, "--base-url", base_url] for lane in LANES),
        ],
        LANES,
        metrics=metrics,
    )


def _children(commands: list[list[str]], lanes: Sequence[str], *, metrics: tuple[str, int] | None) -> None:
    """Run commands of ours as processes, which work these lanes, with their figures served if asked; when one ends, or
    we are told to, all end."""
    installation().migrate()
    with watched(metrics, lanes=lanes) as serve_figures, Processes() as running:
        for command in commands:
            running.start(command)
        serve_figures(running)
        running.wait()
    if failed := running.failed:
        raise SystemExit(failed)


@click.command()
@click.option(
    "--as-of", "as_of", default=None, metavar="MOMENT", help="A moment such as 2026-03-02T09:00; now if left out."
)
@base_url_option
@json_option
@refusals
def run(as_of: str | None, base_url: str, as_json: bool) -> None:
    """Do everything that is due at a moment, once.

    Example:  relight run --as-of 2026-03-02T09:00:00+01:00
    """
    at = moment(as_of) if as_of else None
    link = installation().pay_link(base_url)
    with database() as db:

        def clock() -> datetime:
            return at or db.clock()

        collected = collecting.run_all(db, clock())
        with Machine(db, link, clock) as machine:
            machine.find_lost()
            try:
                done = machine.run()
                back = machine.look_at_buttons()
                then = machine.run() if back else Done()
            except NeverAtRest as restless:
                raise click.ClickException(str(restless)) from restless
    decisions, attempts = done.decisions + then.decisions, done.attempts + then.attempts
    ordered = sum(one.ordered for one in collected)
    result = {"decisions": decisions, "attempts": attempts, "buttons": back, "collections": ordered}
    text = f"{decisions} decisions, {attempts} attempts{f', {ordered} collections ordered' if ordered else ''}."
    answer(result, as_json=as_json, text=text)
