"""Waits: the first day on which a step may be taken, counted alike by `decide` and by the proof of a policy."""

from datetime import date, timedelta

from relight.core.actions import MessageAction
from relight.core.calendars import Calendar
from relight.core.policy import Policy, Step
from relight.core.spans import Span


def earliest_day(
    calendar: Calendar, policy: Policy, step: Step, base: date, term: date | None, delay: Span | None = None
) -> date:
    """The first day a step may be taken: its whole wait has passed since `base`, the `term` that the notice gave too,
    the profile's `delay`, and before a cut the days that payments in transit need."""
    ends = calendar.add(base, step.after)
    if term is not None and term > ends:
        ends = term
    for extra in (delay, policy.settle if step.cuts else None):
        if extra is not None:
            ends = calendar.add(ends, extra)
    return ends + timedelta(days=1)


def longest_term(policy: Policy, calendar: Calendar, step: Step) -> Span | None:
    """The longest of the terms that a step's messages name and the waits of what follows it."""
    terms = [action.term for action in step.do if isinstance(action, MessageAction) and action.term is not None]
    terms += [policy.step(branch.step).after for branch in policy.successors(step)]
    return max(terms, key=calendar.longest_days, default=None)
