"""`relight stop` and `relight resume`: one switch that stops everything but restores and receipts; `relight live`."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click
import psycopg

from relight.cli.actors import who
from relight.cli.context import database, installation, partner_id, partner_option, refusals
from relight.flow.cases.operations import wake_all
from relight.flow.database import Database, Tx
from relight.flow.partners import stopping

_WAITS_SILENTLY_SECONDS = 1.0

_all_option = click.option("--all", "everybody", is_flag=True, help="Every partner of this installation.")
_by_option = click.option(
    "--by", default="", metavar="NAME", help="Who does it, for the record. If left out: the account on this host."
)


@click.command()
@partner_option
@_all_option
@_by_option
@refusals
def stop(partner_slug: str | None, everybody: bool, by: str) -> None:
    """Stop all warnings, fees and cuts at once. Restores, receipts and "you are back" go on.

    Example:  relight stop --all
    """
    _switch(partner_slug, everybody, by, stopped=True)
    click.echo("Stopped. Restores and receipts go on. `relight resume` lets the rest go on.")


@click.command()
@partner_option
@_all_option
@_by_option
@refusals
def resume(partner_slug: str | None, everybody: bool, by: str) -> None:
    """Let go of `relight stop`.

    Example:  relight resume --all --by "Kari, on call"
    """
    still = _switch(partner_slug, everybody, by, stopped=False)
    if not still:
        click.echo("It goes on.")
    elif everybody:
        click.echo(f"It goes on, but for {', '.join(still)}: stopped alone, and let go by `relight resume --partner`.")
    else:
        click.echo("Nothing goes on yet: everybody is stopped. `relight resume --all` lets go of that.")


@click.command()
@partner_option
@click.option("--shadow", is_flag=True, help="Back to shadow: decisions are made, nothing leaves.")
@click.confirmation_option(prompt="From now on messages and cuts really leave. Go on?")
@refusals
def live(partner_slug: str | None, shadow: bool) -> None:
    """Let a partner's effects leave; a new partner is in shadow until then.

    Steps that were taken in shadow count for nothing then: nobody heard of them. Back in shadow, who was cut and
    pays is given back all the same.

    Example:  relight live --partner fjordnett
    """
    with database() as db:
        partner = partner_id(db, partner_slug)
        with db.transaction(partner) as tx, _says_that_it_waits():
            stopping.set_mode(tx, "shadow" if shadow else "live")
        if shadow:
            click.echo("In shadow.")
        else:
            woken = wake_all(db, partner, db.clock)
            click.echo(
                f"Live. {woken:,} cases think again: what was decided in shadow, nobody was told, and it begins anew."
            )


def _switch(slug: str | None, everybody: bool, by: str, *, stopped: bool) -> list[str]:
    """Switch; after letting go, what the other switch still holds back."""
    with database() as db, _reach(db, slug, everybody) as tx:
        if stopped:
            with _says_that_it_waits():
                stopping.stop(tx, db.clock(), who(tx, None, by).name)
            return []
        return stopping.resume(tx, who(tx, None, by).name)


@contextmanager
def _says_that_it_waits() -> Iterator[None]:
    """Whoever is in a hurry is told why nothing seems to happen."""
    words = "Waiting for the batches under way: nothing may leave after this. Seconds; do not break it off."
    later = threading.Timer(_WAITS_SILENTLY_SECONDS, click.echo, (words,), {"err": True})
    later.daemon = True
    later.start()
    try:
        yield
    finally:
        later.cancel()


@contextmanager
def _reach(db: Database, slug: str | None, everybody: bool) -> Iterator[Tx]:
    """A transaction of the partner's, or of the installation's owner."""
    if everybody:
        with psycopg.connect(installation().owner_url(), options="-c search_path=relight") as connection:
            yield Tx(connection, None)
    else:
        with db.transaction(_one(db, slug)) as tx:
            yield tx


def _one(db: Database, slug: str | None) -> int:
    """The partner that is meant. Who is in a hurry and named none of several is told of the way to reach all."""
    try:
        return partner_id(db, slug)
    except click.UsageError as unclear:
        raise click.UsageError(f"{unclear.message} For every partner: --all") from unclear
