"""Collections are planned: which bills, on which day, and kept from being followed up until it is known how it went.

What is no longer owed is taken back. Accounts are locked, some at a time, as whoever writes facts does.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from relight.core.calendars import Calendar, calendar_for
from relight.core.windows import local_date, local_midnight
from relight.flow.cases.operations import lock_accounts, wake
from relight.flow.database import Database, Tx, statements
from relight.flow.payments.mandates import days
from relight.flow.payments.mandates.rules import Scheme, schemes

SQL = statements(__package__, "planning.sql")
_BATCH = 500
_DAY = timedelta(days=1)
_MANDATES_AHEAD = 62  # one that begins later is looked at later
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


def place_of(tx: Tx, now: datetime, today: date | None = None) -> Place:
    """Where the partner is, and what day it is there."""
    found = tx.row(SQL.partner, {"partner": tx.partner_id})
    assert found is not None
    zone = ZoneInfo(found[1])
    return Place(found[0], zone, calendar_for(found[0]), today or local_date(now, zone))


def plan(db: Database, partner_id: int, *, now: datetime, today: date | None = None) -> Planned:
    """Plan what may be collected as of a day (the partner's own if left out), and take back what is paid by now."""
    told = Planned()
    with db.transaction(partner_id) as tx:
        place = place_of(tx, now, today)
    last = place.today + timedelta(days=_MANDATES_AHEAD)

    def back(tx: Tx, accounts: Sequence[int]) -> None:
        take_back(tx, place, now=now, told=told, accounts=accounts)

    def ahead(tx: Tx, accounts: Sequence[int]) -> None:
        plan_accounts(tx, accounts, place, now=now, told=told)

    _in_batches(db, partner_id, SQL.in_flight, {}, back)
    _in_batches(db, partner_id, SQL.accounts, {"today": place.today, "last": last}, ahead)
    return told


def _in_batches(
    db: Database,
    partner_id: int,
    statement: str,
    params: Mapping[str, Any],
    work: Callable[[Tx, Sequence[int]], None],
) -> None:
    """Work on accounts some at a time, a transaction each."""
    after = 0
    while True:
        with db.transaction(partner_id) as tx:
            accounts = [row[0] for row in tx.rows(statement, {**params, "after": after, "limit": _BATCH})]
            if not accounts:
                return
            after = accounts[-1]
            work(tx, accounts)


def plan_accounts(tx: Tx, accounts: Sequence[int], place: Place, *, now: datetime, told: Planned) -> None:
    """Plan for these accounts, in the caller's transaction."""
    lock_accounts(tx, accounts)
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
    """Take back what is paid, or whose mandate has ended: at once where no file ordered it, else in the next file."""
    lock_accounts(tx, accounts)
    found = tx.rows(SQL.lapsed, {"accounts": list(accounts)})
    planned = [row for row in found if row[3] == "planned"]
    sent = [row for row in found if row[3] == "sent" and _can_be_recalled(row, place)]
    tx.run(SQL.want_back, {"collections": [row[0] for row in sent]})
    told.recall_wanted += len(sent)
    if planned:
        tx.run(SQL.withdraw, {"collections": [row[0] for row in planned], "now": now})
        tx.run(SQL.let_go, {"holds": [row[6] for row in planned], "now": now})
        tell(tx, [(row[2], "collection_called_back", {"amount": row[7]}) for row in planned], now)
        wake(tx, sorted({row[1] for row in planned}), now, urgent=False)
        told.called_back += len(planned)


def tell(tx: Tx, events: Sequence[tuple[int, str, Mapping[str, Any]]], now: datetime) -> None:
    """Put what happened to bills (claim, code, parameters) on the log of their open cases; accounts are locked."""
    if events:
        given = {
            "claims": [claim for claim, _, _ in events],
            "codes": [code for _, code, _ in events],
            "params": [Jsonb(dict(params)) for _, _, params in events],
        }
        tx.run(SQL.tell, {**given, "now": now})


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
    if scheme.notice is not None and bill.announced < bill.starts_on:
        return "not_announced"
    day = days.collect_on(place.calendar, scheme, today=place.today, not_before=not_before, announced=bill.announced)
    if bill.ends_on is not None and day >= bill.ends_on:
        return "mandate_ends"
    if day > place.calendar.add(place.today, scheme.ahead):
        return "later"
    return day


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
    wake(tx, accounts, now, urgent=False)
