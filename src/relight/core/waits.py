"""Waits: the first day on which a step may be taken, counted alike by `decide` and by the proof of a policy."""

from datetime import date, timedelta

from relight.core.actions import MessageAction
from relight.core.calendars import Calendar, due_date
from relight.core.facts import StepFacts
from relight.core.policy import DayKey, Policy, Step
from relight.core.spans import Span, Unit

# What was ordered on one day arrives on the next on which banks work: the sixth day at Easter (law README, point 2).
SETTLEMENT = Span(1, Unit.WORKING_DAYS)

_KEPT_MAX = 1 << 14


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


def first_day(
    calendar: Calendar, policy: Policy, step: Step, base: date, term: date | None, delay: Span | None = None
) -> date:
    """`earliest_day` for one of the policy's own steps, counted once: thousands of cases wait from the same day on."""
    kept = policy.kept_days
    key: DayKey = ("first", calendar.hash, step.name, base, term, delay)
    return kept.get(key) or _keep(kept, key, earliest_day(calendar, policy, step, base, term, delay))


def term_ends(policy: Policy, calendar: Calendar, step: Step, taken: StepFacts, completed: date | None) -> date | None:
    """The last day of the time to pay that a taken step gives, None where it gives none. The letter counts it from the
    day on which it leaves, which may be days after the decision; this from the day on which all of the step was done,
    as the wait is. A step that was taken over from another system keeps the day that came with it."""
    if taken.pay_by_date is None or completed is None or not (taken.effects or taken.tasks):
        return taken.pay_by_date
    kept = policy.kept_days
    key: DayKey = ("term", calendar.hash, step.name, completed, None, None)
    ends = kept.get(key)
    if ends is None:
        term = longest_term(policy, calendar, step)
        ends = _keep(kept, key, calendar.add(completed, term) if term is not None else date.min)  # none: the day stands
    return ends if ends > taken.pay_by_date else taken.pay_by_date


def opening_day(calendar: Calendar, policy: Policy, due: date) -> date:
    """The first day on which a bill that was due on a day is old enough to be followed up, counted once as well."""
    kept = policy.kept_days
    key: DayKey = ("opens", calendar.hash, "", due, None, None)
    return kept.get(key) or _keep(kept, key, due_date(calendar, due, policy.opens.overdue))


def _keep(kept: dict[DayKey, date], key: DayKey, day: date) -> date:
    if len(kept) >= _KEPT_MAX:
        kept.clear()
    kept[key] = day
    return day


def longest_term(policy: Policy, calendar: Calendar, step: Step) -> Span | None:
    """The longest of the terms that a step's messages name and the waits of what follows it; the step is the policy's
    own. Found once: every notice asks for it."""
    key = (calendar.hash, step.name)
    if key not in policy.kept_terms:
        policy.kept_terms[key] = _longest_term(policy, calendar, step)
    return policy.kept_terms[key]


def _longest_term(policy: Policy, calendar: Calendar, step: Step) -> Span | None:
    terms = [action.term for action in step.do if isinstance(action, MessageAction) and action.term is not None]
    terms += [policy.step(branch.step).after for branch in policy.successors(step)]
    return max(terms, key=calendar.longest_days, default=None)
