"""Collections are planned: which bills, on which day, and kept from being followed up until it is known how it went.

What is no longer owed is taken back. Accounts are locked, some at a time, as whoever writes facts does.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from relight.core.calendars import Calendar, calendar_for
from relight.core.windows import local_date, local_midnight
from relight.flow.cases.operations import locked_at, wake
from relight.flow.database import Database, Tx, statements
from relight.flow.payments.mandates import days
from relight.flow.payments.mandates.announcing import announce
from relight.flow.payments.mandates.rules import Scheme, schemes
from relight.flow.payments.mandates.withdrawing import Gone, tell, withdraw

SQL = statements(__package__, "planning.sql")
_BATCH = 500
_DAY = timedelta(days=1)
_MANDATES_AHEAD = 62  # one that begins later is looked at later
_QUICK, _LETTER_TAKES = frozenset({"sms", "email"}), timedelta(days=5)
_FAILED = ("refused", "returned", "unanswered")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the partner is, and its day."""

    country: str
    zone: ZoneInfo
    calendar: Calendar
    today: date

    def until(self, scheme: Scheme, collect: date) -> datetime:
        """The moment up to which a collection may settle."""
        return local_midnight(days.settled_by(self.calendar, scheme, collect) + _DAY, self.zone)


@dataclass(slots=True)
class Planned:
    """What a run came to. `left_out` counts bills with a mandate by why they are not collected now."""

    planned: int = 0
    amounts: Counter[str] = field(default_factory=Counter[str])
    called_back: int = 0
    recall_wanted: int = 0
    left_out: Counter[str] = field(default_factory=Counter[str])


class _Bill(NamedTuple):
    claim_id: int
    account_id: int
    mandate_id: int
    scheme: str
    owed: int
    currency: str
    due: date
    starts_on: date
    ends_on: date | None
    announced: date
    failures: int
    retry_date: date | None
    last_state: str
    number: str
    bank_notifies: bool
    announced_by: str
    channels: list[str]
    is_untold: bool


def place_of(tx: Tx, now: datetime, today: date | None = None) -> Place:
    """Where the partner is, and what day it is there."""
    found = tx.row(SQL.partner, {"partner": tx.partner_id})
    assert found is not None
    zone = ZoneInfo(found[1])
    return Place(found[0], zone, calendar_for(found[0]), today or local_date(now, zone))


def plan(db: Database, partner_id: int, *, now: datetime, today: date | None = None) -> Planned:
    """Plan what may be collected as of a day (the partner's own if left out), and take back what is paid by now."""
    told = back_what_lapsed(db, partner_id, now=now, today=today)
    with db.transaction(partner_id) as tx:
        place = place_of(tx, now, today)
    last = place.today + timedelta(days=_MANDATES_AHEAD)

    def ahead(tx: Tx, accounts: Sequence[int]) -> None:
        plan_accounts(tx, accounts, place, now=now, told=told)

    in_batches(db, partner_id, SQL.accounts, {"today": place.today, "last": last}, ahead)
    return told


def back_what_lapsed(db: Database, partner_id: int, *, now: datetime, today: date | None = None) -> Planned:
    """Take back what is paid, at rest, or without its mandate by now; nothing new is planned."""
    told = Planned()
    with db.transaction(partner_id) as tx:
        place = place_of(tx, now, today)

    def back(tx: Tx, accounts: Sequence[int]) -> None:
        take_back(tx, place, now=now, told=told, accounts=accounts)

    in_batches(db, partner_id, SQL.lapsed, {"now": now, "accounts": None}, back)
    return told


def in_batches(
    db: Database,
    partner_id: int,
    statement: str,
    params: Mapping[str, Any],
    work: Callable[[Tx, Sequence[int]], None],
) -> None:
    """Work on the accounts that a statement names first in its rows, some at a time, a transaction each."""
    after = 0
    while True:
        with db.transaction(partner_id) as tx:
            rows = tx.rows(statement, {**params, "after": after, "limit": _BATCH})
            accounts = sorted({row[0] for row in rows})
            if not accounts:
                return
            after = accounts[-1]
            work(tx, accounts)


def plan_accounts(tx: Tx, accounts: Sequence[int], place: Place, *, now: datetime, told: Planned) -> None:
    """Plan for these accounts, in the caller's transaction."""
    now = locked_at(tx, accounts, now)
    rows = tx.rows(SQL.candidates, {"accounts": list(accounts), "today": place.today, "now": now})
    chosen: list[tuple[_Bill, date]] = []
    for bill in map(_Bill._make, rows):
        found = _day_of(bill, place)
        if isinstance(found, str):
            told.left_out[found] += 1
        else:
            chosen.append((bill, found))
    if chosen:
        _write(tx, chosen, place, now)
        told.planned += len(chosen)
        for bill, _ in chosen:
            told.amounts[bill.currency] += bill.owed


def take_back(tx: Tx, place: Place, *, now: datetime, told: Planned, accounts: Sequence[int]) -> None:
    """Take back what is paid, at rest, or whose mandate has ended: at once where no file ordered it, else in the next
    file."""
    now = locked_at(tx, accounts, now)
    found = tx.rows(SQL.lapsed, {"accounts": list(accounts), "now": now, "after": 0, "limit": None})
    sent = [row for row in found if row[3] == "sent" and _can_be_recalled(row, place)]
    tx.run(SQL.want_back, {"collections": [row[1] for row in sent]})
    told.recall_wanted += len(sent)
    gone = [Gone(row[1], row[0], row[2], row[7], row[6]) for row in found if row[3] == "planned"]
    withdraw(tx, gone, why="not_sent", now=now)
    told.called_back += len(gone)


def _can_be_recalled(row: tuple[Any, ...], place: Place) -> bool:
    return days.last_to_recall(place.calendar, schemes()[row[5]], row[4]) >= place.today


def _day_of(bill: _Bill, place: Place) -> date | str:
    """The day on which a bill can be collected, or why it is not."""
    scheme = schemes()[bill.scheme]
    not_before = max(bill.due, bill.starts_on)
    if bill.last_state in _FAILED:
        if bill.retry_date is None:
            return "failed_before"
        not_before = max(not_before, bill.retry_date)
    announced = _announced(bill, scheme, place)
    if isinstance(announced, str):
        return announced
    day = days.collect_on(place.calendar, scheme, today=place.today, not_before=not_before, announced=announced)
    if bill.ends_on is not None and day >= bill.ends_on:
        return "mandate_ends"
    if day > place.calendar.add(place.today, scheme.ahead):
        return "later"
    return day


def _announced(bill: _Bill, scheme: Scheme, place: Place) -> date | str | None:
    """On which day the customer has been told, or will be; None where others do; or why nobody can be told."""
    if not scheme.creditor_tells(bank_notifies=bill.bank_notifies):
        return None
    if bill.announced_by == "bill":
        return bill.announced if bill.announced >= bill.starts_on else "not_announced"
    if bill.is_untold or not bill.channels:
        return "nobody_to_tell"
    return place.today + _DAY + (timedelta() if _QUICK.intersection(bill.channels) else _LETTER_TAKES)


def _write(tx: Tx, chosen: Sequence[tuple[_Bill, date]], place: Place, now: datetime) -> None:
    accounts = sorted({bill.account_id for bill, _ in chosen})
    given = {
        "partner": tx.partner_id,
        "claims": [bill.claim_id for bill, _ in chosen],
        "accounts": [bill.account_id for bill, _ in chosen],
        "mandates": [bill.mandate_id for bill, _ in chosen],
        "amounts": [bill.owed for bill, _ in chosen],
        "currencies": [bill.currency for bill, _ in chosen],
        "days": [day for _, day in chosen],
        "untils": [place.until(schemes()[bill.scheme], day) for bill, day in chosen],
        "attempts": [bill.failures + 1 for bill, _ in chosen],
    }
    tx.run(SQL.plan, {**given, "now": now})
    tx.run(SQL.keep_holds, {"accounts": accounts})
    tell(
        tx,
        [(bill.claim_id, "collection_planned", {"amount": bill.owed, "day": day.isoformat()}) for bill, day in chosen],
        now,
    )
    announce(tx, accounts, now=now)
    wake(tx, accounts, now, urgent=False)
