"""`relight feed`: everything that happens at a partner, by position; each named reader sees each event once."""

import json

import click

from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.flow.feeds.operations import Entry, pull, read, sequence
from relight.flow.feeds.readers import Standing, give_token, schema, standings, take_token, told


@click.group(invoke_without_command=True)
@partner_option
@click.option("--reader", default="", help="Read on from where this reader stopped, and remember where it stops now.")
@click.option("--after", default=0, show_default=True, help="Without a reader: entries after this position.")
@click.option("--limit", default=1000, show_default=True, help="Without a reader: at most so many.")
@click.pass_context
@refusals
def feed(context: click.Context, partner_slug: str | None, reader: str, after: int, limit: int) -> None:
    """Print the partner's feed, one JSON object a line; or let the partner's systems read it over HTTP.

    Example:  relight feed --reader billing
    """
    if context.invoked_subcommand is not None:
        return
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


@feed.command()
@click.argument("reader")
@partner_option
@json_option
@refusals
def token(reader: str, partner_slug: str | None, as_json: bool) -> None:
    """Give a reader a token for HTTP. It is shown this once; one that the reader had before is worth nothing any more.

    Example:  relight feed token billing
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        made = give_token(tx, reader)
    text = f"{made}\n\nKeep it where only {reader} can read it: it is not shown again."
    answer({"reader": reader, "token": made}, as_json=as_json, text=text)


@feed.command()
@click.argument("reader")
@partner_option
@refusals
def revoke(reader: str, partner_slug: str | None) -> None:
    """Let a reader in no more; it keeps its place for when it gets a new token.

    Example:  relight feed revoke billing
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        take_token(tx, reader)
    click.echo(f"The token of {reader} is worth nothing any more.")


@feed.command()
@partner_option
@json_option
@refusals
def readers(partner_slug: str | None, as_json: bool) -> None:
    """Where each reader stands, and how far it is behind.

    Example:  relight feed readers
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        head, found = standings(tx)
    rows = [
        {"reader": one.name, "position": one.position, "behind": head - one.position,
         "acknowledged_at": one.acknowledged_at, "has_token": one.has_token}
        for one in found
    ]  # fmt: skip
    text = "\n".join(_standing(one, head) for one in found) or "Nobody reads this feed yet."
    answer({"head": head, "readers": rows}, as_json=as_json, text=text)


@feed.command("schema")
@refusals
def show_schema() -> None:
    """Print what an entry is made of, as a JSON Schema.

    Example:  relight feed schema > entry.schema.json
    """
    click.echo(json.dumps(schema(), ensure_ascii=False, indent=2))


def _standing(one: Standing, head: int) -> str:
    seen = f"{one.acknowledged_at:%Y-%m-%d %H:%M}" if one.acknowledged_at is not None else "never"
    way = "HTTP and commands" if one.has_token else "commands only"
    return f"{one.name}: at {one.position:,} of {head:,}, {head - one.position:,} behind, last read {seen}, by {way}"


def _line(entry: Entry) -> str:
    return json.dumps(told(entry), ensure_ascii=False)
