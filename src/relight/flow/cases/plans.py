"""Instalment plans: offered, looked at, agreed and ended. What becomes of one that is agreed, a later turn decides.

Whoever calls owns the transaction. A plan is about what is overdue when it is agreed; new bills are no part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from relight.core.calendars import Calendar, calendar_for
from relight.core.decision import PlanDraft
from relight.core.plans.facts import PaidFacts
from relight.core.plans.paid import Left, what_is_left
from relight.core.plans.schedule import Instalment, schedule
from relight.core.plans.terms import STANDARD, PlanTerms, months_offered
from relight.core.policy import Policy
from relight.core.rules.plans import instalment_months
from relight.core.rules.reader import packaged_pack
from relight.core.windows import local_midnight
from relight.flow.cases.errors import UnableToAgree, UnableToFind
from relight.flow.cases.operations import SQL as CASES
from relight.flow.cases.operations import append_event, locked_at, wake_case
from relight.flow.cases.policies import PolicyShelf
from relight.flow.database import Tx, statements

SQL = statements(__package__, "plans.sql")
LIVE = ("agreed", "running")
_SHELF = PolicyShelf()


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of a case as people look at it. `left` has each part with what is still owed of it, in minor units."""

    id: int
    case_id: int
    state: str
    name: str
    months_min: int
    months_max: int
    months: int | None
    amount: int | None
    offered_at: datetime
    offered_by: str
    valid_until: date
    agreed_at: datetime | None
    agreed_by: str
    source: str
    told: int
    started_at: datetime | None
    ended_at: datetime | None
    ended_by: str
    note: str
    left: tuple[Left, ...]
    claims: tuple[str, ...]

    @property
    def is_live(self) -> bool:
        """Whether it is agreed and not over."""
        return self.state in LIVE

    @property
    def owed(self) -> int:
        """What is left of it, in minor units."""
        return sum(one.amount for one in self.left)

    @property
    def coming(self) -> Left | None:
        """The next part that something is owed of."""
        return next((one for one in self.left if one.amount > 0), None)


@dataclass(frozen=True, slots=True)
class Desk:
    """What an agreement is made from: a case, its policy, the partner's day, and its overdue claims with what counts of
    each, in minor units."""

    case_id: int
    account_id: int
    policy: Policy
    calendar: Calendar
    today: date
    zone_name: str
    currency: str
    claims: tuple[tuple[int, int], ...]

    @property
    def owed(self) -> int:
        """What a plan would be about."""
        return sum(amount for _, amount in self.claims)

    def months(self, name: str = STANDARD, stated: tuple[int, int] | None = None) -> tuple[int, int]:
        """The fewest and the most months to choose from, within the law's."""
        law = next(
            (found for one in self.policy.laws if (found := instalment_months(packaged_pack(one), self.owed))), None
        )
        return months_offered(self.policy.plan(name), max(1, self.owed), stated=stated, law=law)

    def parts(self, terms: PlanTerms, months: int, first: date | None = None) -> tuple[Instalment, ...]:
        """When how much would be due."""
        return schedule(self.calendar, terms, total=self.owed, months=months, agreed=self.today, first=first)


def desk(tx: Tx, case_id: int, now: datetime) -> Desk:
    """What can be agreed on in a case. Raises `UnableToFind`; `UnableToAgree` where nothing is overdue."""
    found = tx.row(SQL.case, {"case": case_id, "now": now})
    if found is None:
        raise UnableToFind("There is no such case.")
    account_id, state, version_id, country, zone_name, today, currency = found
    claims = tuple(row for row in tx.rows(SQL.owed, {"case": case_id, "now": now, "today": today}) if row[1] > 0)
    if state == "closed" or not claims:
        raise UnableToAgree("Nothing is overdue in this case, so there is nothing to agree on.", "nothing_owed")
    policy = _SHELF.get(tx, version_id)
    return Desk(case_id, account_id, policy, calendar_for(country), today, zone_name, currency, claims)


def current(tx: Tx, case_id: int, now: datetime) -> Plan | None:
    """The case's plan: the one that is agreed, else an open offer, else the last that was."""
    found = tx.row(SQL.case, {"case": case_id, "now": now})
    if found is None:
        return None
    row = tx.row(SQL.current, {"case": case_id, "today": found[5]})
    return plan_of(row) if row is not None else None


def plan_of(row: Sequence[Any]) -> Plan:
    """A plan from its row of `current`."""
    *own, parts, paid, claims = row
    left = what_is_left([part_of(one) for one in parts], [paid_of(one) for one in paid])
    fields: list[Any] = [*own, left, tuple(claims)]
    return Plan(*fields)


def part_of(found: Sequence[Any]) -> Instalment:
    """A part from its JSON: number, day, amount, and the days of telling and of being too late."""
    number, due, amount, remind, late = found
    days = (date.fromisoformat(due), date.fromisoformat(remind), date.fromisoformat(late))
    return Instalment(number, days[0], amount, days[1], days[2])


def paid_of(found: Sequence[Any]) -> PaidFacts:
    """What a payment paid of a plan, from its JSON."""
    return PaidFacts(date.fromisoformat(found[0]), found[1])


def offer(
    tx: Tx, *, case_id: int, actor: str, now: datetime, name: str = STANDARD, months: tuple[int, int] | None = None
) -> int:
    """A person offers a plan that the customer can say yes to from their link; its id. Raises `UnableToAgree`."""
    at, now = _locked(tx, case_id, now)
    shortest, longest = at.months(name, months)
    params = {
        "cases": [case_id], "names": [name], "numbers": [None], "months_min": [shortest], "months_max": [longest],
        "valid": [at.calendar.add(at.today, at.policy.plan(name).valid)], "now": now, "actor": actor,
    }  # fmt: skip
    tx.run(SQL.withdraw_offers, params)
    plan_id = tx.value(SQL.offer, params)
    if plan_id is None:
        raise UnableToAgree("This case has a plan already. End it before you offer another.", "has_plan")
    told = {"plan": plan_id, "months": [shortest, longest]}
    append_event(tx, case_id=case_id, code="plan_offered", actor=actor, now=now, params=told)
    return plan_id


def agree(
    tx: Tx,
    *,
    case_id: int,
    months: int,
    actor: str,
    now: datetime,
    source: str,
    first: date | None = None,
    name: str = STANDARD,
) -> int:
    """Agree on a plan for what is overdue: from the open offer, or between an agent and the customer; its id.

    Until its first part is paid the case waits; that payment starts it. Raises `UnableToAgree` for months that are not
    on offer, a first day that is past or too far off, and a case that has a plan.
    """
    at, now = _locked(tx, case_id, now)
    found = current(tx, case_id, now)
    if found is not None and found.is_live:
        raise UnableToAgree("This case has a plan already.", "has_plan")
    if found is None or found.state != "offered":
        if source == "page":
            raise UnableToAgree("There is no offer of a plan any more.", "no_offer")
        offer(tx, case_id=case_id, actor=actor, now=now, name=name)
        found = current(tx, case_id, now)
        assert found is not None, "it was offered in this transaction"
    shortest, longest = at.months(found.name, (found.months_min, found.months_max))
    if not shortest <= months <= longest:
        told = f"A plan can run from {shortest} to {longest} months here, not {months}."
        raise UnableToAgree(told, "months", least=shortest, most=longest)
    terms = at.policy.plan(found.name)
    latest = at.calendar.add(at.today, terms.first)
    if first is not None and not at.today <= first <= latest:
        told = f"The first part is to be due between {at.today} and {latest}."
        raise UnableToAgree(told, "first", first=at.today, last=latest)
    parts = at.parts(terms, months, first)
    _write(tx, at, found.id, parts, actor=actor, now=now, source=source)
    agreed = {"plan": found.id, "months": months, "amount": at.owed, "first": parts[0].due_date.isoformat()}
    append_event(tx, case_id=case_id, code="plan_agreed", actor=actor, now=now, params=agreed)
    wake_case(tx, case_id, now, urgent=True)
    return found.id


def end(tx: Tx, *, plan_id: int, actor: str, now: datetime, note: str = "") -> None:
    """A person ends a plan; the case goes on with its clock as it was. Ending one that is over changes nothing."""
    found = tx.row(SQL.plan, {"plan": plan_id})
    if found is None:
        raise UnableToFind("There is no such plan.")
    case_id, account_id, _ = found
    now = locked_at(tx, [account_id], now)
    _, _, state = tx.row(SQL.plan, {"plan": plan_id}) or found
    if state not in LIVE:
        return
    tx.run(SQL.note, {"plan": plan_id, "note": note})
    record_moves(tx, [PlanDraft(plan_id, "ended")], now, actor=actor)
    told = {"plan": plan_id, "note": note}
    append_event(tx, case_id=case_id, code="plan_ended", actor=actor, now=now, params=told)
    wake_case(tx, case_id, now, urgent=True)


def record_offers(tx: Tx, offers: Sequence[tuple[int, str, int, int, int, date]], now: datetime) -> None:
    """What decisions offered: case, template, the step's number, the fewest and the most months, the last day."""
    if not offers:
        return
    names = ("cases", "names", "numbers", "months_min", "months_max", "valid")
    columns = dict(zip(names, (list(column) for column in zip(*offers, strict=True)), strict=True))
    tx.run(SQL.withdraw_offers, {**columns, "now": now})
    tx.run(SQL.offer, {**columns, "now": now, "actor": "relight"})


def record_moves(tx: Tx, moves: Sequence[PlanDraft], now: datetime, *, actor: str = "relight") -> None:
    """What decisions (or, to end one, a person) make of plans: their states with their pauses, and what was told."""
    if not moves:
        return
    rows = zip(*((one.plan_id, one.state, one.told, one.confirmed) for one in _merged(moves)), strict=True)
    columns = dict(zip(("plans", "states", "told", "confirmed"), (list(row) for row in rows), strict=True))
    tx.run(SQL.move, {**columns, "now": now, "actor": actor})
    if running := [one.plan_id for one in moves if one.state == "running"]:
        tx.run(SQL.hold_running, {"plans": running, "now": now})


def _merged(moves: Sequence[PlanDraft]) -> list[PlanDraft]:
    """One a plan: a statement changes a row once."""
    found: dict[int, PlanDraft] = {}
    for one in moves:
        before = found.get(one.plan_id, PlanDraft(one.plan_id, ""))
        found[one.plan_id] = PlanDraft(
            one.plan_id, one.state or before.state, max(one.told, before.told), one.confirmed or before.confirmed
        )
    return list(found.values())


def _locked(tx: Tx, case_id: int, now: datetime) -> tuple[Desk, datetime]:
    """The desk of a case whose account is locked before the facts are read, and the moment for what is written."""
    account_id = tx.value(CASES.account_of, {"case": case_id})
    if account_id is None:
        raise UnableToFind("There is no such case.")
    now = locked_at(tx, [account_id], now)
    return desk(tx, case_id, now), now


def _write(
    tx: Tx, at: Desk, plan_id: int, parts: Sequence[Instalment], *, actor: str, now: datetime, source: str
) -> None:
    """The plan as it was agreed, and the wait for its first part."""
    waits = {
        "case": at.case_id, "account": at.account_id, "claim": None, "service": None, "amount": None,
        "reason": "promise", "note": "", "now": now, "review_date": None, "protective": False,
        "source": f"plan {plan_id}", "actor": actor,
        "ends_at": local_midnight(parts[0].late_date, ZoneInfo(at.zone_name)),
    }  # fmt: skip
    hold_id = tx.value(CASES.place_hold, waits)
    agreed = {
        "plan": plan_id, "months": len(parts), "amount": at.owed, "now": now, "actor": actor, "source": source,
        "hold": hold_id,
    }  # fmt: skip
    assert tx.run(SQL.agree, agreed) == 1, "the offer was read under the account's lock"
    claims, amounts = zip(*at.claims, strict=True)
    of_plan = {"partner": tx.partner_id, "plan": plan_id}
    tx.run(SQL.add_claims, {**of_plan, "claims": list(claims), "amounts": list(amounts)})
    columns = {
        "numbers": [one.number for one in parts], "due": [one.due_date for one in parts],
        "amounts": [one.amount for one in parts], "remind": [one.remind_date for one in parts],
        "late": [one.late_date for one in parts],
    }  # fmt: skip
    tx.run(SQL.add_parts, {**of_plan, **columns})
