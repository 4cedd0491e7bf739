"""What goes between us and agencies by command: their statuses, our recalls, and their settlements."""

from pathlib import Path
from typing import Any

import click

from relight.cli.actors import as_option, by_option, who
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.core.money import format_amount
from relight.flow.database import Database
from relight.flow.effects.drivers import DriverRoom
from relight.flow.handover import operations
from relight.flow.handover.port import Letter
from relight.flow.handover.settlement_file import Settlement, read_settlement
from relight.flow.handover.settling import Settled
from relight.flow.road.agencies import ReadLetter, read_letter, read_letters, settle_agency

_DAY = click.DateTime(formats=["%Y-%m-%d"])
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_TOLD_MAX = 20


@click.command("hear")
@click.argument("name", required=False)
@click.argument("file", type=_FILE, required=False)
@partner_option
@json_option
@refusals
def hear(name: str | None, file: Path | None, partner_slug: str | None, as_json: bool) -> None:
    """Read what agencies left in their folders, or one FILE of the agency NAME. Workers do it by themselves.

    Example:  relight agency hear nordinkasso status.jsonl
    """
    if name and not file:
        raise click.UsageError("Give the agency's file too, or neither: then all folders are read.")
    with database() as db:
        id_ = partner_id(db, partner_slug)
        found = [_read(db, id_, name, file)] if name and file else _read_folders(db, id_)
    heard = [one for letter in found for one in letter.heard]
    errors = [f"{letter.name}, {error}" for letter in found for error in letter.errors]
    result = {"files": len(found), "taken": sum(one.verdict == "taken" for one in heard),
              "repeated": sum(one.verdict == "repeated" for one in heard),
              "older": sum(one.verdict == "older" for one in heard), "errors": errors}  # fmt: skip
    told = (
        f"{result['files']} files: {result['taken']} statuses taken in, {result['repeated']} known already, "
        f"{result['older']} older than what is known, {len(errors)} wrong."
    )
    answer(result, as_json=as_json, text="\n".join([told, *(f"  {error}" for error in errors[:_TOLD_MAX])]))
    if errors:
        raise SystemExit(1)


def _read(db: Database, id_: int, name: str, file: Path) -> ReadLetter:
    return read_letter(db, id_, name, Letter(file.name, file.read_bytes()), db.clock())


def _read_folders(db: Database, id_: int) -> list[ReadLetter]:
    return read_letters(db, DriverRoom(db), db.clock(), {id_})


@click.command("recall")
@click.argument("case", type=int)
@click.option("--creditor", is_flag=True, help="The creditor wants it back; a person if left out.")
@click.option("--reason", required=True, help="Why, for the record.")
@partner_option
@as_option
@by_option
@refusals
def recall(case: int, creditor: bool, reason: str, partner_slug: str | None, as_user: str | None, by: str) -> None:
    """Call a case back from its agency. What was paid calls back by itself.

    Example:  relight agency recall 42 --reason "Paid in the shop" --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        person, why = who(tx, as_user, by), "creditor" if creditor else "person"
        person.must("hold")
        operations.recall(tx, case_id=case, why=why, actor=person.name, note=reason, now=db.clock())
    click.echo("Asked for. The recall leaves at once; the agency confirms it.")


@click.command("settle")
@click.argument("name")
@click.argument("file", type=_FILE)
@click.option("--ref", default="", help="The settlement's number, where the file has none (CSV).")
@click.option("--on", "day", type=_DAY, default=None, help="Its day, where the file has none.")
@partner_option
@json_option
@refusals
def settle(name: str, file: Path, ref: str, day: Any, partner_slug: str | None, as_json: bool) -> None:
    """Post what an agency settles: received, its fee, and what it pays over. The same file twice changes nothing.

    \b
    Exit code 0: posted, or known already. 1: the file cannot be used, and nothing was posted.
    Example:  relight agency settle nordinkasso march.csv --ref 2026-03 --on 2026-03-31
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            currency = tx.value("SELECT currency FROM partner WHERE id = %(id)s", {"id": id_})
            found = read_settlement(file.read_bytes(), ref=ref, day=day.date() if day else None, currency=currency)
            done = settle_agency(tx, name, found, file_name=file.name, now=db.clock())
    _tell_settled(found, done, as_json=as_json)


def _tell_settled(found: Settlement, done: Settled, *, as_json: bool) -> None:
    differing = [
        {
            "line": one.line.number,
            "case": one.line.case,
            "payment": one.line.payment,
            "wrong": one.wrong,
            "fee": one.line.fee,
            "agreed": one.agreed,
        }
        for one in done.lines
        if one.wrong
    ]
    result = {
        "settlement": found.ref,
        "currency": found.currency,
        "lines": len(found.lines),
        "received": found.received,
        "fee": found.fee,
        "paid_over": found.paid_over,
        "repeated": done.repeated,
        "differing": differing,
    }
    sums = ", ".join(
        f"{word} {format_amount(amount, found.currency, 'en')}"
        for word, amount in (("received", found.received), ("fees", found.fee), ("paid over", found.paid_over))
    )
    told = f"Settlement {found.ref}: {len(found.lines)} payments, {sums}."
    lines = [told, "It was posted before; nothing was changed."] if done.repeated else [told]
    lines += [f"  line {one['line']}, case {one['case']}: {one['wrong']} (a task was made)" for one in differing]
    answer(result, as_json=as_json, text="\n".join(lines[: _TOLD_MAX + 1]))
