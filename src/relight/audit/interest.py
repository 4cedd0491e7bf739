"""I9: late interest is what the law's rates come to, counted once more day by day from what changed each claim.

The rates are the audit's own (`rules/*.yaml`) and those that somebody answers for. What was counted before a rate was
known was right then: such a count is accepted where nobody has counted since. Where every notice of a claim was voided,
nothing has named its interest, and none may be booked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction

from relight.audit.asking import money
from relight.audit.reading import Reading, Row, statements
from relight.audit.report import Violation
from relight.audit.rules import Interest, interest_of

SQL = statements("interest.sql")
CODE = "late_interest"
_DAY = timedelta(days=1)
_REMEDY = "Follow the claim's transfers by value date, and post the difference; take back what is too much at once."


@dataclass(frozen=True)
class Rates:
    """A table as it stood at some moment: basis points by first day, None where nobody knows."""

    table: Interest
    points: dict[date, int | None]
    last: date

    def on(self, day: date) -> int | None:
        """Basis points a year; None where no rate held."""
        begun = [first for first in self.points if first <= day]
        if not begun:
            return None
        ends = _half_year_end(max(begun)) if self.table.ends_with_half_year else self.last
        return self.points[max(begun)] if day <= ends else None


def look(reading: Reading) -> tuple[int, list[Violation]]:
    """How many claims bear interest, and those on which another sum is booked than the days come to."""
    tables = interest_of(reading.partner.country)
    answered = reading.rows(SQL.answered)
    checked, found = 0, list[Violation]()
    for row in reading.stream(SQL.bearing):
        checked += 1
        if _is_right(row, tables, answered, reading, {row["debtor"]}):
            continue
        told = {one["debtor"] for one in reading.rows(SQL.debtors, account=row["account_id"])}
        if told - {row["debtor"]} and _is_right(row, tables, answered, reading, told):
            continue
        found.append(_wrong(reading, row, tables, answered))
    return checked, found


def _is_right(row: Row, tables: tuple[Interest, ...], answered: list[Row], reading: Reading, debtors: set[str]) -> bool:
    """Whether the booked sum is a count that was right when it was last made."""
    booked, forgiven = row["booked"], row["forgiven"]
    for debtor in debtors:
        for rates in _as_known(_table(tables, debtor), answered, row, reading):
            sums = [*count(row, rates)]
            # Nobody counts a claim again that is paid: what was not known then stays out of it.
            right = sums if row["state"] != "open" or not row["principal"] else sums[-1:]
            if any(one <= booked <= one + forgiven for one in right):
                return True
    return False


def count(row: Row, rates: Rates | None) -> Iterator[int]:
    """A claim's interest in minor units: as of the eve of each day from which a further rate held, and in the end."""
    total, day = Fraction(0), row["due_date"] + _DAY
    moved = list(zip(row["days"], row["amounts"], row["from_the_first"], strict=True))
    until = None if row["unnamed"] else row["until"]
    while until is not None and rates is not None and day <= until:
        if day in rates.points or (day.day, day.month) in ((1, 1), (1, 7)):
            yield int(total)
        points = rates.on(day)
        owed = sum(amount for when, amount, first in moved if first or when < day) - row["disputed"]
        if points is None and owed > 0:
            break
        days_of_year = (date(day.year + 1, 1, 1) - date(day.year, 1, 1)).days
        total += Fraction(max(0, owed) * (points or 0), 100 * 100 * days_of_year)
        day += _DAY
    yield int(total)


def _as_known(table: Interest | None, answered: list[Row], row: Row, reading: Reading) -> Iterator[Rates | None]:
    """The table as it stood when the claim was last counted, and as it stood after each rate that was set since."""
    if table is None:
        yield None
        return
    begins = datetime.combine(row["until"] or date.max - _DAY, time(), reading.partner.zone)
    own = [one for one in answered if one["name"] == table.name]
    before = [one for one in own if one["set_at"] < begins]
    for known in range(len(before), len(own) + 1):
        yield _rates(table, own[:known])


def _rates(table: Interest, answered: list[Row]) -> Rates:
    points = dict(table.rates) | {one["from_date"]: one["basis_points"] for one in answered}
    last = max([table.last, *(_half_year_end(one["from_date"]) for one in answered)])
    return Rates(table, points, last)


def _table(tables: tuple[Interest, ...], debtor: str) -> Interest | None:
    """The table for a debtor; whom none is for is counted as a consumer."""
    for wanted in (debtor, "consumer"):
        for one in tables:
            if not one.debtors or wanted in one.debtors:
                return one
    return None


def _wrong(reading: Reading, row: Row, tables: tuple[Interest, ...], answered: list[Row]) -> Violation:
    table = _table(tables, row["debtor"])
    rates = _rates(table, [one for one in answered if one["name"] == table.name]) if table else None
    *_, counted = count(row, rates)
    until = f" until {row['until']}" if row["until"] else ", which no notice has named"
    until = ", which only voided notices named" if row["unnamed"] else until
    why = (
        f"{table.law if table else 'No table of interest'}: on claim {row['number']}"
        f" {money(row['booked'], row['currency'])} of late interest is booked; day by day from"
        f" {row['due_date']}{until}, it comes to {money(counted, row['currency'])}."
    )
    return Violation("I9", row["case"], None, why, CODE, _REMEDY, reading.partner.slug)


def _half_year_end(day: date) -> date:
    return date(day.year, 6, 30) if day.month <= 6 else date(day.year, 12, 31)
