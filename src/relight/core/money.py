"""Money on the road: whole minor units with a currency code, read from and written to text without a float."""

import re
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency

MINOR_DIGITS = {"NOK": 2, "DKK": 2, "EUR": 2, "SEK": 2, "GBP": 2}
COUNTRY_CURRENCY = {"NO": "NOK", "DK": "DKK", "NL": "EUR", "SE": "SEK", "DE": "EUR", "GB": "GBP", "BE": "EUR"}
LANGUAGES = ("nb", "da", "nl", "sv", "en", "de")
MINOR_MAX = 10**15  # a bigint holds nine thousand times as much; an invoice never comes near

# English puts the code right against the digits ("NOK1,234.50"), which reads badly aloud and on a screen.
_CODE_FIRST = "¤\xa0#,##0.00"
_SIGNS = frozenset({"EUR", "GBP"})
_PLAIN = re.compile(r"([+-]?)([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_MINUS_SIGNS = str.maketrans({"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-"})


class NotAnAmount(ValueError):
    """The text is not an amount of that currency; the message says what is wrong with it."""


class UnknownCurrency(KeyError):
    """Relight does not know the currency."""


def parse_amount(text: str, currency: str, *, decimal: str = ".", grouping: str = "") -> int:
    """Read an amount into minor units, exactly: "1234.5" NOK is 123450.

    `decimal` is the sign before the minor units; the characters of `grouping` (often " " or ".") may split the whole
    units into threes. Zeros beyond the currency's digits are allowed, other digits are refused and never rounded.
    Raises `NotAnAmount` or `UnknownCurrency`.
    """
    digits = minor_digits(currency)
    plain = _to_plain(text, decimal, grouping)
    form = _PLAIN.fullmatch(plain)
    if form is None:
        raise NotAnAmount(f"{text[:40]!r} is not an amount; write it like 1234{decimal}50")
    sign, whole, fraction = form[1], form[2], form[3] or ""
    if fraction[digits:].strip("0"):
        raise NotAnAmount(f"{text[:40]!r} has more than {digits} decimals, which {currency} does not have")
    if len(whole) > len(str(MINOR_MAX)):
        raise NotAnAmount(f"{text[:40]!r} is larger than any invoice")
    minor = int(whole + fraction[:digits].ljust(digits, "0"))
    if minor > MINOR_MAX:
        raise NotAnAmount(f"{text[:40]!r} is larger than any invoice")
    return -minor if sign == "-" else minor


def format_amount(minor: int, currency: str, language: str) -> str:
    """Write minor units as a customer reads them, with no-break spaces: 123450 NOK in nb is "1 234,50 kr".

    Languages: nb, da, nl, sv, en, de. Raises `UnknownCurrency` or KeyError for a language that has no texts.
    """
    if language not in LANGUAGES:
        raise KeyError(f"no amounts in {language!r}; there are {', '.join(LANGUAGES)}")
    code_first = _CODE_FIRST if language == "en" and currency not in _SIGNS else None
    return format_currency(to_decimal(minor, currency), currency, format=code_first, locale=_locale(language))


def to_decimal(minor: int, currency: str) -> Decimal:
    """The exact amount in whole units, for files and libraries that want it so. Raises TypeError for a fraction."""
    if type(minor) is not int:
        raise TypeError(f"{minor!r} is not a whole number of minor units")
    digits = minor_digits(currency)
    return Decimal((int(minor < 0), tuple(int(digit) for digit in str(abs(minor))), -digits))


def minor_digits(currency: str) -> int:
    """How many decimals a currency has; raises `UnknownCurrency`."""
    digits = MINOR_DIGITS.get(currency)
    if digits is None:
        raise UnknownCurrency(f"unknown currency {currency!r}; there are {', '.join(MINOR_DIGITS)}")
    return digits


def _to_plain(text: str, decimal: str, grouping: str) -> str:
    plain = (
        text.strip()
        .translate(_MINUS_SIGNS)
        .replace("\N{NO-BREAK SPACE}", " ")
        .replace("\N{NARROW NO-BREAK SPACE}", " ")
    )
    whole, found, fraction = plain.partition(decimal)
    for mark in grouping:
        if mark in whole:
            whole = _ungrouped(text, whole, mark)
    if "." in whole:  # not the sign before the minor units here: "10.00" may mean ten or a thousand
        raise NotAnAmount(f"{text[:40]!r} is not an amount; write it like 1234{decimal}50")
    return f"{whole}.{fraction}" if found else whole


def _ungrouped(text: str, whole: str, mark: str) -> str:
    first, *rest = whole.split(mark)
    if not 1 <= len(first.lstrip("+-")) <= 3 or any(len(group) != 3 for group in rest):
        raise NotAnAmount(
            f"{text[:40]!r} is not grouped in threes; it cannot be told whether {mark!r} is a decimal sign"
        )
    return first + "".join(rest)


@lru_cache(maxsize=len(LANGUAGES))
def _locale(language: str) -> Locale:
    return Locale.parse("en_GB" if language == "en" else language)
