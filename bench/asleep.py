"""Whole portfolios that sleep beside what is measured: accounts with people, homes and services, each with a claim, its
line and its transfer, and a case that wakes in days.

They belong to the very partners whose work is measured, so that a statement that reads its partner's rows from end to
end takes the longer for it. (`--sleeping` of `bench decide` fills in rows of cases alone, of other partners, and counts
pages.)
"""

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg

from bench import population
from bench.population import CUSTOMERS, Plan, Shape

FIRST = 500_000_000  # above everybody else's ids
TABLES = (*CUSTOMERS, "claims", "lines", "transfers", "cases")
_SLICE = 50_000
_SHAPES = (Shape(steps=0, due_days=4),)
_WAKE_IN, _WITHIN = timedelta(days=3), timedelta(days=2)  # a case looks once a week at the latest

News = Callable[[str], None]


def fill(
    filling: psycopg.Connection, policies: Mapping[int, int], accounts: int, now: datetime, news: News
) -> dict[str, Any]:
    """Share out so many accounts among partners, each with the version of its policy that cases go under. Says how many
    there are, of how many partners, the seconds that it took, and how large the database is now; of none, nothing."""
    if not accounts:
        return {}
    began, done = time.perf_counter(), 0
    for partner, first, count in _slices(list(policies), accounts):
        plan = Plan(first, count, _SHAPES, wakes_in=_WAKE_IN, spread=_WITHIN, tables=TABLES)
        population.fill(filling, partner, policies[partner], plan, now)
        done += count
        if done // (10 * _SLICE) > (done - count) // (10 * _SLICE) or done == accounts:
            news(f"{done:,} of {accounts:,} sleeping accounts …")
    size = filling.execute("SELECT pg_database_size(current_database())").fetchone()
    assert size is not None
    return {
        "accounts": done,
        "partners": len(policies),
        "seconds_to_fill": round(time.perf_counter() - began, 1),
        "database_mb": round(size[0] / 1e6),
    }


def in_text(result: Mapping[str, Any]) -> str:
    """One line for people, where there were any; else nothing."""
    found = result.get("asleep")
    if not found:
        return ""
    return (
        f"\n  beside {found['accounts']:,} whole accounts that sleep, of {found['partners']} partners:"
        f" filled in within {found['seconds_to_fill']:,.0f} s, a database of {found['database_mb']:,} MB"
    )


def _slices(partners: list[int], accounts: int) -> Iterator[tuple[int, int, int]]:
    """Partner, first id and number, at most a slice each."""
    first = FIRST
    for number, partner in enumerate(partners):
        end = FIRST + accounts * (number + 1) // len(partners)
        while first < end:
            count = min(_SLICE, end - first)
            yield partner, first, count
            first += count
