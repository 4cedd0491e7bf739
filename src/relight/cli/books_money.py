"""`relight books remit`, `remittances`, `agree`, `success`: money of others, and what partners owe for success."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

import click

from relight.cli.actors import as_option, by_option, who
from relight.cli.books_output import Day, Month, csv_option, show
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import json_option
from relight.core.money import MINOR_DIGITS, NotAnAmount, parse_amount, to_decimal
from relight.flow.books import remittance, success
from relight.flow.database import Database

_ITEM_HEADS = ("account", "invoice", "payment", "value_date", "part", "amount", "currency")


@click.command("remit")
@click.option("--creditor", required=True, metavar="NAME", help="Whose money it is.")
@click.option("--until", type=Day(), required=True, help="All that was booked until the end of this day.")
@click.option("--keep", type=click.Choice(("costs", "interest")), multiple=True, help="What stays here.")
@click.option("--dry-run", is_flag=True, help="Show what would be paid over; change nothing.")
@partner_option
@as_option
@json_option
@csv_option
@refusals
def remit(
    creditor: str,
    until: date,
    keep: tuple[str, ...],
    dry_run: bool,
    partner_slug: str | None,
    as_user: str | None,
    as_json: bool,
    as_csv: bool,
) -> None:
    """Pay over to a creditor what came in on its invoices, with the list of payments that goes with it.

    A payment that came back after it was paid over is on the list with a minus.

    Example:  relight books remit --creditor "Nord Nett AS" --until 2026-10-31 --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        if dry_run:
            found = remittance.due(tx, creditor, until, keep=keep)
            rows = [
                (one.account, one.claim, one.payment, f"{one.value_date}", one.part,
                 to_decimal(one.amount, one.currency), one.currency)
                for one in found
            ]  # fmt: skip
            result = {"remittances": [], "items": [dict(zip(_ITEM_HEADS, row, strict=True)) for row in rows]}
            show(result, _ITEM_HEADS, rows, "Nothing was changed.", as_json=as_json, as_csv=as_csv)
            return
        made = remittance.remit(tx, creditor, until, by=who(tx, as_user), now=db.clock(), keep=keep)
        items = [item for one in made for item in remittance.items(tx, one.id)]
    _show_items(made, items, as_json=as_json, as_csv=as_csv)


@click.command("remittances")
@click.argument("number", type=int, required=False)
@click.option("--creditor", default="", metavar="NAME")
@partner_option
@json_option
@csv_option
@refusals
def remittances(number: int | None, creditor: str, partner_slug: str | None, as_json: bool, as_csv: bool) -> None:
    """What was paid over to creditors; with a number, the payments of that one.

    Example:  relight books remittances 4 --csv
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = remittance.remittances(tx, creditor=creditor)
        if number is not None:
            found = [one for one in found if one.id == number]
            _show_items(found, remittance.items(tx, number), as_json=as_json, as_csv=as_csv)
            return
    heads = ("number", "creditor", "currency", "until", "amount", "made_at", "by", "payments")
    rows = [
        (one.id, one.creditor, one.currency, f"{one.until}", to_decimal(one.amount, one.currency),
         f"{one.made_at:%Y-%m-%d %H:%M}", one.made_by, one.items)
        for one in found
    ]  # fmt: skip
    result = {"remittances": [dict(zip(heads, row, strict=True)) for row in rows]}
    show(result, heads, rows, f"{len(rows)} remittances.", as_json=as_json, as_csv=as_csv)


def _show_items(
    made: list[remittance.Remittance], items: list[remittance.Item], *, as_json: bool, as_csv: bool
) -> None:
    rows = [(*one[:3], f"{one.value_date}", one.part, to_decimal(one.amount, one.currency), one.currency)
            for one in items]  # fmt: skip
    sums = [f"Remittance {one.id}: {to_decimal(one.amount, one.currency)} {one.currency} to {one.creditor}."
            for one in made]  # fmt: skip
    result = {
        "remittances": [
            {"number": one.id, "creditor": one.creditor, "currency": one.currency, "amount": one.amount} for one in made
        ],
        "items": [dict(zip(_ITEM_HEADS, row, strict=True)) for row in rows],
    }
    show(result, _ITEM_HEADS, rows, "\n".join(sums), as_json=as_json, as_csv=as_csv)


@click.command("agree")
@click.option("--from", "starts", type=Day(), required=True, help="From this day on.")
@click.option("--share", default="0", metavar="PERCENT", help="Of what was paid, such as 2.5.")
@click.option("--amount", default="0", help="For each successful transaction, such as 25.00.")
@click.option("--currency", type=click.Choice(sorted(MINOR_DIGITS)), default="NOK", show_default=True)
@partner_option
@by_option
@refusals
def agree(starts: date, share: str, amount: str, currency: str, partner_slug: str | None, by: str) -> None:
    """Set what a partner pays for success from a day on; neither share nor amount ends it. For who runs the service.

    Example:  relight books agree --partner fjordnett --from 2026-11-01 --share 2.5 --amount 25.00
    """
    try:
        bps = Decimal(share) * 100
        minor = parse_amount(amount, currency)
    except (InvalidOperation, NotAnAmount) as wrong:
        raise click.UsageError("--share is a percentage such as 2.5, and --amount a sum such as 25.00.") from wrong
    if bps != int(bps):
        raise click.UsageError("--share has at most two decimals.")
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        person = who(tx, None, by)
        success.agree(tx, starts=starts, currency=currency, share=int(bps), amount=minor, by=person, now=db.clock())
    click.echo(f"From {starts}: {share} percent and {amount} {currency} for each successful transaction.")


@click.command("success")
@click.option("--month", type=Month(), required=True)
@click.option("--partner", "partner_slug", metavar="SLUG", help="Only this partner; all of them if left out.")
@json_option
@csv_option
@refusals
def success_(month: date, partner_slug: str | None, as_json: bool, as_csv: bool) -> None:
    """What each partner owes for a month's successful transactions, less those that came back in it.

    A success is a payment on an invoice that a step had named before. --csv lists each of them.

    Example:  relight books success --month 2026-10
    """
    with database() as db:
        found = {slug: _of(db, id_, month) for slug, id_ in _partners(db, partner_slug)}
    if as_csv:
        _each(found)
        return
    heads = ("partner", "currency", "successes", "returned", "paid", "fee")
    rows = [
        (slug, one.currency, one.successes, one.returned, to_decimal(one.moved, one.currency),
         to_decimal(one.fee, one.currency))
        for slug, all_ in found.items()
        for one in success.totals(all_)
    ]  # fmt: skip
    result = {"month": f"{month:%Y-%m}", "partners": [dict(zip(heads, row, strict=True)) for row in rows]}
    show(result, heads, rows, f"Successful transactions of {month:%Y-%m}.", as_json=as_json, as_csv=False)


def _each(found: Mapping[str, Sequence[success.Success]]) -> None:
    heads = ("partner", "account", "payment", "first_paid", "currency", "paid", "counts", "fee")
    rows = [
        (slug, one.account, one.payment, f"{one.first_date}", one.currency, to_decimal(one.moved, one.currency),
         one.counts, to_decimal(one.fee, one.currency))
        for slug, all_ in found.items()
        for one in all_
    ]  # fmt: skip
    show({}, heads, rows, "", as_json=False, as_csv=True)


def _of(db: Database, id_: int, month: date) -> list[success.Success]:
    with db.transaction(id_) as tx:
        return success.successes(tx, month)


def _partners(db: Database, slug: str | None) -> list[tuple[str, int]]:
    if slug is not None:
        return [(slug, partner_id(db, slug))]
    with db.transaction(None) as tx:
        return [(name, id_) for name, id_ in tx.rows("SELECT slug, id FROM partner ORDER BY slug") if name != "demo"]


def register(group: click.Group) -> None:
    """Add the commands to `relight books`."""
    for command in (remit, remittances, agree, success_):
        group.add_command(command)
