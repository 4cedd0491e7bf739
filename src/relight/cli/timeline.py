"""`relight explain`: what happened to a case, step by step, and what it waits for."""

import click

from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option


@click.command()
@click.argument("case", type=int)
@partner_option
@json_option
@refusals
def explain(case: int, partner_slug: str | None, as_json: bool) -> None:
    """Why a case is where it is: its log, with the reasons that were recorded.

    Example:  relight explain 42
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            found = tx.row(
                "SELECT c.state, c.next_step, c.next_at, c.waits_for, c.wakes_at, a.ref, c.arrears, a.currency"
                " FROM dunning_case c JOIN account a ON a.id = c.account_id WHERE c.id = %(case)s",
                {"case": case},
            )
            if found is None:
                raise click.ClickException(f"There is no case {case} at this partner.")
            events = tx.rows(
                "SELECT number, at, code, params, reasons, actor FROM case_event"
                " WHERE case_id = %(case)s ORDER BY number",
                {"case": case},
            )
    state, next_step, next_at, waits_for, wakes_at, account, arrears, currency = found
    log = [
        {"number": number, "at": at.isoformat(), "code": code, "params": params, "reasons": reasons, "actor": actor}
        for number, at, code, params, reasons, actor in events
    ]
    lines = [f"Case {case}, account {account}: {state}, {arrears / 100:.2f} {currency} overdue."]
    for entry in log:
        why = "; ".join(f"{reason['code']} {reason['params']}" for reason in entry["reasons"])
        lines.append(f"{entry['number']:4}  {entry['at'][:16]}  {entry['code']:22} {entry['params']}  {why}")
    lines.append(
        f"Next: {next_step or 'nothing'} {next_at or ''}  waits for: {waits_for or 'nothing'}  looks: {wakes_at}"
    )
    result = {"case": case, "state": state, "next_step": next_step, "waits_for": waits_for, "events": log}
    answer(result, as_json=as_json, text="\n".join(lines))
