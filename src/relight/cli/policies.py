"""`relight policy`: check a policy file, publish it, and see what is in force."""

from typing import Any

import click

from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.cli.policy_files import find_text, policy_argument
from relight.cli.proofs import as_fields, in_words
from relight.cli.whatif import register
from relight.core.findings import Finding, Findings
from relight.core.policy_reader import packaged_names, read_policy
from relight.flow.road.publishing import proof_of, proof_with
from relight.flow.road.publishing import publish as publish_policy


@click.group()
def policy() -> None:
    """Policies: what is done when, in a file that a credit manager can read."""


register(policy)


@policy.command()
@policy_argument
@click.option("--with", "others", metavar="PACK", multiple=True, help="Try a law pack that is not in force yet, too.")
@json_option
@refusals
def check(file: str, others: tuple[str, ...], as_json: bool) -> None:
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
    answer(as_fields(proof), as_json=as_json, text=in_words(read, proof))
    if not proof.ok:
        raise SystemExit(1)


def _mistake(item: Finding) -> dict[str, Any]:
    return {"rule": "form", "law": "", "step": "", "message": f"{item.message}: {item.remedy}", "path": item.path,
            "line": item.line, "column": item.column}  # fmt: skip


@policy.command("publish")
@click.argument("file_or_name")
@partner_option
@click.option("--by", required=True, help="Who publishes it, for the record.")
@click.option("--priority", default=0, show_default=True, help="The highest wins where two are for the same customers.")
@refusals
def publish(file_or_name: str, partner_slug: str | None, by: str, priority: int) -> None:
    """Publish a policy for new cases, from a file or by the name of one that comes with Relight.

    Example:  relight policy publish broadband-no --by "Kari Nordmann"
    """
    _, text = find_text(file_or_name)
    if isinstance(text, Findings):
        raise click.ClickException(str(text))
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            version = publish_policy(tx, text, actor=by, now=db.clock(), priority=priority)
    click.echo("Published." if version else "This very policy is in force already.")


@policy.command("list")
@partner_option
@json_option
@refusals
def list_(partner_slug: str | None, as_json: bool) -> None:
    """The policies in force, and those that come with Relight.

    Example:  relight policy list
    """
    with database() as db:
        id_ = partner_id(db, partner_slug)
        with db.transaction(id_) as tx:
            rows = tx.rows(
                "SELECT name, version, services, published_at, published_by FROM policy_version"
                " WHERE retired_at IS NULL ORDER BY name"
            )
    found = [
        {"name": r[0], "version": r[1], "services": r[2], "published_at": r[3].isoformat(), "by": r[4]} for r in rows
    ]
    lines = [f"{p['name']} version {p['version']}, for {', '.join(p['services'])}, by {p['by']}" for p in found]
    lines.append(f"Come with Relight: {', '.join(packaged_names())}")
    answer({"policies": found, "packaged": list(packaged_names())}, as_json=as_json, text="\n".join(lines))
