"""`relight policy move`: running cases come under another version, by a person's act; shown first, and undone by id."""

from typing import Any

import click

from relight.cli.actors import as_option, by_option, sure, who, yes_option
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.core.moving import Hindrance, in_order
from relight.flow.road.moving import Moved, Plan, foresee, move, plan, plan_back

WHY = {
    "step_gone": "took {step}, which the other version does not have: what it proves would be lost",
    "step_differs": "took {step}, which does something else in the other version",
    "step_under_way": "{step} is under way and is not the same there: ask again when it is done",
    "asked_about": "a person was asked about {step}, which is not the same there: answer first",
    "leaving": "a message or command is on its way: ask again when it has left",
    "already_there": "the customer has a case under the other version already",
    "cap": "the other version's cap was reached meanwhile",
    "not_there": "no running case under the version that was named",
}
_SHOWN = 10


@click.command("move")
@click.argument("name")
@click.option("--from", "old", type=int, metavar="VERSION", help="The only other one with cases, if left out.")
@click.option("--to", "new", type=int, metavar="VERSION", help="The newest in force, if left out.")
@click.option("--case", "cases", type=int, multiple=True, metavar="CASE", help="This case; may be given several times.")
@click.option("--all", "everything", is_flag=True, help="All running cases of the version.")
@click.option("--undo", "bulk", type=int, metavar="MOVE", help="Take a move back, by its number.")
@click.option("--dry-run", is_flag=True, help="Only tell what would happen.")
@partner_option
@as_option
@by_option
@yes_option
@json_option
@refusals
def move_(
    name: str,
    old: int | None,
    new: int | None,
    cases: tuple[int, ...],
    everything: bool,
    bulk: int | None,
    dry_run: bool,
    partner_slug: str | None,
    as_user: str | None,
    by: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Move running cases to another version. Each goes on from its step, with its notices and proofs.

    A case stays where something that was done would be lost; the list says which and why.

    Example:  relight policy move broadband-no --from 1 --all --dry-run
    """
    if sum((bool(cases), everything, bulk is not None)) != 1 or (bulk is not None and (old or new)):
        raise click.UsageError("Say which cases: --case CASE (again and again), --all, or --undo MOVE on its own.")
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            person = who(tx, as_user, by)
            chosen = list(cases) or None
            wanted = plan_back(tx, bulk) if bulk is not None else plan(tx, name, old=old, new=new, cases=chosen)
            if wanted.name != name:
                raise click.UsageError(f"Move {bulk} was of {wanted.name}, not of {name}.")
            person.must("policy")
            result = foresee(tx, wanted)
        if not dry_run:
            if not as_json:
                click.echo(in_words(wanted, result))
            if result.moved:
                sure("Move them?", yes=yes)
                result = move(db, id_, wanted, by=person, clock=db.clock)
    answer(as_fields(wanted, result), as_json=as_json, text=in_words(wanted, result))


def as_fields(wanted: Plan, result: Moved) -> dict[str, Any]:
    """What `--json` answers; `bulk` is None where nothing was moved. `stayed` names the first cases of each reason, and
    `reasons` counts all."""
    named = sorted((case, why) for why, cases in result.first_stayed.items() for case in cases)
    stayed = [{"case": case, "why": one.code, "step": one.step} for case, one in named]
    reasons = [{"why": one.code, "step": one.step, "cases": result.reasons[one]} for one in in_order(result.reasons)]
    told = {"policy": wanted.name, "from": result.old, "to": result.new, "bulk": result.bulk}
    return {**told, "moved": result.moved, "stayed": stayed, "stayed_count": result.stayed, "reasons": reasons}


def in_words(wanted: Plan, result: Moved) -> str:
    """The same for people: sums first, then why cases stay, with the first few of each."""
    way = f"of {wanted.name} from version {result.old} to {result.new}"
    count = f"{result.moved:,} case{'' if result.moved == 1 else 's'}"
    done = result.bulk is not None
    head = (
        f"Moved {count} {way}; {result.stayed:,} stay." if done else f"{count} {way} may move; {result.stayed:,} stay."
    )
    lines = [head]
    for one in in_order(result.reasons):
        lines.append(f"  {result.reasons[one]:,} × {WHY[one.code].format(step=one.step)}: {_some(result, one)}")
    if done and result.moved:
        lines.append(f"Back again: relight policy move {wanted.name} --undo {result.bulk}")
    return "\n".join(lines)


def _some(result: Moved, why: Hindrance) -> str:
    found, count = sorted(result.first_stayed[why]), result.reasons[why]
    more = f" and {count - _SHOWN:,} more" if count > _SHOWN else ""
    return f"case {', '.join(map(str, found[:_SHOWN]))}{more}"


def register(group: click.Group) -> None:
    """Add the command to `relight policy`."""
    group.add_command(move_)
