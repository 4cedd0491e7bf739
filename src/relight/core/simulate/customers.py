"""Customers of a what-if: kinds, their shares, and what each does when a bill comes, a message, or the dark. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from random import Random
from typing import Any

from relight.core.records import by_fields

_ASKS = frozenset({"friendly_reminder", "reminder", "disconnect_notice", "collection_warning", "termination_notice",
                   "contact_attempt", "plan_offer", "fourteen_day_letter", "payment_demand"})  # fmt: skip
IN_TIME = "in_time"


class Does(StrEnum):
    """What a customer may do."""

    PAY = "pay"
    DISPUTE = "dispute"
    ASK_FOR_HELP = "ask_for_help"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of customer. `pays_when_asked` are hundredths for the first, second and any further message."""

    name: str
    share: int
    pays_when_asked: tuple[int, ...] = ()
    pays_when_cut: int = 90
    within: tuple[int, int] = (0, 3)
    pay_days: tuple[int, ...] = ()
    disputes_when_asked: int = 0
    is_right: int = 0
    answered_within: tuple[int, int] = (5, 30)
    asks_for_help: int = 0
    plan_days: int = 60

    def __reduce__(self) -> tuple[type[Any], tuple[Any, ...]]:
        return by_fields(self)


@dataclass(frozen=True, slots=True)
class Model:
    """All kinds, how customers are reached, how fast people at desks are, and what things cost in minor units."""

    kinds: tuple[Kind, ...]
    reach: Mapping[str, int]
    task_days: tuple[int, int]
    approval_days: tuple[int, int]
    cost: Mapping[str, int]


@dataclass(slots=True)
class Person:
    """One customer: a kind, and dice of their own."""

    kind: Kind
    dice: Random
    asked: int = 0
    helped: bool = False
    disputed: set[int] = field(default_factory=set[int])

    def on_message(self, template: str, day: date) -> tuple[Does, date] | None:
        """What a message brings about, and on which day."""
        if template not in _ASKS or self.kind.name == IN_TIME:
            return None
        self.asked += 1
        if self.asked == 1 and self._chance(self.kind.disputes_when_asked):
            return Does.DISPUTE, day + timedelta(days=1)
        if self.asked == 2 and not self.helped and self._chance(self.kind.asks_for_help):
            self.helped = True
            return Does.ASK_FOR_HELP, day + timedelta(days=1)
        chances = self.kind.pays_when_asked
        if chances and self._chance(chances[min(self.asked, len(chances)) - 1]):
            return Does.PAY, self._when(day)
        return None

    def on_cut(self, day: date) -> tuple[Does, date] | None:
        """What the dark brings about."""
        return (Does.PAY, self._when(day)) if self._chance(self.kind.pays_when_cut) else None

    def pays_in_time(self, due: date) -> date | None:
        """The day on which somebody who pays in time pays a bill."""
        return due - timedelta(days=self.dice.randint(0, 6)) if self.kind.name == IN_TIME else None

    def is_right(self) -> bool:
        """Whether a dispute turns out to be right."""
        return self._chance(self.kind.is_right)

    def days(self, between: tuple[int, int]) -> timedelta:
        """A number of days between two, each as likely."""
        return timedelta(days=self.dice.randint(*between))

    def _when(self, day: date) -> date:
        if not self.kind.pay_days:
            return day + self.days(self.kind.within)
        pay_day = self.dice.choice(self.kind.pay_days)
        for ahead in range(62):
            coming = day + timedelta(days=ahead)
            if coming.day == pay_day:
                return coming
        return day

    def _chance(self, hundredths: int) -> bool:
        return self.dice.randrange(100) < hundredths
