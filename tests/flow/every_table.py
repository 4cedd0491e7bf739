"""A row of two partners in every table that has a partner, taken from the catalogue, so that new tables are covered.

Everything happens in one transaction of the superuser's that is rolled back: checks are dropped and triggers are off
while the rows are made, then the session becomes `relight_app`, the role that runs in production.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

PARTNERS = "partner"  # the partners' own table: its partner is its id

_TABLES = """
SELECT c.relname::text FROM pg_class c
WHERE c.relnamespace = 'relight'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND (
    c.relname = 'partner' OR EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'partner_id' AND NOT a.attisdropped))
ORDER BY 1
"""
_COLUMNS = """
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a
WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = ''
    AND a.attgenerated = ''
ORDER BY a.attnum
"""
_CHECKS = """
SELECT conrelid::regclass::text, conname::text FROM pg_constraint
WHERE contype = 'c' AND connamespace = 'relight'::regnamespace
"""
_REFERENCES = """
SELECT k.conname::text, k.conrelid::regclass::text, k.confrelid::regclass::text,
    (SELECT array_agg(a.attname::text ORDER BY n) FROM unnest(k.conkey) WITH ORDINALITY AS x (num, n)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.num),
    (SELECT array_agg(a.attname::text ORDER BY n) FROM unnest(k.confkey) WITH ORDINALITY AS x (num, n)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.num)
FROM pg_constraint k WHERE k.contype = 'f' AND k.connamespace = 'relight'::regnamespace ORDER BY 2, 1
"""
_BY_TYPE = {
    "boolean": "false",
    "smallint": "1",
    "bytea": "",
    "date": "2026-03-02",
    "timestamp with time zone": "2026-03-02 09:00Z",
    "jsonb": "{}",
    "json": "{}",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: its columns and those it points to, pair by pair."""

    name: str
    table: str
    target: str
    columns: tuple[str, ...]
    target_columns: tuple[str, ...]


class EveryTable:
    """The tables with a partner, a row of `mine` and one of `theirs` in each."""

    def __init__(self, connection: psycopg.Connection[Any], mine: int, theirs: int):
        self.connection, self.mine, self.theirs = connection, mine, theirs
        self.tables = [row[0] for row in connection.execute(_TABLES)]
        self.with_rows = [table for table in self.tables if table != PARTNERS]

    def fill(self) -> None:
        """Make the rows."""
        self.connection.execute("SET LOCAL session_replication_role = replica")
        for table, name in self.connection.execute(_CHECKS).fetchall():
            self.connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
        for table in self.with_rows:
            for partner in (self.mine, self.theirs):
                self.connection.execute(self.insert(table, partner))
        self.connection.execute("SET LOCAL session_replication_role = origin")

    def insert(self, table: str, partner: int) -> sql.Composed:
        """The statement that inserts a row of a partner, with a value of the right type in every column."""
        columns = self.connection.execute(_COLUMNS, [table]).fetchall()
        values = [sql.Literal(_value(column, kind, partner)) + sql.SQL(f"::{kind}") for column, kind in columns]
        return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(sql.Identifier(column) for column, _ in columns),
            sql.SQL(", ").join(values),
        )

    def references(self) -> list[Reference]:
        """Foreign keys from one table with a partner to another."""
        found = [Reference(r[0], r[1], r[2], tuple(r[3]), tuple(r[4])) for r in self.connection.execute(_REFERENCES)]
        return [one for one in found if one.table in self.with_rows and one.target in self.with_rows]

    def without_other_keys(self, reference: Reference) -> None:
        """Drop a table's other foreign keys: rows made in this transaction are held against all of them at once."""
        for one in self.references():
            if one.table == reference.table and one.name != reference.name:
                self.connection.execute(f'ALTER TABLE "{one.table}" DROP CONSTRAINT "{one.name}"')
        self.connection.execute(f'ALTER TABLE "{reference.table}" DISABLE TRIGGER USER')

    def columns(self, table: str) -> dict[str, str]:
        """A table's columns and their types, identities left out."""
        return dict(self.connection.execute(_COLUMNS, [table]).fetchall())

    @contextmanager
    def as_app(self, *, partner: int | None, user: int | None = None) -> Iterator[None]:
        """Within: the role that runs in production, in a transaction of this partner's (or nobody's)."""
        self.connection.execute(
            "SELECT set_config('relight.partner', %s, true), set_config('relight.user', %s, true)",
            [str(partner or ""), str(user or "")],
        )
        self.connection.execute("SET LOCAL ROLE relight_app")
        try:
            yield
        finally:
            self.connection.execute("RESET ROLE")

    def count(self, table: str, partner: int) -> int:
        """How many rows of a partner this role sees in a table."""
        key = "id" if table == PARTNERS else "partner_id"
        statement = sql.SQL("SELECT count(*) FROM {} WHERE {} = {}")
        names = (sql.Identifier(table), sql.Identifier(key), sql.Literal(partner))
        found = self.connection.execute(statement.format(*names)).fetchone()
        assert found is not None
        return found[0]

    def touched_in(self, table: str, statement: str, **params: Any) -> int | str:
        """The same, for a statement with the table's name left out as `{}`."""
        return self.touched(sql.SQL(statement).format(sql.Identifier(table)), params)

    def touched(self, statement: str | sql.Composed, params: Mapping[str, Any] | None = None) -> int | str:
        """How many rows a statement touched, or the name of the refusal; undone either way."""
        try:
            with self.connection.transaction(force_rollback=True):
                return self.connection.execute(statement, params).rowcount
        except psycopg.Error as refused:
            return type(refused).__name__


def number_of(partner: int) -> int:
    """The number in every numeric column of a partner's row: no identity comes so far."""
    return 1_000_000_000 + partner


def _value(column: str, kind: str, partner: int) -> str:
    if kind.endswith("[]"):
        return "{}"
    if column == "partner_id" or kind == "text" or kind.startswith("character varying"):
        return str(partner)
    if kind in ("integer", "bigint"):
        return str(number_of(partner))
    if kind not in _BY_TYPE:
        raise AssertionError(f"no value known for {column}, a {kind}: add one, and see that rows of it are safe")
    return _BY_TYPE[kind]
