"""The command: what to run, how it is shown, and the end of it."""

import os
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from relight.cli.context import database, installation, refusals
from relight.cli.demo.partner import SLUG, alone
from relight.cli.demo.portfolio import households
from relight.cli.demo.stage import HOST, ROLE, USER, Stage, free_port, new_password, start_web, start_workers
from relight.cli.demo.story import ZONE, Told, Watch, Wish, tell_story
from relight.cli.demo.telling import Evenings, farewell, summary, welcome
from relight.cli.output import answer, json_option, news
from relight.cli.processes import Processes
from relight.flow.database import Database
from relight.flow.payments.links import LinkKey

FIXED_START, FIXED_DAYS = date(2026, 3, 2), 60
# Sixty would do for most days of the year; round Christmas nothing is cut, and Kari would still have light.
DAYS_UNTIL_TODAY = 75
_PAY_SITE = "https://betal.nordlys.example"


@click.command()
@click.option("--accounts", default=300, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--days", default=None, type=click.IntRange(1, 365), help="60 with --exit; else 75, and they end today.")
@click.option("--seed", default=7, show_default=True, help="Another seed, other people.")
@click.option("--exit", "ends", is_flag=True, help="End after the summary; do not start web and worker.")
@click.option("--port", default=0, type=click.IntRange(0, 65_535), help="Where the pages are; a free port if left out.")
@json_option
@refusals
def demo(accounts: int, days: int | None, seed: int, ends: bool, port: int, as_json: bool) -> None:
    """A portfolio from unpaid bills to light again, in fast motion; then web and worker, to click through.

    Without --exit the days end today, and Ctrl-C ends the demo. Other partners of the installation are left alone.

    Example:  relight demo --accounts 300 --days 60 --seed 7 --exit
    """
    with alone(installation().owner_url()), tempfile.TemporaryDirectory(prefix="relight-demo-") as place:
        folder = Path(place)
        if ends:
            days = days or FIXED_DAYS
            wish = Wish(accounts, days, seed, FIXED_START, None, folder)
            until = datetime.combine(FIXED_START + timedelta(days=days), datetime.min.time(), ZONE)
            with database() as db:
                told = _fast_motion(db, wish, _PAY_SITE, Evenings(), until)
            answer(told.result, as_json=as_json, text=summary(told))
        else:
            _play(accounts, days or DAYS_UNTIL_TODAY, seed, _port(port), folder, as_json=as_json)


def _play(accounts: int, days: int, seed: int, port: int, folder: Path, *, as_json: bool) -> None:
    """The days until today while the pages show them; then the visitor's turn, until Ctrl-C."""
    site = f"http://{HOST}:{port}"
    stage, evenings = Stage(folder), Evenings()
    with Processes() as running:
        with database() as db:
            now = db.clock()
            start = now.astimezone(ZONE).date() - timedelta(days=days)
            wish = Wish(accounts, days, seed, start, folder, folder / "hosted")
            stage.open(wish, households(accounts, seed))

            def watch(day: date, stands: tuple[int, ...]) -> None:
                evenings(day, stands)
                stage.evening((day - start).days + 1, day, stands)

            start_web(running, port, folder)
            news(welcome(site))
            told = _fast_motion(db, wish, site, watch, now)
        password = new_password()
        installation().make_user(username=USER, password=password, partner=SLUG, role=ROLE)
        start_workers(running, site)
        stage.close(told, password)
        answer(told.result, as_json=as_json, text=summary(told))
        news(farewell(site, USER, password))
        running.wait()
    if running.failed:
        raise SystemExit(running.failed)


def _fast_motion(db: Database, wish: Wish, site: str, watch: Watch, until: datetime) -> Told:
    news(f"Nordlys, {wish.accounts} accounts, {wish.days} days from {wish.start:%d.%m.%Y}, seed {wish.seed}.")
    link = installation().pay_link(site)
    key = LinkKey.of(os.environ["RELIGHT_SECRET_KEY"])  # set by now: the installation has started
    return tell_story(db, installation().owner_url(), wish, link=link, key=key, watch=watch, until=until)


def _port(wanted: int) -> int:
    try:
        return free_port(wanted)
    except OSError as taken:
        raise click.ClickException(
            f"Port {wanted} is taken: leave --port out for a free one, or name another."
        ) from taken
