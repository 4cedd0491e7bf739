"""`relight books statement`: an account's postings in words, for the customer or a sheet."""

from datetime import date
from pathlib import Path

import click

from relight.cli.books_output import Day
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.flow.books import statement as flow
from relight.flow.books.statement_pdf import statement_pdf
from relight.flow.messages.colours import WHITE, readable


@click.command("statement")
@click.argument("account")
@click.option("--from", "first", type=Day(), required=True, help="The first booking day.")
@click.option("--to", "last", type=Day(), required=True, help="The last one.")
@click.option("--language", type=click.Choice(flow.LANGUAGES), help="The customer's own if left out.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A .pdf or .csv; else CSV here.")
@partner_option
@refusals
def statement(
    account: str, first: date, last: date, language: str | None, output: Path | None, partner_slug: str | None
) -> None:
    """A statement: what was owed before, every posting in words, and what is owed after each.

    Example:  relight books statement 4711 --from 2026-01-01 --to 2026-10-31 -o 4711.pdf
    """
    if first > last:
        raise click.UsageError("--from comes before --to.")
    if output is not None and output.suffix not in (".pdf", ".csv"):
        raise click.UsageError("Write the statement to a .pdf or a .csv.")
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = flow.read(tx, flow.account_id(tx, account), first, last)
    said = language or found.head.language
    if output is None:
        click.echo(flow.as_csv(found, said), nl=False)
    elif output.suffix == ".pdf":
        output.write_bytes(statement_pdf(found, ink=readable(found.head.colour, WHITE), language=said))
    else:
        output.write_text(flow.as_csv(found, said), "utf-8", newline="")
    if output is not None:
        click.echo(f"Wrote {len(found.lines):,} postings of account {account} to {output}.")


def register(group: click.Group) -> None:
    """Add the command to `relight books`."""
    group.add_command(statement)
