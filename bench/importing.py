"""`relight bench import`: invoices a second from a CSV file, and the owner's COPY of the same rows beside it.

The import is the command itself, as a process of its own, from its start to its end: reading, checking, posting,
opening cases. The COPY brings what it wrote (claims, lines, transfers, events) into the same tables once more, for a
second partner with the same customers: keys, indexes, foreign keys and triggers at work, in one transaction.
"""

import csv
import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench import population
from bench.figures import machine
from bench.home import Home, private
from bench.population import CUSTOMERS, Plan, Shape
from relight.flow.database import statements

SQL = statements("bench", "importing.sql")
TABLES = ("claim", "claim_line", "transfer", "case_event")
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
INVOICES_EACH = 2
_FIRST, _SHIFT = 10_000_000, 100_000_000
_HEADER = ("account", "number", "amount", "currency", "issued_date", "due_date", "reference", "service_kind")
_IDS = ("id", "account_id", "claim_id", "service_id", "case_id")
_BLOCK_BYTES = 1 << 20

News = Callable[[str], None]


def run(*, rows: int = 200_000, news: News = print) -> dict[str, Any]:
    """Import `rows` invoices of customers that are known, and COPY the same; the contract's JSON (DESIGN § 9)."""
    with private() as home, home.owner() as owner:
        news(f"filling in {-(-rows // INVOICES_EACH):,} customers, twice …")
        imported, copied = (_customers(home, owner, name, first, rows) for name, first in
                            (("imported", _FIRST), ("copied", _FIRST + _SHIFT)))  # fmt: skip
        file = home.folder / "invoices.csv"
        write_invoices(file, rows)
        news(f"importing {rows:,} invoices …")
        seconds, peak_mb = _import(home, file, rows)
        news("copying the same rows …")
        dumps = {table: _dump(home, owner, table, imported, copied) for table in TABLES}
        with home.filling() as filling:
            population.settle_down(filling)
        copy_seconds = _copy(home, owner, dumps)
        written = _compare(owner, imported, copied)
        return {
            "rows": rows,
            "rows_per_second": round(rows / seconds),
            "copy_rows_per_second": round(rows / copy_seconds),
            "ratio": round(copy_seconds / seconds, 3),
            "peak_mb": peak_mb,
            "written": written,
            "machine": machine(owner),
        }


def in_text(result: Mapping[str, Any]) -> str:
    """The result for people."""
    written = ", ".join(f"{count:,} in {table}" for table, count in result["written"].items())
    return (
        f"{result['rows']:,} invoices ({written}).\n"
        f"  imported  {result['rows_per_second']:>8,} rows a second, at most {result['peak_mb']:.0f} MB of memory\n"
        f"  bare COPY {result['copy_rows_per_second']:>8,}\n"
        f"  ratio     {result['ratio']:>8.2f}"
    )


def _customers(home: Home, owner: psycopg.Connection, slug: str, first: int, rows: int) -> int:
    partner = population.make_partner(owner, slug, NOW, {})
    with home.database() as db:
        policy = population.publish_policies(db, partner, NOW)["broadband"]
    with home.filling() as filling:
        plan = Plan(first, -(-rows // INVOICES_EACH), (Shape(steps=0, due_days=0),), tables=CUSTOMERS)
        population.fill(filling, partner, policy, plan, NOW)
        population.settle_down(filling)
    return partner


def write_invoices(file: Path, rows: int, *, first: int = _FIRST) -> None:
    """A CSV file of invoices, numbered from 0; each has its number in twelve digits as its reference."""
    due = NOW.date() - timedelta(days=4)
    with file.open("w", newline="", encoding="utf-8") as output:
        writer = csv.writer(output)
        writer.writerow(_HEADER)
        writer.writerows(_invoice(number, due, first) for number in range(rows))


def _invoice(number: int, due: date, first: int) -> tuple[object, ...]:
    """The customers by turns, as a month's run has them; amounts in kroner and øre."""
    kroner, ore = 299 + number * 7919 % 4000, number * 31 % 100
    customers = first + number // INVOICES_EACH
    issued = due - timedelta(days=14 + number % 3)
    return (f"A{customers}", f"F{number}", f"{kroner}.{ore:02}", "NOK", issued, due, f"{number:012}", "broadband")


def _import(home: Home, file: Path, rows: int) -> tuple[float, float]:
    """Seconds of the whole command, and its largest resident size in MB."""
    command = home.command("import", "invoices", str(file), "--partner", "imported", "--json")
    began = time.perf_counter()
    with subprocess.Popen(command, env=dict(home.environment), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    report = json.loads(said.splitlines()[-1]) if process.returncode == 0 else {}
    if report.get("accepted") != rows:
        raise RuntimeError(
            f"the import took in {report.get('accepted')} of {rows} rows; exit code {process.returncode}"
        )
    return seconds, round(usage.ru_maxrss / 1024, 1)


def _dump(home: Home, owner: psycopg.Connection, table: str, imported: int, copied: int) -> Path:
    """A table's rows of the one partner in a file, as they are to stand for the other one."""
    file = home.folder / f"{table}.copy"
    constants = _constants(owner, copied)
    values = [_value(name, constants) for name in _columns(owner, table)]
    query = sql.SQL("COPY (SELECT {} FROM {} WHERE partner_id = {}) TO STDOUT").format(
        sql.SQL(", ").join(values), sql.Identifier(table), imported
    )
    with file.open("wb") as output, owner.cursor() as cursor, cursor.copy(query) as copy:
        for block in copy:
            output.write(block)
    return file


def _constants(owner: psycopg.Connection, copied: int) -> dict[str, int | None]:
    creditor = owner.execute(SQL.creditor, {"partner": copied}).fetchone()
    assert creditor is not None
    return {"partner_id": copied, "creditor_id": creditor[0], "run_id": None}


def _value(name: str, constants: Mapping[str, int | None]) -> sql.Composable:
    """What a column is to hold for the other partner, whose ids lie so much higher."""
    if name in constants:
        return sql.Literal(constants[name])
    return sql.SQL("{} + {}").format(sql.Identifier(name), _SHIFT) if name in _IDS else sql.Identifier(name)


def _copy(home: Home, owner: psycopg.Connection, dumps: Mapping[str, Path]) -> float:
    """Seconds for all tables in one transaction."""
    queries = {
        table: sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, _columns(owner, table)))
        )
        for table in dumps
    }
    with psycopg.connect(home.owner_url, options="-c search_path=relight") as connection:
        began = time.perf_counter()
        with connection.transaction(), connection.cursor() as cursor:
            for table, file in dumps.items():
                with cursor.copy(queries[table]) as copy:
                    for block in _blocks(file):
                        copy.write(block)
        return time.perf_counter() - began


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while block := source.read(_BLOCK_BYTES):
            yield block


def _columns(owner: psycopg.Connection, table: str) -> list[str]:
    return [row[0] for row in owner.execute(SQL.columns, {"table": table}).fetchall()]


def _compare(owner: psycopg.Connection, imported: int, copied: int) -> dict[str, int]:
    """Rows by table; raises RuntimeError when the two partners do not have the same."""
    counts: dict[str, int] = {}
    for table in TABLES:
        query = sql.SQL(
            "SELECT count(*) FILTER (WHERE partner_id = {}), count(*) FILTER (WHERE partner_id = {}) FROM {}"
        )
        ours, theirs = owner.execute(query.format(imported, copied, sql.Identifier(table))).fetchone() or (0, 0)
        if ours != theirs:
            raise RuntimeError(f"{table}: {ours} rows imported, {theirs} copied")
        counts[table] = ours
    return counts
