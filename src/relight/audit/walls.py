"""I7: no partner can read or touch another's rows, enforced by the database. First on paper, then by trying."""

from collections.abc import Iterator

from psycopg.sql import SQL as Sql
from psycopg.sql import Composed, Identifier, Literal

from relight.audit.reading import Reading, Row, statements
from relight.audit.report import Violation

SQL = statements("walls.sql")
# What a column's name means where it is not the table's own; None: not the id of a partner's row.
_NAMES: dict[str, str | None] = {
    "case": "dunning_case",
    "run": "import_run",
    "reverses": "transfer",
    "co_brand": "brand",
    "message": "sent_message",
    "step": "step_taken",
    "user": None,
    "bulk": None,
}
_LOOSE = frozenset({"feed", "feed_pending"})  # they outlive the case that they tell of, so nothing ties them
_RUN_AGAIN = "Restore it as the migrations made it, and look at what was read and written meanwhile."
_INSPECT = "Find out who wrote this row and as which role; then correct it."


def look_at_walls(reading: Reading) -> tuple[int, list[Violation]]:
    """The installation's own part: the role, the tables' policies and their foreign keys; how many were looked at."""
    tables, references = reading.rows(SQL.tables), reading.rows(SQL.references)
    found = [*_powers(reading.rows(SQL.powers)[0]), *(wrong for table in tables for wrong in _policies(table))]
    known = {row["table"] for row in tables}
    tied = [row for row in references if _target(row["column"], known) and row["table"] not in _LOOSE]
    for row in tied:
        if not row["tied"]:
            why = f"{row['table']}.{row['column']} is not tied to rows of the same partner by a foreign key."
            found.append(_violation("untied", why, _RUN_AGAIN))
    return 1 + len(tables) + len(tied), found


def look(reading: Reading) -> tuple[int, Iterator[Violation]]:
    """One partner's part: no row of another is seen, and no row points at what this partner does not have."""
    tables = reading.rows(SQL.tables)
    known = {row["table"]: row for row in tables}
    pairs = [
        (known[row["table"]], row["column"], target)
        for row in reading.rows(SQL.references)
        if (target := _target(row["column"], known)) is not None
    ]
    return len(tables) + len(pairs), _rows(reading, tables, pairs)


def _rows(reading: Reading, tables: list[Row], pairs: list[tuple[Row, str, str]]) -> Iterator[Violation]:
    for table in tables:
        for row in reading.connection.execute(_strangers(table, reading.partner.id)).fetchall():
            why = f"A row of partner {row['partner_id']} in {table['table']} is seen by partner {reading.partner.slug}."
            yield _violation("seen", why, _RUN_AGAIN, reading.partner.slug)
    if reading.scope.since is not None:
        return  # the keys were looked at; every row is gone through only in a full audit
    for table, column, target in pairs:
        for row in reading.connection.execute(_dangling(table, column, target, reading.partner.id)).fetchall():
            why = f"{table['table']}.{column} names {row['named']} in {target}, which this partner does not have."
            yield Violation("I7", row["case"], row["event"], why, "dangling", _INSPECT, reading.partner.slug)


def _powers(role: Row) -> Iterator[Violation]:
    name = role["role"]
    if role["bypasses"]:
        yield _violation("bypasses", f"Role {name} is not subject to row-level security.", _RUN_AGAIN)
    elif role["owns"]:
        yield _violation("owns", f"Role {name} may act as the owner of {', '.join(role['owns'])}.", _RUN_AGAIN)
    else:
        if role["truncates"]:
            yield _violation("truncates", f"Role {name} may empty {', '.join(role['truncates'])}.", _RUN_AGAIN)
        if role["rewrites"]:
            yield _violation("rewrites", f"Role {name} may change or delete events on the log.", _RUN_AGAIN)


def _policies(table: Row) -> Iterator[Violation]:
    if not table["secured"]:
        yield _violation("unsecured", f"Row-level security is off for {table['table']}.", _RUN_AGAIN)
    elif not table["policies"] or table["open"]:
        why = f"A policy of {table['table']} lets rows through without asking for their partner."
        yield _violation("open_policy", why if table["policies"] else f"{table['table']} has no policy.", _RUN_AGAIN)


def _target(column: str, known: object) -> str | None:
    """The table whose id a column holds, by its name; None for what is no reference."""
    name = column.removesuffix("_id")
    table = _NAMES.get(name, name)
    return table if table in known else None  # type: ignore[operator]


def _strangers(table: Row, partner_id: int) -> Composed:
    return Sql("SELECT partner_id FROM {} WHERE partner_id <> {} LIMIT 1").format(
        Identifier(table["table"]), Literal(partner_id)
    )


def _dangling(table: Row, column: str, target: str, partner_id: int) -> Composed:
    """Rows whose reference finds nothing of the same partner."""
    key = "service_id" if target == "supply" else "id"
    event = Identifier("event_number") if table["has_event"] else Identifier("number") if table["has_number"] else None
    return Sql(
        "SELECT {case}::bigint AS case, {event}::int AS event, x.{column} AS named FROM {table} x"
        " WHERE x.partner_id = {partner} AND x.{column} IS NOT NULL"
        " AND NOT EXISTS (SELECT FROM {target} t WHERE t.partner_id = x.partner_id AND t.{key} = x.{column})"
    ).format(
        case=Sql("x.case_id") if table["has_case"] else Sql("NULL"),
        event=Sql("x.{}").format(event) if table["has_case"] and event else Sql("NULL"),
        column=Identifier(column),
        table=Identifier(table["table"]),
        partner=Literal(partner_id),
        target=Identifier(target),
        key=Identifier(key),
    )


def _violation(code: str, why: str, todo: str, partner: str = "") -> Violation:
    return Violation("I7", None, None, why, code, todo, partner)
