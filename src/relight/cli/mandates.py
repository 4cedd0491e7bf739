"""`relight mandate`: who lets whom collect, from files or by hand."""

from datetime import datetime
from pathlib import Path

import click

from relight.cli.actors import as_option, who
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.flow.claims.errors import UnableToImport
from relight.flow.payments.mandates import agreeing, importing, noting
from relight.flow.payments.mandates.noting import Told
from relight.flow.payments.mandates.planning import place_of
from relight.flow.payments.mandates.rules import schemes
from relight.flow.payments.mandates.taking import Taken

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_TOLD_MAX = 20
scheme_choice = click.Choice(sorted(schemes()))


@click.group()
def mandate() -> None:
    """Mandates: customers who let their bills be collected (AvtaleGiro, Betalingsservice, SEPA)."""


@mandate.command("creditor")
@click.argument("creditor")
@click.option("--scheme", type=scheme_choice, required=True)
@click.option("--number", required=True, help="What the scheme calls the creditor; it stands in the agreement.")
@click.option("--group", "group_number", default="", help="Betalingsservice's debtor group.")
@click.option(
    "--announced-by", type=click.Choice(["message", "bill"]), default="message", show_default=True,
    help="What tells the customer, where neither the bank nor the scheme does.",
)  # fmt: skip
@click.option("--bank-account", default="", help="Where the money goes, where none is noted yet.")
@click.option("--org-number", default="", help="Its number in the register of companies (Betalingsservice: CVR).")
@as_option
@partner_option
@refusals
def creditor_command(
    creditor: str,
    scheme: str,
    number: str,
    group_number: str,
    announced_by: str,
    bank_account: str,
    org_number: str,
    as_user: str | None,
    partner_slug: str | None,
) -> None:
    """Note what a scheme calls a creditor. Files need it.

    Say --announced-by bill only where the bills themselves name the day, the sum and the mandate.

    \b
    Example:  relight mandate creditor "Fjordnett AS" --scheme avtalegiro --number 55555555
    Example:  relight mandate creditor "Duinwater" --scheme sepa --number NL79ZZZ999999990000
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        by, now = who(tx, as_user), db.clock()
        noting.complete_creditor(tx, creditor, bank_account=bank_account, org_number=org_number, by=by)
        noting.keep_creditor(
            tx, creditor=creditor, scheme=scheme, number=number, group_number=group_number, by=by, now=now,
            announced_by=announced_by,
        )  # fmt: skip
    click.echo("Noted. Next: relight mandate import FILE, and relight collect plan")


@mandate.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_", type=click.Choice(["avtalegiro", "bs0603", "csv"]), default="csv", show_default=True
)
@partner_option
@json_option
@refusals
def import_command(file: Path, format_: str, partner_slug: str | None, as_json: bool) -> None:
    """Take in AvtaleGiro's agreements, Betalingsservice's (0603), or a table. The same file twice changes nothing.

    A table has the columns account, scheme, reference and starts, and may have creditor, name, iban, signed, ends, type
    (CORE or B2B), once and bank_notifies. A full list of AvtaleGiro ends agreements that are not on it.

    \b
    Example:  relight mandate import agreements.txt --format avtalegiro
    Example:  relight mandate import mandates.csv
    """
    with database() as db:
        partner, now = partner_id(db, partner_slug), db.clock()
        scheme = {"avtalegiro": "avtalegiro", "bs0603": "betalingsservice"}.get(format_, "")
        try:
            if scheme:
                taken = agreeing.import_agreements(db, partner, file, now=now, scheme=scheme)
            else:
                taken = importing.import_mandates(db, partner, file, now=now)
        except UnableToImport as wrong:
            raise click.ClickException(str(wrong)) from wrong
    tell_taken(taken, as_json=as_json)


@mandate.command("note")
@click.argument("account")
@click.argument("reference")
@click.option("--scheme", type=scheme_choice, required=True)
@click.option("--from", "starts", type=_DAY, default=None, help="From which day; today if left out.")
@click.option("--signed", type=_DAY, default=None, help="When it was signed (SEPA).")
@click.option("--iban", default="", help="The account to collect from (SEPA).")
@click.option("--name", default="", help="Whose account it is (SEPA).")
@click.option("--b2b", is_flag=True, help="SEPA between businesses.")
@click.option("--once", is_flag=True, help="For one collection only.")
@as_option
@partner_option
@refusals
def note_command(
    account: str,
    reference: str,
    scheme: str,
    starts: datetime | None,
    signed: datetime | None,
    iban: str,
    name: str,
    b2b: bool,
    once: bool,
    as_user: str | None,
    partner_slug: str | None,
) -> None:
    """Note a mandate that a customer gave. A newer word for the same reference takes the place of the older one.

    Example:  relight mandate note K-4711 NL-4711-1 --scheme sepa --iban NL91ABNA0417164300 --name "J. de Vries"
    --signed 2026-02-20 --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        now = db.clock()
        told = Told(
            account,
            scheme,
            reference,
            starts.date() if starts else place_of(tx, now).today,
            payer_name=name,
            payer_account=iban,
            instrument=("B2B" if b2b else "CORE") if scheme == "sepa" else "",
            is_once=once,
            signed_date=signed.date() if signed else None,
        )
        noting.by_hand(tx, told, by=who(tx, as_user), now=now)
    click.echo("Noted. Its bills are collected from now on: relight collect plan")


@mandate.command("end")
@click.argument("reference")
@click.option("--scheme", type=scheme_choice, required=True)
@as_option
@partner_option
@refusals
def end_command(reference: str, scheme: str, as_user: str | None, partner_slug: str | None) -> None:
    """End a mandate. What is planned by it is taken back with the next `relight collect plan`.

    Example:  relight mandate end NL-4711-1 --scheme sepa --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        now = db.clock()
        today = place_of(tx, now).today
        noting.end(tx, scheme=scheme, reference=reference, by=who(tx, as_user), today=today, now=now)
    click.echo("Ended. Nothing more is collected by it.")


@mandate.command("list")
@click.argument("account", default="")
@partner_option
@json_option
@refusals
def list_command(account: str, partner_slug: str | None, as_json: bool) -> None:
    """The mandates of an account, or the newest of all.

    Example:  relight mandate list K-4711
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = noting.listed(tx, account)
    lines = [
        f"{one.account:<12} {one.scheme:<16} {one.reference:<26} from {one.starts_on}"
        + (f" to {one.ends_on} ({one.ended_because})" if one.ends_on else "")
        for one in found
    ]
    answer({"mandates": [one._asdict() for one in found]}, as_json=as_json, text="\n".join(lines) or "There are none.")


def tell_taken(taken: Taken, *, as_json: bool) -> None:
    """What became of a file: counts, and the first of what was wrong with its line."""
    if not as_json:
        for problem in taken.errors[:_TOLD_MAX]:
            click.echo(f"line {problem.line}, {problem.field}: {problem.reason}")
        if taken.rejected > _TOLD_MAX:
            click.echo(f"These are the first {_TOLD_MAX} of {taken.rejected:,}; with --json, {len(taken.errors):,}.")
    counts = {
        "read": taken.read, "changed": taken.changed, "unchanged": taken.unchanged, "ended": taken.ended,
        "rejected": taken.rejected,
    }  # fmt: skip
    told = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    errors = [problem._asdict() for problem in taken.errors]
    left_out = taken.rejected - len(errors)
    answer({**counts, "errors": errors, "errors_left_out": left_out}, as_json=as_json, text=told)
