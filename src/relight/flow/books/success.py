"""What a partner owes for success: payments on claims that a step had named, at the fee that was agreed.

A success is a payment on a claim that Relight had followed up before it was paid. The fee is a share, an amount, or
both, by the agreement that held when it was first paid; what comes back is taken off at the same fee in the month when
it comes back. All amounts are minor units, and currencies are never added together.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from relight.flow.books.errors import UnableToPost
from relight.flow.cases.people import Person
from relight.flow.database import Tx, statements

SQL = statements(__package__, "success.sql")
SHARE_WHOLE = 10_000  # a share is counted in hundredths of a percent


class Terms(NamedTuple):
    """An agreement: from which day on, a share in hundredths of a percent, and an amount a transaction."""

    starts_date: date
    currency: str
    share: int
    amount: int
    agreed_at: datetime
    agreed_by: str


class Success(NamedTuple):
    """A payment, what it had paid on followed-up claims before and after the month, and the terms that hold for it."""

    account: str
    payment: str
    first_date: date
    currency: str
    before: int
    after: int
    share: int
    amount: int

    @property
    def moved(self) -> int:
        """What it brought in the month; below zero when it went back."""
        return self.after - self.before

    @property
    def counts(self) -> int:
        """1 for a new success, -1 for one that came back whole, 0 for one that only changed."""
        return (self.after > 0) - (self.before > 0)

    @property
    def fee(self) -> int:
        """What is owed for the month; below zero what is given back."""
        return self._fee(self.after) - self._fee(self.before)

    def _fee(self, paid: int) -> int:
        """For all that was paid, the share rounded to the nearest minor unit, halves up."""
        return self.amount + (paid * self.share * 2 + SHARE_WHOLE) // (SHARE_WHOLE * 2) if paid > 0 else 0


class Total(NamedTuple):
    """A month's successes in one currency."""

    currency: str
    successes: int
    returned: int
    moved: int
    fee: int


def agree(tx: Tx, *, starts: date, currency: str, share: int = 0, amount: int = 0, by: Person, now: datetime) -> None:
    """Set what the partner pays from a day on; nothing (0 and 0) ends it. Raises `UnableToAct`, `UnableToPost`."""
    by.must("terms")
    if not 0 <= share <= SHARE_WHOLE or amount < 0:
        raise UnableToPost("A share is between 0 and 100 percent, and an amount not below zero.")
    params = {"partner": tx.partner_id, "starts": starts, "currency": currency, "share": share, "amount": amount}
    tx.run(SQL.agree, {**params, "now": now, "actor": by.name})


def terms(tx: Tx) -> list[Terms]:
    """All agreements, the newest first."""
    return [Terms(*row) for row in tx.rows(SQL.terms)]


def successes(tx: Tx, month: date) -> list[Success]:
    """The month's successes and those that came back in it, by its first day."""
    since, until = tx.row(SQL.span, {"partner": tx.partner_id, "month": month}) or (None, None)
    return [Success(*row) for row in tx.rows(SQL.successes, {"since": since, "until": until})]


def totals(found: Iterable[Success]) -> list[Total]:
    """By currency."""
    sums: dict[str, Total] = {}
    for one in found:
        old = sums.get(one.currency, Total(one.currency, 0, 0, 0, 0))
        sums[one.currency] = Total(
            one.currency,
            old.successes + (one.counts > 0),
            old.returned + (one.counts < 0),
            old.moved + one.moved,
            old.fee + one.fee,
        )
    return [sums[currency] for currency in sorted(sums)]
