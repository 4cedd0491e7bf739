"""Every template in every language on every channel, before a customer meets one: the gate for a translator's change.

Messages are rendered with typical values of a country, so that lengths mean something.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from jinja2 import TemplateError

from relight.flow.messages import gsm7
from relight.flow.messages.catalog import NOTICE_ELEMENTS, TEMPLATES, words_of
from relight.flow.messages.context import (
    LANGUAGES,
    Brand,
    ClaimItem,
    MessageContext,
    Term,
    TermUnit,
    Tone,
    WrongContext,
)
from relight.flow.messages.port import Channel
from relight.flow.messages.render import UnfitMessage, render

SMS_PARTS_MAX = 2
# The most common messages should cost one part.
ONE_PART = frozenset({"friendly_reminder", "payment_received", "restored"})

_FORBIDDEN_IN_ANY_TONE = ("<", "http://", "https://")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend before this template may be used."""

    language: str
    template: str
    channel: str
    message: str


def lint(languages: tuple[str, ...] = LANGUAGES) -> list[Finding]:
    """Everything wrong with the catalogs of `languages`; empty when they may be used."""
    return [finding for language in languages for finding in _language(language)]


def _language(language: str) -> Iterator[Finding]:
    said = words_of(language)["templates"]
    yield from (Finding(language, name, "", "is missing") for name in TEMPLATES if name not in said)
    yield from (Finding(language, name, "", "is not a template that we use") for name in said if name not in TEMPLATES)
    yield from _notice(language, said.get("disconnect_notice", {}).get("body", {}))
    for template in (name for name in TEMPLATES if name in said):
        for sentence in _sentences(said[template]):
            if any(part in sentence for part in _FORBIDDEN_IN_ANY_TONE):
                yield Finding(language, template, "", f"holds markup or an address: {sentence!r}")
        for channel in Channel:
            for tone in Tone:
                yield from _rendered(template, channel, replace(sample(language, template), tone=tone))


def _notice(language: str, body: object) -> Iterator[Finding]:
    named = body if isinstance(body, dict) else {}
    for element in NOTICE_ELEMENTS:
        if not named.get(element):
            yield Finding(language, "disconnect_notice", "", f"lacks the paragraph {element!r} that the law asks for")


def _sentences(said: object) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict):
        for part in said.values():
            yield from _sentences(part)
    elif isinstance(said, list):
        for part in said:
            yield from _sentences(part)


def _rendered(template: str, channel: Channel, context: MessageContext) -> Iterator[Finding]:
    try:
        made = render(template, channel, context)
    except (UnfitMessage, WrongContext, TemplateError, KeyError) as wrong:
        yield Finding(context.language, template, channel, f"{type(wrong).__name__}: {wrong}")
        return
    if channel is Channel.SMS:
        parts_max = 1 if template in ONE_PART else SMS_PARTS_MAX
        if gsm7.parts(made.text) > parts_max:
            yield Finding(context.language, template, channel, f"takes more than {parts_max} part(s): {made.text}")
        if "?" in made.text.replace("? ", ""):
            yield Finding(context.language, template, channel, f"holds a letter that SMS lacks: {made.text}")


def sample(language: str, template: str) -> MessageContext:
    """A typical customer of a typical company where `language` is spoken."""
    settled = template == "payment_received"
    return MessageContext(
        language=language,
        dated=date(2026, 11, 5),
        amount_due=0 if settled else 123_450,
        amount_paid=123_450 if settled else None,
        claims=() if settled else (ClaimItem("104412", date(2026, 9, 20), 80_000), _LATER),
        fees=0 if settled else 3_750,
        pay_by=date(2026, 12, 3),
        term=Term(4, TermUnit.WEEKS),
        cut_date=date(2026, 12, 9),
        first_name="Kari",
        service_address="Storgata 1",
        recipient=("Kari Nordmann", "Storgata 1", "5003 Bergen"),
        **_TYPICAL[language],
    )


_LATER = ClaimItem("118841", date(2026, 10, 20), 39_700)
_FJORDNETT: dict[str, Any] = {
    "country": "NO",
    "currency": "NOK",
    "creditor": "Fjordnett AS",
    "brand": Brand("Fjordnett", "fjordnett.no", "55 00 00 00", address=("Postboks 12", "5003 Bergen")),
    "reference": "12345678903",
    "account": "1503.22.33445",
    "pay_url": "https://betal.fjordnett.no/p/Xq3fKz7",
    "service": "electricity_grid",
}
_TYPICAL: dict[str, dict[str, Any]] = {
    "nb": _FJORDNETT,
    "en": _FJORDNETT | {"service": "broadband"},
    "da": {
        "country": "DK",
        "currency": "DKK",
        "creditor": "Bæltforsyning A/S",
        "brand": Brand("Bæltforsyning", "baeltforsyning.dk", "70 00 00 00", address=("Havnegade 1", "5800 Nyborg")),
        "reference": "+71<123456789012347+81234567<",
        "account": "",
        "pay_url": "https://betal.baeltforsyning.dk/Xq3",
        "service": "electricity",
    },
    "nl": {
        "country": "NL",
        "currency": "EUR",
        "creditor": "Stadswarmte B.V.",
        "brand": Brand("Stadswarmte", "stadswarmte.nl", "088 000 0000", address=("Postbus 12", "1000 AA Amsterdam")),
        "reference": "1234567890123456",
        "account": "NL91ABNA0417164300",
        "pay_url": "https://pay.stadswarmte.nl/p/Xq3fKz7",
        "service": "heat",
    },
    "de": {
        "country": "DE",
        "currency": "EUR",
        "creditor": "Stadtwerke Auental GmbH",
        "brand": Brand("Stadtwerke Auental", "sw-auental.de", "0800 000000", address=("Am Ufer 1", "99999 Auental")),
        "reference": "RF18539007547034",
        "account": "DE89370400440532013000",
        "pay_url": "https://pay.sw-auental.de/p/Xq3fKz7",
        "service": "electricity",
    },
}
