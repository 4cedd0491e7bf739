"""`relight policy history`, `diff`, `list` and `drafts`: what there is, what was done about it, and by whom."""

import difflib
from typing import Any

import click

from relight.cli.context import database, partner_id, partner_option, refusals
from relight.cli.output import answer, json_option
from relight.cli.stages import figures
from relight.core.policy_reader import packaged_names
from relight.flow.cases.drafts import Act, acts, drafts
from relight.flow.cases.policies import Version, in_force, versions
from relight.flow.road.publishing import stage_of


@click.command()
@click.argument("name")
@partner_option
@json_option
@refusals
def history(name: str, partner_slug: str | None, as_json: bool) -> None:
    """Every version of a policy with the cases that run under it, and all that was done about it, by whom and when.

    Example:  relight policy history broadband-no
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found, done = versions(tx, name), acts(tx, name)
    lines = [
        f"{v.version:3}  {v.published_at:%Y-%m-%d %H:%M} by {v.published_by}, {v.share} of 100, {v.cases} running"
        + (f" of at most {v.cap}" if v.cap else "")
        + (f", retired {v.retired_at:%Y-%m-%d %H:%M}" if v.retired_at else "")
        for v in found
    ]
    lines += ["", *(f"     {one.at:%Y-%m-%d %H:%M} {_told(name, one)}, by {one.actor}" for one in done)]
    result = {"policy": name, "versions": [_version(v) for v in found], "acts": [_act(one) for one in done]}
    answer(result, as_json=as_json, text="\n".join(lines))


def _told(name: str, one: Act) -> str:
    p = one.params
    match one.code:
        case "checked":
            packs = ", ".join(f"{name} {hash_[:8]}" for name, hash_ in p["packs"].items())
            return f"checked {one.hash[:8]}: {p['paths']} ways, {p['rules']} rules of {packs}"
        case "simulated":
            return f"simulated {one.hash[:8]}: {figures(p)}"
        case "published":
            return f"published {one.hash[:8]} as version {one.version} for {p['share']} of 100{_cap(p)}"
        case "shared":
            rest = f", the others version {p['rest']}" if p["rest"] else ""
            return f"shared version {one.version}: {p['to']} of 100 (before {p['from']}){rest}{_cap(p)}"
        case "moving":
            back = f", which takes back move {p['back']}" if p["back"] else ""
            return f"began move {one.id} of cases from version {p['from']} to {one.version}{back}"
        case "undoing":
            return f"began undo {p['undo']} of what was done since {p['since']}: {p['why']}"
        case "undone":
            return f"ended undo {p['undo']}: {p['steps']} steps voided in {p['cases']} cases"
        case _:
            counts = f"{p['moved']} cases to version {one.version}, {p['stayed']} stayed"
            return f"ended move {p['bulk']}: {counts}. Back again: relight policy move {name} --undo {p['bulk']}"


def _cap(params: Any) -> str:
    return f", at most {params['cap']} running" if params.get("cap") else ""


def _version(v: Version) -> dict[str, Any]:
    at = {"published_at": v.published_at.isoformat(), "retired_at": v.retired_at.isoformat() if v.retired_at else None}
    return {"version": v.version, "hash": v.hash, "share": v.share, "cap": v.cap, "by": v.published_by,
            "cases": v.cases, **at}  # fmt: skip


def _act(one: Act) -> dict[str, Any]:
    return {"id": one.id, "code": one.code, "hash": one.hash, "version": one.version, "by": one.actor,
            "at": one.at.isoformat(), **one.params}  # fmt: skip


@click.command()
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


@click.command("list")
@partner_option
@json_option
@refusals
def list_(partner_slug: str | None, as_json: bool) -> None:
    """The policies in force, the drafts with how far they have come, and those that come with Relight.

    Example:  relight policy list
    """
    with database() as db, db.transaction(partner_id(db, partner_slug)) as tx:
        found, kept = in_force(tx, db.clock()), drafts(tx)
    lines = [
        f"{p.name} version {p.version}, for {', '.join(p.services)}, by {p.published_by}"
        + ("" if p.share == 100 else f", {p.share} of 100 new cases")
        + (f", at most {p.cap} running" if p.cap else "")
        for p in found
    ]
    lines += [f"Draft: {one.name} {one.hash[:8]}, {stage_of(one)}, kept by {one.kept_by}" for one in kept]
    lines.append(f"Come with Relight: {', '.join(packaged_names())}")
    told = [
        {"name": p.name, "version": p.version, "services": p.services, "share": p.share, "cap": p.cap,
         "published_at": p.published_at.isoformat(), "by": p.published_by}
        for p in found
    ]  # fmt: skip
    drafted = [{"name": one.name, "hash": one.hash, "stage": stage_of(one), "by": one.kept_by} for one in kept]
    result = {"policies": told, "drafts": drafted, "packaged": list(packaged_names())}
    answer(result, as_json=as_json, text="\n".join(lines))


def register(group: click.Group) -> None:
    """Add the commands to `relight policy`."""
    for command in (history, diff, list_):
        group.add_command(command)
