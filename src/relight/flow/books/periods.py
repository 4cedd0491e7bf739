"""Closing a month: what is told afterwards is posted in an open month, with its old value date.

The database itself refuses a posting into a closed month (a trigger, for every writer). What the month came to is kept
beside it, so that anybody can see that nothing in it has changed.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from relight.flow.books.errors import UnableToClose
from relight.flow.cases.people import Person
from relight.flow.database import Tx, statements

SQL = statements(__package__, "periods.sql")
ENTRIES = statements(__package__, "entries.sql").entries
_ADD_DAYS = f"WITH {SQL.days} {SQL.add_days}"
_ADD_BALANCES = f"WITH {ENTRIES} {SQL.add_balances}"
_CHANGED_DAYS = f"WITH {SQL.days} {SQL.changed_days}"
_CHANGED_BALANCES = f"WITH {ENTRIES} {SQL.changed_balances}"


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """A closed month: its first day, its half-open span, how many transfers it holds, and who closed it when."""

    month: date
    starts_at: datetime
    ends_at: datetime
    transfers: int
    closed_at: datetime
    closed_by: str


class Change(NamedTuple):
    """Something of a closed month that is not what it was when it was closed: the month, and a sentence."""

    month: date
    what: str


class _Span(NamedTuple):
    """A month's span, the newest closed month, and the moment of the first transfer that there is."""

    starts_at: datetime
    ends_at: datetime
    last_id: int | None
    last_month: date | None
    last_ends_at: datetime | None
    first_at: datetime | None


def close(tx: Tx, month: date, *, by: Person, now: datetime) -> ClosedMonth:
    """Close a month (its first day), and keep what it came to. Whoever posts for the partner waits meanwhile.

    Months are closed in order; the first one that is closed takes in all that was posted before it. Raises
    `UnableToClose`, and `UnableToAct` for a person whose role does not allow it.
    """
    by.must("books")
    tx.rows(SQL.hold_postings, {"partner": tx.partner_id})
    span = _Span(*(tx.row(SQL.span, {"partner": tx.partner_id, "month": month}) or ()))
    _must_be_next(month, span, now)
    since = span.last_ends_at or min(span.starts_at, span.first_at or span.starts_at)
    params: dict[str, Any] = {"partner": tx.partner_id, "since": since, "until": span.ends_at}
    row = tx.row(SQL.add_period, {**params, "month": month, "now": now, "actor": by.name})
    assert row is not None
    params |= {"period": row[0], "before": span.last_id}
    for statement in (_ADD_DAYS, _ADD_BALANCES, SQL.add_open_claims):
        tx.run(statement, params)
    return ClosedMonth(month, since, span.ends_at, row[1], now, by.name)


def closed_months(tx: Tx) -> list[ClosedMonth]:
    """The months that are closed, the oldest first."""
    return [ClosedMonth(*row[1:]) for row in tx.rows(SQL.closed)]


def changes(tx: Tx) -> list[Change]:
    """What in closed months is not as it was when they were closed; empty when all is."""
    closed = closed_months(tx)
    if not closed:
        return []
    span = {"since": closed[0].starts_at, "until": closed[-1].ends_at}
    found = [
        Change(month, f"{day} held {before:,} transfers, and they were changed: now there are {after:,}")
        for month, day, before, after in tx.rows(_CHANGED_DAYS, span)
    ]
    found += [
        Change(month, f"{ledger} of {creditor or 'no creditor'} in {currency} was kept as {kept}, and comes to {moved}")
        for month, creditor, currency, ledger, kept, moved in tx.rows(_CHANGED_BALANCES, span)
    ]
    found += [
        Change(month, f"claim {number} was kept as owing {kept} {currency}, and owed {moved}")
        for month, number, currency, kept, moved in tx.rows(SQL.changed_claims, span)
    ]
    return sorted(found)


def _must_be_next(month: date, span: _Span, now: datetime) -> None:
    said = f"{month:%Y-%m}"
    if span.ends_at > now:
        raise UnableToClose(f"{said} is not over yet. Close it when it is.")
    if span.last_month is None:
        return
    following = next_month(span.last_month)
    if month < following:
        raise UnableToClose(f"{said} is closed already, and stays so. What is told late goes into an open month.")
    if month > following:
        raise UnableToClose(f"{following:%Y-%m} is open. Months are closed in order: close it first.")


def next_month(month: date) -> date:
    """The first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
