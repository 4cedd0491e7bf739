"""`relight export`: what other systems need from Relight, as a file."""

import csv
import sys
from datetime import date

import click

from relight.cli.books_output import Day
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.flow.supply.blocked import Blocked, blocked_periods

_HEADS = ("service", "account", "kind", "from", "to", "reason", "level", "no_subscription_fee_by")


@click.group("export")
def export() -> None:
    """What other systems need from Relight.

    Example:  relight export blocked --from 2026-10-01 --to 2026-10-31
    """


@export.command("blocked")
@click.option("--from", "first", type=Day(), required=True, help="The first day.")
@click.option("--to", "last", type=Day(), required=True, help="The last day.")
@partner_option
@json_option
@refusals
def blocked(first: date, last: date, partner_slug: str | None, as_json: bool) -> None:
    """When services were blocked, for billing, as CSV: where the last column names a section, the law lets nobody
    charge a subscription for these days. The feed tells the same as it happens (service.blocked, service.unblocked).

    Example:  relight export blocked --from 2026-10-01 --to 2026-10-31 > blocked.csv
    """
    if last < first:
        raise click.UsageError("--to comes before --from.")
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        rows = (_row(one) for one in blocked_periods(tx, first, last))
        if as_json:
            answer({"blocked": [dict(zip(_HEADS, row, strict=True)) for row in rows]}, as_json=True, text="")
            return
        writer = csv.writer(sys.stdout)
        writer.writerow(_HEADS)
        writer.writerows(rows)


def _row(one: Blocked) -> tuple[str, ...]:
    ended = one.ended_at.isoformat() if one.ended_at is not None else ""
    return (
        one.service, one.account, one.kind, one.started_at.isoformat(), ended, one.reason, one.level, one.no_fee,
    )  # fmt: skip
