"""The apology after an undo: a draft in each language until a person approves it, then sent once to each customer, by
the turn of one of the cases that were wrong."""

from dataclasses import dataclass
from datetime import datetime

from relight.flow.cases.operations import lock_accounts
from relight.flow.cases.people import Person
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Database, Tx
from relight.flow.messages.context import LANGUAGES, Brand, MessageContext
from relight.flow.messages.port import Channel
from relight.flow.messages.render import render
from relight.flow.road.undo.asking import UnableToUndo, undo
from relight.flow.road.undo.finding import BATCH, SQL

TEMPLATE = "apology"


@dataclass(frozen=True, slots=True)
class Draft:
    """The apology in one language, as SMS and as e-mail or letter, and how many customers get it so."""

    language: str
    customers: int
    sms: str
    written: str


def drafts(tx: Tx, number: int, now: datetime) -> list[Draft]:
    """What would be sent, by language, the most read first."""
    found = [(row[0], row[1]) for row in tx.rows(SQL.languages, {"undo": number, "now": now})]
    context = _sender(tx, now) if found else None
    told: dict[str, int] = {}
    for language, customers in found:
        known = language if language in LANGUAGES else "en"
        told[known] = told.get(known, 0) + customers
    return [_draft(context, language, customers) for language, customers in told.items() if context is not None]


def approve(tx: Tx, number: int, *, by: Person, now: datetime, send: bool = True) -> None:
    """A person says that the apology goes out, or (`send=False`) that nobody is written to. Raises `UnableToUndo`."""
    by.must("void")
    tx.rows(SQL.lock, {"undo": number})
    if not undo(tx, number).apology_waits:
        raise UnableToUndo(f"Undo {number} has no apology that waits for a yes.")
    statement = SQL.approve_apology if send else SQL.drop_apology
    tx.run(statement, {"undo": number, "actor": by.name, "now": now})


def send_out(db: Database, partner_id: int, number: int, now: datetime) -> int:
    """One batch of an approved apology: the next turn of one case of each customer sends it. How many cases; 0 when all
    are on their way."""
    with db.transaction(partner_id) as tx:
        tx.rows(SQL.lock, {"undo": number})
        at = undo(tx, number)
        if at.apology != "draft" or not at.apology_by:
            return 0
        page = tx.rows(SQL.apologies_to_come, {"undo": number, "limit": BATCH})
        if not page:
            tx.run(SQL.apologies_out, {"undo": number})
            return 0
        lock_accounts(tx, sorted({account for _, account in page}))
        tx.run(SQL.want_apologies, {"undo": number, "cases": [case for case, _ in page], "now": now})
        return len(page)


def _sender(tx: Tx, now: datetime) -> MessageContext:
    country, currency, name, site, phone, colour = tx.row(SQL.sender, {"partner": tx.partner_id}) or ("",) * 6
    brand = Brand(name, site, phone, colour=colour)
    return MessageContext(
        language="en", country=country, brand=brand, creditor=name, dated=partner_today(tx, now), amount_due=0,
        currency=currency, reference="", account="", pay_url=brand.site_url, service="broadband",
    )  # fmt: skip


def _draft(sender: MessageContext, language: str, customers: int) -> Draft:
    context = MessageContext(
        language=language, country=sender.country, brand=sender.brand, creditor=sender.creditor, dated=sender.dated,
        amount_due=0, currency=sender.currency, reference="", account="", pay_url=sender.pay_url,
        service=sender.service,
    )  # fmt: skip
    sms = render(TEMPLATE, Channel.SMS, context).text
    return Draft(language, customers, sms, render(TEMPLATE, Channel.EMAIL, context).text)
