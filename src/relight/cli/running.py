"""`relight serve`, `web`, `worker` and `run`: the installation at work."""

import asyncio
import os
import signal
from datetime import datetime

import click

from relight.cli.context import database, installation, moment, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option, news
from relight.cli.processes import Processes
from relight.flow.effects.drivers import DriverRoom
from relight.flow.payments.asking import poll_open_checkouts
from relight.flow.payments.reconciling import reconcile_due
from relight.flow.payments.refunds import send_refunds
from relight.flow.road.agencies import read_letters
from relight.flow.road.machine import Done, Machine, NeverAtRest
from relight.flow.road.worker import LANES, Worker

_POLL_PAYMENTS_SECONDS = 20
_SETTLEMENTS_SECONDS = 3600
_AGENCIES_SECONDS = 30
_BULK_NICENESS = 10  # where cores are few, who waits for light goes before a night run's arithmetic

base_url_option = click.option(
    "--base-url", envvar="RELIGHT_BASE_URL", default="http://127.0.0.1:8000", show_default=True,
    help="How customers reach the pay page.",
)  # fmt: skip


@click.command()
@click.option("--lane", "lanes", multiple=True, type=click.Choice(LANES), help="Only this lane; both if left out.")
@partner_option
@base_url_option
@refusals
def worker(lanes: tuple[str, ...], partner_slug: str | None, base_url: str) -> None:
    """Work: decide, send, restore, listen. Start as many as wanted, on as many hosts; any of them may die.

    Without --lane the urgent lane gets a process of its own, so that no restore waits for a night run's arithmetic.
    Without --partner every partner is worked for.

    Example:  relight worker
    """
    if lanes:
        _work(lanes, partner_slug, base_url)
    else:
        only = ["--partner", partner_slug] if partner_slug else []
        _children([["worker", "--lane", lane, *only, "--base-url", base_url] for lane in LANES])


def _work(lanes: tuple[str, ...], partner_slug: str | None, base_url: str) -> None:
    link = installation().pay_link(base_url)
    if tuple(lanes) == ("bulk",):
        os.nice(_BULK_NICENESS)
    with database(size_max=16) as db:
        only = {partner_id(db, partner_slug)} if partner_slug else None

        async def poll() -> None:
            while True:
                await asyncio.to_thread(poll_open_checkouts, db, db.clock())
                await asyncio.to_thread(send_refunds, db, db.clock())
                await asyncio.sleep(_POLL_PAYMENTS_SECONDS)

        async def settlements() -> None:
            while True:
                await asyncio.to_thread(reconcile_due, db, db.clock())
                await asyncio.sleep(_SETTLEMENTS_SECONDS)

        async def agencies() -> None:
            room = DriverRoom(db)
            while True:
                await asyncio.to_thread(read_letters, db, room, db.clock(), only)
                await asyncio.sleep(_AGENCIES_SECONDS)

        async def main() -> None:
            extras = [("poll payments", poll), ("settlements", settlements), ("agencies", agencies)]
            made = Worker(db, link, lanes=lanes, extras=extras, only=only)
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, made.stop)
            news(f"working: {', '.join(lanes)}")
            await made.run()

        asyncio.run(main())


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback unless you say otherwise.")
@click.option("--port", default=8000, show_default=True)
@click.option("--processes", default=2, show_default=True)
@refusals
def web(host: str, port: int, processes: int) -> None:
    """Serve the pay pages, webhooks and console.

    Example:  relight web --port 8000
    """
    installation().serve(host=host, port=port, workers=processes)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Loopback unless you say otherwise.")
@click.option("--port", default=8000, show_default=True)
@base_url_option
@refusals
def serve(host: str, port: int, base_url: str) -> None:
    """Web and workers together, for a small installation.

    Example:  relight serve
    """
    installation().migrate()
    news(f"console: http://{host}:{port}/console/")
    _children(
        [
            ["web", "--host", host, "--port", str(port)],
            *(["worker", "--lane", lane, "--base-url", base_url] for lane in LANES),
        ]
    )


def _children(commands: list[list[str]]) -> None:
    """Run commands of ours as processes; when one ends, or we are told to, all end."""
    installation().migrate()
    with Processes() as running:
        for command in commands:
            running.start(command)
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

        with Machine(db, link, clock) as machine:
            machine.find_lost()
            try:
                done = machine.run()
                back = machine.look_at_buttons()
                then = machine.run() if back else Done()
            except NeverAtRest as restless:
                raise click.ClickException(str(restless)) from restless
    decisions, attempts = done.decisions + then.decisions, done.attempts + then.attempts
    result = {"decisions": decisions, "attempts": attempts, "buttons": back}
    text = f"{decisions} decisions, {attempts} attempts."
    answer(result, as_json=as_json, text=text)
