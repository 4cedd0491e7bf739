"""The console's voice: one reader's language, clock and currency, and how codes, sums and moments are said to them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from relight.core.explain.params import param
from relight.core.explain.speech import Speech, sentence
from relight.core.policy import Policy
from relight.flow.messages import formats
from relight.web.console import words

_LOCALES = {"nb": Locale.parse("nb_NO"), "en": Locale.parse("en_GB")}
_MINUTE = 60
_AT = {"nb": " kl.\u00a0{hour:02}.{minute:02}", "en": ", {hour:02}:{minute:02}"}
_LONG = {"nb": "EEEE d. MMMM y", "en": "EEEE d MMMM y"}
_SHORT = {"nb": "d. MMM", "en": "d MMM"}


@dataclass(frozen=True, slots=True)
class Voice:
    """`services` gives the kinds of the account's services by id, and `policy` the case's, where a page knows them."""

    language: str
    zone: ZoneInfo
    currency: str
    today: date
    services: Mapping[int, str] = field(default_factory=dict)
    policy: Policy | None = None

    def say(self, key: str, /, **params: Any) -> str:
        """A text of the catalogue."""
        return words.say(self.language, key, **params)

    def name(self, group: str, code: str) -> str:
        """What a code is called."""
        return words.name(self.language, group, code)

    def money(self, minor: int, currency: str = "") -> str:
        """ "1 234,50 kr" """
        return formats.money(minor, currency or self.currency, self.language)

    def number(self, value: int) -> str:
        """A whole number, grouped."""
        return format_decimal(value, locale=_LOCALES[self.language])

    def day(self, day: date) -> str:
        """ "3. des." in this year, else with the year."""
        pattern = _SHORT[self.language] + ("" if day.year == self.today.year else " y")
        return format_date(day, pattern, locale=_LOCALES[self.language])

    def stamp(self, moment: datetime) -> str:
        """ "3. des. kl. 14.05": for lists."""
        local = moment.astimezone(self.zone)
        return self.day(local.date()) + self._clock(local)

    def clock(self, moment: datetime) -> str:
        """ "14.05" """
        local = moment.astimezone(self.zone)
        return f"{local.hour:02}{'.' if self.language == 'nb' else ':'}{local.minute:02}"

    def moment(self, moment: datetime) -> str:
        """ "fredag 21. november 2026 kl. 14.05": in full."""
        local = moment.astimezone(self.zone)
        return format_date(local.date(), _LONG[self.language], locale=_LOCALES[self.language]) + self._clock(local)

    def lasted(self, seconds: float) -> str:
        """ "8 s", "2 min" """
        if seconds < _MINUTE:
            return self.say("seconds", count=format_decimal(round(seconds, 1), locale=_LOCALES[self.language]))
        return self.say("minutes", count=self.number(round(seconds / _MINUTE)))

    def listed(self, parts: Iterable[str]) -> str:
        """ "a, b og c" """
        told = list(parts)
        last = f" {self.say('list_and')} "
        return last.join([*([", ".join(told[:-1])] if told[:-1] else []), *told[-1:]])

    @property
    def speech(self) -> Speech:
        """How the sentences of a case's log are said to this reader."""
        return Speech(self.language, "agent", self.zone, self.currency, self.today, self.services, self.policy)

    def why(self, code: str) -> str:
        """Why an effect did not leave, or not yet: a code of its own, or the guard that said no."""
        return self.name("why" if f"why.{code}" in words.texts(self.language) else "waits", code)

    def proof(self, codes: str) -> str:
        """How a level was seen, such as "re-authentication, accounting"."""
        return self.listed(self.name("proof", code).lower() for code in codes.split(", "))

    def param(self, name: str, value: Any, code: str = "") -> str:
        """A parameter of an event, in words, to stand by itself; '' for nothing."""
        return sentence(param(self.speech, name, value, code))

    def _clock(self, local: datetime) -> str:
        return _AT[self.language].format(hour=local.hour, minute=local.minute)
