"""`relight collect calendar` and `receipt`: files that the workers write, and what the other side says of them."""

from pathlib import Path

import click

from relight.cli.actors import as_option, who
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.mandates import scheme_choice
from relight.cli.output import answer, json_option
from relight.core.money import format_amount
from relight.flow.payments.mandates import calendar
from relight.flow.payments.mandates.calendar import Coming, Setting

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("calendar")
@click.option("--scheme", type=scheme_choice, default=None, help="Only this one; needed to change it.")
@click.option("--folder", type=_FOLDER, default=None, help="The files go to out/ in it; answers come to in/.")
@click.option("--from-hour", type=click.IntRange(0, 23), default=8, show_default=True, help="Not before, on the day.")
@click.option(
    "--receipt-within", "receipt_days", type=click.IntRange(min=0), default=0, show_default=True,
    help="Working days after which somebody asks why nothing was heard of a file; 0: never.",
)  # fmt: skip
@click.option("--off", is_flag=True, help="Write nothing more by itself.")
@as_option
@partner_option
@json_option
@refusals
def calendar_command(
    scheme: str | None,
    folder: Path | None,
    from_hour: int,
    receipt_days: int,
    off: bool,
    as_user: str | None,
    partner_slug: str | None,
    as_json: bool,
) -> None:
    """What will be collected and when its files leave; with --folder, let the workers write them.

    \b
    Example:  relight collect calendar
    Example:  relight collect calendar --scheme sepa --folder /srv/bank/sepa --receipt-within 1
    """
    if (folder or off) and scheme is None:
        raise click.UsageError("Say which scheme with --scheme.")
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        now = db.clock()
        if scheme and off:
            calendar.turn_off(tx, scheme=scheme, by=who(tx, as_user), now=now)
        elif scheme and folder:
            person = who(tx, as_user)
            calendar.keep(
                tx, scheme=scheme, folder=folder, from_hour=from_hour, receipt_days=receipt_days, by=person, now=now
            )
        kept = [one for one in calendar.settings(tx) if scheme in (None, one.scheme)]
        found = calendar.coming(tx, now, scheme=scheme or "")
    lines = [*map(_setting, kept), *map(_line, found)]
    shown = {"calendars": [one._asdict() for one in kept], "coming": [one._asdict() for one in found]}
    answer(shown, as_json=as_json, text="\n".join(lines) or "Nothing is written by itself, and nothing is planned.")


@click.command("receipt")
@click.argument("message")
@click.option("--refused", default="", metavar="WHY", help="The other side did not take the file, and why.")
@as_option
@partner_option
@refusals
def receipt_command(message: str, refused: str, as_user: str | None, partner_slug: str | None) -> None:
    """Note what the bank or Nets says of a whole file. A pain.002 in the folder is noted by itself.

    Example:  relight collect receipt RL1C7-261126080000 --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        person = who(tx, as_user)
        person.must("mandate")
        new = calendar.hear(tx, message=message, accepted=not refused, told=refused, actor=person.name, now=db.clock())
    click.echo("Noted." if new else "That was known.")


def _setting(one: Setting) -> str:
    if not one.is_on:
        return f"{one.scheme:<16} off: nothing is written by itself"
    heard = f", asked after when nothing is heard in {one.receipt_days} working days" if one.receipt_days else ""
    return f"{one.scheme:<16} into {one.folder} from {one.from_hour:02}:00{heard}"


def _line(one: Coming) -> str:
    amount = format_amount(one.amount, one.currency, "en")
    return (
        f"{one.collect_date}  {one.scheme:<16} {one.collections:>6} {amount:>16}  "
        f"file on {one.write_on}, at the latest {one.send_by}; {one.told} told by us"
    )
