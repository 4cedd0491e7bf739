"""The command: what to run, how it is shown, and the end of it."""

import os
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

import click

from relight.cli.context import database, installation, refusals
from relight.cli.demo.story import ZONE, Told, Wish, tell_story
from relight.cli.demo.telling import Evenings, summary
from relight.cli.output import answer, json_option, news
from relight.flow.payments.links import LinkKey

FIXED_START = date(2026, 3, 2)
_PAY_SITE = "https://betal.nordlys.example"


@click.command()
@click.option("--accounts", default=300, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--days", default=60, show_default=True, type=click.IntRange(1, 365))
@click.option("--seed", default=7, show_default=True, help="Another seed, other people.")
@click.option("--exit", "ends", is_flag=True, help="End after the summary; do not start web and worker.")
@json_option
@refusals
def demo(accounts: int, days: int, seed: int, ends: bool, as_json: bool) -> None:
    """A portfolio from unpaid bills to light again, in fast motion; then web and worker, to click through.

    Example:  relight demo --accounts 300 --days 60 --seed 7 --exit
    """
    with tempfile.TemporaryDirectory(prefix="relight-demo-") as hosted:
        told = _fast_motion(Wish(accounts, days, seed, FIXED_START, None, Path(hosted)), _PAY_SITE)
    answer(told.result, as_json=as_json, text=summary(told))


def _fast_motion(wish: Wish, site: str) -> Told:
    news(f"Nordlys, {wish.accounts} accounts, {wish.days} days from {wish.start:%d.%m.%Y}, seed {wish.seed}.")
    link = installation().pay_link(site)
    owner_url = installation().owner_url()
    key = LinkKey.of(os.environ["RELIGHT_SECRET_KEY"])  # set by now: the installation has started
    until = datetime.combine(wish.start + timedelta(days=wish.days), datetime.min.time(), ZONE)
    with database() as db:
        return tell_story(db, owner_url, wish, link=link, key=key, watch=Evenings(), until=until)
