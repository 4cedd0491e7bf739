"""`relight audit`: all nine invariants, checked from what is stored; exit code 1 when one does not hold."""

from datetime import datetime

import click

from relight.audit.reading import Partner
from relight.audit.run import NoSuchPartner, audit
from relight.cli.context import database, moment, partner_id, refusals
from relight.cli.output import answer, json_option, news


@click.command(name="audit")
@click.option("--partner", "slug", metavar="SLUG", help="Only this partner; all of them if left out.")
@click.option("--since", metavar="MOMENT", help="Only what is of this moment and later; everything if left out.")
@click.option("--as-of", metavar="MOMENT", help="Judge what is unfinished as of this moment instead of now.")
@json_option
@refusals
def audit_command(slug: str | None, since: str | None, as_of: str | None, as_json: bool) -> None:
    """Check from what is stored that nothing happened that must not happen; nothing is changed.

    The checks share no code with the rest of Relight. docs/audit.md tells what each of them looks at.

    Example:  relight audit --since 2026-03-01
    """
    begins = moment(since) if since else None
    judged: datetime | None = moment(as_of) if as_of else None
    with database(size_max=1) as db:
        if slug is not None:
            partner_id(db, slug)  # refuses with the choice
        try:
            report = audit(db.conninfo, partner=slug, since=begins, as_of=judged, on_progress=_tell)
        except NoSuchPartner as none:
            raise click.ClickException("There is no partner yet. `relight partner` makes one.") from none
    answer(report.as_data(), as_json=as_json, text=report.as_text())
    if report.violations:
        raise SystemExit(1)


def _tell(partner: Partner, invariant: str) -> None:
    news(f"{partner.slug}: {invariant}")
