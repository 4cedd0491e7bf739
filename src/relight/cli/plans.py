"""`relight plan`: offer an instalment plan, look at it, agree on one, note a promise, and end a plan."""

from datetime import date
from typing import Any

import click

from relight.cli.actors import as_option, who
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.core.money import to_decimal
from relight.flow.cases import plans, promises
from relight.flow.database import Tx

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_case = click.argument("case", type=int)


@click.group()
def plan() -> None:
    """Instalment plans and promises to pay: what a customer and you agree on."""


@plan.command()
@_case
@partner_option
@json_option
@refusals
def show(case: int, partner_slug: str | None, as_json: bool) -> None:
    """A case's plan part by part, or what can be agreed on.

    Example:  relight plan show 42
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        _answer(tx, case, db.clock(), as_json=as_json)


@plan.command()
@_case
@click.option("--months", nargs=2, type=int, default=None, help="The fewest and the most; else as the policy has it.")
@partner_option
@as_option
@json_option
@refusals
def offer(
    case: int, months: tuple[int, int] | None, partner_slug: str | None, as_user: str | None, as_json: bool
) -> None:
    """Offer a plan that the customer can say yes to from the link in their messages.

    Example:  relight plan offer 42 --months 3 12 --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        plans.offer(tx, case_id=case, actor=_agent(tx, as_user), now=db.clock(), months=months)
        _answer(tx, case, db.clock(), as_json=as_json)


@plan.command()
@_case
@click.option("--months", type=int, required=True, help="How many parts, one a month.")
@click.option("--first", type=_DAY, default=None, help="When the first is due; else as late as the policy lets.")
@partner_option
@as_option
@json_option
@refusals
def agree(case: int, months: int, first: Any, partner_slug: str | None, as_user: str | None, as_json: bool) -> None:
    """Agree on a plan; the first payment starts it, and until then the case waits.

    Example:  relight plan agree 42 --months 6 --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        now, day = db.clock(), first.date() if first else None
        actor = _agent(tx, as_user)
        plans.agree(tx, case_id=case, months=months, actor=actor, now=now, source="command", first=day)
        _answer(tx, case, now, as_json=as_json)


@plan.command()
@_case
@click.option("--until", type=_DAY, required=True, help="The last day on which the customer will have paid.")
@partner_option
@as_option
@refusals
def promise(case: int, until: Any, partner_slug: str | None, as_user: str | None) -> None:
    """Note that the customer will pay by a day; the case waits until then.

    Example:  relight plan promise 42 --until 2026-12-10 --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        actor, day = _agent(tx, as_user), until.date()
        promises.promise(tx, case_id=case, until=day, actor=actor, now=db.clock(), source="command")
    click.echo(f"Case {case} waits until {day} is over.")


@plan.command()
@_case
@click.option("--note", default="", help="Why, for whoever reads the log.")
@partner_option
@as_option
@refusals
def end(case: int, note: str, partner_slug: str | None, as_user: str | None) -> None:
    """End the plan of a case; the case goes on where it was, and no step comes sooner than it would have.

    Example:  relight plan end 42 --note "moves abroad" --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = plans.current(tx, case, db.clock())
        if found is None or not found.is_live:
            raise click.ClickException(f"Case {case} has no plan that could be ended.")
        plans.end(tx, plan_id=found.id, actor=_agent(tx, as_user), now=db.clock(), note=note)
    click.echo(f"The plan of case {case} has ended.")


def _agent(tx: Tx, as_user: str | None) -> str:
    """Who goes on record: a user who may do this. Raises `UnableToAct` for others, and for whoever runs the machine."""
    person = who(tx, as_user)
    person.must("hold")
    return person.name


def _answer(tx: Tx, case: int, now: Any, *, as_json: bool) -> None:
    found = plans.current(tx, case, now)
    if found is not None and found.state != "offered":
        answer(_as_data(found), as_json=as_json, text="\n".join(_lines(found)))
        return
    at = plans.desk(tx, case, now)
    stated = (found.months_min, found.months_max) if found else None
    shortest, longest = at.months(found.name if found else plans.STANDARD, stated)
    until = f", offered until {found.valid_until}" if found else ", not offered yet"
    text = f"{to_decimal(at.owed, at.currency)} {at.currency} can be paid over {shortest} to {longest} months{until}."
    data = {"case": case, "state": found.state if found else "", "owed": at.owed, "months": [shortest, longest]}
    answer(data, as_json=as_json, text=text)


def _lines(found: plans.Plan) -> list[str]:
    head = f"Plan {found.id}: {found.state}, {found.months} months, {found.owed} of {found.amount} minor units left."
    rows = [f"  {one.part.due_date}  {one.part.amount:>12}  {one.amount:>12} left" for one in found.left]
    return [head, *rows]


def _as_data(found: plans.Plan) -> dict[str, Any]:
    """For scripts; sums in minor units."""
    parts = [{"due": _text(one.part.due_date), "amount": one.part.amount, "left": one.amount} for one in found.left]
    return {
        "case": found.case_id,
        "plan": found.id,
        "state": found.state,
        "months": found.months,
        "amount": found.amount,
        "left": found.owed,
        "parts": parts,
    }


def _text(day: date) -> str:
    return day.isoformat()
