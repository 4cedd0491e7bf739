"""`relight partner` and `relight user`: tenants, how they are reached, and who may sign in."""

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
import psycopg
import yaml
from psycopg.types.json import Jsonb

from relight.cli.context import database, installation, partner_id, refusals
from relight.cli.limits import register as register_limits
from relight.cli.output import answer, json_option
from relight.core.money import COUNTRY_CURRENCY
from relight.core.references.errors import WrongSetting
from relight.flow.claims.referencing import keep_setting, setting_tree
from relight.flow.payments.ways import refused

_ZONES = {"NO": "Europe/Oslo", "DK": "Europe/Copenhagen", "NL": "Europe/Amsterdam", "SE": "Europe/Stockholm",
          "DE": "Europe/Berlin", "GB": "Europe/London"}  # fmt: skip
_LANGUAGES = {"NO": "nb", "DK": "da", "NL": "nl", "SE": "en", "DE": "de", "GB": "en"}


@click.group()
def partner() -> None:
    """Partners: the companies served by this installation."""


@partner.command("add")
@click.argument("slug")
@click.option("--name", required=True, help="What people call it.")
@click.option("--country", default="NO", type=click.Choice(sorted(_ZONES)), show_default=True)
@click.option("--time-zone", default=None, help="If it is not the country's own.")
@click.option("--creditor", default=None, help="Who is owed; the partner itself if left out.")
@click.option("--bank-account", default="", help="Where customers pay to.")
@click.option("--sms-sender", default=None, help="At most 11 letters and digits.")
@click.option("--email-sender", default="no-reply@relight.invalid", show_default=True)
@click.option("--phone", default="", help="Where customers call.")
@click.option("--site", default="", help="The partner's own domain, as one would say it.")
@refusals
def add(
    slug: str,
    name: str,
    country: str,
    time_zone: str | None,
    creditor: str | None,
    bank_account: str,
    sms_sender: str | None,
    email_sender: str,
    phone: str,
    site: str,
) -> None:
    """Add a partner, in shadow: decisions are made, and nothing leaves until `relight live`.

    Example:  relight partner add fjordnett --name "Fjordnett" --country NO --phone "55 00 00 00" --site fjordnett.no
    """
    zone = time_zone or _ZONES[country]
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as wrong:
        raise click.BadParameter(f"{zone!r} is no time zone; write one such as Europe/Oslo") from wrong
    sender = sms_sender or "".join(letter for letter in name if letter.isalnum())[:11] or "Relight"
    if len(sender) > 11:
        raise click.BadParameter("an SMS sender has at most 11 letters and digits", param_hint="--sms-sender")
    with psycopg.connect(installation().owner_url(), options="-c search_path=relight") as connection:
        if connection.execute("SELECT 1 FROM partner WHERE slug = %s", (slug,)).fetchone():
            raise click.ClickException(f"There is a partner {slug!r} already.")
        row = connection.execute(
            "INSERT INTO partner (slug, name, country, currency, language, time_zone, site, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING id",
            (slug, name, country, COUNTRY_CURRENCY[country], _LANGUAGES[country], zone, site, datetime.now(UTC)),
        ).fetchone()
        assert row is not None
        connection.execute(
            "INSERT INTO creditor (partner_id, name, bank_account) VALUES (%s, %s, %s)",
            (row[0], creditor or name, bank_account),
        )
        connection.execute(
            "INSERT INTO brand (partner_id, name, sms_sender, email_sender, phone, site)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (row[0], name, sender, email_sender, phone, site),
        )
        connection.execute("INSERT INTO source (partner_id, name, kind) VALUES (%s, 'bank', 'bank')", (row[0],))
    click.echo(f"Added {name}. Next: relight import invoices FILE --partner {slug}")


@partner.command("list")
@json_option
@refusals
def list_(as_json: bool) -> None:
    """The partners of this installation.

    Example:  relight partner list
    """
    with database() as db, db.transaction(None) as tx:
        rows = tx.rows("SELECT slug, name, country, mode, stopped_at FROM partner ORDER BY slug")
    found = [{"slug": r[0], "name": r[1], "country": r[2], "mode": r[3], "stopped": r[4] is not None} for r in rows]
    text = "\n".join(f"{p['slug']:20} {p['name']:30} {p['country']}  {p['mode']}{'  STOPPED' if p['stopped'] else ''}"
                     for p in found)  # fmt: skip
    answer({"partners": found}, as_json=as_json, text=text)


@partner.command("drivers")
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@refusals
def drivers(slug: str, file: Path | None) -> None:
    """Show a partner's driver settings, or set them from a JSON file (see docs/drivers).

    Example:  relight partner drivers fjordnett drivers.json
    """
    with database() as db:
        id_ = partner_id(db, slug)
        if file is None:
            with db.transaction(id_) as tx:
                click.echo(json.dumps(tx.value("SELECT driver_settings FROM partner WHERE id = %(id)s", {"id": id_}),
                                      indent=2))  # fmt: skip
            return
        try:
            settings = json.loads(file.read_text("utf-8"))
        except ValueError as wrong:
            raise click.ClickException(f"{file} is no JSON: {wrong}") from wrong
        if not isinstance(settings, dict) or set(settings) - {"supply", "messages", "payments", "ways", "handover"}:
            known = "supply, messages, payments, ways, handover"
            raise click.ClickException(f"Driver settings have the keys {known}, and no others.")
        if wrong_settings := refused(settings.get("payments"), settings.get("ways")):
            raise click.ClickException(wrong_settings)
        with db.transaction(id_) as tx:
            tx.run("UPDATE partner SET driver_settings = %(s)s WHERE id = %(id)s", {"s": Jsonb(settings), "id": id_})
    click.echo("Set. Running workers take it up when they are started again.")


@partner.command("references")
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--none", "none", is_flag=True, help="Make and check none any more.")
@refusals
def references(slug: str, file: Path | None, none: bool) -> None:
    """Show how a partner's references are made, or set it from a YAML file (see docs/money.md).

    From then on a bill that comes without a reference gets one, and one with a wrong check digit is rejected.

    Example:  relight partner references fjordnett kid.yaml
    """
    if none and file is not None:
        raise click.UsageError("Give a file or --none, not both.")
    with database() as db, db.transaction(partner_id(db, slug)) as tx:
        if file is None and not none:
            found = setting_tree(tx)
            click.echo(yaml.safe_dump(found, sort_keys=False).strip() if found else "No references are made.")
            return
        try:
            keep_setting(tx, {} if none else yaml.safe_load(file.read_text("utf-8")) if file else {})
        except (WrongSetting, yaml.YAMLError, UnicodeDecodeError) as wrong:
            raise click.ClickException(f"{wrong}.") from wrong
    click.echo("Set. It holds for files that are imported from now on.")


register_limits(partner)


@click.group()
def user() -> None:
    """Users of the console."""


@user.command("add")
@click.argument("username")
@click.option("--partner", "partner_slug", required=True)
@click.option("--role", default="agent", type=click.Choice(("reader", "agent", "manager", "admin")), show_default=True)
@click.option("--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for if left out.")
def add_user(username: str, partner_slug: str, role: str, password: str) -> None:
    """Add a user of the console, or give one a new password and role.

    Example:  relight user add bente --partner fjordnett --role manager
    """
    if len(password) < 12:
        raise click.BadParameter("a password has at least 12 characters", param_hint="--password")
    try:
        installation().make_user(username=username, password=password, partner=partner_slug, role=role)
    except LookupError as refused:
        raise click.ClickException(str(refused)) from refused
    click.echo(f"{username} is {role} at {partner_slug}.")
