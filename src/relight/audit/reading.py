"""Reading what is stored: one partner's snapshot, by named statements, as a role that sees no other partner's rows."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

Row = dict[str, Any]

# Two clocks' readings this close say nothing about which of two commits came first: the moment is read before the
# account's lock is taken, and the other may hold it. Nothing is called wrong for the sake of so little.
SAME_MOMENT_SECONDS = 2
_NAMED = re.compile(r"^-- (\w+): .*$", re.MULTILINE)


def statements(file_name: str) -> SimpleNamespace:
    """A file's statements, each under a line `-- name: why`. Raises ValueError for a name that is there twice."""
    pieces = _NAMED.split(files("relight.audit").joinpath(file_name).read_text("utf-8"))
    found: dict[str, str] = {}
    for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if name in found:
            raise ValueError(f"{file_name}: {name} is there twice")
        found[name] = body.strip()
    return SimpleNamespace(**found)


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner's own row, as far as the checks need it."""

    id: int
    slug: str
    country: str
    currency: str
    zone: ZoneInfo
    closed_dates: frozenset[date]
    stale_after_hours: int
    stopped_at: datetime | None


@dataclass(frozen=True, slots=True)
class Scope:
    """What an audit is about: things of `since` and later (None: all), judged as of a moment."""

    since: datetime | None
    as_of: datetime


class Reading:
    """One partner's rows in one read-only snapshot."""

    def __init__(self, connection: psycopg.Connection[Row], partner: Partner, scope: Scope):
        self.connection, self.partner, self.scope = connection, partner, scope
        self._always = {
            "partner": partner.id,
            "since": scope.since or "-infinity",
            "full": scope.since is None,
            "as_of": scope.as_of,
            "tolerance": f"{SAME_MOMENT_SECONDS} seconds",
        }

    def rows(self, statement: str, **params: Any) -> list[Row]:
        """All rows of a statement. Every statement may use partner, since, full, as_of and tolerance."""
        return self.connection.execute(statement, {**self._always, **params}).fetchall()

    def stream(self, statement: str, **params: Any) -> Iterator[Row]:
        """The rows of a statement that may have millions, a few thousand at a time."""
        with self.connection.cursor(name="audit") as cursor:
            cursor.itersize = 5000
            cursor.execute(statement, {**self._always, **params})
            yield from cursor

    def count(self, statement: str, **params: Any) -> int:
        """The only value of a statement that counts."""
        row = self.rows(statement, **params)[0]
        return int(next(iter(row.values())))


def connect(conninfo: str) -> psycopg.Connection[Row]:
    """A connection for reading; the role should be the one that runs in production, since that one is audited too."""
    connection = psycopg.connect(conninfo, row_factory=dict_row, application_name="relight-audit", autocommit=True)
    connection.execute("SELECT set_config('search_path', 'relight', false), set_config('timezone', 'UTC', false)")
    return connection


def partners(connection: psycopg.Connection[Row], slug: str | None) -> list[Partner]:
    """All partners, or the one of that slug; empty when there is none."""
    rows = connection.execute(
        "SELECT p.id, p.slug, p.country, p.currency, p.time_zone, p.closed_dates, p.money_stale_after_hours,"
        " least(p.stopped_at, (SELECT stopped_at FROM installation)) AS stopped_at"
        " FROM partner p WHERE %(slug)s::text IS NULL OR p.slug = %(slug)s ORDER BY p.id",
        {"slug": slug},
    ).fetchall()
    return [
        Partner(
            id=row["id"],
            slug=row["slug"],
            country=row["country"],
            currency=row["currency"],
            zone=ZoneInfo(row["time_zone"]),
            closed_dates=frozenset(row["closed_dates"]),
            stale_after_hours=row["money_stale_after_hours"],
            stopped_at=row["stopped_at"],
        )
        for row in rows
    ]


@contextmanager
def reading(connection: psycopg.Connection[Row], partner: Partner, scope: Scope) -> Iterator[Reading]:
    """One snapshot of one partner: everything read in it is of the same moment, whatever goes on beside."""
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        connection.execute("SELECT set_config('relight.partner', %s, true)", (str(partner.id),))
        yield Reading(connection, partner, scope)
