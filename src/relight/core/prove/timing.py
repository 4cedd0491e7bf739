"""The waits of a path against the times that a law gives, and against the days that payments take to arrive."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from relight.core.calendars import Calendar, due_date
from relight.core.policy import Policy, Step
from relight.core.policy_compile import DEFAULT_SETTLE
from relight.core.prove.clock import DUE, first_breach, first_unsettled, pay_by_of, starts
from relight.core.prove.held import Held
from relight.core.prove.remedies import capital, deed, some, write
from relight.core.prove.result import BLOCKING, HOUSE, Breach, Remaining, breach, with_dates
from relight.core.rules import model
from relight.core.rules.model import Rule
from relight.core.rules.sentences import name_of, said
from relight.core.waits import SETTLEMENT


def check_elapsed(rule: Rule, held: Held) -> Iterator[Breach | Remaining]:
    """So much time has passed since the latest of what the rule counts from."""
    demand = rule.demand
    assert isinstance(demand, model.MinElapsed)
    if demand.at_most is not None:
        yield Remaining(
            rule.id, rule.law, "a step can always come late; a notice that is too old is refused at run time"
        )
    if demand.span is None:
        return
    span = demand.span
    for anchor in demand.since:
        place = _anchor_place(rule, held, anchor)
        if place is None:
            if anchor.of not in rule.targets:
                must = f"After {some(anchor.of)}, {span} must pass: here none comes"
                remedy = f"Write {write(anchor.of)} in an earlier step"
                yield breach(rule, held.path, held.place, f"{must}. {remedy}")
            continue
        since = "the due date" if place == DUE else f"the {name_of(anchor.of)} was {anchor.moment}"
        what = f"{capital(deed(held.step, rule.targets))} must wait {span} after {since}"
        yield from _too_early(rule, held, place, lambda day: due_date(held.calendar, day, span), what)


def _anchor_place(rule: Rule, held: Held, anchor: model.Anchor) -> int | None:
    if anchor.moment == "due":
        return DUE
    found = [place for place, _ in held.before(anchor.of)]
    if not found:
        return None
    return found[-1] if anchor.of in rule.targets else found[0]


def check_expired(rule: Rule, held: Held, place: int) -> Iterator[Breach]:
    """The term of the last notice has run out when the step comes."""
    name = f"the step {held.path.steps[place].name}"
    if pay_by_of(held.policy, held.calendar, held.path, place, starts()[0]) is None:
        yield breach(rule, held.path, held.place, f"{capital(name)} gives no time to pay. Write term: … in its message")
        return

    def lawful_from(day: date) -> date:
        return (pay_by_of(held.policy, held.calendar, held.path, place, day) or day) + timedelta(days=1)

    what = f"{capital(deed(held.step, rule.targets))} must wait until the time to pay that {name} gave has run out"
    yield from _too_early(rule, held, place, lawful_from, what)


def _too_early(rule: Rule, held: Held, place: int, lawful_from: Callable[[date], date], what: str) -> Iterator[Breach]:
    """The step counted from `place` against the first lawful day: the wait alone, and before a cut the payments too
    that are on their way when it is over. `what` must wait, as a sentence."""
    found = [*first_breach(held.policy, held.calendar, held.path, place, held.place, lawful_from)]
    for day, days, lawful in found:
        told = with_dates(held.path, place, day, days) + (" without settle" if held.step.cuts else "")
        aside = "; the days of settle come on top" if held.step.cuts else ""
        message = f"{what}: here until {said(lawful)}. Raise after: in this step, or in one between{aside}"
        yield breach(rule, held.path, held.place, message, told)
    if held.step.cuts and rule.enforce in BLOCKING:
        yield from _unsettled(held, place, lawful_from, alone=bool(found))


def _unsettled(held: Held, place: int, lawful_from: Callable[[date], date], *, alone: bool) -> Iterator[Breach]:
    """Payments that may still be on their way; `alone`: the wait is too short anyhow, so only `settle` is looked at."""
    policy, calendar, path = held.policy, held.calendar, held.path
    if alone:
        if is_short(policy, calendar):
            yield unsettled(policy, held.step, "")
        return
    for day, days, lawful in first_unsettled(policy, calendar, path, place, held.place, lawful_from):
        more = f" until {said(lawful - timedelta(days=1))}"
        yield unsettled(policy, held.step, with_dates(path, place, day, days), more)


def is_short(policy: Policy, calendar: Calendar) -> bool:
    """Whether what was paid on the last day may come after the days that the policy gives it."""
    return calendar.longest_days(policy.settle) < calendar.longest_days(SETTLEMENT)


def unsettled(policy: Policy, step: Step, told: str, more: str = "") -> Breach:
    """Nothing is taken away while what was paid in time can still be on its way."""
    short = f"What was paid on the customer's last day can still be on its way: {policy.settle} of settle are too short"
    if more:
        short = f"What was paid on the customer's last day can still be on its way: here{more}"
    message = f"{short}. Write settle: {DEFAULT_SETTLE}, or wait longer"
    return Breach("relight.settle", HOUSE, step.name, message, told)
