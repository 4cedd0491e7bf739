"""`relight bench import`: invoices a second from a CSV file, and the owner's COPY of the same rows beside it.

The import is the command itself, as a process of its own, from its start to its end: reading, checking, posting,
opening cases. The COPY brings what it wrote (claims, lines, transfers, events) into the same tables once more, for
another partner with the same customers: keys, indexes, foreign keys and triggers at work, in one transaction.

The command takes a file in by two sessions of the server. So that like is held against like, the same file is also
imported by one, and the same rows are also copied by two, each half of the claims in a transaction of its own.
"""

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bench import asleep, population
from bench.figures import machine
from bench.home import Home, private
from bench.population import CUSTOMERS, Plan, Shape
from bench.processes import CHECKOUT
from relight.flow.database import statements

SQL = statements("bench", "importing.sql")
TABLES = ("claim", "claim_line", "transfer", "case_event")
NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
INVOICES_EACH = 2
_FIRST, _SHIFT = 10_000_000, 100_000_000
_HEADER = ("account", "number", "amount", "currency", "issued_date", "due_date", "reference", "service_kind")
_IDS = ("id", "account_id", "claim_id", "service_id", "case_id")
_CLAIM_OF = {"claim": "id", "claim_line": "claim_id", "transfer": "claim_id"}
_BLOCK_BYTES = 1 << 20
_PARTNERS = ("imported", "copied-by-1", "copied-by-2", "by-one")

News = Callable[[str], None]


def run(*, rows: int = 200_000, beside: int = 0, news: News = print) -> dict[str, Any]:
    """Import `rows` invoices of customers that are known, and COPY the same; the contract's JSON (DESIGN § 9) and more:
    both by one session and by two. `beside`: so many whole accounts that sleep are shared out among the partners."""
    with private() as home, home.owner() as owner:
        news(f"filling in {-(-rows // INVOICES_EACH):,} customers, {len(_PARTNERS)} times …")
        policies = {name: _customers(home, owner, name, _FIRST + at * _SHIFT, rows)
                    for at, name in enumerate(_PARTNERS)}  # fmt: skip
        partners = {name: partner for name, (partner, _) in policies.items()}
        sleepers = _put_to_sleep(home, dict(policies.values()), beside, news)
        file = home.folder / "invoices.csv"
        write_invoices(file, rows)
        news(f"importing {rows:,} invoices by two sessions …")
        seconds, peak_mb = _import(home, file, rows)
        news("copying the same rows by one, and by two …")
        copied = {count: _copied(home, owner, partners, count) for count in (1, 2)}
        written = _compare(owner, partners)
        write_invoices(file, rows, first=_FIRST + (len(_PARTNERS) - 1) * _SHIFT)
        news(f"importing {rows:,} invoices by one session …")
        alone, _ = _import(home, file, rows, partner="by-one", sessions=1)
        return {
            "rows": rows,
            "rows_per_second": round(rows / seconds),
            "copy_rows_per_second": round(rows / copied[1]),
            "ratio": round(copied[1] / seconds, 3),
            "peak_mb": peak_mb,
            "written": written,
            **({"asleep": sleepers} if sleepers else {}),
            "by_sessions": {"1": _beside(rows, alone, copied[1]), "2": _beside(rows, seconds, copied[2])},
            "machine": machine(owner),
        }


def in_text(result: Mapping[str, Any]) -> str:
    """The result for people."""
    written = ", ".join(f"{count:,} in {table}" for table, count in result["written"].items())
    return "\n".join(
        (
            f"{result['rows']:,} invoices ({written}).",
            f"  imported  {result['rows_per_second']:>8,} rows a second by two sessions,"
            f" at most {result['peak_mb']:.0f} MB of memory",
            f"  bare COPY {result['copy_rows_per_second']:>8,} by one",
            f"  ratio     {result['ratio']:>8.2f}",
            *(
                f"  both by {words}: {found['rows_per_second']:,} beside {found['copy_rows_per_second']:,},"
                f" ratio {found['ratio']:.2f}"
                for words, found in zip(("one", "two"), result["by_sessions"].values(), strict=True)
            ),
        )
    ) + asleep.in_text(result)


def _beside(rows: int, seconds: float, copy_seconds: float) -> dict[str, Any]:
    """An import and a COPY by as many sessions."""
    return {
        "rows_per_second": round(rows / seconds),
        "copy_rows_per_second": round(rows / copy_seconds),
        "ratio": round(copy_seconds / seconds, 3),
    }


def _put_to_sleep(home: Home, policies: Mapping[int, int], beside: int, news: News) -> dict[str, Any]:
    with home.filling() as filling:
        found = asleep.fill(filling, policies, beside, NOW, news)
        population.settle_down(filling)
    return found


def _customers(home: Home, owner: psycopg.Connection, slug: str, first: int, rows: int) -> tuple[int, int]:
    """The partner, and the version of its policy."""
    partner = population.make_partner(owner, slug, NOW, {})
    with home.database() as db:
        policy = population.publish_policies(db, partner, NOW)["broadband"]
    with home.filling() as filling:
        plan = Plan(first, -(-rows // INVOICES_EACH), (Shape(steps=0, due_days=0),), tables=CUSTOMERS)
        population.fill(filling, partner, policy, plan, NOW)
        population.settle_down(filling)
    return partner, policy


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


def _import(home: Home, file: Path, rows: int, *, partner: str = "imported", sessions: int = 2) -> tuple[float, float]:
    """Seconds of the whole command, and its largest resident size in MB."""
    words = ("import", "invoices", str(file), "--partner", partner, "--json")
    command = home.command(*words) if sessions == 2 else [sys.executable, "-m", "bench.one_session", *words]
    began = time.perf_counter()
    with subprocess.Popen(command, env=dict(home.environment), stdout=subprocess.PIPE, cwd=CHECKOUT) as process:
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


def _copied(home: Home, owner: psycopg.Connection, partners: Mapping[str, int], sessions: int) -> float:
    """Seconds in which so many sessions copied what was imported, for a partner that knows the same customers."""
    copy = Copy(home, owner, partners["imported"], partners[f"copied-by-{sessions}"],
                _PARTNERS.index(f"copied-by-{sessions}") * _SHIFT)  # fmt: skip
    shares = [[copy.dump(table, part, sessions) for table in TABLES] for part in range(sessions)]
    with home.filling() as filling:
        population.settle_down(filling)
    with ExitStack() as stack:
        connections = [stack.enter_context(psycopg.connect(home.owner_url, options="-c search_path=relight"))
                       for _ in shares]  # fmt: skip
        began = time.perf_counter()
        with ThreadPoolExecutor(sessions) as threads:
            list(threads.map(_bring_in, connections, shares))
        return time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Copy:
    """What was imported for the one partner, as it is to stand for the other, whose ids lie so much higher."""

    home: Home
    owner: psycopg.Connection
    imported: int
    copied: int
    shift: int

    def dump(self, table: str, part: int, parts: int) -> tuple[sql.Composed, Path]:
        """A share of a table's rows in a file, and the COPY that takes it in."""
        file = self.home.folder / f"{table}-{self.copied}-{part}.copy"
        names, constants = _columns(self.owner, table), self._constants()
        query = sql.SQL("COPY (SELECT {} FROM {} WHERE partner_id = {} AND {}) TO STDOUT").format(
            sql.SQL(", ").join(self._value(name, constants) for name in names),
            sql.Identifier(table),
            self.imported,
            self._share(table, part, parts),
        )
        with file.open("wb") as output, self.owner.cursor() as cursor, cursor.copy(query) as copy:
            for block in copy:
                output.write(block)
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns), file

    def _share(self, table: str, part: int, parts: int) -> sql.Composable:
        """Claims by their ids, as many to each part; what hangs on a claim goes with it, all else with the first."""
        if table not in _CLAIM_OF:
            return sql.Literal(part == 0)
        bounds = {"partner": self.imported, "part": part, "parts": parts, "below": asleep.FIRST}
        first, last = self.owner.execute(SQL.claims_of, bounds).fetchone() or (0, 0)
        return sql.SQL("{} BETWEEN {} AND {}").format(sql.Identifier(_CLAIM_OF[table]), first, last)

    def _constants(self) -> dict[str, int | None]:
        creditor = self.owner.execute(SQL.creditor, {"partner": self.copied}).fetchone()
        assert creditor is not None
        return {"partner_id": self.copied, "creditor_id": creditor[0], "run_id": None}

    def _value(self, name: str, constants: Mapping[str, int | None]) -> sql.Composable:
        """What a column is to hold for the other partner."""
        if name in constants:
            return sql.Literal(constants[name])
        return sql.SQL("{} + {}").format(sql.Identifier(name), self.shift) if name in _IDS else sql.Identifier(name)


def _bring_in(connection: psycopg.Connection, dumps: Sequence[tuple[sql.Composed, Path]]) -> None:
    """All tables of one share in one transaction."""
    with connection.transaction(), connection.cursor() as cursor:
        for query, file in dumps:
            with cursor.copy(query) as copy:
                for block in _blocks(file):
                    copy.write(block)


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as source:
        while block := source.read(_BLOCK_BYTES):
            yield block


def _columns(owner: psycopg.Connection, table: str) -> list[str]:
    return [row[0] for row in owner.execute(SQL.columns, {"table": table}).fetchall()]


def _compare(owner: psycopg.Connection, partners: Mapping[str, int]) -> dict[str, int]:
    """Rows by table; raises RuntimeError when what was copied is not as much as what was imported."""
    counts: dict[str, int] = {}
    for table in TABLES:
        query = sql.SQL("SELECT count(*) FROM {} WHERE partner_id = %s AND {} < %s").format(
            sql.Identifier(table), sql.Identifier(_CLAIM_OF.get(table, "case_id"))
        )
        counted = {
            name: (owner.execute(query, (partners[name], asleep.FIRST)).fetchone() or (0,))[0] for name in _PARTNERS[:3]
        }
        if len(set(counted.values())) > 1:
            raise RuntimeError(f"{table}: {counted}")
        counts[table] = counted["imported"]
    return counts
