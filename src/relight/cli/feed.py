"""`relight feed`: everything that happens at a partner, by position; each named reader sees each event once."""

import json

import click

from relight.cli.context import database, partner_id, partner_option, refusals
from relight.flow.feeds.operations import Entry, pull, read, sequence


@click.command()
@partner_option
@click.option("--reader", default="", help="Read on from where this reader stopped, and remember where it stops now.")
@click.option("--after", default=0, show_default=True, help="Without a reader: entries after this position.")
@click.option("--limit", default=1000, show_default=True, help="Without a reader: at most so many.")
@refusals
def feed(partner_slug: str | None, reader: str, after: int, limit: int) -> None:
    """Print the partner's feed, one JSON object a line.

    Example:  relight feed --reader billing
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        while sequence(db, id_):
            pass
        if reader:
            for entry in pull(db, id_, reader, db.clock()):
                click.echo(_line(entry))
            return
        with db.transaction(id_) as tx:
            entries = read(tx, after=after, limit=limit)
        for entry in entries:
            click.echo(_line(entry))


def _line(entry: Entry) -> str:
    return json.dumps(
        {
            "position": entry.position,
            "topic": entry.topic,
            "at": entry.at.isoformat(),
            "account": entry.account,
            "case": entry.case_id,
            "number": entry.event_number,
            "actor": entry.actor,
            "data": entry.body,
        },
        ensure_ascii=False,
    )
