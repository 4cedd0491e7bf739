"""What `relight undo` says: what was found, what was done, and what cannot be taken back."""

from collections.abc import Mapping
from typing import Any

from relight.core.money import format_amount
from relight.flow.database import Tx
from relight.flow.road.undo.asking import Undo
from relight.flow.road.undo.finding import Found, Scope


def found_in_words(tx: Tx, scope: Scope, found: Found, running_under: int) -> str:
    """The preview: what would be undone, and what cannot be."""
    steps = ", ".join(f"{count:,} × {name}" for name, count in sorted(found.steps.items()))
    lines = [f"Found {_many(found.cases, 'case')} with {_many(found.steps.total(), 'step')}: {steps or 'nothing'}."]
    if found.cases:
        lines += _sums(found.as_data(), _currency(tx))
    return "\n".join([*lines, *_what_next(scope, running_under)])


def undone_in_words(tx: Tx, at: Undo, running_under: int) -> str:
    """What was done, what cannot be taken back, and what is left for people."""
    done = at.done
    head = f"Undo {at.id} is done: {_many(done['steps'], 'step')} voided in {_many(done['cases'], 'case')}."
    lines = [head, *_sums(done, _currency(tx))]
    if done["cases"]:
        lines.append("  The cases are on hold for seven days; mend what was wrong meanwhile.")
    if at.apology_waits:
        lines.append(f"  An apology to {done['reached']:,} is drafted: relight undo apologise {at.id} --show")
    return "\n".join([*lines, *_what_next(at.scope, running_under)])


def in_a_line(at: Undo) -> str:
    """One undo in a list."""
    about = [f"since {at.since:%Y-%m-%d %H:%M}"]
    if at.policy:
        about.append(at.policy + (f" {at.version}" if at.version is not None else ""))
    about += [f"import {at.run}"] if at.run is not None else []
    about += [f"move {at.bulk}"] if at.bulk is not None else []
    sums = at.done if at.state in ("running", "done") else at.found
    apology = "approved" if at.apology == "draft" and at.apology_by else at.apology
    sorry = f", apology {apology} for {at.done['reached']:,}" if apology else ""
    return (
        f"{at.id:>5}  {at.state:8} {', '.join(about)}: {_many(sums['cases'], 'case')}{sorry}; {at.why} ({at.asked_by})"
    )


def as_fields(at: Undo) -> dict[str, Any]:
    """What `--json` answers; fees in minor units."""
    return {
        "undo": at.id,
        "state": at.state,
        "since": at.since,
        "policy": at.policy,
        "version": at.version,
        "import": at.run,
        "bulk": at.bulk,
        "why": at.why,
        "asked_by": at.asked_by,
        "answered_by": at.answered_by,
        "found": at.found,
        "done": at.done,
        "apology": at.apology,
    }


def _sums(sums: Mapping[str, Any], currency: str) -> list[str]:
    told = [
        f"  {format_amount(sums['fees'], currency, 'en')} in fees is taken back" if sums["fees"] else "",
        f"  {_many(sums['services'], 'service')} given back at once" if sums["services"] else "",
        f"  {_many(sums['stopped'], 'message or command', 'messages or commands')} stopped before leaving"
        if sums["stopped"]
        else "",
        f"  {_many(sums['handovers'], 'case')} called back from an agency" if sums["handovers"] else "",
        f"  Cannot be taken back: {_many(sums['messages'], 'message')} that left, {sums['letters']:,} of them letters"
        if sums["messages"]
        else "",
    ]
    return [line for line in told if line]


def _what_next(scope: Scope, running_under: int) -> list[str]:
    if not running_under:
        return []
    name = scope.policy
    version = f" {scope.version}" if scope.version is not None else ""
    return [
        f"{_many(running_under, 'case')} still run under {name}{version}, and new ones may come:"
        f" relight policy share {name} 0, and relight policy move {name} --all"
    ]


def _many(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def _currency(tx: Tx) -> str:
    return str(tx.value("SELECT currency FROM partner WHERE id = %(id)s", {"id": tx.partner_id}))
