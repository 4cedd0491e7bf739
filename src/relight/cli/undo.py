"""`relight undo`: all that a wrong policy, import or move did since a moment is taken back, in one act."""

from typing import Any

import click

from relight.cli.actors import as_option, sure, who, yes_option
from relight.cli.context import database, moment, partner_id, partner_option, refusals
from relight.cli.output import Progress, answer, json_option
from relight.cli.undo_words import as_fields, found_in_words, in_a_line, undone_in_words
from relight.flow.cases.errors import UnableTo
from relight.flow.database import Database
from relight.flow.road.undo import apology, asking
from relight.flow.road.undo.doing import carry_out
from relight.flow.road.undo.finding import Found, Scope, look


@click.group(invoke_without_command=True)
@click.option("--since", metavar="MOMENT", help="From when on it went wrong: 2026-03-02 or 2026-03-02T09:00:00+01:00.")
@click.option("--policy", "policy", default="", metavar="NAME", help="Only what this policy decided.")
@click.option("--version", "version", type=int, metavar="N", help="Only what this version of it decided.")
@click.option("--import", "run", type=int, metavar="ID", help="Only what was done about the bills of this import.")
@click.option("--bulk", type=int, metavar="ID", help="Only what was done in the cases that this move brought over.")
@click.option("--reason", default="", help="What was wrong, for the record.")
@click.option("--dry-run", is_flag=True, help="Only tell what would be undone.")
@partner_option
@as_option
@yes_option
@json_option
@click.pass_context
@refusals
def undo(
    ctx: click.Context,
    since: str | None,
    policy: str,
    version: int | None,
    run: int | None,
    bulk: int | None,
    reason: str,
    dry_run: bool,
    partner_slug: str | None,
    as_user: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Undo a wrong run: void its steps, take its fees back, give back what it cut, stop what has not left.

    What has left is told, claims are called back from agencies, and an apology is drafted. Over twenty cases a
    colleague has to agree first. Asking again, or after a crash, goes on where it stopped.

    \b
    Example:  relight undo --since 2026-03-02 --policy broadband-no --version 3 --dry-run
    Example:  relight undo --since 2026-03-02T06:00:00+01:00 --import 12 --reason "last year's bills" --as anne
    """
    if ctx.invoked_subcommand is not None:
        return
    if since is None:
        raise click.UsageError("Say from when on it went wrong: --since MOMENT. See how one goes on: relight undo list")
    if version is not None and not policy:
        raise click.UsageError("Say of which policy the version is: --policy NAME.")
    scope = Scope(moment(since), policy, version, run, bulk)
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            found = look(tx, scope, db.clock())
            again = asking.running_under(tx, scope)
            text = found_in_words(tx, scope, found, again)
        if dry_run:
            answer({"found": found.as_data(), "running_under": again}, as_json=as_json, text=text)
            return
        _ask_and_go(db, id_, scope, found, reason=reason, as_user=as_user, yes=yes, as_json=as_json, text=text)


def _ask_and_go(
    db: Database,
    id_: int,
    scope: Scope,
    found: Found,
    *,
    reason: str,
    as_user: str | None,
    yes: bool,
    as_json: bool,
    text: str,
) -> None:
    if not reason:
        raise click.UsageError("Say what was wrong, for the record: --reason TEXT.")
    if not as_json:
        click.echo(text)
    if found.cases:
        sure("Undo this?", yes=yes)
    with db.transaction(id_) as tx:
        number, _ = asking.ask(tx, scope, why=reason, by=who(tx, as_user), now=db.clock())
        asked = asking.undo(tx, number)
    if asked.state == "asked":
        next_ = f"relight undo agree {number} --as USER"
        told = f"Asked as undo {number}. It is over {asking.ALONE_MAX} cases: a colleague agrees with {next_}"
        answer(as_fields(asked), as_json=as_json, text=told)
        return
    _go(db, id_, number, as_json=as_json)


@undo.command("agree")
@click.argument("number", type=int, metavar="UNDO")
@click.option("--no", "refused", is_flag=True, help="Refuse it.")
@as_option
@partner_option
@json_option
@refusals
def agree(number: int, refused: bool, as_user: str | None, partner_slug: str | None, as_json: bool) -> None:
    """Agree (or --no) to an undo that a colleague asked for; it begins at once.

    Example:  relight undo agree 7 --as bente
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            asking.agree(tx, number, granted=not refused, by=who(tx, as_user), now=db.clock())
            found = asking.undo(tx, number)
        if refused:
            answer(as_fields(found), as_json=as_json, text="Refused. Nothing was changed.")
            return
        _go(db, id_, number, as_json=as_json)


@undo.command("go")
@click.argument("number", type=int, metavar="UNDO")
@partner_option
@json_option
@refusals
def go(number: int, partner_slug: str | None, as_json: bool) -> None:
    """Go on with an undo that was stopped. Workers do so too.

    Example:  relight undo go 7
    """
    with database() as db:
        _go(db, partner_id(db, partner_slug), number, as_json=as_json)


@undo.command("apologise")
@click.argument("number", type=int, metavar="UNDO")
@click.option("--show", is_flag=True, help="Only show the draft, in each language that customers read.")
@click.option("--no", "dropped", is_flag=True, help="Write to nobody.")
@as_option
@partner_option
@yes_option
@json_option
@refusals
def apologise(
    number: int,
    show: bool,
    dropped: bool,
    as_user: str | None,
    partner_slug: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Show the apology that was drafted, and send it to whoever noticed anything.

    It leaves in the hours in which customers may be written to, and counts towards no contact cap.

    Example:  relight undo apologise 7 --as bente
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            asking.undo(tx, number)
            drafts = apology.drafts(tx, number, db.clock())
        if not as_json:
            for draft in drafts:
                click.echo(f"To {draft.customers:,} in {draft.language}:\n\n{draft.sms}\n\n{draft.written}")
        if not show:
            sure("Write to nobody?" if dropped else "Send it?", yes=yes)
            _answer_apology(db, id_, number, as_user, send=not dropped)
        with db.transaction(id_) as tx:
            at = asking.undo(tx, number)
    told = [{"language": one.language, "customers": one.customers, "sms": one.sms} for one in drafts]
    answer({**as_fields(at), "drafts": told}, as_json=as_json, text=in_a_line(at))


def _answer_apology(db: Database, id_: int, number: int, as_user: str | None, *, send: bool) -> None:
    with db.transaction(id_) as tx:
        apology.approve(tx, number, by=who(tx, as_user), now=db.clock(), send=send)
    while apology.send_out(db, id_, number, db.clock()):
        pass


@undo.command("list")
@partner_option
@json_option
@refusals
def list_(partner_slug: str | None, as_json: bool) -> None:
    """List undos: what about, by whom, how far.

    Example:  relight undo list
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = asking.undos(tx)
    lines = [in_a_line(one) for one in found]
    told: dict[str, Any] = {"undos": [as_fields(one) for one in found]}
    answer(told, as_json=as_json, text="\n".join(lines) or "Nothing was ever undone.")


def _go(db: Database, id_: int, number: int, *, as_json: bool) -> None:
    progress = Progress("cases looked at", every=2000)
    try:
        at = carry_out(db, id_, number, db.clock, on_progress=progress)
    except UnableTo:
        raise
    except BaseException:
        click.echo(f"Stopped in the middle: nothing is lost. Go on with: relight undo go {number}", err=True)
        raise
    progress.end()
    with db.transaction(id_) as tx:
        again = asking.running_under(tx, at.scope)
        text = undone_in_words(tx, at, again)
    answer({**as_fields(at), "running_under": again}, as_json=as_json, text=text)
