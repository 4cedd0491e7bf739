"""The time to pay that a letter gives, against the time that a law demands of it."""

from datetime import date, timedelta

from relight.core.actions import MessageAction
from relight.core.calendars import Calendar
from relight.core.policy import Policy, Step
from relight.core.rules.model import MinDeadline
from relight.core.waits import longest_term

DELIVERY_DAYS = {"letter": 5}  # as the road reckons letters that nobody reports on (flow/road/facts.sql)


def gives_at_least(
    policy: Policy, calendar: Calendar, step: Step, demand: MinDeadline, targets: frozenset[str], day: date
) -> bool:
    """Whether the step's letters, sent on `day`, give at least the term that the law asks for."""
    term = longest_term(policy, calendar, step)
    return term is not None and calendar.add(day, term) >= last_day(calendar, step, demand, targets, day)


def last_day(calendar: Calendar, step: Step, demand: MinDeadline, targets: frozenset[str], day: date) -> date:
    """The earliest last day of a lawful term for letters sent on `day`."""
    begins = day
    if demand.count_from != "sent":
        begins += timedelta(days=_slowest_days(step, targets))
    if demand.count_from == "day_after_received":
        begins += timedelta(days=1)
    return calendar.add(begins, demand.term)


def _slowest_days(step: Step, targets: frozenset[str]) -> int:
    channels = {
        channel
        for action in step.do
        if isinstance(action, MessageAction) and action.template in targets
        for channel in action.channels
    }
    return max((DELIVERY_DAYS.get(channel, 0) for channel in channels), default=0)
