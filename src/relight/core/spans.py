"""Legal spans: "1 month" stays a month and "5 working days" stay working days until a calendar counts them."""

import re
from dataclasses import dataclass
from enum import StrEnum

COUNT_MAX = 999  # a policy that waits longer is a slip of the keyboard


class WrongSpan(ValueError):
    """The text is not a span; the message says what to write instead."""


class Unit(StrEnum):
    """The units that laws count in. Working days are Monday to Friday, Werktage Monday to Saturday; never a holiday."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    WORKING_DAYS = "working days"
    WERKTAGE = "werktage"


_NAMES: dict[str, Unit] = {
    "day": Unit.DAYS,
    "days": Unit.DAYS,
    "week": Unit.WEEKS,
    "weeks": Unit.WEEKS,
    "month": Unit.MONTHS,
    "months": Unit.MONTHS,
    "working day": Unit.WORKING_DAYS,
    "working days": Unit.WORKING_DAYS,
    "virkedag": Unit.WORKING_DAYS,
    "virkedager": Unit.WORKING_DAYS,
    "hverdag": Unit.WORKING_DAYS,
    "hverdage": Unit.WORKING_DAYS,
    "werktag": Unit.WERKTAGE,
    "werktage": Unit.WERKTAGE,
}
_FORM = re.compile(r"([0-9]{1,4}) ([a-z]+(?: [a-z]+)?)")


@dataclass(frozen=True, slots=True)
class Span:
    """A count of legal units. How many calendar days it is depends on where it starts: ask a `Calendar`."""

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> "Span":
        """Read "3 days", "1 month", "5 working days", "8 werktage", "3 hverdage"; raises `WrongSpan`."""
        form = _FORM.fullmatch(" ".join(text.lower().split()))
        if form is None:
            raise WrongSpan(f"{text!r} is not a span of time; write a whole number and a unit, such as 3 days")
        unit = _NAMES.get(form[2])
        if unit is None:
            raise WrongSpan(f"unknown unit {form[2]!r}; use days, weeks, months, working days or werktage")
        if int(form[1]) > COUNT_MAX:
            raise WrongSpan(f"{text!r} is too long; at most {COUNT_MAX} {unit}")
        return cls(int(form[1]), unit)

    def __str__(self) -> str:
        name = self.unit.value
        return f"{self.count} {name.removesuffix('s') if self.count == 1 and name != Unit.WERKTAGE else name}"
