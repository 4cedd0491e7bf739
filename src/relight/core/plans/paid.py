"""What is left of each part of a plan. What was due is paid first, then the next part; more than that shortens the plan
from its end, so that whoever pays ahead is done sooner and not let off next month."""

from collections.abc import Sequence
from datetime import date

from relight.core.plans.facts import PaidFacts, PlanFacts
from relight.core.plans.schedule import Instalment
from relight.core.records import record


@record
class Left:
    """A part of a plan and what is still owed of it, in minor units."""

    part: Instalment
    amount: int


def what_is_left(instalments: Sequence[Instalment], paid: Sequence[PaidFacts]) -> tuple[Left, ...]:
    """Each part with what payments, in the order in which they came, leave of it."""
    owed = [part.amount for part in instalments]
    for one in paid:
        rest = one.amount
        for place in (*_due(instalments, owed, one.day), *reversed(range(len(owed)))):
            taken = min(rest, owed[place])
            owed[place] -= taken
            rest -= taken
    return tuple(Left(part, amount) for part, amount in zip(instalments, owed, strict=True))


def unpaid(plan: PlanFacts) -> tuple[Left, ...]:
    """The parts that are still owed, in order."""
    return tuple([left for left in what_is_left(plan.instalments, plan.paid) if left.amount > 0])


def _due(instalments: Sequence[Instalment], owed: Sequence[int], day: date) -> list[int]:
    """The places of the unpaid parts that were due by a day; where none was, of the next one."""
    open_ = [place for place, amount in enumerate(owed) if amount > 0]
    return [place for place in open_ if instalments[place].due_date <= day] or open_[:1]
