"""From a released effect to a message that a driver can send: gather its facts, render, and keep what it said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from relight.core.calendars import Calendar
from relight.core.plans.terms import PlanTerms, months_offered
from relight.core.rules.plans import instalment_months
from relight.core.rules.reader import packaged_pack, packaged_packs
from relight.core.spans import Span, Unit
from relight.flow.claims import rates
from relight.flow.database import Tx, statements
from relight.flow.messages.context import (
    LANGUAGES,
    Brand,
    ClaimItem,
    Interest,
    MessageContext,
    Term,
    TermUnit,
    Tone,
    WrongContext,
)
from relight.flow.messages.draws import about_draw
from relight.flow.messages.letter import letter_pdf
from relight.flow.messages.plans import about_plan
from relight.flow.messages.port import Channel, Message
from relight.flow.messages.render import Rendered, UnfitMessage, render

SQL = statements(__package__, "handlers.sql")
_TONES = {"warm": Tone.WARM, "neutral": Tone.PLAIN, "firm": Tone.FIRM}
_UNITS = {Unit.DAYS: TermUnit.DAYS, Unit.WEEKS: TermUnit.WEEKS, Unit.MONTHS: TermUnit.MONTHS}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A message effect on its way out, with what the case owes at this moment (minor units)."""

    effect_id: int
    case_id: int
    account_id: int
    channel: str
    template: str
    params: Mapping[str, Any]
    services: Sequence[str]
    claims: tuple[ClaimItem, ...]
    fees: int
    pay_url: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A rendered message for its driver."""

    effect_id: int
    message: Message


@dataclass(frozen=True, slots=True)
class Unready:
    """A message that cannot be made; `why` is a code, `detail` a sentence for a person."""

    effect_id: int
    why: str
    detail: str


def prepare(tx: Tx, wanted: Sequence[Wanted], calendar: Calendar, today: date, now: datetime) -> list[Ready | Unready]:
    """Render and keep a batch. What cannot be rendered is told apart, and nothing of it is kept."""
    if not wanted:
        return []
    rows = {row[0]: row for row in tx.rows(SQL.compose, {"effects": [w.effect_id for w in wanted], "now": now})}
    percents = _percents(tx, today) if any(row[25] for row in rows.values()) else {}
    made: list[Ready | Unready] = []
    kept: list[tuple[Any, ...]] = []
    for one in wanted:
        row = rows.get(one.effect_id)
        if row is None or row[19] is None:
            made.append(Unready(one.effect_id, "no_contact_point", f"no {one.channel} address to send to"))
            continue
        try:
            context = about_plan(one.template, one.params, _context(one, row, calendar, today, percents))
            context = about_draw(one.template, one.params, context)
            rendered = render(one.template, Channel(one.channel), context)
            pdf = letter_pdf(context, rendered.body) if one.channel == "letter" and rendered.body else b""
        except (WrongContext, UnfitMessage) as wrong:
            made.append(Unready(one.effect_id, "unfit_message", str(wrong)))
            continue
        made.append(Ready(one.effect_id, _message(one, row, rendered, pdf)))
        kept.append(_kept(one, row, rendered, pdf, context.amount_due))
    _keep(tx, kept, now)
    return made


def _context(
    one: Wanted, row: tuple[Any, ...], calendar: Calendar, today: date, percents: Mapping[str, Decimal]
) -> MessageContext:
    (_, ref, creditor, bank_account, currency, country, site, brand, _, _, phone, brand_site, return_address, colour,
     co_brand, _, name, kind, language, _, value, _, service, street, references, interest, debtor) = row  # fmt: skip
    span = Span.parse(one.params["term"]) if one.params.get("term") else None
    pay_by = calendar.add(today, span) if span else None
    late = {claim.reference: claim.due_date for claim in one.claims if claim.reference in (interest or {})}
    borne = sum(interest[number] for number in late)
    owed = sum(claim.amount for claim in one.claims) + one.fees + borne
    return MessageContext(
        language=language if language in LANGUAGES else "en",
        country=country,
        brand=Brand(
            name=brand,
            site=brand_site or site,
            phone=phone,
            colour=colour,
            address=tuple(return_address.split("\n")) if return_address else (),
            co_brand=co_brand or "",
        ),
        creditor=creditor,
        dated=today,
        amount_due=owed,
        currency=currency,
        reference=_reference(one, references or {}, ref),
        account=bank_account,
        pay_url=one.pay_url,
        service=service or next(iter(one.services)),
        tone=_TONES.get(str(one.params.get("tone")), Tone.PLAIN),
        pay_by=pay_by,
        term=_term(span, today, pay_by),
        amount_paid=one.params.get("paid"),
        collection_cost=one.params.get("collection_cost"),
        plan_months=_plan_months(one, country, owed) if one.template == "plan_offer" else None,
        consumer=kind == "person",
        claims=one.claims,
        fees=one.fees,
        late_interest=borne,
        interest=_interest(late.values(), percents.get(debtor, percents.get("consumer"))),
        first_name=name.split()[0] if kind == "person" and name.split() else "",
        service_address=street or "",
        recipient=tuple(value.split("\n")) if one.channel == "letter" else (),
    )


def _percents(tx: Tx, today: date) -> Mapping[str, Decimal]:
    """By kind of debtor, today's rate of late interest; whom nobody knows the rate for is left out."""
    tables = rates.tables(rates.country_of(tx), rates.confirmed(tx))
    known = {debtor: table.rates.on(today) for debtor, table in tables.items() if table is not None}
    return {debtor: percent for debtor, percent in known.items() if isinstance(percent, Decimal)}


def _interest(due_dates: Iterable[date], percent: Decimal | None) -> Interest | None:
    """The rate that runs on bills, since the day after the first of them was due; None where none of them bears any."""
    due = min(due_dates, default=None)
    return Interest(percent, due + timedelta(days=1)) if due is not None and percent is not None else None


def _reference(one: Wanted, references: Mapping[str, str], account: str) -> str:
    """What the bank matches on: the oldest claim's reference, else its number, as on the pay page; else the account."""
    if not one.claims:
        return account
    number = min(one.claims, key=lambda claim: claim.due_date).reference
    return references.get(number, number)


def _plan_months(one: Wanted, country: str, owed: int) -> tuple[int, int] | None:
    """How long a plan may run: as the policy says and the country's law lets, so as on the customer's page."""
    name = country.lower()
    law = instalment_months(packaged_pack(name), owed) if name in packaged_packs() else None
    if stated := one.params.get("months"):
        shortest, longest = stated
        return months_offered(PlanTerms(), max(1, owed), stated=(shortest, longest), law=law)
    return law


def _term(span: Span | None, today: date, pay_by: date | None) -> Term | None:
    """The term in words' units; working days are told as the calendar days that they are this time."""
    if span is None or pay_by is None:
        return None
    unit = _UNITS.get(span.unit)
    return Term(span.count, unit) if unit else Term((pay_by - today).days, TermUnit.DAYS)


def _message(one: Wanted, row: tuple[Any, ...], rendered: Rendered, pdf: bytes) -> Message:
    sms_sender, email_sender, return_address, brand, value = row[8], row[9], row[12], row[7], row[20]
    senders = {"sms": sms_sender, "email": f"{brand} <{email_sender}>", "letter": return_address}
    return Message(
        channel=Channel(one.channel),
        to=value,
        sender=senders[one.channel],
        language=rendered.language,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        pdf=pdf,
    )


def _kept(one: Wanted, row: tuple[Any, ...], rendered: Rendered, pdf: bytes, amount: int) -> tuple[Any, ...]:
    return (
        one.effect_id, one.case_id, one.account_id, row[15], row[19], one.channel, one.template, rendered.language,
        amount, row[20], rendered.subject, rendered.text, rendered.html, pdf or None,
    )  # fmt: skip


_KEPT_NAMES = (
    "effects", "cases", "accounts", "parties", "contacts", "channels", "templates", "languages", "amounts",
    "recipients", "subjects", "texts", "htmls", "pdfs",
)  # fmt: skip


def _keep(tx: Tx, kept: list[tuple[Any, ...]], now: datetime) -> None:
    if kept:
        columns = {name: list(column) for name, column in zip(_KEPT_NAMES, zip(*kept, strict=True), strict=True)}
        tx.run(SQL.keep, {**columns, "partner": tx.partner_id, "now": now})
