"""`relight rates`: rates of late interest that somebody has read in the law and answers for, and those that hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

import click

from relight.cli.actors import as_option, by_option, who
from relight.cli.books_output import Day
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.core.rules.rates import InterestTable, Unknown
from relight.flow.claims import rates as kept
from relight.flow.claims.errors import RateRefused
from relight.flow.claims.operations import partner_today
from relight.flow.database import Database

_LACKS = {
    "no_table": "nobody has read how this country's late interest is counted",
    "not_given": "no rate is given for this day",
    "unknown": "the rate of this half-year is not known",
    "not_verified": "the rate is from memory and waits for somebody who has read it",
}


@dataclass(slots=True)
class Missing:
    """A rate that is missing, as doctor tells it."""

    name: str
    found: str
    remedy: str
    ok: bool = False


@click.group("rates")
def rates() -> None:
    """Late interest: which rates hold, and those that you have read and answer for.

    \b
    Example:  relight rates show
    Example:  relight rates set 2026-07-01 11.75 --by "Kari Nordmann"
    """


@rates.command("set")
@click.argument("from_date", type=Day(), metavar="FROM")
@click.argument("percent", metavar="PERCENT")
@click.option("--table", "name", default="", metavar="NAME", help="Which table, where the country has several.")
@partner_option
@as_option
@by_option
@json_option
@refusals
def set_(
    from_date: date, percent: str, name: str, partner_slug: str | None, as_user: str | None, by: str, as_json: bool
) -> None:
    """Keep that you have read a rate in the law: percent a year from a day on. Who and when go on record.

    What was booked by another rate is corrected when the claim is counted next: with a payment or at the month's end.

    \b
    Example:  relight rates set 2026-07-01 11.75 --by "Kari Nordmann"
    Example:  relight rates set 2026-01-01 10.15 --table legal_interest_trade --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        person = who(tx, as_user, by)
        person.must("rates")
        table = name or _only_table(kept.country_of(tx))
        try:
            kept.set_rate(tx, table, from_date, _percent(percent), by=person.name, now=db.clock())
        except RateRefused as refused:
            raise click.ClickException(str(refused)) from refused
    text = f"{table}: {percent} % a year from {from_date}, read by {person.name}."
    result = {"table": table, "from": f"{from_date}", "percent": percent, "by": person.name}
    answer(result, as_json=as_json, text=text)


@rates.command("show")
@partner_option
@json_option
@refusals
def show(partner_slug: str | None, as_json: bool) -> None:
    """The rates of the country's law and the partner's own, and what holds today.

    Example:  relight rates show
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        today, own = partner_today(tx, db.clock()), kept.confirmed(tx)
        tables = kept.tables(kept.country_of(tx), own)
    lines, result = list[str](), list[dict[str, object]]()
    for debtor, table in tables.items():
        held = table.rates.on(today) if table is not None else Unknown("no_table")
        known = {} if table is None else {f"{day}": f"{percent}" for day, percent in _known(table)}
        result.append(
            {
                "debtor": debtor,
                "table": table.name if table is not None else "",
                "law": table.law if table is not None else "",
                "today": None if isinstance(held, Unknown) else f"{held}",
                "why_not": _LACKS[held.lack] if isinstance(held, Unknown) else "",
                "rates": known,
            }
        )
        lines.append(f"{debtor}: {_says(held)}" + (f" ({table.name}, {table.law})" if table is not None else ""))
        lines += [f"    from {day}: {percent} %" for day, percent in known.items()]
    lines += [f"set: {one.name} from {one.from_date}, {one.percent} %, by {one.set_by} {one.set_at:%F}" for one in own]
    answer({"tables": result}, as_json=as_json, text="\n".join(lines))


def missing_rates(db: Database) -> Iterator[Missing]:
    """For doctor: partners whose notices name late interest and that have no rate for today."""
    with db.transaction(None) as tx:
        partners = tx.rows("SELECT id, slug FROM partner ORDER BY id")
    for id_, slug in partners:
        with db.transaction(id_) as tx:
            for debtor, table, why in kept.missing(tx, partner_today(tx, db.clock())):
                remedy = (
                    f"Read {table.law}, then: relight rates set FROM PERCENT --table {table.name} --partner {slug}"
                    if table is not None
                    else "Leave late_interest out of the policies: until then none is booked."
                )
                yield Missing(f"late interest of {slug}, {debtor}", f"{_LACKS[why.lack]}; none is booked", remedy)


def _only_table(country: str) -> str:
    names = {table.name for debtor in kept.DEBTORS if (table := kept.table_of(country, debtor)) is not None}
    if len(names) > 1:
        raise click.UsageError(f"Say which with --table: {' or '.join(sorted(names))}.")
    return next(iter(names), "late_interest")


def _percent(text: str) -> Decimal:
    try:
        percent = Decimal(text.replace(",", "."))
    except InvalidOperation:
        percent = Decimal("NaN")
    if not percent.is_finite():
        raise click.BadParameter(f"{text!r} is no percentage; write 11.75")
    return percent


def _says(held: Decimal | Unknown) -> str:
    return f"none today: {_LACKS[held.lack]}" if isinstance(held, Unknown) else f"{held} % a year today"


def _known(table: InterestTable) -> Iterator[tuple[date, Decimal]]:
    for entry in table.rates.entries:
        if entry.value is not None and entry.confidence == "verified":
            yield entry.starts, entry.value
