"""Rates of late interest: those that the law packs know, and those that a partner has read and answers for."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from relight.core.rules.lawbook import packaged_law
from relight.core.rules.rates import InterestTable, Unknown, interest_table
from relight.flow.claims.errors import RateRefused
from relight.flow.database import Tx, statements

SQL = statements(__package__, "rates.sql")
DEBTORS = ("consumer", "business")
_PERCENT_MAX = 100
_HUNDREDTHS = 100


class Rate(NamedTuple):
    """Percent a year from a day on, as somebody set it."""

    name: str
    from_date: date
    percent: Decimal
    set_at: datetime
    set_by: str


@lru_cache(maxsize=32)
def table_of(country: str, debtor: str) -> InterestTable | None:
    """The table of a country's law in force for a debtor; None where no pack has one."""
    tables = (interest_table(pack, debtor=debtor) for pack in packaged_law().packs if pack.country == country)
    return next((table for table in tables if table is not None), None)


def country_of(tx: Tx) -> str:
    """The country whose law counts for the partner."""
    return tx.value(SQL.country, {"partner": tx.partner_id})


def confirmed(tx: Tx) -> list[Rate]:
    """The rates that the partner answers for, by table and day."""
    return [
        Rate(name, day, Decimal(points) / _HUNDREDTHS, at, by) for name, day, points, at, by in tx.rows(SQL.confirmed)
    ]


def tables(country: str, rates: list[Rate]) -> Mapping[str, InterestTable | None]:
    """By kind of debtor, the table with the partner's own rates. Whom no table is for is counted as a consumer."""
    found: dict[str, InterestTable | None] = {}
    for debtor in DEBTORS:
        table = table_of(country, debtor)
        own = {rate.from_date: rate.percent for rate in rates if table is not None and rate.name == table.name}
        found[debtor] = table.confirmed(own) if table is not None and own else table
    return found


def set_rate(tx: Tx, name: str, from_date: date, percent: Decimal, *, by: str, now: datetime) -> InterestTable:
    """Keep that `by` has read a rate, percent a year from a day on; the table with it. Raises RateRefused."""
    country = country_of(tx)
    known = {table.name: table for debtor in DEBTORS if (table := table_of(country, debtor)) is not None}
    if name not in known:
        choices = " or ".join(known) or "none: nobody has read how its days are counted"
        raise RateRefused(f"The law of {country} has no table called {name!r}. Tables of late interest: {choices}.")
    points = percent * _HUNDREDTHS
    if not 0 <= percent <= _PERCENT_MAX or points != points.to_integral_value():
        raise RateRefused(f"{percent} is no rate: write percent a year, with two decimals at most, such as 11.75.")
    row = {"name": name, "from_date": from_date, "basis_points": int(points), "by": by, "now": now}
    tx.run(SQL.add, {"partner": tx.partner_id, **row})
    return known[name].confirmed({from_date: percent})


def missing(tx: Tx, today: date) -> Iterator[tuple[str, InterestTable | None, Unknown]]:
    """(debtor, table, why) where no rate holds today, once a table; only where some claim's interest was named."""
    if not tx.value(SQL.named):
        return
    told: set[str] = set()
    for debtor, table in tables(country_of(tx), confirmed(tx)).items():
        why = table.rates.on(today) if table is not None else Unknown("no_table")
        name = table.name if table is not None else ""
        if isinstance(why, Unknown) and name not in told:
            told.add(name)
            yield debtor, table, why


__all__ = ["DEBTORS", "Rate", "RateRefused", "confirmed", "country_of", "missing", "set_rate", "table_of", "tables"]
