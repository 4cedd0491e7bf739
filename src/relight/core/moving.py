"""Whether a running case may go on under another version of its policy: only where nothing that was done is lost.

What a step proves in law is read from the policy that the case is under: its parts, one by one. So every step that a
case has taken must mean the same in both versions, and one that is still under way must be the very same. What its
letter promised stays promised: the time to pay goes along as a day, and an announced cost must still be that cost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from relight.core.actions import Action, FeeAction, MessageAction
from relight.core.calendars import Calendar, calendar_for
from relight.core.policy import Policy, Step
from relight.core.restore import RESTORE
from relight.core.waits import longest_term


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that a case has taken and nobody voided."""

    step: str
    completed: bool


@dataclass(frozen=True, slots=True)
class Underway:
    """What of a case matters for a move: its steps in order, the steps a person was asked about, and whether a message
    or command is on its way."""

    steps: Sequence[Taken]
    asked: Sequence[str] = ()
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Hindrance:
    """Why a case stays where it is: `code` is one of `step_gone`, `step_differs`, `step_under_way`, `asked_about`,
    `leaving`; `step` is the step in question, or ''."""

    code: str
    step: str = ""


def versions_differ(old: Policy, new: Policy) -> str:
    """For whom the two are differs in `services`, `debtor`, `country` or `actor`: the first of these, or ''."""
    names = ("services", "debtor", "country", "actor")
    return next((name for name in names if getattr(old, name) != getattr(new, name)), "")


def hindrance(old: Policy, new: Policy, case: Underway) -> Hindrance | None:
    """What keeps a case from going on under `new` from the step that it has come to; None where nothing does."""
    if case.leaving:
        return Hindrance("leaving")
    return _first(
        *(_of_taken(old, new, taken) for taken in case.steps if taken.step != RESTORE),
        *(_of_asked(old, new, step) for step in case.asked),
    )


def _first(*found: Hindrance | None) -> Hindrance | None:
    return next((one for one in found if one is not None), None)


def _of_taken(old: Policy, new: Policy, taken: Taken) -> Hindrance | None:
    before, after = old.by_name.get(taken.step), new.by_name.get(taken.step)
    if after is None:
        return Hindrance("step_gone", taken.step)
    if before is None:
        return Hindrance("step_differs", taken.step)  # nobody can say what it meant
    calendar = calendar_for(old.country)
    same_term = longest_term(old, calendar, before) == longest_term(new, calendar, after)
    if not taken.completed and (before != after or not same_term):
        return Hindrance("step_under_way", taken.step)
    same = _proves(before) == _proves(after) and _announces(old, before) == _announces(new, after)
    return None if same else Hindrance("step_differs", taken.step)


def promised(sent_under: Policy, calendar: Calendar, step: str, completed: date, pay_by: date) -> date:
    """The last day to pay that a completed step's letters gave under the version that sent them: they count from the
    day on which they left, so this counts from the day on which the step was done."""
    term = longest_term(sent_under, calendar, sent_under.step(step))
    return max(pay_by, calendar.add(completed, term)) if term is not None else pay_by


def _of_asked(old: Policy, new: Policy, step: str) -> Hindrance | None:
    """A person's yes is to what was asked: the step as it stood."""
    return None if old.by_name.get(step) == new.by_name.get(step) else Hindrance("asked_about", step)


def _proves(step: Step) -> tuple[Action, ...]:
    """A completed step's parts, without what only mattered when they left: tone, and the order of channels."""
    return tuple(_kept(action) for action in step.do)


def _kept(action: Action) -> Action:
    if isinstance(action, MessageAction):
        return replace(action, tone=None, channels=(), mode="best")
    return action


def _announces(policy: Policy, step: Step) -> tuple[int, ...]:
    """The costs of later steps that a step's letter names (BW 6:96 lid 6)."""
    if not any(isinstance(action, MessageAction) and action.template == "fourteen_day_letter" for action in step.do):
        return ()
    fees = (action for each in policy.steps for action in each.do if isinstance(action, FeeAction))
    return tuple(sorted(fee.amount_minor for fee in fees if fee.fee == "collection_cost"))


def in_order(codes: Iterable[Hindrance]) -> list[Hindrance]:
    """Hindrances for a list, the most lasting first."""
    rank = {"step_gone": 0, "step_differs": 1, "step_under_way": 2, "asked_about": 3, "leaving": 4}
    return sorted(codes, key=lambda one: (rank.get(one.code, len(rank)), one.step))
