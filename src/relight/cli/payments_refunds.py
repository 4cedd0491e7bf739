"""`relight payments refund`, `grant` and `refunds`: money goes back by the bank, by two people and a file."""

from pathlib import Path

import click

from relight.cli.actors import as_option, who
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.core.money import NotAnAmount, format_amount, parse_amount
from relight.flow.payments import bank_refunds
from relight.flow.payments.bank_refunds import Wanted
from relight.flow.payments.matching import Act
from relight.flow.payments.queue import account_by_ref, payment


@click.command("refund")
@click.argument("payment_id", type=int, metavar="PAYMENT")
@click.argument("amount")
@click.option("--account", default="", help="Whose credit it is; if left out, what lies on no account.")
@click.option("--name", default="", help="Who gets it; the payer if left out.")
@click.option("--to", "to_account", default="", help="The bank account; the one it was paid from if left out.")
@click.option("--provider", "by_provider", is_flag=True, help="The way it came: by the provider that it was paid with.")
@click.option("--reason", required=True, help="What the receiver reads.")
@as_option
@partner_option
@refusals
def refund(
    payment_id: int,
    amount: str,
    account: str,
    name: str,
    to_account: str,
    by_provider: bool,
    reason: str,
    as_user: str | None,
    partner_slug: str | None,
) -> None:
    """Ask that money of a payment goes back. A colleague grants it, and a file orders it, or (--provider) its provider.

    \b
    Example:  relight payments refund 17 100.00 --account K-4711 --reason "You paid too much" --as anne
    Example:  relight payments refund 17 100.00 --account K-4711 --provider --reason "You paid twice" --as anne
    """
    if by_provider and to_account:
        raise click.UsageError("A provider gives back to whoever paid: leave --to out.")
    with database() as db:
        now = db.clock()
        with db.transaction(partner_id(db, partner_slug)) as tx:
            found = payment(tx, payment_id).payment
            try:
                minor = parse_amount(amount, found.currency)
            except NotAnAmount as wrong:
                raise click.BadParameter(f"{amount!r} is no amount; write it like 1234.50") from wrong
            whose = account_by_ref(tx, account) if account else None
            wanted = Wanted(whose, minor, name or found.payer_name, to_account, by_provider)
            number = bank_refunds.ask(tx, Act(payment_id, who(tx, as_user), now, reason), wanted)
    click.echo(f"Asked. Next, by somebody else: relight payments grant {number} --as USER")


@click.command("grant")
@click.argument("refund_id", type=int, metavar="REFUND")
@click.option("--no", "refused", is_flag=True, help="Refuse it.")
@click.option("--note", default="", help="Why.")
@as_option
@partner_option
@refusals
def grant(refund_id: int, refused: bool, note: str, as_user: str | None, partner_slug: str | None) -> None:
    """Say yes (or --no) to a refund that a colleague asked for.

    Example:  relight payments grant 3 --as bente
    """
    with database() as db:
        now = db.clock()
        with db.transaction(partner_id(db, partner_slug)) as tx:
            by = who(tx, as_user)
            bank_refunds.decide(tx, refund_id, granted=not refused, by=by, now=now, note=note)
            way = bank_refunds.way_of(tx, refund_id)
    after = "Its provider is asked by the worker." if way == "provider" else "Next: relight payments refunds -o FILE"
    click.echo("Refused." if refused else f"Granted. {after}")


@click.command("refunds")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the bank's file here.")
@click.option("--again", default="", metavar="MESSAGE", help="Write the file of this message once more.")
@partner_option
@json_option
@refusals
def refunds(output: Path | None, again: str, partner_slug: str | None, as_json: bool) -> None:
    """List refunds that wait, or order all that were granted in a file for the bank (pain.001.001.03).

    A refund is ordered once. If the file was lost before it reached the bank, write it again by its message: a bank
    takes a message once.

    \b
    Example:  relight payments refunds
    Example:  relight payments refunds -o refunds.xml
    """
    if again and output is None:
        raise click.UsageError("Say with -o where the file goes.")
    with database() as db:
        now, partner = db.clock(), partner_id(db, partner_slug)
        if output is None:
            with db.transaction(partner) as tx:
                waiting = bank_refunds.open_refunds(tx)
            lines = [
                f"{one.id:>6}  {format_amount(one.amount, one.currency, 'en')} to {one.to_name} ({one.to_account}): "
                f"{one.reason}; {one.state} by {one.decided_by or one.asked_by}"
                for one in waiting
            ]
            told = [one._asdict() for one in waiting]
            answer({"refunds": told}, as_json=as_json, text="\n".join(lines) or "No refund waits.")
            return
        _refuse_existing(output)
        with db.transaction(partner) as tx:
            made = (again, bank_refunds.again(tx, again)) if again else bank_refunds.order(tx, now=now)
    if made is None:
        answer(
            {"message": "", "file": ""}, as_json=as_json, text="No refund was granted, so there is nothing to order."
        )
        return
    message, file = made
    _write(output, file, message)
    answer({"message": message, "file": str(output)}, as_json=as_json, text=f"Ordered in {output}, message {message}.")


def _write(output: Path, file: bytes, message: str) -> None:
    """After the commit: a file of orders that were never kept would be ordered, and paid, a second time."""
    try:
        output.write_bytes(file)
    except OSError as wrong:
        again = f"relight payments refunds -o FILE --again {message}"
        raise click.ClickException(f"{output} could not be written ({wrong}). Write it elsewhere: {again}") from wrong


def _refuse_existing(output: Path) -> None:
    """What is there may be on its way to the bank."""
    if output.exists():
        raise click.ClickException(f"{output} is there already. Name another file, or take it away.")
