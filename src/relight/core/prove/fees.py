"""Fees that no rule about the step limits: by a table (a collector's, the compensation of businesses), or by nothing.

What no law is read to permit is not charged. A table is asked for the smallest debt that gets to the step, with what
the way charged before; the figures of the day are asked of each case.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from relight.core.actions import FeeAction
from relight.core.calendars import Calendar
from relight.core.fees.answer import FeeAnswer, Why, nothing
from relight.core.fees.collector import DEMAND, collector_fee, compensation
from relight.core.fees.highest import Asked, Debt, Letter
from relight.core.fees.tables import COLLECTOR, COMPENSATION, REMINDERS, by_table
from relight.core.policy import Policy
from relight.core.prove.clock import FIRST_START, walk
from relight.core.prove.gates import arrears_at_least
from relight.core.prove.money import units
from relight.core.prove.paths import Path
from relight.core.prove.remedies import capital, some
from relight.core.prove.result import HOUSE, Breach
from relight.core.rules.acts import FEE
from relight.core.rules.model import LawPack, Rule
from relight.core.rules.sentences import money

_DAYS_TRIED = 366


def check_fees(
    policy: Policy, packs: Sequence[LawPack], path: Path, place: int, rules: Sequence[Rule], calendar: Calendar
) -> Iterator[Breach]:
    """The fees of a path's step that no rule gives an amount: what the tables say against them, if there is one."""
    step = path.steps[place]
    for fee in by_table(step, rules):
        name = some(FEE + fee.fee)
        answers = [_most(pack, policy, path, place, fee, calendar) for pack in packs]
        found = min(answers, key=lambda one: one.amount, default=None)
        if found is None or not found.amount:
            why = found.why[0] if found else None
            missing = why is not None and why.code == "missing"
            reason = (
                "comes after a demand for payment, and none is sent here" if missing else "has no law that permits it"
            )
            message = f"{capital(name)} {reason}. Take {{fee: {fee.fee}, …}} out"
            yield Breach("relight.fee", (why.law if why else "") or HOUSE, step.name, message, "")
        elif (charged := _charged(path, place + 1, frozenset({fee.fee}))) > found.amount:
            most = money(found.amount, policy.currency)
            limit = f"{capital(name)} may come to {most} for the smallest debt that gets here"
            together = units(charged)
            message = f"{limit}: on this way it comes to {together}. Write less, or when: {{arrears: {{min: …}}}}"
            yield Breach("relight.fee", found.why[0].law or HOUSE, step.name, message, "")


def _most(pack: LawPack, policy: Policy, path: Path, place: int, fee: FeeAction, calendar: Calendar) -> FeeAnswer:
    if fee.fee == COMPENSATION:
        reminders = _charged(path, place, REMINDERS)
        return compensation(pack, debtor=policy.debtor, today=FIRST_START, fees=reminders)
    if fee.fee != COLLECTOR:
        return nothing(Why("no_rule"))
    demanded = [at for at in range(place) if DEMAND in path.steps[at].act_names]
    letters = {DEMAND: Letter(FIRST_START)} if demanded else {}
    today = FIRST_START + _soonest(policy, calendar, path, demanded[-1], place) if demanded else FIRST_START
    debt = Debt("", arrears_at_least(policy, path.steps[place]), FIRST_START, policy.debtor)
    return collector_fee(pack, Asked(fee.fee, debt, today, calendar, (), letters, {}))


def _soonest(policy: Policy, calendar: Calendar, path: Path, first: int, last: int) -> timedelta:
    """The fewest days from one step to a later one, over all first days of a year."""
    days = walk(policy, calendar, path, first, last)
    begins = (FIRST_START + timedelta(days=ahead) for ahead in range(_DAYS_TRIED))
    return min(_end(days(begin), begin) - begin for begin in begins)


def _end(days: list[date], begin: date) -> date:
    return days[-1] if days else begin


def _charged(path: Path, end: int, names: frozenset[str]) -> int:
    """What the way charges of these fees until a place, in minor units."""
    actions = (action for step in path.steps[:end] for action in step.do if isinstance(action, FeeAction))
    return sum(action.amount_minor for action in actions if action.fee in names)
