"""`relight policy`: check a policy file, publish it, and see what is in force."""

import difflib
from typing import Any

import click

from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.cli.policy_files import find_text, policy_argument
from relight.cli.proofs import as_fields, in_words
from relight.cli.whatif import register
from relight.core.findings import Finding, Findings
from relight.core.policy_reader import packaged_names, read_policy
from relight.flow.cases.policies import Version, in_force, share_out, versions
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
    answer(as_fields(read, proof), as_json=as_json, text=in_words(read, proof))
    if not proof.ok:
        raise SystemExit(1)


def _mistake(item: Finding) -> dict[str, Any]:
    return {"rule": "form", "law": "", "step": "", "message": f"{item.message}: {item.remedy}", "path": item.path,
            "line": item.line, "column": item.column}  # fmt: skip


@policy.command("publish")
@policy_argument
@partner_option
@click.option("--by", required=True, help="Who publishes it, for the record.")
@click.option("--priority", default=0, show_default=True, help="The highest wins where two are for the same customers.")
@click.option("--share", default=100, show_default=True, type=click.IntRange(1, 100), help="So many of 100 new cases.")
@refusals
def publish(file: str, partner_slug: str | None, by: str, priority: int, share: int) -> None:
    """Publish a policy for new cases, if its law packs prove it; running cases stay where they are.

    Example:  relight policy publish broadband-no --by "Kari Nordmann" --share 10
    """
    _, text = find_text(file)
    if isinstance(text, Findings):
        raise click.ClickException(str(text))
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        version = publish_policy(tx, text, actor=by, now=db.clock(), priority=priority, share=share)
    if not version:
        click.echo("This very policy is in force already.")
    elif share == 100:
        click.echo("Published.")
    else:
        click.echo(f"Published for {share} of 100 new cases. When it does well: relight policy share NAME 100")


@policy.command()
@click.argument("name")
@click.argument("percent", type=click.IntRange(1, 100))
@partner_option
@refusals
def share(name: str, percent: int, partner_slug: str | None) -> None:
    """Give the newest version of a policy more, or fewer, of the new cases. At 100 older versions are retired.

    Example:  relight policy share broadband-no 50
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        version = share_out(tx, name, percent, now=db.clock())
    click.echo(f"{name} version {version} gets {percent} of 100 new cases.")


@policy.command()
@click.argument("name")
@partner_option
@json_option
@refusals
def history(name: str, partner_slug: str | None, as_json: bool) -> None:
    """Every version of a policy: when, by whom, for how many, and the cases that run under it still.

    Example:  relight policy history broadband-no
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = versions(tx, name)
    lines = [
        f"{v.version:3}  {v.published_at:%Y-%m-%d %H:%M} by {v.published_by}, {v.share} of 100, {v.cases} running"
        + (f", retired {v.retired_at:%Y-%m-%d %H:%M}" if v.retired_at else "")
        for v in found
    ]
    answer({"policy": name, "versions": [_version(v) for v in found]}, as_json=as_json, text="\n".join(lines))


def _version(v: Version) -> dict[str, Any]:
    at = {"published_at": v.published_at.isoformat(), "retired_at": v.retired_at.isoformat() if v.retired_at else None}
    return {"version": v.version, "hash": v.hash, "share": v.share, "by": v.published_by, "cases": v.cases, **at}


@policy.command()
@click.argument("name")
@click.argument("old", type=int)
@click.argument("new", type=int)
@partner_option
@refusals
def diff(name: str, old: int, new: int, partner_slug: str | None) -> None:
    """What changed between two versions of a policy.

    Example:  relight policy diff broadband-no 1 2
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        texts = {v.version: v.text for v in versions(tx, name)}
    for number in (old, new):
        if number not in texts:
            raise click.UsageError(f"{name} has no version {number}; there are {', '.join(map(str, sorted(texts)))}.")
    changed = difflib.unified_diff(
        texts[old].splitlines(), texts[new].splitlines(), f"version {old}", f"version {new}", lineterm=""
    )
    click.echo("\n".join(changed) or "Nothing.")


@policy.command("list")
@partner_option
@json_option
@refusals
def list_(partner_slug: str | None, as_json: bool) -> None:
    """The policies in force, and those that come with Relight.

    Example:  relight policy list
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found = in_force(tx, db.clock())
    lines = [
        f"{p.name} version {p.version}, for {', '.join(p.services)}, by {p.published_by}"
        + ("" if p.share == 100 else f", {p.share} of 100 new cases")
        for p in found
    ]
    lines.append(f"Come with Relight: {', '.join(packaged_names())}")
    told = [
        {"name": p.name, "version": p.version, "services": p.services, "share": p.share,
         "published_at": p.published_at.isoformat(), "by": p.published_by}
        for p in found
    ]  # fmt: skip
    answer({"policies": told, "packaged": list(packaged_names())}, as_json=as_json, text="\n".join(lines))
