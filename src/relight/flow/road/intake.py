"""Files come in: rows are read one by one, posted in batches of one transaction each, and wake the cases they concern.

A file that is read again changes nothing, so one that was interrupted is simply imported again.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

from relight.flow.cases.operations import open_cases, wake
from relight.flow.claims.cells import Row
from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.fields import Defaults, Fields, Problem
from relight.flow.claims.invoices import InvoiceReader
from relight.flow.claims.joining import Read
from relight.flow.claims.mapping import find_mapping, named_mapping
from relight.flow.claims.operations import Refusal, post_claims
from relight.flow.claims.seen import Seen, SeenNumbers
from relight.flow.claims.tables import open_table
from relight.flow.database import Database, Tx, statements
from relight.flow.payments.rows import PaymentReader, ReadPayment
from relight.flow.payments.settle import settle
from relight.flow.road.report import Report
from relight.flow.road.takeover import TakeOver, TakeOverReader

SQL = statements(__package__, "intake.sql")
BATCH_ROWS = 2_000
# How a payment file may be written; .xlsx is recognised by what it holds.
PAYMENT_FORMATS = ("csv",)

Progress = Callable[[int], None]
T = TypeVar("T")


def import_invoices(
    db: Database,
    partner_id: int,
    path: Path,
    *,
    mapping: str | Path | None = None,
    now: datetime,
    on_progress: Progress | None = None,
) -> Report:
    """Take in a file of invoices and credit notes (CSV or .xlsx). `on_progress` is told how many rows were read.

    `mapping` is a name or a YAML file; without one the header is recognised. Raises `UnableToImport`.
    """
    with _opened(db, partner_id, path, "invoices", mapping, now) as (report, fields, rows):
        seen = SeenNumbers()
        for batch in _batches(InvoiceReader(fields).read(rows)):
            fresh = _without_repeats(batch, seen, report)
            with db.transaction(partner_id) as tx:
                _post_invoices(tx, fresh, report, now)
            _tell(on_progress, report)
    _finish(db, partner_id, report, now)
    return report


def import_payments(
    db: Database,
    partner_id: int,
    path: Path,
    *,
    format: str = "csv",
    mapping: str | Path | None = None,
    source: str = "bank",
    complete_until: datetime | None = None,
    now: datetime,
    on_progress: Progress | None = None,
) -> Report:
    """Take in a file of payments (CSV or .xlsx), and say up to when the source is complete.

    That is `complete_until`, else now, but then only if every row could be read: a payment that we could not read may
    be what would stop a cut. Raises `UnableToImport`.
    """
    if format not in PAYMENT_FORMATS:
        raise UnableToImport(f"Payment files can be read as {', '.join(PAYMENT_FORMATS)}, not as {format}.")
    with db.transaction(partner_id) as tx:
        source_id = tx.value(SQL.source, {"partner": partner_id, "name": source})
    with _opened(db, partner_id, path, "payments", mapping, now) as (report, fields, rows):
        for batch in _batches(PaymentReader(fields).read(rows)):
            with db.transaction(partner_id) as tx:
                _post_payments(tx, source_id, batch, report, now)
            _tell(on_progress, report)
    until = complete_until or (now if not report.rejected else None)
    _finish(db, partner_id, report, now, source_id=source_id, until=until)
    return report


def import_cases(
    db: Database,
    partner_id: int,
    path: Path,
    *,
    mapping: str | Path | None = None,
    now: datetime,
    on_progress: Progress | None = None,
) -> Report:
    """Take over running cases: steps that were completed before Relight, with the claims they covered and their proof.

    The invoices must have been imported, and the policy published. Raises `UnableToImport`.
    """
    with _opened(db, partner_id, path, "cases", mapping, now) as (report, fields, rows):
        for batch in _batches(TakeOverReader(fields).read(rows)):
            with db.transaction(partner_id) as tx:
                take_over = TakeOver(tx, now)
                problems = take_over.run(batch)
                report.read += len(batch)
                report.accepted += take_over.accepted
                report.unchanged += take_over.unchanged
                _reject(tx, report, problems)
            _tell(on_progress, report)
    _finish(db, partner_id, report, now)
    return report


@contextmanager
def _opened(
    db: Database, partner_id: int, path: Path, kind: str, mapping: str | Path | None, now: datetime
) -> Iterator[tuple[Report, Fields, Iterator[Row]]]:
    """The file with its mapping and its run; nothing is written for a file that cannot be used."""
    given = named_mapping(kind, mapping) if mapping else None
    delimiter, encoding = (given.delimiter, given.encoding) if given else ("", "")
    with open_table(path, delimiter=delimiter, encoding=encoding) as table:
        found = find_mapping(kind, table.header, mapping)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        with db.transaction(partner_id) as tx:
            defaults = Defaults(*(tx.row(SQL.partner, {"partner": partner_id}) or ("", "")))
            params = {"partner": partner_id, "kind": kind, "file_name": path.name, "sha256": sha256, "now": now}
            run_id = tx.value(SQL.start, {**params, "mapping": found.name})
        yield Report(kind, run_id, found.name), Fields(found, table.header, defaults), table.rows


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Batches of the file; the next one is read while the database works on this one."""
    iterator = iter(items)

    def read() -> list[T]:
        return list(islice(iterator, BATCH_ROWS))

    with ThreadPoolExecutor(1, "read-file") as reader:
        coming = reader.submit(read)
        while batch := coming.result():
            coming = reader.submit(read)
            yield batch


def _tell(on_progress: Progress | None, report: Report) -> None:
    if on_progress:
        on_progress(report.read)


def _without_repeats(batch: list[Read], seen: SeenNumbers, report: Report) -> list[Read]:
    """The batch with each number once: what repeats an earlier row is unchanged, what contradicts it is refused."""
    fresh: list[Read] = []
    for found in batch:
        report.read += found.lines
        if found.row is None:
            fresh.append(found)
            continue
        before = seen.see((found.row.creditor, found.row.number), found.row.invoice)
        if before is Seen.SAME:
            report.unchanged += found.lines
        elif before is Seen.DIFFERENT:
            reason = f"Number {found.row.number} stood further up with different contents. Keep the row that is right."
            fresh.append(found._replace(row=None, problems=(Problem(found.line, "number", reason),)))
        else:
            fresh.append(found)
    return fresh


def _post_invoices(tx: Tx, batch: list[Read], report: Report, now: datetime) -> None:
    good = [found for found in batch if found.row is not None]
    posted = post_claims(tx, [found.row for found in good if found.row], run_id=report.run_id, now=now)
    refused = {refusal.at: refusal for refusal in posted.refused}
    taken_in = [found for at, found in enumerate(good) if at not in refused]
    for found in taken_in:
        if found.row:
            row = found.row
            report.add(row.currency, 0 if row.cancelled else row.amount, 0 if row.cancelled else row.disputed)
    lines = sum(found.lines for found in taken_in)
    unchanged = sum(good[at].lines for at in posted.unchanged_at)
    report.unchanged += unchanged
    report.accepted += lines - unchanged
    _reject(tx, report, [*_problems(batch), *_refusals(good, posted.refused)])
    accounts = list(posted.account_ids)
    open_cases(tx, accounts, now)
    wake(tx, accounts, now, urgent=False)


def _problems(batch: Iterable[Read | ReadPayment]) -> Iterator[Problem]:
    return (problem for found in batch for problem in found.problems)


def _refusals(good: list[Read], refused: Iterable[Refusal]) -> Iterator[Problem]:
    return (Problem(good[refusal.at].line, refusal.field, refusal.reason) for refusal in refused)


def _post_payments(tx: Tx, source_id: int, batch: list[ReadPayment], report: Report, now: datetime) -> None:
    good = [found for found in batch if found.row is not None]
    rows = [found.row for found in good if found.row is not None]
    settled = settle(tx, source_id, rows, now=now, run_id=report.run_id)
    problems = list(_problems(batch))
    for found, row, answer in zip(good, rows, settled.received, strict=True):
        if answer.refused:
            problems.append(Problem(found.line, "ref", answer.refused))
            continue
        report.add(row.currency, row.amount)
        report.unmatched += answer.account_id is None
        if answer.is_new or answer.moved:
            report.accepted += 1
        else:
            report.unchanged += 1
    report.read += len(batch)
    report.other += sum(found.is_other for found in batch)
    _reject(tx, report, problems)


def _reject(tx: Tx, report: Report, problems: list[Problem]) -> None:
    """Keep what was refused, and what rows went in without, with the run."""
    if not problems:
        return
    report.note(problems)
    columns = {
        "lines": [problem.line for problem in problems],
        "fields": [problem.field for problem in problems],
        "reasons": [problem.reason for problem in problems],
    }
    tx.run(SQL.reject, {**columns, "partner": tx.partner_id, "run": report.run_id})


def _finish(
    db: Database,
    partner_id: int,
    report: Report,
    now: datetime,
    *,
    source_id: int | None = None,
    until: datetime | None = None,
) -> None:
    counts = {"read": report.read, "accepted": report.accepted, "unchanged": report.unchanged, "other": report.other}
    report.rejected = report.read - report.accepted - report.unchanged - report.other
    with db.transaction(partner_id) as tx:
        tx.run(SQL.finish, {**counts, "rejected": report.rejected, "run": report.run_id, "now": now})
        if until is not None:
            tx.run(SQL.complete_until, {"source": source_id, "until": until})
            report.complete_until = until.isoformat()
