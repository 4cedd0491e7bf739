"""Cells into values: amounts, days, yes and no, phone numbers. Each refusal says what to write instead."""

import json
import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from relight.core.money import NotAnAmount, parse_amount
from relight.flow.claims.cells import Cell

YEAR_MIN, YEAR_MAX = 1970, 2100
AMOUNT_MAX = 10**12  # minor units; an invoice of ten thousand million is a slip of the hand
TEXT_CHARACTERS_MAX = 500

_TOKENS = {"YYYY": r"(?P<y>\d{4})", "MM": r"(?P<m>\d{2})", "DD": r"(?P<d>\d{2})", "M": r"(?P<m>\d{1,2})",
           "D": r"(?P<d>\d{1,2})"}  # fmt: skip
_TOKEN = re.compile("YYYY|MM|DD|M|D")
_YES = frozenset(("yes", "y", "true", "1", "ja", "j", "x", "oui"))
_NO = frozenset(("no", "n", "false", "0", "nei", "nej", "nee", "nein"))
_EMAIL = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}")
# Country calling code, and how many digits a national number has without its leading zero (ITU-T E.164).
_PHONES = {
    "NO": ("47", 8, 8), "DK": ("45", 8, 8), "SE": ("46", 7, 9), "NL": ("31", 9, 9), "BE": ("32", 8, 9),
    "DE": ("49", 6, 11), "GB": ("44", 9, 10),
}  # fmt: skip
# Numbers that never get an SMS: in these countries the first digits tell mobile from fixed.
_MOBILE_STARTS = {"NO": ("4", "9", "58", "59"), "NL": ("6",), "SE": ("7",), "GB": ("7",), "DE": ("15", "16", "17")}


class NotAValue(ValueError):
    """A cell that cannot be read; the message is a sentence for whoever mends the file."""


def text_of(cell: Cell) -> str:
    """A cell as text, without spaces around; raises `NotAValue` when it is too long to be one."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    text = (cell if isinstance(cell, str) else cell.isoformat()).strip()
    if len(text) > TEXT_CHARACTERS_MAX:
        raise NotAValue(f"The text has more than {TEXT_CHARACTERS_MAX} characters. Shorten it.")
    return text


def amount_of(cell: Cell, currency: str, decimal: str, grouping: str) -> int:
    """A cell as minor units; raises `NotAValue` or `UnknownCurrency`."""
    try:
        if isinstance(cell, Decimal):
            minor = parse_amount(format(cell, "f"), currency)
        else:
            minor = parse_amount(text_of(cell), currency, decimal=decimal, grouping=grouping)
    except NotAnAmount as refused:
        raise NotAValue(f"{refused}.") from None
    if abs(minor) > AMOUNT_MAX:
        raise NotAValue(f"{text_of(cell)[:40]} is too large for an invoice. Check the decimal sign.")
    return minor


def date_of(cell: Cell, formats: tuple[str, ...]) -> date:
    """A cell as a day, by the first of `formats` that fits (such as DD.MM.YYYY); raises `NotAValue`."""
    found = cell if isinstance(cell, date) else _read_date(text_of(cell), formats)
    if not YEAR_MIN <= found.year <= YEAR_MAX:
        raise NotAValue(f"The year {found.year} cannot be right. Correct the date.")
    return found


@lru_cache(maxsize=20_000)
def _read_date(text: str, formats: tuple[str, ...]) -> date:
    for form in formats:
        found = _date_pattern(form).fullmatch(text)
        if found is None:
            continue
        try:
            return date(int(found["y"]), int(found["m"]), int(found["d"]))
        except ValueError:
            raise NotAValue(f"There is no such day as {text}. Correct the date.") from None
    raise NotAValue(f"{text[:40]!r} is not a date. Write it as {' or '.join(formats)}.")


@lru_cache
def _date_pattern(form: str) -> re.Pattern[str]:
    pieces = _TOKEN.split(form)
    tokens = _TOKEN.findall(form)
    pattern = re.escape(pieces[0])
    for token, piece in zip(tokens, pieces[1:], strict=True):
        pattern += _TOKENS[token] + re.escape(piece)
    return re.compile(pattern, re.ASCII)


def is_date_format(form: str) -> bool:
    """Whether a text says where year, month and day stand."""
    return {token[0] for token in _TOKEN.findall(form)} == {"Y", "M", "D"} and len(_TOKEN.findall(form)) == 3


def yes_or_no(text: str) -> bool | None:
    """Yes or no in the languages of our customers; None for anything else."""
    word = text.casefold()
    return True if word in _YES else False if word in _NO else None


def word_of(text: str, words: tuple[str, ...]) -> str:
    """One of `words`, whatever its case; raises `NotAValue` with all of them."""
    word = text.casefold().replace(" ", "_")
    if word not in words:
        raise NotAValue(f"{text[:40]!r} is none of {', '.join(words)}. Use one of these.")
    return word


def mobile_of(text: str, country: str) -> str:
    """A mobile number as E.164, read as the people of `country` write it; raises `NotAValue`."""
    digits = re.sub(r"[\s().\-/]", "", text)
    code, shortest, longest = _PHONES.get(country, ("", 6, 13))
    if digits.startswith("00"):
        digits = f"+{digits[2:]}"
    if not digits.startswith("+"):
        if not code:
            raise NotAValue(f"{text[:40]!r} has no country code. Write it like +4790000000.")
        digits = f"+{code}{digits.removeprefix('0')}"
    national = digits[1 + len(code) :] if code and digits.startswith(f"+{code}") else ""
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", digits) or (national and not shortest <= len(national) <= longest):
        raise NotAValue(f"{text[:40]!r} is not a phone number. Write it with its country code, like +4790000000.")
    if national and not national.startswith(_MOBILE_STARTS.get(country, ("",))):
        raise NotAValue(f"{text[:40]!r} is not a mobile number, so no SMS can reach it. Give a mobile number.")
    return digits


def email_of(text: str) -> str:
    """An e-mail address, its domain in lower case; raises `NotAValue`."""
    if not _EMAIL.fullmatch(text) or len(text) > 254:
        raise NotAValue(f"{text[:60]!r} is not an e-mail address. Correct it, or leave it empty.")
    name, _, domain = text.rpartition("@")
    return f"{name}@{domain.lower()}"


def object_of(text: str) -> str:
    """A JSON object, as text; raises `NotAValue`."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise NotAValue('This must be a JSON object, like {"username": "kari"}.')
    return json.dumps(found, sort_keys=True)
