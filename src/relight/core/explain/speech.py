"""Speech: one reader's language, clock and currency, and how sums, days, spans and codes are said in it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, get_day_names, get_month_names

from relight.core.explain.words import Part, Reader, fill, humanised, required, texts
from relight.core.money import format_amount
from relight.core.policy import Policy
from relight.core.spans import Span, WrongSpan

_LOCALES = {"nb": "nb_NO", "da": "da_DK", "nl": "nl_NL", "en": "en_GB"}
_AT = {
    "nb": " kl.\u00a0{hour:02}.{minute:02}",
    "da": " kl.\u00a0{hour:02}.{minute:02}",
    "nl": " om {hour:02}.{minute:02} uur",
    "en": ", {hour:02}:{minute:02}",
}
# What packs write of a rule that rests on no law, and the English of sections: acts keep their own names.
_NO_LAW = ("no rule found", "no number found", "none found")
_SECTION = re.compile(
    r"\b(?:first|second|third|fourth) paragraph\b|(?<=[\d)] )and(?= [\d(])|(?<=\b[a-z] )to(?= [a-z]\b)"
)
_DOTTED = frozenset({"nb", "da"})


class Filled(dict[str, str]):
    """Parameters of a sentence; one that an old event does not have leaves a dash, never an error page."""

    def __missing__(self, key: str) -> str:
        return "–"


@dataclass(frozen=True, slots=True)
class Speech:
    """How one reader is spoken to. `services` gives the kinds of the account's services by id, `only` those that
    are spoken of (empty: all); `policy` is the one that the case is under, where it is known."""

    language: str
    reader: Reader
    zone: ZoneInfo
    currency: str
    today: date
    services: Mapping[int, str] = field(default_factory=dict[int, str])
    policy: Policy | None = None
    only: frozenset[int] = frozenset()

    def about(self, services: Iterable[int]) -> "Speech":
        """The same, of these services alone; of all where none is named."""
        return replace(self, only=frozenset(services))

    def has(self, key: str) -> bool:
        """Whether the reader's catalogue has such a text."""
        return key in texts(self.language, self.reader)

    def needs(self, key: str) -> set[str]:
        """What a text of the reader's catalogue cannot do without."""
        return required(texts(self.language, self.reader)[key])

    def say(self, key: str, params: Mapping[str, Any] | None = None, /, **more: Any) -> str:
        """A text of the reader's catalogue, filled in, as a sentence. Raises KeyError for a text that there is not."""
        said = {name: str(value) for name, value in {**(params or {}), **more}.items() if value is not None}
        told = sentence(fill(texts(self.language, self.reader)[key], Filled(said)))
        return told.replace("..", ".")  # "100,00 kr." at the end of a sentence

    def piece(self, key: str, part: Part = "agent", /, **params: Any) -> str:
        """A text to put into a sentence: as it is written, with no capital made of it."""
        return fill(texts(self.language, part)[key], Filled({name: str(value) for name, value in params.items()}))

    def name(self, group: str, code: str) -> str:
        """What a code is called inside a sentence; one that a partner made up is shown in words."""
        if not code:
            return ""
        found = texts(self.language, "names").get(f"{group}.{code}")
        return inside(found if found is not None else humanised(code))

    def why(self, code: str) -> str:
        """Why an effect did not leave, or not yet: a code of its own, or the guard that said no."""
        return self.name("why" if f"why.{code}" in texts(self.language, "names") else "waits", code)

    def money(self, minor: int) -> str:
        """ "1 234,50 kr" """
        return format_amount(minor, self.currency, self.language)

    def day(self, day: date) -> str:
        """ "3. desember 2026"; without the year for an agent in the same year."""
        short = self.reader == "agent" and day.year == self.today.year
        pattern = ("d. MMMM" if self.language in _DOTTED else "d MMMM") + ("" if short else " y")
        return format_date(day, pattern, locale=_LOCALES[self.language])

    def moment(self, moment: datetime) -> str:
        """ "3. desember kl. 14.05", by the partner's clock; a midnight is its day."""
        local = moment.astimezone(self.zone)
        told = self.day(local.date())
        return told + self.clock(local) if (local.hour, local.minute) != (0, 0) else told

    def clock(self, local: datetime) -> str:
        """ " kl. 14.05", to stand behind a day."""
        return _AT[self.language].format(hour=local.hour, minute=local.minute)

    def span(self, span: Span | str) -> str:
        """ "4 uker"; a text that is no span stays as it is."""
        try:
            read = Span.parse(span) if isinstance(span, str) else span
        except WrongSpan:
            return str(span)
        return self.piece(f"unit.{read.unit.value}", "names", count=read.count)

    def listed(self, parts: Iterable[str], *, last: str = "and") -> str:
        """ "a, b og c" """
        told = list(parts)
        word = f" {texts(self.language, 'agent')[last]} "
        return word.join([*([", ".join(told[:-1])] if told[:-1] else []), *told[-1:]])

    def section(self, law: str) -> str:
        """A law's section in the reader's language: the act's own name, and "second paragraph" as it is said here. What
        a pack chose without a law says so."""
        if law.startswith(_NO_LAW):
            return self.piece("rule.own")
        return _SECTION.sub(lambda found: self.piece(f"section.{found[0]}", "names"), law)

    def month(self, number: int) -> str:
        """ "januar" """
        return str(get_month_names("wide", locale=Locale.parse(_LOCALES[self.language]))[number])

    def weekday(self, number: int) -> str:
        """ "mandag"; 0 is Monday."""
        return str(get_day_names("wide", locale=Locale.parse(_LOCALES[self.language]))[number])


def sentence(text: str) -> str:
    """With a capital."""
    return text[:1].upper() + text[1:]


def inside(name: str) -> str:
    """A name inside a sentence: a small letter first, but for SMS and for names of more than one capital."""
    return name if any(letter.isupper() for letter in name[1:]) else name[:1].lower() + name[1:]
