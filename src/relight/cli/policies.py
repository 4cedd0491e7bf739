"""`relight policy`: check a policy file, publish it, and see what is in force."""

from pathlib import Path
from typing import Any

import click

from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.cli.whatif import register
from relight.core.findings import Finding, Findings
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_names, packaged_text, read_policy
from relight.flow.cases.policies import publish as publish_policy

_POLICY_MAX_BYTES = 1 << 20


@click.group()
def policy() -> None:
    """Policies: what is done when, in a file that a credit manager can read."""


register(policy)


@policy.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def check(file: Path, as_json: bool) -> None:
    """Check a policy: exit 0 when it can be used, 1 with what is wrong, where, and what to write instead.

    Example:  relight policy check broadband.yaml
    """
    read = _read(file)
    if isinstance(read, Findings):
        findings = [_finding(item) for item in read]
        answer({"ok": False, "findings": findings, "proof": None}, as_json=as_json, text=str(read))
        raise SystemExit(1)
    proof = {"paths": None, "rules": 0, "steps": len(read.steps)}
    text = f"{read.name}: {len(read.steps)} steps, no findings. It is well formed; no law pack has been checked yet."
    answer({"ok": True, "findings": [], "proof": proof}, as_json=as_json, text=text)


def _read(file: Path) -> Policy | Findings:
    if file.stat().st_size > _POLICY_MAX_BYTES:
        return Findings((Finding(1, 1, "", "the file is too large for a policy", "is it the right file?"),), file.name)
    try:
        text = file.read_text("utf-8")
    except UnicodeDecodeError as wrong:
        return Findings(
            (Finding(1, 1, "", f"the file is not UTF-8 at byte {wrong.start}", "save it as UTF-8"),), file.name
        )
    return read_policy(text, source=file.name)


def _finding(item: Finding) -> dict[str, Any]:
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
    path = Path(file_or_name)
    if path.exists():
        text = path.read_text("utf-8")
    elif file_or_name in packaged_names():
        text = packaged_text(file_or_name)
    else:
        raise click.ClickException(
            f"There is no file {file_or_name!r}, and no such policy comes with Relight: {', '.join(packaged_names())}."
        )
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
