"""The days of a collection, counted in working days: when it can be, until when it settles, and when it is tried again.
Pure."""

from datetime import date, timedelta

from relight.core.calendars import Calendar
from relight.core.spans import Span, Unit
from relight.flow.payments.mandates.rules import Retry, Scheme

_DAY = timedelta(days=1)


def is_open(calendar: Calendar, scheme: Scheme, day: date) -> bool:
    """Whether a scheme works on a day."""
    return calendar.is_working_day(day) and (day.month, day.day) not in scheme.closed


def after(calendar: Calendar, scheme: Scheme, start: date, span: Span) -> date:
    """The day on which a span is over: of working days only those count on which the scheme works."""
    if span.unit is not Unit.WORKING_DAYS:
        return calendar.add(start, span)
    day = start
    for _ in range(span.count):
        day = opened(calendar, scheme, day + _DAY)
    return day


def before(calendar: Calendar, scheme: Scheme, end: date, span: Span) -> date:
    """The last day from which a span of working days is over by `end`."""
    day = end + _DAY
    for _ in range(span.count):
        day -= _DAY
        while not is_open(calendar, scheme, day):
            day -= _DAY
    return day - _DAY


def opened(calendar: Calendar, scheme: Scheme, day: date) -> date:
    """The day itself, or the next one on which the scheme works."""
    while not is_open(calendar, scheme, day):
        day += _DAY
    return day


def collect_on(
    calendar: Calendar, scheme: Scheme, *, today: date, not_before: date, announced: date | None = None
) -> date:
    """The first day on which a collection can be: not before the bill is due, with a file that is written today, and
    as long after the bill that announced it as the scheme asks."""
    day = max(not_before, after(calendar, scheme, today, scheme.send_before))
    if announced is not None:
        day = max(day, told_long_enough(calendar, scheme, announced))
    if scheme.monthly:
        while last_to_send(calendar, scheme, day) < today:
            day = _next_month(day)
    return opened(calendar, scheme, day)


def told_long_enough(calendar: Calendar, scheme: Scheme, told: date) -> date:
    """The first day for which a customer who was told on a day was told in time."""
    return after(calendar, scheme, told, scheme.notice) if scheme.notice is not None else told


def last_to_send(calendar: Calendar, scheme: Scheme, collect: date) -> date:
    """The last day on which the file may be written."""
    return before(calendar, scheme, collect.replace(day=1) if scheme.monthly else collect, scheme.send_before)


def last_file_day(calendar: Calendar, scheme: Scheme, collect: date) -> date:
    """The last day on which the file may be written and on which the scheme works."""
    day = last_to_send(calendar, scheme, collect)
    while not is_open(calendar, scheme, day):
        day -= _DAY
    return day


def file_day(calendar: Calendar, scheme: Scheme, collect: date) -> date:
    """The day on which the workers write the file: some working days before the last one, in case that something is in
    its way."""
    day = before(calendar, scheme, last_file_day(calendar, scheme, collect), scheme.spare)
    while not is_open(calendar, scheme, day):
        day -= _DAY
    return day


def last_to_recall(calendar: Calendar, scheme: Scheme, collect: date) -> date:
    """The last day on which a collection that was sent can be called back."""
    return before(calendar, scheme, collect.replace(day=1) if scheme.monthly else collect, scheme.recall_before)


def settled_by(calendar: Calendar, scheme: Scheme, collect: date) -> date:
    """The last day on which its money, or a refusal, may come."""
    return after(calendar, scheme, collect, scheme.settle)


def retry_on(calendar: Calendar, scheme: Scheme, retry: Retry, *, failed: date, pay_day: int) -> date:
    """The first day on which it may be tried again: some time after it failed, or on the next pay-day."""
    if retry.after is not None:
        return opened(calendar, scheme, after(calendar, scheme, failed, retry.after))
    month = failed.replace(day=1)
    while (wages := _pay_day(calendar, scheme, month, pay_day)) <= failed:
        month = _next_month(month)
    return wages


def _pay_day(calendar: Calendar, scheme: Scheme, month: date, pay_day: int) -> date:
    last = _next_month(month) - _DAY
    if pay_day < last.day:
        return opened(calendar, scheme, month.replace(day=pay_day))
    while not is_open(calendar, scheme, last):
        last -= _DAY
    return last


def _next_month(day: date) -> date:
    return (day.replace(day=28) + 4 * _DAY).replace(day=1)
