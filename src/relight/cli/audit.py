"""`relight audit`: all nine invariants, checked from what is stored; exit code 1 when one does not hold."""

from datetime import datetime
from pathlib import Path

import click

from relight.audit.reading import Partner
from relight.audit.report import Report
from relight.audit.run import NoSuchPartner, audit
from relight.cli.context import database, moment, partner_id, refusals
from relight.cli.output import answer, json_option, news
from relight.cli.second_opinion import hold_log
from relight.flow.database import Database
from relight.flow.watch.audits import note


@click.command(name="audit")
@click.option("--partner", "slug", metavar="SLUG", help="Only this partner; all of them if left out.")
@click.option("--since", metavar="MOMENT", help="Only what is of this moment and later; everything if left out.")
@click.option("--as-of", metavar="MOMENT", help="Judge what is unfinished as of this moment instead of now.")
@click.option("--log", "log_file", type=click.Path(path_type=Path), help="Check another system's log (CSV) instead.")
@click.option("--country", metavar="CODE", help="With --log: whose law, such as NO.")
@click.option("--law", "laws", metavar="PACK", multiple=True, help="With --log: which law packs; the country's own.")
@click.option("--mapping", type=click.Path(path_type=Path), help="With --log: what its steps are called (YAML).")
@click.option("--service", metavar="KIND", help="With --log: the service of rows that name none.")
@click.option("--debtor", type=click.Choice(("consumer", "business")), help="With --log: who the customers are.")
@click.option("--actor", type=click.Choice(("grid_company", "supplier", "network")), help="With --log: who you are.")
@json_option
@refusals
def audit_command(
    slug: str | None,
    since: str | None,
    as_of: str | None,
    log_file: Path | None,
    country: str | None,
    laws: tuple[str, ...],
    mapping: Path | None,
    service: str | None,
    debtor: str | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Check from what is stored that nothing happened that must not happen; only how it ended is noted, for alarms.

    The checks share no code with the rest of Relight. docs/audit.md tells what each of them looks at.

    With --log it says what was unlawful in a log from another system, and needs no database.

    \b
    Example:  relight audit --since 2026-03-01
    Example:  relight audit --log steps.csv --country NO
    """
    if log_file is not None:
        if slug or since or as_of:
            raise click.UsageError("--partner, --since and --as-of are about what Relight stores, not about a --log.")
        hold_log(log_file, laws=laws, country=country, mapping=mapping, service=service, debtor=debtor or "consumer",
                 actor=actor, as_json=as_json)  # fmt: skip
        return
    if country or laws or mapping or service or debtor or actor:
        raise click.UsageError("--country, --law, --mapping, --service, --debtor and --actor go with --log FILE.")
    begins = moment(since) if since else None
    judged: datetime | None = moment(as_of) if as_of else None
    with database(size_max=1) as db:
        if slug is not None:
            partner_id(db, slug)  # refuses with the choice
        try:
            report = audit(db.conninfo, partner=slug, since=begins, as_of=judged, on_progress=_tell)
        except NoSuchPartner as none:
            raise click.ClickException("There is no partner yet. `relight partner` makes one.") from none
        if judged is None:
            _note(db, report, only=slug or "", is_full=begins is None)
    answer(report.as_data(), as_json=as_json, text=report.as_text())
    if report.violations:
        raise SystemExit(1)


def _note(db: Database, report: Report, *, only: str, is_full: bool) -> None:
    """Keep how it ended for each partner; what concerns no partner alone (the walls) is kept with every one."""
    now = db.clock()
    with db.transaction(None) as tx:
        partners = tx.rows("SELECT id, slug FROM partner WHERE %(only)s IN ('', slug)", {"only": only})
    for id_, slug in partners:
        with db.transaction(id_) as tx:
            violated = [one.invariant for one in report.violations if one.partner in ("", slug)]
            note(tx, violated, now, is_full=is_full)


def _tell(partner: Partner, invariant: str) -> None:
    news(f"{partner.slug}: {invariant}")
