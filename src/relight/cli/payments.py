"""`relight payments`: the queue of payments that found no claim, whose they may be, and what people do with them."""

from collections.abc import Callable
from typing import Any

import click

from relight.cli.actors import as_option, who
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.cli.payments_refunds import grant, refund, refunds
from relight.cli.payments_words import as_data, line_of, suggestion_lines, whole_lines
from relight.core.money import NotAnAmount, parse_amount
from relight.flow.claims.placing import Part
from relight.flow.database import Tx
from relight.flow.payments import matching
from relight.flow.payments.matching import Act
from relight.flow.payments.queue import (
    SHOWS,
    Whole,
    account_by_ref,
    bill_named,
    counts,
    payment,
    queue,
    suggestions,
)

payment_argument = click.argument("payment_id", type=int, metavar="PAYMENT")
note_option = click.option("--note", default="", help="Why; it stands on the payment and on the case.")


@click.group("payments")
def payments() -> None:
    """Payments that found no claim: whose they may be, and what is done with them.

    \b
    Example:  relight payments queue
    Example:  relight payments assign 17 K-4711 --as bente
    """


@payments.command("queue")
@click.option("--show", default="", type=click.Choice(SHOWS), help="If left out: what nobody has set aside.")
@click.option("--search", default="", help="Part of a name, a reference or a bank account.")
@click.option("--page", default=1, type=click.IntRange(1, 10_000), show_default=True)
@partner_option
@json_option
@refusals
def queue_(show: str, search: str, page: int, partner_slug: str | None, as_json: bool) -> None:
    """What waits, the oldest first, with whose each may be and why.

    Example:  relight payments queue --search nordmann
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found, waiting = queue(tx, show=show, q=search, page=page), counts(tx)
        whose = suggestions(tx, found)
    lines = [
        f"{waiting.unmatched} on no account, {waiting.names_unknown} that name an unknown bill, "
        f"{waiting.paid_again} for a bill that was paid already, "
        f"{waiting.parked} set aside."
    ]
    for one in found:
        lines += [line_of(one), *suggestion_lines(whose[one.id], one.currency)]
    told = [{**as_data(one), "suggestions": [as_data(guess) for guess in whose[one.id]]} for one in found]
    answer({"counts": waiting._asdict(), "payments": told}, as_json=as_json, text="\n".join(lines))


@payments.command("show")
@payment_argument
@partner_option
@json_option
@refusals
def show_(payment_id: int, partner_slug: str | None, as_json: bool) -> None:
    """One payment: where it lies, what was done with it, and whose it may be.

    Example:  relight payments show 17
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = payment(tx, payment_id)
        waiting = queue(tx, show="all", payment_id=payment_id)
        whose = suggestions(tx, waiting, thorough=True).get(payment_id, [])
    lines = [*whole_lines(found), *suggestion_lines(whose, found.payment.currency)]
    told = {**as_data(found), "suggestions": [as_data(one) for one in whose]}
    answer(told, as_json=as_json, text="\n".join(lines))


@payments.command("assign")
@payment_argument
@click.argument("parts", nargs=-1, required=True, metavar="ACCOUNT[=AMOUNT]...")
@click.option("--bill", "bills", multiple=True, metavar="NUMBER", help="Pays this bill first; several in their order.")
@note_option
@as_option
@partner_option
@refusals
def assign(
    payment_id: int,
    parts: tuple[str, ...],
    bills: tuple[str, ...],
    note: str,
    as_user: str | None,
    partner_slug: str | None,
) -> None:
    """Say whose a payment is: one account for all that is left of it, or several with an amount each.

    \b
    Example:  relight payments assign 17 K-4711 --as bente
    Example:  relight payments assign 17 K-4711=500 K-4712=399 --as bente
    """

    def work(tx: Tx, act: Act) -> None:
        matching.assign(tx, act, _parts(tx, payment(tx, payment_id), parts, bills))

    _do(payment_id, note, as_user, partner_slug, work)


@payments.command("unassign")
@payment_argument
@click.option("--account", default="", help="Only from this account; if left out, from all.")
@note_option
@as_option
@partner_option
@refusals
def unassign(payment_id: int, account: str, note: str, as_user: str | None, partner_slug: str | None) -> None:
    """Take a payment off its account and back into the queue. Bills that it paid are open again.

    Example:  relight payments unassign 17 --note "another Kari" --as bente
    """

    def work(tx: Tx, act: Act) -> None:
        matching.take_away(tx, act, account_by_ref(tx, account) if account else None)

    _do(payment_id, note, as_user, partner_slug, work)


@payments.command("move")
@payment_argument
@click.option("--from", "from_account", required=True, metavar="ACCOUNT", help="Where it lies and should not.")
@click.argument("parts", nargs=-1, required=True, metavar="ACCOUNT[=AMOUNT]...")
@click.option("--bill", "bills", multiple=True, metavar="NUMBER", help="Pays this bill first; several in their order.")
@note_option
@as_option
@partner_option
@refusals
def move(
    payment_id: int,
    from_account: str,
    parts: tuple[str, ...],
    bills: tuple[str, ...],
    note: str,
    as_user: str | None,
    partner_slug: str | None,
) -> None:
    """Correct a booking: take a payment off the wrong account and place it on the right ones, in one go.

    It keeps its value date and is posted today, also where the month of the first booking is closed.

    Example:  relight payments move 17 --from K-4711 K-4712 --as bente
    """

    def work(tx: Tx, act: Act) -> None:
        wrong, whole = account_by_ref(tx, from_account), payment(tx, payment_id)
        there = sum(one.used + one.free for one in whole.places if one.account_id == wrong)
        placed = _parts(tx, whole, parts, bills, there=there)
        matching.move(tx, act, from_account=wrong, parts=placed)

    _do(payment_id, note, as_user, partner_slug, work)


@payments.command("park")
@payment_argument
@click.option("--note", required=True, help="What it waits for.")
@as_option
@partner_option
@refusals
def park(payment_id: int, note: str, as_user: str | None, partner_slug: str | None) -> None:
    """Set a payment aside with a note: it stays in the queue, under `--show parked`.

    Example:  relight payments park 17 --note "asked the bank who paid" --as bente
    """
    _do(payment_id, note, as_user, partner_slug, matching.park)


@payments.command("keep")
@payment_argument
@note_option
@as_option
@partner_option
@refusals
def keep(payment_id: int, note: str, as_user: str | None, partner_slug: str | None) -> None:
    """Leave what is left of a payment as credit: the customer's next bill takes it.

    Example:  relight payments keep 17 --as bente
    """
    _do(payment_id, note, as_user, partner_slug, matching.keep)


payments.add_command(refund)
payments.add_command(refunds)
payments.add_command(grant)


def _do(
    payment_id: int, note: str, as_user: str | None, partner_slug: str | None, work: Callable[[Tx, Act], Any]
) -> None:
    with database() as db:
        now = db.clock()
        with db.transaction(partner_id(db, partner_slug)) as tx:
            work(tx, Act(payment_id, who(tx, as_user), now, note))
            lines = whole_lines(payment(tx, payment_id))
    click.echo("\n".join(lines))


def _parts(
    tx: Tx, whole: Whole, parts: tuple[str, ...], bills: tuple[str, ...], *, there: int | None = None
) -> list[Part]:
    """The parts as typed; without an amount, all that can be placed. Bills belong to the only account, then."""
    if bills and len(parts) > 1:
        raise click.UsageError("--bill says how one account's part is used: assign the accounts one by one.")
    rest = whole.payment.rest if there is None else there
    placed = []
    for text in parts:
        ref, sign, typed = text.rpartition("=") if "=" in text else (text, "", "")
        account = account_by_ref(tx, ref)
        amount = _amount(typed, whole.payment.currency) if sign else rest
        placed.append(Part(account, amount, tuple(bill_named(tx, account, bill) for bill in bills)))
    return placed


def _amount(text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except NotAnAmount as wrong:
        raise click.BadParameter(f"{text!r} is no amount; write it like 1234.50") from wrong
