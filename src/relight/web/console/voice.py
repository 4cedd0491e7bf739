"""The console's voice: one reader's language, clock and currency, and how codes, sums and moments are said to them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal

from relight.flow.messages import formats
from relight.web.console import words

_SUMS = frozenset({"arrears", "amount", "asked"})
_MOMENTS = frozenset({"until", "opens", "complete_until", "at"})
# Parameters that hold codes, and the group of words that names them.
_GROUPS = {
    "step": "step", "level": "level", "holds": "hold", "flags": "flag", "tried": "channel", "next": "channel",
    "blocks": "block", "yes": "flag", "unknown": "flag", "template": "template", "channel": "channel", "none": "flag",
    "any": "flag", "all": "flag",
}  # fmt: skip
_SERVICES = frozenset({"service", "services"})
_LOCALES = {"nb": Locale.parse("nb_NO"), "en": Locale.parse("en_GB")}
_WITHDRAWN = "withdrawn."
_MINUTE = 60
_AT = {"nb": " kl.\u00a0{hour:02}.{minute:02}", "en": ", {hour:02}:{minute:02}"}
_LONG = {"nb": "EEEE d. MMMM y", "en": "EEEE d MMMM y"}
_SHORT = {"nb": "d. MMM", "en": "d MMM"}


@dataclass(frozen=True, slots=True)
class Voice:
    """`services` names the account's services by id, where a page knows them."""

    language: str
    zone: ZoneInfo
    currency: str
    today: date
    services: Mapping[int, str] = field(default_factory=dict)

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

    def event(self, code: str, params: Mapping[str, Any]) -> str:
        """What happened, in one sentence."""
        key = f"event.{code}"
        if key not in words.texts(self.language):
            return self.say("event.unknown", code=code)
        said = {name: self.param(name, value, code) for name, value in params.items()}
        if code == "approval_requested":
            said["needs_people"] = self.say("people.two" if params.get("needs") == 2 else "people.one")
        return _sentence(words.fill(words.texts(self.language)[key], _Missing(said)))

    def reason(self, reason: Mapping[str, Any]) -> str:
        """Why, in one sentence."""
        code, params = reason.get("code", ""), reason.get("params", {})
        key = f"reason.{code}"
        if key not in words.texts(self.language):
            return self._withdrawn(code) if code.startswith(_WITHDRAWN) else self.name("reason", code)
        said = {name: self.param(name, value, code) for name, value in params.items()}
        return _sentence(words.fill(words.texts(self.language)[key], _Missing(said)))

    def why(self, code: str) -> str:
        """Why an effect did not leave, or not yet: a code of its own, or the guard that said no."""
        return self.name("why" if f"why.{code}" in words.texts(self.language) else "waits", code)

    def proof(self, codes: str) -> str:
        """How a level was seen, such as "re-authentication, accounting"."""
        return self.listed(self.name("proof", code).lower() for code in codes.split(", "))

    def param(self, name: str, value: Any, code: str = "") -> str:
        """A parameter of an event or a reason, in words; '' for nothing."""
        if value is None or value == "" or value == []:
            return ""
        if isinstance(value, list | tuple):
            return self.listed(self.param(name, one, code) for one in value)
        if isinstance(value, bool):
            return self.say(f"boolean.{str(value).lower()}")
        if name in _SUMS or (name == "most" and code == "law.max_amount" and isinstance(value, int)):
            return self.money(value)
        if code == "condition.arrears" and isinstance(value, int):
            return self.money(value)
        if name in _MOMENTS:
            return self.stamp(datetime.fromisoformat(value))
        if name in _SERVICES:
            return self.services.get(value, str(value))
        return self._coded(name, value, code)

    def _coded(self, name: str, value: Any, code: str) -> str:
        if name == "reason" and code.startswith("hold"):
            return self.name("hold", str(value))
        if name == "code" and code == "task_finished":
            return self.name("task", str(value))
        if name == "state" and code.startswith("approval"):
            return self.name("approval_state", str(value))
        if name == "is" and code == "condition.profile":
            return self.name("profile", str(value))
        if name in ("is", "in") and code == "condition.supply":
            return self.name("level", str(value))
        group = _GROUPS.get(name)
        return self.name(group, str(value)) if group and isinstance(value, str) else str(value)

    def _withdrawn(self, code: str) -> str:
        return self.say("reason.withdrawn.because", why=self.why(code.removeprefix(_WITHDRAWN)).lower())

    def _clock(self, local: datetime) -> str:
        return _AT[self.language].format(hour=local.hour, minute=local.minute)


class _Missing(dict[str, str]):
    """Parameters of a sentence; one that an old event does not have leaves a dash, never an error page."""

    def __missing__(self, key: str) -> str:
        return "–"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
