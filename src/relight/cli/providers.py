"""`relight provider`: give money back by the provider that took it, and compare a day with what it settled."""

from collections.abc import Callable
from datetime import date, timedelta
from functools import wraps
from typing import Any

import click

from relight.cli.actors import as_option, sure, who, yes_option
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.core.money import NotAnAmount, parse_amount, to_decimal
from relight.flow.database import Database
from relight.flow.payments import queries, reconciling, refunds
from relight.flow.payments.errors import UnableToPay
from relight.flow.payments.port import CannotReconcile, ProviderUnavailable
from relight.flow.payments.providers import Settings


@click.group()
def provider() -> None:
    """Payment providers: refunds, and what they settled."""


def _in_words(command: Callable[..., None]) -> Callable[..., None]:
    """Refusals of providers and of refunds as one sentence."""

    @wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except (UnableToPay, ProviderUnavailable, CannotReconcile, NotAnAmount) as refused:
            raise click.ClickException(str(refused)) from refused

    return wrapped


@provider.command()
@click.argument("name")
@click.argument("payment")
@partner_option
@click.option("--amount", help='How much, such as "101.00"; all that stands as credit if left out.')
@click.option("--whole", is_flag=True, help="The whole payment, also what it paid: its bills open again.")
@as_option
@yes_option
@refusals
@_in_words
def refund(
    name: str, payment: str, partner_slug: str | None, amount: str | None, whole: bool, as_user: str | None, yes: bool
) -> None:
    """Give back by provider NAME of what PAYMENT (the provider's own id) left as credit. Takes a manager or admin.

    Example:  relight provider refund vipps rl-5f0e… --amount 101.00 --as kari
    """
    if whole and amount:
        raise click.UsageError("--whole gives everything back: leave --amount out.")
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            person = who(tx, as_user)
            person.must("approve")
        settings = _settings(db, id_)
        if whole:
            sure("Its bills will be owed again. Go on?", yes=yes)
            number = refunds.give_back_whole(db, id_, settings, name, payment)
            click.echo(f"{name} has taken it ({number}). It is booked when {name} tells that the money has left.")
            return
        with db.transaction(id_) as tx:
            currency = tx.value(refunds.SQL.currency_of, {"provider": name, "ref": payment}) or "NOK"
            wanted = parse_amount(amount, currency) if amount else None
            given = refunds.order_refund(
                tx, provider_name=name, ref=payment, amount=wanted, by=person.name, now=db.clock()
            )
        taken = refunds.send_refunds_of(db, id_, settings, db.clock())
    after = f"{name} has taken it." if taken else f"{name} does not answer; the worker goes on asking."
    click.echo(f"{to_decimal(given, currency)} {currency} is booked as a refund. {after}")


@provider.command()
@click.argument("name")
@partner_option
@click.option("--day", help="A day such as 2026-03-02; yesterday if left out.")
@json_option
@refusals
@_in_words
def settled(name: str, partner_slug: str | None, day: str | None, as_json: bool) -> None:
    """Compare what provider NAME settled on a day with what is booked. Workers do this every day by themselves.

    Example:  relight provider settled vipps --day 2026-03-02
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        now = db.clock()
        try:
            wanted = date.fromisoformat(day) if day else now.date() - timedelta(days=1)
        except ValueError as wrong:
            raise click.BadParameter(f"{day!r} is no day; write 2026-03-02") from wrong
        found = reconciling.reconcile_day(db, id_, _settings(db, id_), name, wanted, now)
    text = (
        f"{found.provider}, {found.day}: {found.told} lines; {found.found} payments not told before, booked now; "
        f"{found.differing} differ and {found.not_settled} are overdue (tasks)."
    )
    answer({**found._asdict(), "day": found.day.isoformat()}, as_json=as_json, text=text)


def _settings(db: Database, partner: int) -> Settings:
    with db.transaction(None) as tx:
        return dict(tx.rows(queries.SQL.partners)).get(partner, {})
