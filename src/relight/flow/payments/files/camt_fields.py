"""Fields of camt messages: sums, days, states and references, the same in versions 2 to 13 (ISO 20022).

A field that cannot be read raises `Unreadable` with its name and a sentence; it never becomes a guess.
"""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

from relight.core import moments
from relight.core.money import NotAnAmount, UnknownCurrency, minor_digits, parse_amount
from relight.flow.claims.parse import AMOUNT_MAX, YEAR_MAX, YEAR_MIN
from relight.flow.payments.files.markup import Element

TEXT_CHARACTERS_MAX = 140
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(T|Z|[+-]|$)", re.ASCII)  # Python reads more than XML writes


class Unreadable(ValueError):
    """A field that cannot be read. `field` is the element's name; the message is a sentence."""

    def __init__(self, line: int, field: str, reason: str):
        super().__init__(reason)
        self.line, self.field = line, field


def only(element: Element, name: str) -> Element | None:
    """A child that may stand once at most. Raises `Unreadable` when it stands twice."""
    found = element.all(name)
    if len(found) > 1:
        raise Unreadable(found[1].line, name, f"{name} stands twice, and only one can be right. Ask the bank.")
    return found[0] if found else None


def needed(element: Element, name: str) -> Element:
    """A child that must be there, once. Raises `Unreadable`."""
    found = only(element, name)
    if found is None:
        raise Unreadable(element.line, name, f"{name} is missing. Ask the bank for the file again.")
    return found


def amount_of(amount: Element) -> tuple[int, str]:
    """A sum in minor units and its currency. Raises `Unreadable`, also for a currency that Relight does not keep."""
    currency = amount.attributes.get("Ccy", "").strip()
    text = amount.text.strip()
    try:
        minor_digits(currency)
        if not text.replace(".", "", 1).isdecimal() or not text.isascii():
            raise NotAnAmount(f"{text[:40]!r} is not an amount of XML, like 1234.50")
        found = parse_amount(text, currency)
    except UnknownCurrency as refused:
        raise Unreadable(amount.line, "Amt", f"{refused.args[0].capitalize()}.") from None
    except NotAnAmount as refused:
        raise Unreadable(amount.line, "Amt", f"{refused}.") from None
    if found > AMOUNT_MAX:
        raise Unreadable(amount.line, "Amt", f"{text[:40]} is too large for a payment. Ask the bank.")
    return found, currency


def is_credit(element: Element) -> bool:
    """Whether money came in. Raises `Unreadable` when it is not said."""
    found = needed(element, "CdtDbtInd")
    said = found.text.strip()
    if said not in ("CRDT", "DBIT"):
        raise Unreadable(found.line, "CdtDbtInd", f"{said[:20]!r} is neither CRDT nor DBIT. Ask the bank.")
    return said == "CRDT"


def is_reversal(element: Element) -> bool:
    """Whether the entry takes another one back. Raises `Unreadable`."""
    found = only(element, "RvslInd")
    said = found.text.strip() if found else "false"
    if said not in ("true", "false", "1", "0"):
        raise Unreadable(element.line, "RvslInd", f"{said[:20]!r} is neither true nor false. Ask the bank.")
    return said in ("true", "1")


def state_of(element: Element) -> str:
    """BOOK, PDNG, INFO or FUTR. Raises `Unreadable`."""
    found = needed(element, "Sts")
    said = found.words("Cd") or found.text.strip()
    if said not in ("BOOK", "PDNG", "INFO", "FUTR"):
        raise Unreadable(found.line, "Sts", f"{said[:20]!r} is not BOOK, PDNG, INFO or FUTR. Ask the bank.")
    return said


def day_of(element: Element, name: str) -> date | None:
    """A day (`BookgDt`, `ValDt`) as it is written, whatever its zone. Raises `Unreadable`."""
    found = only(element, name)
    text = (found.words("Dt") or found.words("DtTm")) if found else ""
    if not found or not text:
        return None
    try:
        if not _DAY.match(text):
            raise ValueError(text)
        day = date.fromisoformat(text[:10])
        if len(text) > 10:
            datetime.fromisoformat(text)
    except ValueError:
        raise Unreadable(found.line, name, f"There is no such day as {text[:40]!r}. Ask the bank.") from None
    if not YEAR_MIN <= day.year <= YEAR_MAX:
        raise Unreadable(found.line, name, f"The year {day.year} cannot be right. Ask the bank.")
    return day


def moment_of(text: str, zone: ZoneInfo) -> datetime | None:
    """A moment; without an offset it is in the partner's zone. None for what is none."""
    try:
        return moments.moment_of(text, zone)
    except ValueError:
        return None


def number_of(text: str) -> int | None:
    """A statement's or page's number; None where there is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def account_of(account: Element | None) -> str:
    """An account's number: IBAN, else the bank's own form, without spaces; empty where none is told."""
    if account is None:
        return ""
    found = account.words("Id", "IBAN") or account.words("Id", "Othr", "Id") or account.words("Id", "PrtryAcct", "Id")
    return found.replace(" ", "")[:TEXT_CHARACTERS_MAX]


def short(text: str) -> str:
    """A text in one line, and no longer than a bank's fields are."""
    return " ".join(text.split())[:TEXT_CHARACTERS_MAX]
