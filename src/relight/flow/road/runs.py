"""One file being taken in: opened with its mapping, read in batches, and written down with what became of its rows."""

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from psycopg import errors

from relight.flow.claims.cells import Row
from relight.flow.claims.fields import Defaults, Fields, Problem
from relight.flow.claims.mapping import find_mapping, named_mapping
from relight.flow.claims.tables import open_table
from relight.flow.database import Database, Tx, statements
from relight.flow.pacing import BatchSize
from relight.flow.payments.files.reading import BankFile, open_bank_file
from relight.flow.road.report import Report

SQL = statements(__package__, "intake.sql")
BATCH_ROWS = 2_000
_BATCH_MIN = 50
_BATCH_SECONDS = 1.0
TRIES_MAX = 5

Progress = Callable[[int], None]
Clock = Callable[[], datetime]
Work = Callable[[datetime, Tx], Report]
Map = Callable[[Callable[[Work], Report], Sequence[Work]], Iterable[Report]]
T = TypeVar("T")


class Import(NamedTuple):
    """An opened file: its report so far, its fields, and its rows, to be read once."""

    report: Report
    fields: Fields
    rows: Iterator[Row]


@contextmanager
def opened(
    db: Database, partner_id: int, path: Path, *, kind: str, mapping: str | Path | None, now: datetime
) -> Iterator[Import]:
    """The file with its mapping and its run; nothing is written for a file that cannot be used (`UnableToImport`)."""
    given = named_mapping(kind, mapping) if mapping else None
    delimiter, encoding = (given.delimiter, given.encoding) if given else ("", "")
    with open_table(path, delimiter=delimiter, encoding=encoding) as table:
        found = find_mapping(kind, table.header, mapping)
        with db.transaction(partner_id) as tx:
            defaults = Defaults(*(tx.row(SQL.partner, {"partner": partner_id}) or ("", "")))
        report = _started(db, partner_id, path, kind=kind, mapping=found.name, now=now)
        yield Import(report, Fields(found, table.header, defaults), table.rows)


def opened_bank(db: Database, partner_id: int, path: Path, *, format: str, now: datetime) -> tuple[Report, BankFile]:
    """A bank's file, its sums looked at, and its run; nothing is written for one that is refused (`UnableToImport`)."""
    with db.transaction(partner_id) as tx:
        zone = tx.value(SQL.zone, {"partner": partner_id})
    file = open_bank_file(path, format=format, zone=ZoneInfo(zone))
    return _started(db, partner_id, path, kind="payments", mapping=format, now=now), file


def _started(db: Database, partner_id: int, path: Path, *, kind: str, mapping: str, now: datetime) -> Report:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    params = {
        "partner": partner_id,
        "kind": kind,
        "file_name": path.name.encode("utf-8", "replace").decode(),
        "sha256": sha256,
        "mapping": mapping,
        "now": now,
    }
    with db.transaction(partner_id) as tx:
        return Report(kind, tx.value(SQL.start, params), mapping)


def batches(items: Iterable[T], *, paced: bool = False, sessions: int = 1) -> Iterator[list[T]]:
    """Batches of the file, each for so many sessions; the next one is read while the database works on this one.
    `paced`: smaller ones where the machine has no time for them, since a batch holds its accounts' locks."""
    seconds = _BATCH_SECONDS if paced else math.inf
    iterator, size = iter(items), BatchSize(sessions * BATCH_ROWS, _BATCH_MIN, seconds)

    def read() -> list[T]:
        return list(islice(iterator, size.now))

    with ThreadPoolExecutor(1, "read-file") as reader:
        coming = reader.submit(read)
        while batch := coming.result():
            coming, began = reader.submit(read), time.perf_counter()
            yield batch
            size.took(len(batch), time.perf_counter() - began)


def take_in(
    db: Database, partner_id: int, report: Report, works: Sequence[Work], clock: Clock, *, side_by_side: Map = map
) -> None:
    """Do each part of a batch in a transaction of its own, and add what became of it once it is committed. With an
    executor's `map` they go side by side: parts that say nothing of the same customers.

    Two files that bring the same new number meet in the database, and the later one looks again. Batches of what people
    owe need not wait for a replica: `finish` does, after them. Batches of payments do, for each restores somebody.
    """
    for part in side_by_side(partial(_done, db, partner_id, report, clock), works):
        report.add(part)


def _done(db: Database, partner_id: int, report: Report, clock: Clock, work: Work) -> Report:
    for tries_left in reversed(range(TRIES_MAX)):
        now = clock()
        try:
            with db.transaction(partner_id) as tx:
                tx.clock = clock
                if report.kind != "payments":
                    tx.need_not_wait()
                part = work(now, tx)
                _keep(tx, report.run_id, part.errors)
        except (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure):
            if not tries_left:
                raise
        else:
            return part
    raise AssertionError("the last try answers or raises")


def _keep(tx: Tx, run_id: int, problems: Sequence[Problem]) -> None:
    """Keep what was refused, and what rows went in without, with the run."""
    if problems:
        columns = {
            "lines": [problem.line for problem in problems],
            "fields": [problem.field for problem in problems],
            "reasons": [problem.reason for problem in problems],
        }
        tx.run(SQL.reject, {**columns, "partner": tx.partner_id, "run": run_id})


def finish(db: Database, partner_id: int, report: Report, *, now: datetime) -> None:
    """Write down that the file was read to its end, and what became of its rows."""
    report.errors.sort(key=lambda problem: problem.line)
    counts = {name: getattr(report, name) for name in ("read", "accepted", "unchanged", "other", "rejected")}
    with db.transaction(partner_id) as tx:
        tx.run(SQL.finish, {**counts, "run": report.run_id, "now": now})
