"""Late interest on claims: counted anew from its first day, compared with what was booked, and the difference posted.

A claim bears interest in the ledger from the notice that first names it, for as long as one stands that does. Then it
is counted at each month's end and whenever its principal changes, so that a payment that is told late, or returned,
corrects it, downwards as well. What nobody knows the rate of is not booked. The caller holds the accounts' locks, in
id order.
"""

from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from relight.core.interest.accrual import Bearing, Change, Interest, late_interest, still_to_book
from relight.core.rules.rates import InterestTable
from relight.flow.claims import rates
from relight.flow.claims.allocation import allocate_by_age, country_rules
from relight.flow.database import Tx, statements

SQL = statements(__package__, "interest.sql")
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A claim's late interest: what the law lets one ask until a day, and what is booked, in minor units."""

    claim_id: int
    account_id: int
    until: date
    interest: Interest
    booked: int
    law: str


@dataclass(frozen=True, slots=True)
class _Row:
    """A claim as the database tells it."""

    claim_id: int
    account_id: int
    country: str
    debtor: str
    due_date: date
    disputed: int
    until: date
    booked: int
    days: Sequence[date]
    amounts: Sequence[int]
    from_the_first: Sequence[bool]

    @property
    def bearing(self) -> Bearing:
        """What bears interest, and since when how much. A bill that was too high bore none for what was taken off it;
        what is disputed bears none; and what was paid twice is nothing below zero."""
        told = list(zip(self.days, self.amounts, self.from_the_first, strict=True))
        principal = sum(amount for _, amount, first in told if first) - self.disputed
        later = sorted((day, amount) for day, amount, first in told if not first)
        return Bearing(max(0, principal), self.due_date, tuple(_changes(principal, later)))


def name(tx: Tx, claims: Sequence[int], *, today: date, now: datetime) -> None:
    """Notices name the interest of these claims: it is booked until today, and followed from now on."""
    if claims:
        begun = {row[0] for row in tx.rows(SQL.begin, {"claims": list(claims), "today": today})}
        recount(tx, sorted(begun), today=today, now=now)


def forget(tx: Tx, claims: Sequence[int], *, today: date, now: datetime) -> None:
    """No notice that stands names the interest of these claims: what is booked of it is taken back, and none is counted
    until one names it again. What was paid of it is the customer's credit: share it out, and `recount`."""
    if not claims:
        return
    booked = [row for row in tx.rows(SQL.forget, {"claims": list(claims)}) if row[1] > 0]
    if booked:
        ids, amounts = (list(column) for column in zip(*booked, strict=True))
        params = {"claims": ids, "amounts": amounts, "untils": [today] * len(ids), "today": today, "now": now}
        tx.rows(SQL.take_back, params)


def forget_forgiven(tx: Tx, claim: int | None, *, today: date, now: datetime) -> None:
    """What was forgiven of a claim is owed again: but not interest that no notice names by now."""
    forget(tx, [row[0] for row in tx.rows(SQL.unnamed, {"claim": claim})], today=today, now=now)


def recount(tx: Tx, accounts: Sequence[int], *, today: date, now: datetime, until: date | None = None) -> None:
    """Count the named interest of accounts anew until a day (today when left out) and post the difference.

    What is taken back of interest that was paid is the customer's again, and pays what else is owed.
    """
    while accounts:
        found = _reckon(tx, accounts, lambda row: max(row.until, until or today))
        again = _post(tx, found, today=today, now=now)
        if not again:
            return
        # What is freed pays principal, as of the day that it was paid: so there was less to bear interest. It can only
        # become less, until there is nothing to free.
        allocate_by_age(tx, again, today=today, now=now)
        accounts = again


def before_payments(tx: Tx, payments: Sequence[int], *, today: date, now: datetime) -> None:
    """Where interest is paid before the principal: have it booked as of the first day that one of these payments
    counts from, no more and no less, so that they pay what was owed on their own day. Call it before they pay."""
    if payments:
        first = [country for country, rule in country_rules().items() if _pays_interest_first(rule.order)]
        days: dict[int, date] = dict(tx.rows(SQL.days, {"payments": list(payments), "countries": first}))
        if days:
            _post(tx, _reckon(tx, sorted(days), lambda row: days[row.account_id]), today=today, now=now)


def book_month(tx: Tx, *, today: date, now: datetime, after: int = 0) -> int:
    """Book interest until the last month's end for a batch of accounts above an id; the last one's id, 0 when done."""
    until = month_end(today)
    rows = tx.rows(SQL.month_due, {"until": until, "after": after, "limit": _BATCH})
    accounts = [row[0] for row in rows]
    if not accounts:
        return 0
    tx.lock(SQL.lock, {"accounts": accounts})
    now = tx.after_waiting(now)
    recount(tx, accounts, today=today, now=now, until=until)
    return accounts[-1]


def month_end(today: date) -> date:
    """The latest last day of a month, today included."""
    last = monthrange(today.year, today.month)[1]
    return today if today.day == last else today.replace(day=1) - timedelta(days=1)


def reckoned(tx: Tx, accounts: Sequence[int]) -> list[Reckoned]:
    """How the interest that is booked comes about, slice by slice, for people to read; changes nothing."""
    return _reckon(tx, accounts, lambda row: row.until)


def _pays_interest_first(order: Sequence[str]) -> bool:
    return order.index("interest") < order.index("principal")


def _reckon(tx: Tx, accounts: Sequence[int], until: Callable[[_Row], date]) -> list[Reckoned]:
    rows = [_Row(*row) for row in tx.rows(SQL.bearing, {"accounts": list(accounts)})]
    if not rows:
        return []
    by_debtor = rates.tables(rows[0].country, rates.confirmed(tx))
    return [_reckon_one(row, by_debtor.get(row.debtor, by_debtor["consumer"]), until(row)) for row in rows]


def _reckon_one(row: _Row, table: InterestTable | None, until: date) -> Reckoned:
    interest = late_interest(row.bearing, table, until=until)
    return Reckoned(row.claim_id, row.account_id, until, interest, row.booked, table.law if table is not None else "")


def _changes(principal: int, later: Sequence[tuple[date, int]]) -> Iterator[Change]:
    """What changed the principal day by day, as if it were never below zero."""
    left = max(0, principal)
    for day, of_day in groupby(later, key=lambda one: one[0]):
        principal += sum(amount for _, amount in of_day)
        if max(0, principal) != left:
            yield Change(day, max(0, principal) - left)
            left = max(0, principal)


def _post(tx: Tx, found: Sequence[Reckoned], *, today: date, now: datetime) -> list[int]:
    """Post the differences; the accounts that have money to share out, or more to pay with what they have."""
    if not found:
        return []
    tx.run(SQL.mark, {"claims": [one.claim_id for one in found], "untils": [one.until for one in found]})
    differences = [(one, still_to_book(one.interest, booked=one.booked)) for one in found]
    more = [(one, amount) for one, amount in differences if amount > 0]
    less = [(one, -amount) for one, amount in differences if amount < 0]
    touched = {one.account_id for one, _ in more}
    if more:
        tx.run(SQL.post, {**_columns(more), "now": now})
    if less:
        touched |= {row[0] for row in tx.rows(SQL.take_back, {**_columns(less), "today": today, "now": now})}
    return sorted(touched)


def _columns(wanted: Sequence[tuple[Reckoned, int]]) -> dict[str, list[object]]:
    return {
        "claims": [one.claim_id for one, _ in wanted],
        "amounts": [amount for _, amount in wanted],
        "untils": [one.until for one, _ in wanted],
    }
