"""`relight import`: invoices, payments and running cases from files; what is wrong is listed, the rest goes in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from relight.cli.context import database, installation, moment, partner_id, partner_option, refusals
from relight.cli.output import Progress, answer, json_option
from relight.core.money import format_amount
from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.tables import refuse_unusable
from relight.flow.database import Database
from relight.flow.payments.files.reading import refuse_unlike
from relight.flow.road.intake import PAYMENT_FORMATS, import_cases, import_invoices, import_payments
from relight.flow.road.report import Report

_TOLD_MAX = 20
PROGRESS_ROWS = 50_000
_SESSIONS = 2  # of the server, for a file of invoices: one does not keep up with who reads the file

Reader = Callable[[Database, int, datetime, Progress], Report]

file_argument = click.argument("file", type=click.Path(path_type=Path))
mapping_option = click.option(
    "--mapping", default=None, help="A mapping's name, or a YAML file of your own; else the header is recognised."
)


@click.group("import")
def import_group() -> None:
    """Bring invoices, payments and running cases in from files (CSV or .xlsx).

    The same file twice changes nothing. Rows that are wrong are listed, and the others go in.

    \b
    Exit code 0: the file was read; the answer counts what was rejected.
    Exit code 1: the file could not be used, and nothing was taken in.
    Exit code 2: the command line was not understood.

    \b
    Example:  relight import invoices invoices.csv
    """


@import_group.command("invoices")
@file_argument
@mapping_option
@partner_option
@json_option
@refusals
def invoices(file: Path, mapping: str | None, partner_slug: str | None, as_json: bool) -> None:
    """Invoices with their lines, and credit notes (negative amounts).

    \b
    Example:  relight import invoices invoices.csv
    Example:  relight import invoices fakturaer.csv --mapping norsk --json
    """

    def read(db: Database, partner: int, now: datetime, progress: Progress) -> Report:
        return import_invoices(
            db, partner, file, mapping=mapping, now=now, clock=db.clock, on_progress=progress, sessions=_SESSIONS
        )

    _run(file, partner_slug, read, as_json=as_json, gently=True)


@import_group.command("payments")
@file_argument
@click.option(
    "--format", "format_", default="csv", type=click.Choice(PAYMENT_FORMATS), show_default=True,
    help="csv also stands for .xlsx; camt is camt.052, 053 and 054; ocr is OCR giro and AvtaleGiro.",
)  # fmt: skip
@click.option("--source", default="bank", show_default=True, help="Which source of money the file is from.")
@click.option(
    "--complete-until", default=None, metavar="MOMENT",
    help="Up to when the file is complete. If left out: now for csv without a rejected row; bank files tell it.",
)  # fmt: skip
@mapping_option
@partner_option
@json_option
@refusals
def payments(
    file: Path,
    format_: str,
    source: str,
    complete_until: str | None,
    mapping: str | None,
    partner_slug: str | None,
    as_json: bool,
) -> None:
    """Payments that customers made, as a table or as a bank's file (camt, OCR giro, MT940).

    \b
    Example:  relight import payments payments.csv --complete-until 2026-03-02
    Example:  relight import payments statement.xml --format camt
    """
    until = moment(complete_until) if complete_until else None
    if mapping and format_ != "csv":
        raise click.UsageError(f"A mapping names the columns of a csv file; {format_} has none. Leave --mapping out.")

    def read(db: Database, partner: int, now: datetime, progress: Progress) -> Report:
        return import_payments(
            db,
            partner,
            file,
            format=format_,
            mapping=mapping,
            source=source,
            complete_until=until,
            now=now,
            clock=db.clock,
            on_progress=progress,
        )

    _run(file, partner_slug, read, as_json=as_json, format_=format_)


@import_group.command("cases")
@file_argument
@mapping_option
@partner_option
@json_option
@refusals
def cases(file: Path, mapping: str | None, partner_slug: str | None, as_json: bool) -> None:
    """Running cases of another system: the steps already given, with their claims and proof.

    Import the invoices and publish the policy first.

    \b
    Example:  relight import cases running.csv
    """

    def read(db: Database, partner: int, now: datetime, progress: Progress) -> Report:
        return import_cases(db, partner, file, mapping=mapping, now=now, clock=db.clock, on_progress=progress)

    _run(file, partner_slug, read, as_json=as_json, gently=True)


def _run(
    file: Path, partner_slug: str | None, read: Reader, *, as_json: bool, format_: str = "csv", gently: bool = False
) -> None:
    """Look at the file before a database is started for it, read it, and say what became of it. `gently`: nobody waits
    for it who has paid."""
    if gently:
        installation().go_gently()
    with _readable():
        if format_ == "csv":
            refuse_unusable(file)
        else:
            refuse_unlike(file, format_)
        with database() as db:
            progress = Progress("rows read", every=PROGRESS_ROWS)
            report = read(db, partner_id(db, partner_slug), db.clock(), progress)
            progress.end()
    _tell(report, as_json=as_json)


@contextmanager
def _readable() -> Iterator[None]:
    """A file that cannot be used is one sentence, and exit code 1."""
    try:
        yield
    except UnableToImport as wrong:
        raise click.ClickException(str(wrong)) from wrong


def _tell(report: Report, *, as_json: bool) -> None:
    lines = [
        f"{report.read} rows read: {report.accepted} taken in, {report.unchanged} known already, "
        f"{report.other} of another kind, {report.rejected} rejected (mapping {report.mapping})."
    ]
    lines += [
        f"  {total.rows} {'row' if total.rows == 1 else 'rows'}, {format_amount(total.amount, currency, 'en')}"
        for currency, total in sorted(report.totals.items())
    ]
    if report.unmatched:
        lines.append(f"  {report.unmatched} of them are of no known account, and wait to be matched.")
    lines += [f"  line {p.line}, {p.field}: {p.reason}" for p in report.errors[:_TOLD_MAX]]
    left_out = len(report.errors) - _TOLD_MAX
    if left_out > 0:
        lines.append(f"  … and {left_out + report.errors_left_out} more; --json lists {len(report.errors)} of them.")
    lines += [f"  {sentence}" for sentence in report.missing[:_TOLD_MAX]]
    if report.kind == "payments" and report.rejected and not report.complete_until:
        lines.append("  Some payments could not be read, so the source does not count as complete: mend and repeat.")
    answer(report.as_data(), as_json=as_json, text="\n".join(lines))
