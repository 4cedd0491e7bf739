"""How much late interest a claim has borne until a day, slice by slice, and why no more.

The first day is the one after the due date; the day on which a payment counts (its value date) still bears interest,
and so does `until`. A new rate holds from its first day, for running claims too. What is not known is not charged: at
the first day without a rate the count ends, and says why. Nothing is rounded until the end, and then once, down to the
minor unit: a law's rate is the most that may be asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from relight.core.interest.day_count import share_of_year
from relight.core.rules.rates import InterestTable, Unknown

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the principal on its value date, in minor units: below zero what was paid or credited, above zero
    what came back (a returned payment)."""

    value_date: date
    amount: int


@dataclass(frozen=True, slots=True)
class Bearing:
    """A claim's principal in minor units, the day that it was due, and what changed it since. Costs bear none here."""

    principal: int
    due_date: date
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Slice:
    """Days with one principal and one rate, the first and the last included. `share` is their share of a year."""

    first: date
    last: date
    principal: int
    percent: Decimal
    share: Fraction

    @property
    def exact(self) -> Fraction:
        """The slice's interest in minor units, not rounded."""
        return self.principal * Fraction(self.percent) * self.share / 100


@dataclass(frozen=True, slots=True)
class Stop:
    """From this day on nothing was counted, and why."""

    day: date
    why: Unknown


@dataclass(frozen=True, slots=True)
class Interest:
    """Late interest in minor units, what it is made of, and where the count had to end before its time."""

    amount: int
    slices: tuple[Slice, ...] = ()
    stopped: Stop | None = None

    @property
    def exact(self) -> Fraction:
        """The sum before it was rounded."""
        return sum((one.exact for one in self.slices), Fraction(0))


def late_interest(claim: Bearing, table: InterestTable | None, *, until: date) -> Interest:
    """The interest that a claim has borne until a day, that day included, by a table (None: its country has none).

    Raises ValueError when the changes take more than there was.
    """
    if until <= claim.due_date:
        return Interest(0)
    slices: list[Slice] = []
    stopped: Stop | None = None
    for first, last, principal in _pieces(claim, table, until):
        percent = table.rates.on(first) if table is not None else Unknown("no_table")
        if table is None or isinstance(percent, Unknown):
            assert isinstance(percent, Unknown)
            stopped = Stop(first, percent)
            break
        share = share_of_year(table.day_count, first - _DAY, last)
        _add(slices, Slice(first, last, principal, percent, share))
    exact = Interest(0, tuple(slices), stopped)
    return Interest(int(exact.exact), exact.slices, stopped)


def still_to_book(interest: Interest, *, booked: int) -> int:
    """What is to be booked so that all that was booked comes to the interest; below zero, to be taken back.

    Interest is always counted from its first day and compared, never added up from roundings: so a payment that is told
    late corrects it, and a hundred monthly bookings come to the same as one.
    """
    return interest.amount - booked


def _pieces(claim: Bearing, table: InterestTable | None, until: date) -> Iterator[tuple[date, date, int]]:
    """Days with one principal and one rate, in order; those without a principal are left out."""
    begins = claim.due_date + _DAY
    edges = {change.value_date + _DAY for change in claim.changes}
    edges |= {date(year, month, 1) for year in range(begins.year, until.year + 1) for month in (1, 7)}
    edges |= {entry.starts for entry in table.rates.entries} if table is not None else set[date]()
    inside = sorted(edge for edge in edges if begins < edge <= until)
    for first, after in pairwise([begins, *inside, until + _DAY]):
        principal = _principal_on(claim, first)
        if principal:
            yield first, after - _DAY, principal


def _principal_on(claim: Bearing, day: date) -> int:
    principal = claim.principal + sum(change.amount for change in claim.changes if change.value_date < day)
    if principal < 0:
        raise ValueError(f"more was paid by {day} than the claim's principal of {claim.principal}")
    return principal


def _add(slices: list[Slice], one: Slice) -> None:
    """Put a slice behind the others; days like those before it make one slice with them."""
    before: Sequence[Slice] = slices[-1:]
    if (
        before
        and before[0].last + _DAY == one.first
        and (before[0].principal, before[0].percent)
        == (
            one.principal,
            one.percent,
        )
    ):
        joined = before[0].share + one.share
        slices[-1] = Slice(before[0].first, one.last, one.principal, one.percent, joined)
    else:
        slices.append(one)
