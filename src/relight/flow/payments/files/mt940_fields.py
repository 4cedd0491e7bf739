"""MT940 as fields, and what stands in them: `:61:` is one entry, `:86:` what the payer and the bank say of it.

Source: SWIFT's MT940 layout (6!n[4!n]2a[1!a]15d1!a3!c16x[//16x]); `:86:` as German (?20),
Dutch (/REMI/) and other banks fill it in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import IO

from relight.core.money import NotAnAmount, UnknownCurrency, parse_amount
from relight.flow.claims.cells import UNREADABLE

_LINE_BYTES_MAX = 4_096
_LINES_MAX = 60  # of one field
_TAG = re.compile(r":(\d{2}[A-Z]?):(.*)", re.ASCII)
_END = ("-", "-}")
_ENTRY = re.compile(
    r"(?P<value>\d{6})(?P<day>\d{4}|    )?(?P<mark>R?[CD]|E[CD])[A-Z]?(?P<amount>\d{1,12},\d{0,2})"
    r"[A-Z][A-Z0-9]{3}(?P<reference>.{0,35}?)(//(?P<bank>.{0,35}))?",
    re.ASCII,
)
_BALANCE = re.compile(r"(?P<mark>[CD])(?P<day>\d{6})(?P<currency>[A-Z]{3})(?P<amount>\d{1,15},\d{0,2})", re.ASCII)
_NUMBER = re.compile(r"(\d{1,5})(?:/(\d{1,5}))?", re.ASCII)
_SUBFIELD = re.compile(r"\?(\d\d)", re.ASCII)
_SEPA = re.compile(r"(EREF|KREF|MREF|CRED|DEBT|SVWZ|ABWA|ABWE|IBAN|BIC)\+")
_WORD = re.compile(r"/(EREF|PREF|REMI|IBAN|BIC|NAME|CSID|MARF|RTRN|TRTP|ORDP|BENM|CNTP|USTD|STRD|ULTD|PURP|ADDR)(?=/)")


@dataclass(slots=True)
class Field:
    """One field: where it begins, its tag, its lines. `tag` is empty for the end of a message."""

    line: int
    tag: str
    texts: list[str] = field(default_factory=list[str])
    is_broken: bool = False


def fields_of(file: IO[bytes]) -> Iterator[Field]:
    """The fields in order; what stands before the first one (SWIFT's envelopes) is left out."""
    open_: Field | None = None
    at = 0
    while raw := file.readline(_LINE_BYTES_MAX):
        at += 1
        text = _decoded(raw).rstrip("\r\n")
        found = _TAG.match(text)
        is_end = text.strip() in _END or text.startswith(_END[1])
        if (found or is_end) and open_ is not None:
            yield open_
            open_ = None
        if found:
            open_ = Field(at, found[1], [found[2]])
        elif is_end:
            yield Field(at, "")
        elif open_ is not None and not text.startswith("{"):
            open_.is_broken |= len(open_.texts) >= _LINES_MAX or len(raw) >= _LINE_BYTES_MAX
            if not open_.is_broken:
                open_.texts.append(text)
    if open_ is not None:
        yield open_


def _decoded(raw: bytes) -> str:
    """A line as text; what no text holds (a NUL that crept in) is marked, and keeps its place."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    return UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", text)


class NotAField(ValueError):
    """A field that is not laid out as it must be; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class EntryLine:
    """What `:61:` says. `amount` in minor units; `mark` one of C, D, RC, RD, EC, ED."""

    booked: date
    value: date
    mark: str
    amount: int
    reference: str
    bank_reference: str


def entry_line(text: str, currency: str) -> EntryLine:
    """Read `:61:`'s first line. Raises `NotAField`."""
    found = _ENTRY.fullmatch(text.rstrip())
    if found is None:
        raise NotAField("The entry is not laid out as :61: must be. Fetch the file again.")
    value = day_of(found["value"])
    return EntryLine(
        _booked(value, (found["day"] or "").strip()), value, found["mark"], _amount(found["amount"], currency),
        (found["reference"] or "").strip(), (found["bank"] or "").strip(),
    )  # fmt: skip


def _booked(value: date, day: str) -> date:
    """The entry's own day has no year: it is the one nearest to the value date."""
    if not day:
        return value
    try:
        days = [date(year, int(day[:2]), int(day[2:])) for year in (value.year - 1, value.year, value.year + 1)]
    except ValueError:
        if day == "0229":
            return value
        raise NotAField(f"There is no such day as {day}. Fetch the file again.") from None
    return min(days, key=lambda one: abs((one - value).days))


def balance(text: str) -> tuple[int, str, date]:
    """A balance, signed, its currency and day. Raises `NotAField`."""
    found = _BALANCE.fullmatch(text.strip())
    if found is None:
        raise NotAField("The balance is not laid out as :60: and :62: must be. Fetch the file again.")
    amount = _amount(found["amount"], found["currency"])
    return amount if found["mark"] == "C" else -amount, found["currency"], day_of(found["day"])


def number_of(text: str) -> tuple[int | None, int]:
    """A statement's number and page (`:28C:`); None where it has none that can be read, or zero."""
    found = _NUMBER.fullmatch(text.strip())
    return (int(found[1]) or None, int(found[2] or 1) or 1) if found else (None, 1)


def day_of(digits: str) -> date:
    """A day written YYMMDD. Raises `NotAField`."""
    year = int(digits[:2])
    try:
        return date(year + (1900 if year >= 70 else 2000), int(digits[2:4]), int(digits[4:]))
    except ValueError:
        raise NotAField(f"There is no such day as {digits}. Fetch the file again.") from None


def _amount(text: str, currency: str) -> int:
    try:
        return parse_amount(text.rstrip(","), currency, decimal=",")
    except UnknownCurrency as refused:
        raise NotAField(f"{refused.args[0].capitalize()}.") from None
    except NotAnAmount as refused:
        raise NotAField(f"{refused}.") from None


@dataclass(frozen=True, slots=True)
class Told:
    """What `:86:` says, as far as it can be told apart; `text` is all of it."""

    text: str = ""
    reference: str = ""
    end_to_end: str = ""
    payer: str = ""
    payer_account: str = ""
    is_return: bool = False


def told(lines: list[str]) -> Told:
    """Read `:86:`, whichever way the bank fills it in; nothing of it is needed."""
    joined = "".join(lines)
    if _SUBFIELD.search(joined):
        return _german(joined)
    if _WORD.search(joined):
        return _in_words(joined)
    return Told(" ".join(" ".join(lines).split()))


def _german(text: str) -> Told:
    pieces = _SUBFIELD.split(text)
    found: dict[str, str] = {}
    for key, value in zip(pieces[1::2], pieces[2::2], strict=True):
        found[key] = found.get(key, "") + value
    purpose = "".join(value for key, value in sorted(found.items()) if "20" <= key <= "29" or "60" <= key <= "63")
    words = _SEPA.split(purpose)
    tagged: dict[str, str] = dict(zip(words[1::2], (value.strip() for value in words[2::2]), strict=True))
    return Told(
        text=purpose,
        reference=tagged.get("SVWZ", "" if tagged else purpose.strip()),
        end_to_end=tagged.get("EREF", ""),
        payer=(found.get("32", "") + found.get("33", "")).strip(),
        payer_account=(found.get("31") or tagged.get("IBAN") or "").strip(),
    )


def _in_words(text: str) -> Told:
    pieces = _WORD.split(text)
    found: dict[str, str] = {}
    for key, value in zip(pieces[1::2], pieces[2::2], strict=True):
        found.setdefault(key, value.strip("/ "))
    iban, _, rest = found.get("CNTP", "").partition("/")
    structured = found.get("STRD", "").split("/")[-1].strip()
    return Told(
        text=text,
        reference=structured or found.get("USTD", "") or found.get("REMI", ""),
        end_to_end=found.get("EREF", ""),
        payer=found.get("NAME", "") or rest.partition("/")[2].split("/")[0],
        payer_account=found.get("IBAN", "") or iban,
        is_return="RTRN" in found,
    )
