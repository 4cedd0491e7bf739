"""The books at the end of a day: trial balance, ageing, and journal entries for another system. All in minor units.

What was kept with the newest closed month is taken as it is, so that only what was posted since is read. Currencies are
never added together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from relight.flow.books.errors import UnableToClose
from relight.flow.books.periods import ENTRIES, next_month
from relight.flow.cases.errors import UnableToFind
from relight.flow.database import Tx, statements

SQL = statements(__package__, "trial.sql")
_TRIAL = f"WITH {ENTRIES} {SQL.trial}"
_MOVED = f"WITH {ENTRIES} {SQL.moved}"
_JOURNAL = f"WITH {ENTRIES} {SQL.journal}"


class Balance(NamedTuple):
    """One ledger of one creditor in one currency: all debits and credits until the end of a day."""

    creditor: str
    currency: str
    ledger: str
    debit: int
    credit: int

    @property
    def balance(self) -> int:
        """Debits minus credits."""
        return self.debit - self.credit


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial balance at the end of `day`."""

    day: date
    balances: tuple[Balance, ...]

    def totals(self) -> dict[tuple[str, str], int]:
        """By creditor and currency, what the balances come to: always zero."""
        found: dict[tuple[str, str], int] = {}
        for one in self.balances:
            key = one.creditor, one.currency
            found[key] = found.get(key, 0) + one.balance
        return found

    def is_zero(self) -> bool:
        """Whether every creditor's books come to zero in every currency."""
        return not any(self.totals().values())


class Age(NamedTuple):
    """What was owed to a creditor in a currency at the end of a day, by how long it was overdue."""

    creditor: str
    currency: str
    claims: int
    owed: int
    not_due: int
    days_1_30: int
    days_31_60: int
    days_61_90: int
    days_over_90: int


class Entry(NamedTuple):
    """One journal entry: all transfers of a kind between two ledgers on a booking day, in one creditor's books."""

    day: date
    creditor: str
    currency: str
    kind: str
    debit: str
    credit: str
    amount: int
    transfers: int


class _Until(NamedTuple):
    """The end of a day, the newest month closed by then (if any) and its end, and the partner's zone."""

    until: datetime
    period: int | None
    since: datetime
    zone: str


def trial(tx: Tx, day: date, *, creditor: str = "") -> Trial:
    """The trial balance at the end of a day; of one creditor, by name, or of all. Raises `UnableToFind`."""
    params, _ = _span(tx, day, creditor)
    return Trial(day, tuple(_balance(row) for row in tx.rows(_TRIAL, params)))


def trials(tx: Tx, first: date, last: date, *, creditor: str = "") -> Iterator[Trial]:
    """The trial balance at the end of each day from `first` to `last`; what moved is read once for all of them."""
    before = trial(tx, first - timedelta(days=1), creditor=creditor)
    params, at = _span(tx, last, creditor)
    since = _end(tx, first - timedelta(days=1)).until
    moved: dict[date, list[Balance]] = {}
    for day, *row in tx.rows(_MOVED, {**params, "since": since, "zone": at.zone}):
        moved.setdefault(day, []).append(_balance(row))
    sums = {one[:3]: one for one in before.balances}
    for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
        for one in moved.get(day, ()):
            old = sums.get(one[:3], one._replace(debit=0, credit=0))
            sums[one[:3]] = old._replace(debit=old.debit + one.debit, credit=old.credit + one.credit)
        yield Trial(day, tuple(sums[key] for key in sorted(sums)))


def ageing(tx: Tx, day: date, *, creditor: str = "") -> list[Age]:
    """What was owed at the end of a day, by age: from transfers and due dates as they were. Raises `UnableToFind`."""
    params, _ = _span(tx, day, creditor)
    return [Age(*row) for row in tx.rows(SQL.ageing, {**params, "day": day})]


def journal(tx: Tx, month: date) -> list[Entry]:
    """The journal entries of a closed month, given by its first day; the first one that was closed holds all before.

    Raises `UnableToClose` while it is open.
    """
    since = tx.value(SQL.opened, {"month": month})
    if since is None:
        raise UnableToClose(f"{month:%Y-%m} is open, and may still change. Close it: relight books close {month:%Y-%m}")
    at = _end(tx, next_month(month) - timedelta(days=1))
    rows = tx.rows(_JOURNAL, {"since": since, "until": at.until, "zone": at.zone})
    return [Entry(row[0], row[1] or "", *row[2:]) for row in rows]


def _span(tx: Tx, day: date, creditor: str) -> tuple[dict[str, Any], _Until]:
    if creditor and not tx.value("SELECT 1 FROM creditor WHERE name = %(name)s", {"name": creditor}):
        raise UnableToFind(f"There is no creditor {creditor!r} at this partner.")
    at = _end(tx, day)
    return {"period": at.period, "since": at.since, "until": at.until, "creditor": creditor}, at


def _end(tx: Tx, day: date) -> _Until:
    return _Until(*(tx.row(SQL.until, {"partner": tx.partner_id, "day": day}) or ()))


def _balance(row: Any) -> Balance:
    return Balance(row[0] or "", *row[1:])
