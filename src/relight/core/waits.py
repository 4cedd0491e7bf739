"""Waits: the first day on which a step may be taken, counted alike by `decide` and by the proof of a policy."""

from datetime import date, timedelta

from relight.core.actions import MessageAction
from relight.core.calendars import Calendar
from relight.core.policy import Policy, Step
from relight.core.spans import Span, Unit

# What was ordered on one day arrives on the next on which banks work: the sixth day at Easter (law README, point 2).
SETTLEMENT = Span(1, Unit.WORKING_DAYS)


def earliest_day(
    calendar: Calendar, policy: Policy, step: Step, base: date, term: date | None, delay: Span | None = None
) -> date:
    """The first day a step may be taken: the day after its wait, and before a cut after the days that payments in
    transit need, which come on top."""
    ends = waited(calendar, step, base, term, delay)
    if step.cuts:
        ends = calendar.add(ends, policy.settle)
    return ends + timedelta(days=1)


def waited(calendar: Calendar, step: Step, base: date, term: date | None, delay: Span | None = None) -> date:
    """The last day of a step's wait: the whole of it has passed since `base`, the `term` that the notice gave too, and
    the profile's `delay`."""
    ends = calendar.add(base, step.after)
    if term is not None and term > ends:
        ends = term
    return calendar.add(ends, delay) if delay is not None else ends


def longest_term(policy: Policy, calendar: Calendar, step: Step) -> Span | None:
    """The longest of the terms that a step's messages name and the waits of what follows it."""
    terms = [action.term for action in step.do if isinstance(action, MessageAction) and action.term is not None]
    terms += [policy.step(branch.step).after for branch in policy.successors(step)]
    return max(terms, key=calendar.longest_days, default=None)
