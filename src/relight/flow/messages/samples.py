"""A typical customer of a typical company, for every language and country: what lint and the proof of texts render."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from relight.flow.messages.context import Brand, ClaimItem, Draw, Interest, MessageContext, Term, TermUnit

_SPOKEN_IN = {"nb": "NO", "da": "DK", "nl": "NL", "en": "NO", "de": "DE"}
_LATER = ClaimItem("118841", date(2026, 10, 20), 39_700)


def sample(language: str, template: str, country: str = "", service: str = "") -> MessageContext:
    """A customer where `language` is spoken, or in `country`, with the country's usual service or another kind of it.

    Raises KeyError for a country that we know no company of.
    """
    settled = template == "payment_received"
    typical = dict(COMPANIES[country or _SPOKEN_IN[language]])
    if service or (language == "en" and not country):
        typical["service"] = service or "broadband"
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
        collection_cost=18_517,
        security=90_000,
        plan_months=(12, 24),
        plan_parts=tuple((date(2026, 12, 3) + timedelta(days=30 * number), 41_150) for number in range(3)),
        missed=(date(2026, 11, 3), 41_150),
        draw=Draw(date(2026, 12, 14), (("104412", 80_000), ("118841", 43_450)), "M-2026-77", "NL79ZZZ999999990000"),
        interest=Interest(Decimal("12.5"), date(2026, 9, 21)),
        first_name="Kari",
        service_address="Storgata 1",
        recipient=("Kari Nordmann", "Storgata 1", "5003 Bergen"),
        **typical,
    )


COMPANIES: Mapping[str, Mapping[str, Any]] = {
    "NO": {
        "country": "NO",
        "currency": "NOK",
        "creditor": "Fjordnett AS",
        "brand": Brand("Fjordnett", "fjordnett.no", "55 00 00 00", address=("Postboks 12", "5003 Bergen")),
        "reference": "12345678903",
        "account": "1503.22.33445",
        "pay_url": "https://betal.fjordnett.no/p/Xq3fKz7",
        "service": "electricity_grid",
    },
    "DK": {
        "country": "DK",
        "currency": "DKK",
        "creditor": "Bæltforsyning A/S",
        "brand": Brand("Bæltforsyning", "baeltforsyning.dk", "70 00 00 00", address=("Havnegade 1", "5800 Nyborg")),
        "reference": "+71<123456789012347+81234567<",
        "account": "",
        "pay_url": "https://betal.baeltforsyning.dk/Xq3",
        "service": "electricity",
    },
    "NL": {
        "country": "NL",
        "currency": "EUR",
        "creditor": "Stadswarmte B.V.",
        "brand": Brand("Stadswarmte", "stadswarmte.nl", "088 000 0000", address=("Postbus 12", "1000 AA Amsterdam")),
        "reference": "1234567890123456",
        "account": "NL91ABNA0417164300",
        "pay_url": "https://pay.stadswarmte.nl/p/Xq3fKz7",
        "service": "heat",
    },
    "SE": {
        "country": "SE",
        "currency": "SEK",
        "creditor": "Mälarnät AB",
        "brand": Brand("Mälarnät", "malarnat.se", "010-000 00 00", address=("Box 12", "722 00 Västerås")),
        "reference": "1234567897",
        "account": "123-4567",
        "pay_url": "https://pay.malarnat.se/p/Xq3fKz7",
        "service": "electricity_grid",
    },
    "DE": {
        "country": "DE",
        "currency": "EUR",
        "creditor": "Stadtwerke Auental GmbH",
        "brand": Brand("Stadtwerke Auental", "sw-auental.de", "0800 000000", address=("Am Ufer 1", "99999 Auental")),
        "reference": "RF18539007547034",
        "account": "DE89370400440532013000",
        "pay_url": "https://pay.sw-auental.de/p/Xq3fKz7",
        "service": "electricity",
    },
    "GB": {
        "country": "GB",
        "currency": "GBP",
        "creditor": "Severn Power Ltd",
        "brand": Brand("Severn", "severn.uk", "0800 000 000", address=("1 Quay Street", "Bristol BS1 0AA")),
        "reference": "SP1234567890",
        "account": "20-00-00 12345678",
        "pay_url": "https://pay.severn.uk/p/Xq3fKz7",
        "service": "electricity",
    },
}
