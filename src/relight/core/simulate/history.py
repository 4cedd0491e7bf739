"""A back-test: real bills, paid on the days on which they really were paid, under a policy that was not there then.

Nobody can know how these customers would have answered; so they pay exactly as they did. What can be known is which
notices would have gone to somebody who paid within days without being asked: those were needless.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from relight.core.decision import Decision, EffectDraft
from relight.core.law import Law
from relight.core.policy import Policy
from relight.core.simulate.customers import Kind
from relight.core.simulate.life import Life
from relight.core.simulate.portfolio import Bill, Household
from relight.core.simulate.run import partner_of
from relight.core.simulate.totals import Totals
from relight.core.windows import local_date

NEEDLESS_WITHIN = timedelta(days=7)
_AS_IT_WAS = Kind("as it was", 100)
_ASK = frozenset({"friendly_reminder", "reminder", "disconnect_notice", "collection_warning"})


@dataclass(slots=True)
class BackTest:
    """Sums as in a what-if, and the notices that would have gone out needlessly, by template."""

    totals: Totals = field(default_factory=Totals)
    asked: dict[str, int] = field(default_factory=dict[str, int])
    needless: dict[str, int] = field(default_factory=dict[str, int])
    late_bills: int = 0


def back_test(policy: Policy, law: Law, accounts: Sequence[tuple[Bill, ...]]) -> BackTest:
    """Every account's bills through the policy, until the last day that the history knows.

    A bill without `paid_on` stays unpaid.
    """
    found = BackTest()
    last = max(
        (day for bills in accounts for bill in bills for day in (bill.issued, bill.paid_on) if day), default=None
    )
    if last is None:
        return found
    for number, bills in enumerate(accounts):
        _replay(policy, law, number, bills, found, last)
    return found


def _replay(policy: Policy, law: Law, number: int, bills: tuple[Bill, ...], found: BackTest, last: date) -> None:
    household = Household(number, _AS_IT_WAS, "", frozenset({"sms", "email", "letter"}), (), bills)
    partner = partner_of(policy)
    sent: list[tuple[str, date]] = []

    def on_sent(draft: EffectDraft, now: datetime) -> None:
        if draft.kind == "message":
            found.totals.message(draft.template, draft.channel, 0)
            if draft.template in _ASK:
                sent.append((draft.template, local_date(now, partner.zone)))

    def on_decided(decision: Decision, _: datetime) -> None:
        found.totals.opened += sum(event.code == "opened" for event in decision.events)

    life = Life(policy, law, partner, household, on_sent, on_decided)
    found.totals.accounts += 1
    for moment, act, bill in _days(bills, partner.zone):
        _until(life, moment)
        if act == "bill":
            found.totals.claims += 1
            found.totals.billed += bill.amount
            life.bill(bill, moment)
        elif (claim := life.claims.get(bill.id)) is not None:
            paid = life.pay(claim.principal + claim.costs, moment)
            found.totals.paid(paid, (local_date(moment, partner.zone) - bill.due).days)
        found.totals.decisions += life.run(moment)
    _until(life, datetime.combine(last, time(23), partner.zone))
    found.late_bills += sum(bill.paid_on is None or bill.paid_on > bill.due for bill in bills)
    for template, day in sent:
        found.asked[template] = found.asked.get(template, 0) + 1
        if _was_needless(bills, day):
            found.needless[template] = found.needless.get(template, 0) + 1


def _was_needless(bills: tuple[Bill, ...], day: date) -> bool:
    """Whether everything that was overdue on the day was paid within a week all the same."""
    overdue = [bill for bill in bills if bill.due < day and (bill.paid_on is None or bill.paid_on >= day)]
    return bool(overdue) and all(bill.paid_on is not None and bill.paid_on <= day + NEEDLESS_WITHIN for bill in overdue)


def _days(bills: tuple[Bill, ...], zone: ZoneInfo) -> list[tuple[datetime, str, Bill]]:
    """What happened, in order: bills early in the morning, payments in the afternoon."""
    events = [(datetime.combine(bill.issued, time(5), zone), "bill", bill) for bill in bills]
    events += [
        (datetime.combine(bill.paid_on, time(15), zone), "pay", bill) for bill in bills if bill.paid_on is not None
    ]
    return sorted(events, key=lambda event: (event[0], event[1], event[2].id))


def _until(life: Life, moment: datetime) -> None:
    while (due := life.next_due()) is not None and due < moment:
        life.run(due)
