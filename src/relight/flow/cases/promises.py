"""Promises to pay until a day: one at a time, as far ahead and as often as the policy lets. The case waits for it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from relight.core.windows import local_date, local_midnight
from relight.flow.cases.errors import UnableToAgree
from relight.flow.cases.operations import append_event, locked_at, place_hold
from relight.flow.cases.plans import SQL, Desk, current, desk
from relight.flow.database import Tx

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Room:
    """From which day to which a promise can be made; `why_not` is why none can. `promised` is the last day of one
    that is open."""

    earliest: date
    latest: date
    why_not: UnableToAgree | None = None
    promised: date | None = None


def room(tx: Tx, at: Desk, now: datetime) -> Room:
    """What the policy still lets a customer promise in this case."""
    terms = at.policy.promise
    made, until = tx.row(SQL.promises, {"case": at.case_id, "now": now}) or (0, None)
    found = current(tx, at.case_id, now)
    why_not: UnableToAgree | None = None
    if found is not None and found.is_live:
        why_not = UnableToAgree("This case has a plan, which says when to pay.", "has_plan")
    elif until is not None:
        why_not = UnableToAgree("A promise is open already. One at a time.", "promised")
    elif made >= terms.times:
        told = f"This policy lets a customer promise {terms.times} times in a case, and that many were made."
        why_not = UnableToAgree(told, "promises_spent", times=terms.times)
    promised = local_date(until, ZoneInfo(at.zone_name)) - _DAY if until is not None else None
    return Room(at.today + _DAY, at.calendar.add(at.today, terms.longest), why_not, promised)


def promise_last(tx: Tx, *, case_id: int, actor: str, now: datetime, source: str) -> int:
    """As `promise`, by the last day that the policy lets a customer promise."""
    latest = room(tx, desk(tx, case_id, now), now).latest
    return promise(tx, case_id=case_id, until=latest, actor=actor, now=now, source=source)


def promise(tx: Tx, *, case_id: int, until: date, actor: str, now: datetime, source: str) -> int:
    """The customer will pay by the end of a day: the case waits until then; the hold's id. Raises `UnableToAgree`."""
    account = desk(tx, case_id, now).account_id
    now = locked_at(tx, [account], now)
    at = desk(tx, case_id, now)
    may = room(tx, at, now)
    if may.why_not:
        raise may.why_not
    if not at.today <= until <= may.latest:
        told = f"A promise can be for {at.today} to {may.latest}, not {until}."
        raise UnableToAgree(told, "promise_day", first=at.today, last=may.latest)
    ends_at = local_midnight(until + _DAY, ZoneInfo(at.zone_name))
    append_event(
        tx,
        case_id=case_id,
        code="promise_made",
        actor=actor,
        now=now,
        params={"day": until.isoformat(), "amount": at.owed},
    )
    return place_hold(
        tx, case_id=case_id, account_id=at.account_id, reason="promise", actor=actor, now=now, ends_at=ends_at,
        source=source,
    )  # fmt: skip
