"""Running a what-if: every household through its days, added up. The same input gives the same sums, in any order."""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache, partial
from random import Random
from zoneinfo import ZoneInfo

from relight.core.calendars import calendar_for
from relight.core.decision import Decision, EffectDraft
from relight.core.facts import PartnerFacts
from relight.core.law import Law
from relight.core.levels import Level
from relight.core.policy import Policy
from relight.core.simulate.customers import Does, Model, Person
from relight.core.simulate.life import Life
from relight.core.simulate.portfolio import Bill, Household
from relight.core.simulate.totals import Totals
from relight.core.windows import local_date

ZONES = {"NO": "Europe/Oslo", "DK": "Europe/Copenhagen", "NL": "Europe/Amsterdam", "SE": "Europe/Stockholm",
         "DE": "Europe/Berlin", "GB": "Europe/London"}  # fmt: skip
_BILLS_AT, _PAYS_AT, _DESK_AT = time(4), time(19), time(10)
_FAR = datetime(9000, 1, 1, tzinfo=UTC)


def partner_of(policy: Policy) -> PartnerFacts:
    """A live partner whose money data is always fresh."""
    return PartnerFacts(
        id=1,
        country=policy.country,
        currency=policy.currency,
        zone=ZoneInfo(ZONES[policy.country]),
        calendar=calendar_for(policy.country),
        closed_dates=frozenset(),
        money_complete_until=_FAR,
        money_stale_after_hours=48,
        stopped=False,
        shadow=False,
    )


def simulate(
    policy: Policy, law: Law, households: Iterable[Household], model: Model, *, start: date, days: int, seed: int
) -> Totals:
    """All households through all days, added up."""
    totals = Totals()
    for household in households:
        Story(policy, law, household, model, start, days, seed, totals).tell()
    return totals


@lru_cache(maxsize=4096)
def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When a local clock shows a time on a day; kept, since everybody's bills come at the same hour."""
    return datetime.combine(day, at, zone).astimezone(UTC)


@dataclass(slots=True)
class Story:
    """One household's days."""

    policy: Policy
    law: Law
    household: Household
    model: Model
    start: date
    days: int
    seed: int
    totals: Totals
    partner: PartnerFacts = field(init=False)
    life: Life = field(init=False)
    person: Person = field(init=False)
    coming: list[tuple[datetime, int, Callable[[datetime], None]]] = field(init=False)
    order: int = 0
    opened_on: date | None = None
    will_pay: bool = False
    _desk: Random | None = None

    def __post_init__(self) -> None:
        self.partner = partner_of(self.policy)
        self.life = Life(self.policy, self.law, self.partner, self.household, self._sent, self._decided)
        self.person = Person(self.household.kind, Random(f"{self.seed}-person-{self.household.id}"))  # noqa: S311
        self.coming = []

    def tell(self) -> None:
        """From the first bill to the last day."""
        end = _moment(self.start + timedelta(days=self.days), time(), self.partner.zone)
        coming, life, totals = self.coming, self.life, self.totals
        totals.accounts += 1
        for bill in self.household.bills:
            self._at(bill.issued, _BILLS_AT, partial(self._bill, bill))
        while (now := self._next()) is not None and now < end:
            while coming and coming[0][0] <= now:
                heapq.heappop(coming)[2](now)
            totals.decisions += life.run(now)
        totals.owed_at_end += life.owed()

    def _next(self) -> datetime | None:
        due = self.life.next_due()
        if self.coming and (due is None or self.coming[0][0] <= due):
            return self.coming[0][0]
        return due

    def _at(self, day: date, at: time, what: Callable[[datetime], None]) -> None:
        self.order += 1
        heapq.heappush(self.coming, (_moment(day, at, self.partner.zone), self.order, what))

    # -- what households do

    def _bill(self, bill: Bill, now: datetime) -> None:
        self.totals.billed += bill.amount
        self.totals.claims += 1
        self.life.bill(bill, now)
        paid_on = bill.paid_on or self.person.pays_in_time(bill.due)
        if paid_on is not None:
            self._at(max(paid_on, bill.issued), _PAYS_AT, partial(self._pay_one, bill))

    def _pay_one(self, bill: Bill, now: datetime) -> None:
        claim = self.life.claims.get(bill.id)
        if claim is not None:
            self._pay(claim.principal + claim.costs, bill.due, now)

    def _pay_all(self, now: datetime) -> None:
        self.will_pay = False
        overdue = [claim for claim in self.life.claims.values() if claim.due_date <= self._day(now)]
        if overdue:
            oldest = min(claim.due_date for claim in overdue)
            self._pay(sum(claim.principal + claim.costs for claim in overdue), oldest, now)

    def _pay(self, amount: int, due: date, now: datetime) -> None:
        paid = self.life.pay(amount, now)
        self.totals.paid(paid, (self._day(now) - due).days)

    def _do(self, does: tuple[Does, date] | None) -> None:
        if does is None:
            return
        what, day = does
        if what is Does.PAY and not self.will_pay:
            self.will_pay = True
            self._at(day, _PAYS_AT, self._pay_all)
        elif what is Does.DISPUTE:
            self._at(day, _DESK_AT, self._dispute)
        elif what is Does.ASK_FOR_HELP:
            self._at(day, _DESK_AT, self._help)

    def _dispute(self, now: datetime) -> None:
        for claim_id in list(self.life.claims):
            if claim_id not in self.person.disputed:
                self.person.disputed.add(claim_id)
                answered = self._day(now) + self.person.days(self.person.kind.answered_within)
                ends_at = datetime.combine(answered, _DESK_AT, self.partner.zone)
                self.life.hold("dispute", now, ends_at, claim_id)
                self.totals.disputes += 1
                if self.person.is_right():
                    amount = self.life.claims[claim_id].principal // 2
                    self._at(answered, _DESK_AT, partial(self._credit, claim_id, amount))

    def _credit(self, claim_id: int, amount: int, now: datetime) -> None:
        self.totals.credited += self.life.credit(claim_id, amount, now)

    def _help(self, now: datetime) -> None:
        """A plan: half now, the other half when it ends."""
        ends = self._day(now) + timedelta(days=self.person.kind.plan_days)
        self.life.hold("plan", now, datetime.combine(ends, time(), self.partner.zone))
        self.totals.plans += 1
        owed = self.life.owed()
        for part, day in (
            (owed // 2, self._day(now) + timedelta(days=10)),
            (owed - owed // 2, ends - timedelta(days=2)),
        ):
            self._at(day, _PAYS_AT, partial(self._pay_part, part))

    def _pay_part(self, part: int, now: datetime) -> None:
        due = min((claim.due_date for claim in self.life.claims.values()), default=None)
        if due is not None:
            self._pay(min(part, self.life.owed()), due, now)

    # -- what the road does

    def _sent(self, draft: EffectDraft, now: datetime) -> None:
        cost = self.model.cost
        if draft.kind == "message":
            self.totals.message(draft.template, draft.channel, cost.get(draft.channel, 0))
            self._do(self.person.on_message(draft.template, self._day(now)))
        elif draft.level is Level.FULL:
            self.totals.restored += 1
            self.totals.cost += cost.get("restore", 0)
        elif draft.level is Level.OFF:
            self.totals.cuts += 1
            self.totals.cost += cost.get("cut", 0)
            self._do(self.person.on_cut(self._day(now)))
        else:
            self.totals.limited += 1
            self._do(self.person.on_cut(self._day(now)))

    def _decided(self, decision: Decision, now: datetime) -> None:
        if not decision.events:
            return  # whatever is asked, charged or given to a person has an event
        for event in decision.events:
            if event.code == "opened":
                self.totals.opened += 1
                self.opened_on = self._day(now)
            elif event.code == "cured" and self.opened_on is not None:
                self.totals.cured((self._day(now) - self.opened_on).days)
                self.opened_on = None
            elif event.code in ("refused", "deferred"):
                self.totals.held_back(why.code for why in event.reasons)
        for fee in decision.fees:
            self.totals.fees += fee.amount
        if decision.approvals:
            self._later(self.model.approval_days, self._approve_all, now)
        if decision.tasks and any(task.part is not None for task in decision.tasks):
            self.totals.tasks += len(decision.tasks)
            self.totals.cost += self.model.cost.get("task", 0) * len(decision.tasks)
            self._later(self.model.task_days, self._work, now)

    def _approve_all(self, now: datetime) -> None:
        for id_ in list(self.life.approvals):
            self.life.approve(id_, now)

    def _work(self, now: datetime) -> None:
        for at in list(self.life.open_tasks()):
            self.life.do_task(at, now)

    def _later(self, between: tuple[int, int], what: Callable[[datetime], None], now: datetime) -> None:
        """On a working day at a desk's first hour, some days from now."""
        if self._desk is None:  # few households have anything for a desk
            self._desk = Random(f"{self.seed}-desk-{self.household.id}")  # noqa: S311
        day = self._day(now) + timedelta(days=1 + self._desk.randint(*between))
        while not self.partner.calendar.is_working_day(day):
            day += timedelta(days=1)
        self._at(day, _DESK_AT, what)

    def _day(self, now: datetime) -> date:
        return local_date(now, self.partner.zone)
