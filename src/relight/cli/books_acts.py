"""`relight books write-off`, `forgive`, `acts`, `approve`, `refuse`, `undo`: two people, and a way back."""

import click

from relight.cli.actors import as_option, who
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.core.money import NotAnAmount, parse_amount, to_decimal
from relight.flow.books import acts as flow

_DONE = {"write_off": "written off", "remission": "forgiven"}


def _asking(name: str, kind: str, what: str) -> click.Command:
    @click.command(name, help=f"Ask that an invoice is {what}; another person answers.\n\n"
                   f"\b\nExample:  relight books {name} 10234 --reason \"no address\" --as ingrid")  # fmt: skip
    @click.argument("invoice")
    @click.option("--amount", help="Only so much of it, such as 100.50; all that is owed if left out.")
    @click.option("--reason", required=True, help="Why, for whoever answers and for the record.")
    @click.option("--creditor", default="", help="Where several creditors have an invoice of that number.")
    @partner_option
    @as_option
    @refusals
    def command(
        invoice: str, amount: str | None, reason: str, creditor: str, partner_slug: str | None, as_user: str | None
    ) -> None:
        with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
            currency = tx.value(
                "SELECT currency FROM claim WHERE number = %(number)s ORDER BY id LIMIT 1", {"number": invoice}
            )
            taken = _amount(amount, currency or "NOK") if amount is not None else None
            asked = flow.ask(
                tx, kind, invoice, by=who(tx, as_user), reason=reason, now=db.clock(), amount=taken, creditor=creditor
            )
        click.echo(
            f"Act {asked.id}: {_told(asked)}, to be {what}. A colleague answers: relight books approve {asked.id}"
        )

    return command


@click.command("acts")
@click.option("--all", "everything", is_flag=True, help="Those that were answered, too.")
@partner_option
@json_option
@refusals
def acts(everything: bool, partner_slug: str | None, as_json: bool) -> None:
    """Write-offs and remissions that wait for an answer; the newest first.

    Example:  relight books acts --all
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = flow.acts(tx, waiting=not everything)
    lines = [
        f"{one.id}  {one.kind}  {one.state}  {to_decimal(one.amount, one.currency)} {one.currency}  {one.claim}"
        f"  {one.account}  asked by {one.requested_by}: {one.reason}"
        for one in found
    ]
    told = [
        {"id": one.id, "kind": one.kind, "state": one.state, "amount": one.amount, "currency": one.currency,
         "invoice": one.claim, "account": one.account, "reason": one.reason, "asked_by": one.requested_by,
         "decided_by": list(one.decided_by), "undone_by": one.undone_by}
        for one in found
    ]  # fmt: skip
    answer({"acts": told}, as_json=as_json, text="\n".join(lines) or "Nothing waits for an answer.")


@click.command("approve")
@click.argument("act", type=int)
@click.option("--note", default="")
@partner_option
@as_option
@refusals
def approve(act: int, note: str, partner_slug: str | None, as_user: str | None) -> None:
    """Say yes to what a colleague asked for; it is posted, and the case thinks again.

    Example:  relight books approve 17 --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        done = flow.answer(tx, act, by=who(tx, as_user), granted=True, now=db.clock(), note=note)
    click.echo(f"{_DONE[done.kind].capitalize()}: {_told(done)}.")


@click.command("refuse")
@click.argument("act", type=int)
@click.option("--note", default="", help="Why not.")
@partner_option
@as_option
@refusals
def refuse(act: int, note: str, partner_slug: str | None, as_user: str | None) -> None:
    """Say no to what a colleague asked for.

    Example:  relight books refuse 17 --note "they have paid before" --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        done = flow.answer(tx, act, by=who(tx, as_user), granted=False, now=db.clock(), note=note)
    click.echo(f"Refused: {_told(done)} stays owed.")


@click.command("undo")
@click.argument("act", type=int)
@click.option("--note", default="", help="Why.")
@partner_option
@as_option
@refusals
def undo(act: int, note: str, partner_slug: str | None, as_user: str | None) -> None:
    """Take a write-off or remission back: the invoice is owed again.

    Example:  relight books undo 17 --note "they have moved back" --as bente
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        done = flow.undo(tx, act, by=who(tx, as_user), now=db.clock(), note=note)
    click.echo(f"Taken back: {_told(done)} is owed again.")


def _told(one: flow.Act) -> str:
    return f"{to_decimal(one.amount, one.currency)} {one.currency} of invoice {one.claim}"


def _amount(text: str, currency: str) -> int:
    try:
        return parse_amount(text, currency)
    except NotAnAmount as wrong:
        raise click.BadParameter(str(wrong), param_hint="--amount") from wrong


def register(group: click.Group) -> None:
    """Add the commands to `relight books`."""
    asking = (_asking("write-off", "write_off", "written off"), _asking("forgive", "remission", "forgiven"))
    for command in (*asking, acts, approve, refuse, undo):
        group.add_command(command)
