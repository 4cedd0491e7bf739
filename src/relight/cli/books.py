"""`relight books`: close months, see that they stay as they were, and read the books at the end of any day."""

import sys
from datetime import date
from pathlib import Path

import click

from relight.cli import books_acts, books_money, books_statement
from relight.cli.actors import as_option, who
from relight.cli.books_output import Day, Month, creditor_option, csv_option, show, table
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.core.money import to_decimal
from relight.flow.books import journal as journals
from relight.flow.books import periods
from relight.flow.books import trial as trials


@click.group()
def books() -> None:
    """The books: months, balances, statements, money of others, and what partners owe for success."""


@books.command()
@click.argument("month", type=Month())
@partner_option
@as_option
@json_option
@refusals
def close(month: date, partner_slug: str | None, as_user: str | None, as_json: bool) -> None:
    """Close a month: nothing is posted into it any more, and nothing opens it again.

    Example:  relight books close 2026-10 --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        done = periods.close(tx, month, by=who(tx, as_user), now=db.clock())
    text = f"{month:%Y-%m} is closed, with {done.transfers:,} transfers. What is told late goes into an open month."
    answer({"month": f"{month:%Y-%m}", "transfers": done.transfers, "by": done.closed_by}, as_json=as_json, text=text)


@books.command()
@partner_option
@json_option
@refusals
def check(partner_slug: str | None, as_json: bool) -> None:
    """Compare closed months with what they were when they were closed; exit code 1 when something has changed.

    Example:  relight books check
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        closed, changed = periods.closed_months(tx), periods.changes(tx)
    lines = [f"{one.month:%Y-%m}: {one.what}." for one in changed]
    lines.append(
        f"{len(closed)} closed months, {len(changed)} changes."
        if changed
        else f"{len(closed)} closed months, unchanged."
    )
    result = {
        "months": [f"{one.month:%Y-%m}" for one in closed],
        "changes": [{"month": f"{one.month:%Y-%m}", "what": one.what} for one in changed],
    }
    answer(result, as_json=as_json, text="\n".join(lines))
    if changed:
        sys.exit(1)


@books.command()
@click.option("--as-of", "day", type=Day(), required=True, help="At the end of this day.")
@click.option("--from", "first", type=Day(), help="Each day from this one on.")
@creditor_option
@partner_option
@json_option
@csv_option
@refusals
def trial(day: date, first: date | None, creditor: str, partner_slug: str | None, as_json: bool, as_csv: bool) -> None:
    """The trial balance: debits, credits and balance of each ledger, by creditor and currency. It comes to zero.

    Example:  relight books trial --as-of 2026-10-31
    """
    if first is not None and first > day:
        raise click.UsageError("--from comes before --as-of.")
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = list(trials.trials(tx, first or day, day, creditor=creditor))
    rows = [
        (f"{one.day}", *line[:3], *(to_decimal(sum_, line.currency) for sum_ in (*line[3:], line.balance)))
        for one in found
        for line in one.balances
    ]
    heads = ("day", "creditor", "currency", "ledger", "debit", "credit", "balance")
    zero = all(one.is_zero() for one in found)
    result = {"zero": zero, "lines": [dict(zip(heads, row, strict=True)) for row in rows]}
    ending = "Every day comes to zero." if zero else "IT DOES NOT COME TO ZERO: run relight audit."
    show(result, heads, rows, ending, as_json=as_json, as_csv=as_csv)
    if not zero:
        sys.exit(1)


@books.command()
@click.option("--as-of", "day", type=Day(), required=True, help="At the end of this day.")
@creditor_option
@partner_option
@json_option
@csv_option
@refusals
def ageing(day: date, creditor: str, partner_slug: str | None, as_json: bool, as_csv: bool) -> None:
    """What was owed at the end of a day, by how long it was overdue, as it stood then.

    Example:  relight books ageing --as-of 2026-10-31 --csv
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = trials.ageing(tx, day, creditor=creditor)
    heads = ("creditor", "currency", "claims", "owed", "not_due", "1-30", "31-60", "61-90", "over_90")
    rows = [(*one[:3], *(to_decimal(sum_, one.currency) for sum_ in one[3:])) for one in found]
    result = {"day": f"{day}", "lines": [dict(zip(heads, row, strict=True)) for row in rows]}
    show(result, heads, rows, f"As it stood at the end of {day}.", as_json=as_json, as_csv=as_csv)


@books.command()
@click.option("--month", type=Month(), required=True)
@click.option("--accounts", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A chart, in YAML.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="A file; else standard output.")
@partner_option
@refusals
def export(month: date, accounts: Path | None, output: Path | None, partner_slug: str | None) -> None:
    """Write a closed month's journal entries as CSV, for your accounting: one a day, creditor, kind and ledger pair.

    The chart gives your account for each ledger, and where it differs by creditor. docs/books.md shows one.

    Example:  relight books export --month 2026-10 --accounts chart.yaml -o 2026-10.csv
    """
    chart = journals.Chart.read(accounts.read_text("utf-8")) if accounts else journals.Chart()
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        entries = trials.journal(tx, month)
    text = table(journals.HEADS, journals.lines(entries, chart))
    if output is None:
        click.echo(text, nl=False)
        return
    output.write_text(text, "utf-8", newline="")
    click.echo(f"Wrote {len(entries):,} entries to {output}.")


for _module in (books_acts, books_money, books_statement):
    _module.register(books)
