"""`relight import`: invoices, payments and running cases from files; what is wrong is listed, the rest goes in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from relight.cli.context import database, moment, partner_id, partner_option, refusals
from relight.cli.output import Progress, answer, json_option
from relight.core.money import format_amount
from relight.flow.claims.errors import UnableToImport
from relight.flow.road.intake import import_cases, import_invoices, import_payments
from relight.flow.road.report import Report

_TOLD_MAX = 20
FORMATS = ("csv", "camt", "ocr", "mt940")

file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
mapping_option = click.option(
    "--mapping", default=None, help="A mapping's name, or a YAML file of your own; else the header is recognised."
)


@click.group("import")
def import_group() -> None:
    """Bring invoices, payments and running cases in from files (CSV or .xlsx).

    The same file twice changes nothing.
    """


@import_group.command("invoices")
@file_argument
@mapping_option
@partner_option
@json_option
@refusals
def invoices(file: Path, mapping: str | None, partner_slug: str | None, as_json: bool) -> None:
    """Invoices with their lines, and credit notes (negative amounts).

    Example:  relight import invoices invoices.csv
    """
    with database() as db:
        progress = Progress("rows read")
        with _readable():
            report = import_invoices(
                db, partner_id(db, partner_slug), file, mapping=mapping, now=db.clock(), on_progress=progress
            )
        progress.end()
    _tell(report, as_json=as_json)


@import_group.command("payments")
@file_argument
@click.option("--format", "format_", default="csv", type=click.Choice(FORMATS), show_default=True)
@click.option("--source", default="bank", show_default=True, help="Which source of money the file is from.")
@click.option(
    "--complete-until", default=None, metavar="MOMENT", help="Up to when the file is complete; now if left out."
)
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
    """Payments that customers made.

    Example:  relight import payments payments.csv --complete-until 2026-03-02
    """
    until = moment(complete_until) if complete_until else None
    with database() as db:
        progress = Progress("rows read")
        with _readable():
            report = import_payments(
                db,
                partner_id(db, partner_slug),
                file,
                format=format_,
                mapping=mapping,
                source=source,
                complete_until=until,
                now=db.clock(),
                on_progress=progress,
            )
        progress.end()
    _tell(report, as_json=as_json)


@import_group.command("cases")
@file_argument
@mapping_option
@partner_option
@json_option
@refusals
def cases(file: Path, mapping: str | None, partner_slug: str | None, as_json: bool) -> None:
    """Running cases of another system: the steps already given, with their claims and proof.

    Example:  relight import cases running.csv
    """
    with database() as db, _readable():
        report = import_cases(db, partner_id(db, partner_slug), file, mapping=mapping, now=db.clock())
    _tell(report, as_json=as_json)


@contextmanager
def _readable() -> Iterator[None]:
    """A file that cannot be used at all is one sentence, and exit code 1."""
    try:
        yield
    except UnableToImport as wrong:
        raise click.ClickException(str(wrong)) from wrong


def _tell(report: Report, *, as_json: bool) -> None:
    lines = [
        f"{report.read} rows read: {report.accepted} taken in, {report.unchanged} known already, "
        f"{report.rejected} rejected (mapping {report.mapping})."
    ]
    lines += [
        f"  {total.rows} rows, {format_amount(total.amount, currency, 'en')}"
        for currency, total in sorted(report.totals.items())
    ]
    lines += [f"  line {p.line}, {p.field}: {p.reason}" for p in report.errors[:_TOLD_MAX]]
    if len(report.errors) > _TOLD_MAX:
        lines.append(f"  … and {len(report.errors) - _TOLD_MAX} more; --json lists them all.")
    answer(report.as_data(), as_json=as_json, text="\n".join(lines))
