"""From a context to a finished message: text for SMS, text and HTML for e-mail, a body for a letter. Pure.

What the law or decency demands of a message is asserted here (`check.missing`), so that a sentence gone wrong in a
translation becomes a refusal and a task, never a message.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, select_autoescape

from relight.flow.messages import gsm7
from relight.flow.messages.catalog import ASKING, NAMED, TEMPLATES, WITH_TERM, fill, in_tone, words_of
from relight.flow.messages.check import missing
from relight.flow.messages.colours import WHITE, readable, text_on
from relight.flow.messages.context import MessageContext, WrongContext
from relight.flow.messages.facts import facts_of, helpers_of, ways_to_reach
from relight.flow.messages.formats import long_date, money, short_date
from relight.flow.messages.port import Channel

_WITH_HELP = ASKING | {"contact_attempt", "security_demand"}


class UnfitMessage(ValueError):
    """A message lacks something that it must hold; it is not sent, and a person is told which."""


@dataclass(frozen=True, slots=True)
class Body:
    """What an e-mail and a letter say, as plain strings in reading order. Empty tuples are left out of the layout."""

    language: str
    subject: str
    heading: str
    greeting: str
    before: tuple[str, ...]
    claims: tuple[tuple[str, str, str], ...]  # reference, due date, amount
    total: str
    payment: tuple[tuple[str, str], ...]  # label, value
    own_way: str
    after: tuple[str, ...]
    helpers: tuple[tuple[str, str], ...]  # who, and how to reach them
    help_text: str
    closing: tuple[str, ...]
    footer: str
    pay_url: str  # empty when nothing is asked for
    dated: str
    regarding: str
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished message. `html` is for e-mail, `body` for e-mail and letters (see `letter.letter_pdf`)."""

    template: str
    channel: Channel
    language: str
    subject: str
    text: str
    html: str = ""
    body: Body | None = None


def render(template: str, channel: Channel, context: MessageContext) -> Rendered:
    """The message `template` for one customer on one channel.

    Raises `WrongContext` when a fact is missing or wrong, `UnfitMessage` when the result lacks what it must hold.
    """
    if template not in TEMPLATES:
        raise WrongContext(f"template {template!r}: one of {', '.join(TEMPLATES)}")
    _require(template, context)
    made = _sms(template, context) if channel is Channel.SMS else _written(template, channel, context)
    lacks = missing(template, channel, context, made.text)
    if lacks:
        raise UnfitMessage(f"{template} by {channel} in {context.language} lacks {', '.join(lacks)}")
    return made


def _require(template: str, context: MessageContext) -> None:
    if template in WITH_TERM and (context.pay_by is None or context.term is None):
        raise WrongContext(f"{template}: needs pay_by and term, the days that the notice gives")
    if template == "fourteen_day_letter" and context.collection_cost is None:
        raise WrongContext("fourteen_day_letter: needs collection_cost, the sum that it announces (BW 6:96 lid 6)")
    if template == "payment_received" and context.amount_paid is None:
        raise WrongContext("payment_received: needs amount_paid")
    if template in ("collection_notice", "collection_failed") and (context.draw is None or not context.draw.bills):
        raise WrongContext(f"{template}: needs draw, what is drawn from which bills, and when")
    if template in ASKING and context.amount_due <= 0:
        raise WrongContext(f"{template}: asks for money, but amount_due is {context.amount_due}")


def _sms(template: str, context: MessageContext) -> Rendered:
    words = words_of(context.language)
    facts = dict(facts_of(context))
    facts["pay"] = fill(words["sms_pay"], facts)
    text = fill(in_tone(words["templates"][template]["sms"], context.tone), facts)
    return Rendered(template, Channel.SMS, context.language, subject="", text=gsm7.fold(text))


def _written(template: str, channel: Channel, context: MessageContext) -> Rendered:
    body = compose(template, context)
    layout = {"body": body, "brand": context.brand}
    text = _layouts().get_template("email.txt").render(layout).strip() + "\n"
    html = ""
    if channel is Channel.EMAIL:
        colour = context.brand.colour
        html = (
            _layouts()
            .get_template("email.html")
            .render(layout, button=colour, on_button=text_on(colour), ink=readable(colour, WHITE))
        )
    return Rendered(template, channel, context.language, body.subject, text, html, body)


def compose(template: str, context: MessageContext) -> Body:
    """What the message says, before a layout is chosen."""
    words, facts = words_of(context.language), facts_of(context)
    common = {key: fill(value, facts) for key, value in words["words"].items()}
    said = words["templates"][template]
    asks = template in ASKING or (template == "payment_received" and context.amount_due > 0)
    opening = [in_tone(said["opening"], context.tone)] if "opening" in said else []
    return Body(
        language=context.language,
        subject=fill(said["subject"], facts),
        heading=fill(said["heading"], facts),
        greeting=common["hello_name"] if context.first_name else common["hello"],
        before=_filled([*opening, *_paragraphs(template, said)], facts),
        claims=_claims(context, common) if asks else (),
        total=money(context.amount_due, context.currency, context.language),
        payment=_payment(context, common, facts) if asks else (),
        own_way=common["own_way"] if asks else "",
        after=_filled(said.get("after", ()), facts),
        helpers=_helpers(context) if template in _WITH_HELP else (),
        help_text=common["help_text"],
        closing=(common["regards"], str(facts["brand"])),
        footer=common["footer"],
        pay_url=context.pay_url if asks else "",
        dated=long_date(context.dated, context.language),
        regarding=context.service_address,
        words=common,
    )


def _paragraphs(template: str, said: Mapping[str, Any]) -> list[str]:
    body = said.get("body", ())
    # Named paragraphs are those that a law asks for; their order is ours, so that a translation cannot lose one.
    return [body[name] for name in NAMED[template]] if isinstance(body, Mapping) else list(body)


def _filled(sentences: Iterable[str], facts: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(text for text in (fill(sentence, facts) for sentence in sentences) if text)


def _claims(context: MessageContext, common: Mapping[str, str]) -> tuple[tuple[str, str, str], ...]:
    language, currency = context.language, context.currency
    rows = [
        (claim.reference, short_date(claim.due_date, language), money(claim.amount, currency, language))
        for claim in context.claims
    ]
    if context.claims and context.fees:
        rows.append((common["fees"], "", money(context.fees, currency, language)))
    if context.claims and context.late_interest:
        rows.append((common["late_interest"], "", money(context.late_interest, currency, language)))
    return tuple(rows)


def _payment(
    context: MessageContext, common: Mapping[str, str], facts: Mapping[str, object]
) -> tuple[tuple[str, str], ...]:
    rows = (
        (common["amount_due"], facts["amount"]),
        (common["pay_by"], facts["pay_by"]),
        (common["creditor"], context.creditor),
        (common["account"], context.account),
        (facts["reference_word"], context.reference),
    )
    return tuple((_upper(str(label)), str(value)) for label, value in rows if value)


def _helpers(context: MessageContext) -> tuple[tuple[str, str], ...]:
    return tuple((_upper(contact.name), ways_to_reach(contact)) for contact in helpers_of(context))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


@lru_cache(maxsize=1)
def _layouts() -> Environment:
    folder = resources.files("relight.flow.messages") / "templates" / "layout"
    sources = {name: (folder / name).read_text(encoding="utf-8") for name in ("email.txt", "email.html")}
    return Environment(
        loader=DictLoader(sources),
        undefined=StrictUndefined,
        autoescape=select_autoescape(("html",)),
        trim_blocks=True,
        lstrip_blocks=True,
    )
