"""Money and dates as a customer writes them, in the five languages."""

from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal, get_currency_precision

_LOCALES = {"nb": "nb_NO", "da": "da_DK", "nl": "nl_NL", "en": "en_GB", "de": "de_DE"}
# English puts the code right against the digits ("NOK1,234.50"), which reads badly aloud and on a screen.
_CODE_FIRST = "¤\xa0#,##0.00"


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(_LOCALES[language])


@lru_cache(maxsize=4096)
def money(minor: int, currency: str, language: str) -> str:
    """`123450, "NOK", "nb"` → "1 234,50 kr" (with no-break spaces). `minor` counts the currency's smallest unit."""
    locale = _locale(language)
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    code_in_front = language == "en" and locale.currency_symbols.get(currency, currency) == currency
    return format_currency(amount, currency, format=_CODE_FIRST if code_in_front else None, locale=locale)


@lru_cache(maxsize=256)
def number(value: Decimal, language: str) -> str:
    """ "12,5", "12.5": without zeros that say nothing."""
    return format_decimal(value, locale=_locale(language))


@lru_cache(maxsize=4096)
def long_date(day: date, language: str) -> str:
    """ "3. desember 2026", "3 December 2026"."""
    return format_date(day, "long", locale=_locale(language))


@lru_cache(maxsize=4096)
def short_date(day: date, language: str) -> str:
    """ "03.12.2026", "3 Dec 2026": for tables."""
    return format_date(day, "medium", locale=_locale(language))


@lru_cache(maxsize=4096)
def day_month(day: date, language: str) -> str:
    """ "3. desember", "3 December": for text messages, where the year is clear."""
    pattern = "d MMMM" if language in ("nl", "en") else "d. MMMM"
    return format_date(day, pattern, locale=_locale(language))


def unbroken(number: str) -> str:
    """A telephone or account number that stays on one line: its spaces become no-break spaces."""
    return number.replace(" ", "\xa0")


def date_and_time(moment: datetime, language: str) -> str:
    """ "3. desember 2026 14:05", in the zone that `moment` carries; refuses a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a moment shown to a customer needs its time zone")
    return f"{long_date(moment.date(), language)} {format_time(moment.time(), 'HH:mm', locale=_locale(language))}"
