"""`relight agency`: who collects for a partner, the looks into registers, and the fees that were agreed."""

from typing import Any

import click

from relight.cli.actors import as_option, by_option, who
from relight.cli.agency_traffic import hear, recall, settle
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.core.agencies import register_for
from relight.core.money import NotAnAmount, parse_amount
from relight.flow.cases.people import Person
from relight.flow.handover import operations

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def agency() -> None:
    """Collection agencies and attorneys: who they are, what they say, and what they settle.

    \b
    Example:  relight agency add nordinkasso --title "Nord Inkasso AS" --org-number 912345678
    """


@agency.command("add")
@click.argument("name")
@click.option("--title", required=True, help="Its name as people know it.")
@click.option("--kind", default="agency", type=click.Choice(("agency", "attorney")), show_default=True)
@click.option("--org-number", default="")
@partner_option
@refusals
def add(name: str, title: str, kind: str, org_number: str, partner_slug: str | None) -> None:
    """Note an agency or attorney, by the NAME that policies (`handover: NAME`) and driver settings use.

    Example:  relight agency add nordinkasso --title "Nord Inkasso AS" --org-number 912345678
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            operations.add_agency(tx, name=name, title=title, kind=kind, org_number=org_number, now=db.clock())
            country = tx.value("SELECT country FROM partner WHERE id = %(id)s", {"id": id_})
    asked = register_for(country, "consumer", kind)
    click.echo(f"Noted {title}.")
    if asked:
        click.echo(f"It must stand in the {asked[0]} ({asked[1]}). Next: relight agency check {name} --number …")


@agency.command("check")
@click.argument("name")
@click.option("--register", default="", help="Which register; the country's own if left out.")
@click.option("--number", required=True, help="Its number there.")
@click.option("--source", required=True, help="Where it was seen: an address, or a letter.")
@click.option("--on", "checked", type=_DAY, default=None, help="The day of the look; today if left out.")
@click.option("--until", type=_DAY, default=None, help="Until when it is believed; a year if left out.")
@partner_option
@as_option
@by_option
@refusals
def check(
    name: str,
    register: str,
    number: str,
    source: str,
    checked: Any,
    until: Any,
    partner_slug: str | None,
    as_user: str | None,
    by: str,
) -> None:
    """Keep that somebody looked into the register and found the agency there.

    Example:  relight agency check nordinkasso --number FT00012345 --source "Finanstilsynet's register" --by "Bente"
    """
    with database() as db:
        id_, now = partner_id(db, partner_slug), db.clock()
        with db.transaction(id_) as tx:
            country = tx.value("SELECT country FROM partner WHERE id = %(id)s", {"id": id_})
            asked = register_for(country, "consumer", "agency")
            day = checked.date() if checked else now.date()
            last = until.date() if until else day.replace(year=day.year + 1, day=min(day.day, 28))
            operations.note_check(
                tx,
                name,
                register=register or (asked[0] if asked else "register"),
                number=number,
                source=source,
                checked=day,
                until=last,
                by=_must(who(tx, as_user, by)),
                now=now,
            )
    click.echo(f"Kept, and believed until {last}.")


@agency.command("fee")
@click.argument("name")
@click.option("--from", "from_date", type=_DAY, required=True, help="The first day of the agreement.")
@click.option("--share", default="", help="Of each payment, in per cent: 10 or 12.5.")
@click.option("--amount", default="", help="Of each payment, in whole units: 250 or 99.50.")
@click.option("--least", default="0", show_default=True, help="For payments of this much and more.")
@partner_option
@as_option
@by_option
@refusals
def fee(
    name: str,
    from_date: Any,
    share: str,
    amount: str,
    least: str,
    partner_slug: str | None,
    as_user: str | None,
    by: str,
) -> None:
    """Keep what was agreed for what the agency collects: a share, or an amount.

    Example:  relight agency fee nordinkasso --from 2026-01-01 --share 10 --by "Bente"
    """
    with database() as db:
        id_, now = partner_id(db, partner_slug), db.clock()
        with db.transaction(id_) as tx:
            currency = tx.value("SELECT currency FROM partner WHERE id = %(id)s", {"id": id_})
            operations.note_fee(
                tx,
                name,
                from_date=from_date.date(),
                least=_minor(least, currency, "--least"),
                basis_points=_minor(share, currency, "--share") if share else None,
                amount=_minor(amount, currency, "--amount") if amount else None,
                by=_must(who(tx, as_user, by)),
                now=now,
            )
    click.echo("Kept. Settlements from that day on are held against it.")


@agency.command("end")
@click.argument("name")
@partner_option
@refusals
def end(name: str, partner_slug: str | None) -> None:
    """Give an agency nothing more. What it has goes on, until it is called back.

    Example:  relight agency end nordinkasso
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        operations.end_agency(tx, name, db.clock())
    click.echo("Ended. It is given nothing more.")


@agency.command("list")
@partner_option
@json_option
@refusals
def list_(partner_slug: str | None, as_json: bool) -> None:
    """The partner's agencies, the newest look into a register, and how many cases each has.

    Example:  relight agency list
    """
    names = ("name", "title", "kind", "org_number", "ended_at", "register", "number", "checked_date", "valid_until",
             "checked_by", "cases")  # fmt: skip
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = [dict(zip(names, row, strict=True)) for row in tx.rows(operations.SQL.list)]
    lines = [
        f"{one['name']:16} {one['title']:28} {one['kind']:9} {one['cases']:>6} cases  "
        + (f"{one['number']}, until {one['valid_until']}" if one["number"] else "never looked up")
        + ("  ENDED" if one["ended_at"] else "")
        for one in found
    ]
    answer({"agencies": found}, as_json=as_json, text="\n".join(lines) or "No agencies yet: relight agency add --help")


def _must(person: Person) -> str:
    """The name that goes on record, of one who may look after agencies."""
    person.must("agency")
    return person.name


def _minor(text: str, currency: str, option: str) -> int:
    """An amount, or per cent, with at most two decimals, as hundredths."""
    try:
        found = parse_amount(text, currency)
    except NotAnAmount as wrong:
        raise click.BadParameter(str(wrong), param_hint=option) from wrong
    if found < 0:
        raise click.BadParameter("it is not below zero", param_hint=option)
    return found


for command in (hear, recall, settle):
    agency.add_command(command)
