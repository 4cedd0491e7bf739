"""`relight policy`: what is done when. Here the group and `check`; the other commands are in files of their own."""

from typing import Any

import click

from relight.cli import moving, policy_history, rollout, whatif
from relight.cli.actors import as_option, by_option, who
from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.cli.policy_files import find_text, policy_argument
from relight.cli.proofs import as_fields, in_words
from relight.core.findings import Finding, Findings
from relight.core.policy_reader import read_policy
from relight.flow.road.publishing import keep_check, proof_of, proof_with


@click.group()
def policy() -> None:
    """Policies: what is done when, in a file that a credit manager can read."""


for part in (whatif, rollout, moving, policy_history):
    part.register(policy)


@policy.command()
@policy_argument
@click.option("--with", "others", metavar="PACK", multiple=True, help="Try a law pack that is not in force yet, too.")
@click.option("--keep", is_flag=True, help="Keep it as a draft of the partner, and that it passed on record.")
@partner_option
@as_option
@by_option
@json_option
@refusals
def check(
    file: str,
    others: tuple[str, ...],
    keep: bool,
    partner_slug: str | None,
    as_user: str | None,
    by: str,
    as_json: bool,
) -> None:
    """Prove a policy lawful on every path, or tell what breaks which rule, where, and on which days.

    Exit 0 when it may be published, 1 with what is wrong and what to write instead.

    Example:  relight policy check broadband.yaml
    """
    source, text = find_text(file)
    read = read_policy(text, source=source) if isinstance(text, str) else text
    if isinstance(read, Findings):
        findings = [_mistake(item) for item in read]
        answer({"ok": False, "findings": findings, "proof": None}, as_json=as_json, text=str(read))
        raise SystemExit(1)
    try:
        proof = proof_with(read, others) if others else proof_of(read)
    except KeyError as unknown:
        raise click.UsageError(str(unknown.args[0])) from unknown
    answer(as_fields(read, proof), as_json=as_json, text=in_words(read, proof))
    if keep:
        assert isinstance(text, str)
        with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
            keep_check(tx, text, by=who(tx, as_user, by), now=db.clock())
    if not proof.ok:
        raise SystemExit(1)


def _mistake(item: Finding) -> dict[str, Any]:
    return {"rule": "form", "law": "", "step": "", "message": f"{item.message}: {item.remedy}", "path": item.path,
            "line": item.line, "column": item.column}  # fmt: skip
