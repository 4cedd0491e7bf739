"""Files come in: rows are read one by one, posted in batches of one transaction each, and wake the cases they concern.

A file that is read again changes nothing, so one that was interrupted is simply imported again. `now` is the moment of
the run; with `clock` each batch bears its own, since others decide about the same customers while a long file is read.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path

from relight.flow.cases.opening import open_cases
from relight.flow.cases.operations import wake
from relight.flow.claims.fields import Problem
from relight.flow.claims.invoices import InvoiceReader
from relight.flow.claims.joining import Read
from relight.flow.claims.operations import Posted, Refusal, post_claims
from relight.flow.claims.referencing import referenced, setting_of
from relight.flow.claims.rows import ClaimRow
from relight.flow.claims.seen import Seen, SeenNumbers
from relight.flow.database import Database, Tx
from relight.flow.payments.booking import book
from relight.flow.payments.files.reading import BANK_FORMATS
from relight.flow.payments.files.series import Series
from relight.flow.payments.rows import PaymentReader, ReadPayment
from relight.flow.payments.sequence import note_statements
from relight.flow.road import runs
from relight.flow.road.report import Report
from relight.flow.road.runs import SQL, Clock, Progress, batches, finish, opened, opened_bank, take_in
from relight.flow.road.takeover import TakeOverReader, take_over
from relight.flow.road.withdraw import withdraw_notices

# How a payment file may be written; .xlsx is recognised by what it holds, and stands with csv.
PAYMENT_FORMATS = ("csv", *BANK_FORMATS)


def import_invoices(
    db: Database,
    partner_id: int,
    path: Path,
    *,
    mapping: str | Path | None = None,
    now: datetime,
    clock: Clock | None = None,
    on_progress: Progress | None = None,
    sessions: int = 1,
) -> Report:
    """Take in a file of invoices and credit notes (CSV or .xlsx). `on_progress` is told how many rows were read.

    `mapping` is a name or a YAML file; without one the header is recognised. With several `sessions` the customers of a
    batch are shared out among so many transactions side by side, as long as batches need not be small (`pacing`): where
    others need the processors, one is enough to wait for. Raises `UnableToImport`.
    """
    with opened(db, partner_id, path, kind="invoices", mapping=mapping, now=now) as (report, fields, rows):
        with db.transaction(partner_id) as tx:
            setting = setting_of(tx)
        seen = SeenNumbers()
        read = referenced(InvoiceReader(fields).read(rows), setting)
        with ThreadPoolExecutor(sessions, "import") as pool:
            for batch in batches(read, paced=True, sessions=sessions):
                fresh, repeats = _without_repeats(batch, seen)
                parts = _shared_out(fresh, sessions) if len(batch) > runs.BATCH_ROWS else [fresh]
                works = [partial(_invoices, report, part, 0 if at else repeats) for at, part in enumerate(parts)]
                each = pool.map if len(parts) > 1 else map
                take_in(db, partner_id, report, works, clock or (lambda: now), side_by_side=each)
                _tell(on_progress, report)
    finish(db, partner_id, report, now=now)
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
    clock: Clock | None = None,
    on_progress: Progress | None = None,
) -> Report:
    """Take in a file of payments (`PAYMENT_FORMATS`), and say up to when the source is complete.

    That is `complete_until`. Without it, it is now for a table of which every row could be read, since a payment that
    we could not read may be what would stop a cut; a bank's file says it itself, once none before it is missing.
    Raises `UnableToImport`.
    """
    clock = clock or (lambda: now)
    if format in BANK_FORMATS:
        report, bank_file = opened_bank(db, partner_id, path, format=format, now=now)
        source_id = _source(db, partner_id, source)
        _take_payments(db, partner_id, report, bank_file.read(), source_id, clock, on_progress, bank_file.series)
        with db.transaction(partner_id) as tx:
            told = note_statements(tx, source_id, bank_file.series, run_id=report.run_id)
        report.missing = list(told.missing)
        until = complete_until or (min(told.until, now) if told.until else None)
    else:
        with opened(db, partner_id, path, kind="payments", mapping=mapping, now=now) as (report, fields, rows):
            source_id = _source(db, partner_id, source)
            _take_payments(db, partner_id, report, PaymentReader(fields).read(rows), source_id, clock, on_progress)
        until = complete_until or (now if not report.rejected else None)
    if until is not None:
        with db.transaction(partner_id) as tx:
            tx.run(SQL.complete_until, {"source": source_id, "until": until})
        report.complete_until = until.isoformat()
    finish(db, partner_id, report, now=now)
    return report


def _source(db: Database, partner_id: int, name: str) -> int:
    with db.transaction(partner_id) as tx:
        tx.run(SQL.make_source, {"partner": partner_id, "name": name})
        found: int = tx.value(SQL.source, {"name": name})
        return found


def _take_payments(
    db: Database,
    partner_id: int,
    report: Report,
    rows: Iterable[ReadPayment],
    source_id: int,
    clock: Clock,
    on_progress: Progress | None,
    series: Series | None = None,
) -> None:
    seen = SeenNumbers()
    for batch in batches(rows):
        told = [found.row is not None and seen.see(found.row.ref, 0) is not Seen.NEW for found in batch]
        take_in(db, partner_id, report, [partial(_payments, report, batch, told, source_id, series)], clock)
        _tell(on_progress, report)


def import_cases(
    db: Database,
    partner_id: int,
    path: Path,
    *,
    mapping: str | Path | None = None,
    now: datetime,
    clock: Clock | None = None,
    on_progress: Progress | None = None,
) -> Report:
    """Take over running cases: steps that were completed before Relight, with the claims they covered and their proof.

    The invoices must have been imported, and the policy published. Raises `UnableToImport`.
    """
    with opened(db, partner_id, path, kind="cases", mapping=mapping, now=now) as (report, fields, rows):
        for batch in batches(TakeOverReader(fields).read(rows), paced=True):
            take_in(db, partner_id, report, [partial(take_over, report, batch)], clock or (lambda: now))
            _tell(on_progress, report)
    finish(db, partner_id, report, now=now)
    return report


def take_in_claims(tx: Tx, rows: Sequence[ClaimRow], *, run_id: int | None, now: datetime) -> Posted:
    """Post invoices, withdraw the notices that corrections falsified, and let the cases think again."""
    posted = post_claims(tx, rows, run_id=run_id, now=now)
    now = tx.after_waiting(now)
    withdraw_notices(tx, posted.corrections, now=now)
    accounts = list(posted.account_ids)
    open_cases(tx, accounts, now)
    wake(tx, accounts, now, urgent=False)
    return posted


def _tell(on_progress: Progress | None, report: Report) -> None:
    if on_progress:
        on_progress(report.read)


def _without_repeats(batch: list[Read], seen: SeenNumbers) -> tuple[list[Read], int]:
    """The batch with each number once, and how many rows only repeat; what contradicts an earlier row is refused."""
    fresh: list[Read] = []
    repeats = 0
    for found in batch:
        before = seen.see((found.row.creditor, found.row.number), found.row.invoice) if found.row else Seen.NEW
        if before is Seen.SAME:
            repeats += found.lines
        elif before is Seen.DIFFERENT:
            reason = f"Number {found.number} stood further up with different contents. Keep the row that is right."
            fresh.append(found._replace(row=None, problems=(Problem(found.line, "number", reason),)))
        else:
            fresh.append(found)
    return fresh, repeats


def _shared_out(batch: list[Read], sessions: int) -> list[list[Read]]:
    """The batch in parts that say nothing of the same customers, each in the file's order. Rows that tell of people,
    homes and meters stay together: these may be several accounts'."""
    if sessions == 1 or any(found.row.customers for found in batch if found.row is not None):
        return [batch]
    parts: list[list[Read]] = [[] for _ in range(sessions)]
    for found in batch:
        parts[hash(found.row.account_ref) % sessions if found.row is not None else 0].append(found)
    return [part for part in parts if part] or [batch]


def _invoices(report: Report, batch: list[Read], repeats: int, now: datetime, tx: Tx) -> Report:
    part = report.part()
    good = [(found, found.row) for found in batch if found.row is not None]
    posted = take_in_claims(tx, [row for _, row in good], run_id=report.run_id, now=now)
    refused = {refusal.at for refusal in posted.refused}
    taken_in = [pair for at, pair in enumerate(good) if at not in refused]
    for _, row in taken_in:
        part.count(row.currency, 0 if row.cancelled else row.amount, 0 if row.cancelled else row.disputed)
    known = sum(good[at][0].lines for at in posted.unchanged_at)
    part.read = repeats + sum(found.lines for found in batch)
    part.unchanged = repeats + known
    part.accepted = sum(found.lines for found, _ in taken_in) - known
    part.errors += [*_problems(batch), *_refusals(good, posted.refused)]
    return part


def _problems(batch: Iterable[Read | ReadPayment]) -> Iterator[Problem]:
    return (problem for found in batch for problem in found.problems)


def _refusals(good: list[tuple[Read, ClaimRow]], refused: Iterable[Refusal]) -> Iterator[Problem]:
    return (Problem(good[refusal.at][0].line, refusal.field, refusal.reason) for refusal in refused)


def _payments(
    report: Report,
    batch: list[ReadPayment],
    told: list[bool],
    source_id: int,
    series: Series | None,
    now: datetime,
    tx: Tx,
) -> Report:
    """`told` marks the rows whose payment stood further up in the file: it has been counted there."""
    part = report.part()
    good = [(found, found.row, again) for found, again in zip(batch, told, strict=True) if found.row is not None]
    booked = book(tx, source_id, [found for found, _, _ in good], now=now, run_id=report.run_id)
    part.errors += _problems(batch)
    part.read = len(batch)
    part.other = sum(found.is_other for found in batch)
    for (found, row, again), answer in zip(good, booked, strict=True):
        if answer.refused:
            part.errors.append(Problem(found.line, "ref", answer.refused))
            if series is not None:
                series.reject(found.statement)
        elif answer.is_other:
            part.other += 1
        elif again:
            part.unchanged += 1
        else:
            part.count(row.currency, -row.amount if _went_back(found) else row.amount)
            part.unmatched += answer.account_id is None
            part.accepted += answer.moved
            part.unchanged += not answer.moved
    return part


def _went_back(found: ReadPayment) -> bool:
    return found.booking is not None and found.booking.is_return
