"""`relight collect`: plan collections, write the files that order them or call them back, and take answers in."""

from datetime import datetime
from pathlib import Path

import click

from relight.cli.collection_calendar import calendar_command, receipt_command
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.mandates import scheme_choice, tell_taken
from relight.cli.output import answer, json_option
from relight.core.money import format_amount
from relight.flow.claims.errors import UnableToImport
from relight.flow.payments.mandates import answering, hearing, listing, planning, writing
from relight.flow.payments.mandates.rules import schemes
from relight.flow.payments.mandates.writing import Written

_LEFT_OUT = {
    "failed_before": "were refused before, for good",
    "not_announced": "were billed before their mandate began, so nobody announced it",
    "nobody_to_tell": "have nobody who can be told of it: no address, or no policy",
    "mandate_ends": "are due after their mandate ends",
    "later": "are collected later",
}


@click.group()
def collect() -> None:
    """Collect bills by mandates: the workers do it by the calendar, or you run plan and file each day by hand.

    While a bill is being collected nobody reminds the customer of it, and nothing is charged or cut for it.
    """


collect.add_command(calendar_command)
collect.add_command(receipt_command)


@collect.command("plan")
@click.option("--as-of", type=click.DateTime(formats=["%Y-%m-%d"]), default=None, help="The day; today if left out.")
@partner_option
@json_option
@refusals
def plan_command(as_of: datetime | None, partner_slug: str | None, as_json: bool) -> None:
    """Plan what can be collected, take back what is paid by now, and end what nobody answered.

    Example:  relight collect plan
    """
    with database() as db:
        partner, now = partner_id(db, partner_slug), db.clock()
        unanswered = answering.sweep(db, partner, now=now)
        told = planning.plan(db, partner, now=now, today=as_of.date() if as_of else None)
    sums = ", ".join(format_amount(amount, currency, "en") for currency, amount in sorted(told.amounts.items()))
    lines = [
        f"{told.planned} planned{f' ({sums})' if sums else ''}, {told.called_back} taken back, "
        f"{told.recall_wanted} to be called back, {unanswered} unanswered.",
        *(f"{count} {_LEFT_OUT[why]}." for why, count in sorted(told.left_out.items())),
    ]
    found = {
        "planned": told.planned, "amounts": dict(told.amounts), "called_back": told.called_back,
        "recall_wanted": told.recall_wanted, "unanswered": unanswered, "left_out": dict(told.left_out),
    }  # fmt: skip
    answer(found, as_json=as_json, text="\n".join(lines))


@collect.command("file")
@click.option("--scheme", type=scheme_choice, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True)
@click.option("--again", default="", metavar="MESSAGE", help="Write the file of this message once more.")
@partner_option
@json_option
@refusals
def file_command(scheme: str, output: Path, again: str, partner_slug: str | None, as_json: bool) -> None:
    """Order what is planned, in a file for Nets or the bank. Each collection is ordered once.

    \b
    Example:  relight collect file --scheme avtalegiro -o requests.txt
    Example:  relight collect file --scheme sepa -o collect.xml
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        written = writing.again(tx, again) if again else writing.order(tx, scheme, now=db.clock())
        _save(written, output)
    _tell(written, output, scheme, as_json=as_json, none="Nothing is planned.")


@collect.command("recall")
@click.option("--scheme", type=scheme_choice, required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), required=True)
@partner_option
@json_option
@refusals
def recall_command(scheme: str, output: Path, partner_slug: str | None, as_json: bool) -> None:
    """Call back what was ordered and is paid by now, in a file for Nets or the bank.

    What is too late to be called back comes all the same, and is the customer's credit.

    Example:  relight collect recall --scheme avtalegiro -o deletions.txt
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        written = writing.recall(tx, scheme, now=db.clock())
        _save(written, output)
    _tell(written, output, scheme, as_json=as_json, none="Nothing is to be called back.")


@collect.command("answers")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(["pain002", "bs0602", "csv"]), required=True)
@partner_option
@json_option
@refusals
def answers_command(file: Path, format_: str, partner_slug: str | None, as_json: bool) -> None:
    """Take in what was refused before its day (pain.002), or Betalingsservice's word: its delivery 0602, or a table.

    A table has the columns ref, outcome (collected, refused, returned) and date, and may have reason. Money itself, and
    direct debits that went back, come with the bank's files: relight import payments.

    Example:  relight collect answers status.xml --format pain002
    """
    with database() as db:
        try:
            taken = hearing.import_answers(db, partner_id(db, partner_slug), file, format=format_, now=db.clock())
        except UnableToImport as wrong:
            raise click.ClickException(str(wrong)) from wrong
    tell_taken(taken, as_json=as_json)


@collect.command("list")
@click.argument("account", default="")
@click.option("--open", "only_open", is_flag=True, help="Only those on their way.")
@partner_option
@json_option
@refusals
def list_command(account: str, only_open: bool, partner_slug: str | None, as_json: bool) -> None:
    """Collections of an account, or the newest of all, with how they went.

    Example:  relight collect list K-4711
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = listing.collections(tx, account=account, only_open=only_open)
    lines = [
        f"{one.collect_date}  {one.account:<12} {one.bill:<12} {format_amount(one.amount, one.currency, 'en'):>16}  "
        f"{one.scheme:<16} {one.state}{f' ({one.reason})' if one.reason else ''}"
        f"{f', again from {one.retry_date}' if one.retry_date else ''}"
        for one in found
    ]
    shown = [one._asdict() for one in found]
    answer({"collections": shown}, as_json=as_json, text="\n".join(lines) or "There are none.")


def _save(written: Written | None, output: Path) -> None:
    """Before the commit: what could not be written was not ordered."""
    if written is not None:
        try:
            output.write_bytes(written.content)
        except OSError as refused:
            raise click.ClickException(f"{output} cannot be written: {refused.strerror}.") from refused


def _tell(written: Written | None, output: Path, scheme: str, *, as_json: bool, none: str) -> None:
    if written is None:
        answer({"collections": 0}, as_json=as_json, text=none)
        return
    amount = format_amount(written.amount, schemes()[scheme].currency, "en")
    found = {"message": written.message, "collections": written.collections, "amount": written.amount}
    many = "collection" if written.collections == 1 else "collections"
    text = f"{output}: {written.collections} {many}, {amount}; message {written.message}."
    answer({**found, "file": str(output)}, as_json=as_json, text=text)
