"""A plan's parts: sums that add up to the last øre, and a day of every month."""

from datetime import date, timedelta

from relight.core.calendars import Calendar
from relight.core.plans.terms import PlanTerms
from relight.core.records import record
from relight.core.spans import Span, Unit

_WHOLE = 100  # parts are whole kroner or euro where they can be: easier to remember, and to type
INSTALMENTS_MAX = 120
_DAY = timedelta(days=1)


@record
class Instalment:
    """A part of a plan, in minor units. `remind_date` is when it is told of, `late_date` the first day on which it is
    too late."""

    number: int
    due_date: date
    amount: int
    remind_date: date
    late_date: date


def schedule(
    calendar: Calendar, terms: PlanTerms, *, total: int, months: int, agreed: date, first: date | None = None
) -> tuple[Instalment, ...]:
    """`months` parts that add up to `total`, one a month from `first` on; without it, from the terms' own first day.

    Raises ValueError for no months, too many, or less to pay than one minor unit a part.
    """
    if not 1 <= months <= INSTALMENTS_MAX or total < months:
        raise ValueError(f"{months} parts of {total} minor units")
    begins = first or calendar.add(agreed, terms.first)
    days = [calendar.add(begins, Span(number, Unit.MONTHS)) for number in range(months)]
    return tuple(
        Instalment(number, day, amount, day - timedelta(days=terms.remind_days), calendar.add(day, terms.grace) + _DAY)
        for number, (day, amount) in enumerate(zip(days, parts(total, months), strict=True), start=1)
    )


def parts(total: int, count: int) -> tuple[int, ...]:
    """`total` minor units in `count` parts as alike as can be, the last the smallest; whole units of the currency
    where the last is then no less than half of the others."""
    for unit in (_WHOLE, 1):
        part = -(-total // (count * unit)) * unit
        last = total - part * (count - 1)
        if 2 * last > part:
            return (*(part,) * (count - 1), last)
    small, more = divmod(total, count)
    return tuple(small + 1 if number < more else small for number in range(count))
