"""A proof as fields and in words."""

from typing import Any

from relight.core.policy import Policy
from relight.core.prove.result import Breach, Proof
from relight.core.rules.lawbook import packaged_law
from relight.core.show.rows import Least, picture
from relight.core.show.text import least_line
from relight.core.show.words import Words

_WORDS = Words("en")


def as_fields(policy: Policy, proof: Proof) -> dict[str, Any]:
    """What `relight policy check --json` answers; `waits` in days: the fewest and the most that a year shows."""
    return {
        "ok": proof.ok,
        "findings": [_breach(one) for one in proof.findings],
        "warnings": [_breach(one) for one in proof.warnings],
        "proof": {
            "paths": proof.paths,
            "rules": proof.rules,
            "remains": [{"rule": one.rule, "law": one.law, "why": one.why} for one in proof.remains],
            "waits": [
                {"step": step, "law": one.law, "lawful": list(one.lawful), "chosen": list(one.chosen)}
                for step, one in _waits(policy, proof)
            ],
            "packs": proof.hashes,
        },
    }


def in_words(policy: Policy, proof: Proof) -> str:
    """The same for people."""
    lines = [_headline(policy, proof)]
    for one in proof.findings:
        lines += _told("✗", one)
    for one in proof.warnings:
        lines += _told("!", one)
    if waits := _waits(policy, proof):
        lines.append("What the law asks one to wait, and what this policy waits, with the days for payments:")
        lines += [f"  · {step}: {least_line(one, _WORDS)}" for step, one in waits]
    if proof.ok and proof.remains:
        lines.append("What no file can show is asked of each customer when the day comes:")
        for why, sections in _remaining(proof).items():
            lines += [f"  · {why}", *(f"      {section}" for section in sections)]
    return "\n".join(lines)


def _waits(policy: Policy, proof: Proof) -> list[tuple[str, Least]]:
    """The waits that a lawful policy chose beside those that the law asks for."""
    if not proof.ok:
        return []
    return [(row.name, one) for row in picture(policy, packaged_law(), _WORDS).rows for one in row.least]


def _headline(policy: Policy, proof: Proof) -> str:
    packs = ", ".join(f"{name} {hash_[:8]}" for name, hash_ in proof.hashes.items())
    ways = f"{proof.paths} way{'s' if proof.paths != 1 else ''} through {len(policy.steps)} steps"
    asked = f"{ways}, {proof.rules} rules of {packs or 'no pack'}"
    if proof.ok:
        return f"{policy.name}: proved lawful. {asked}."
    return f"{policy.name}: cannot be published, {len(proof.findings)} to mend. {asked}."


def _told(mark: str, one: Breach) -> list[str]:
    lines = [f"{mark} {one.step}: {one.message}. [{one.law}; {one.rule}]"]
    return [*lines, f"    {one.path}"] if one.path else lines


def _remaining(proof: Proof) -> dict[str, list[str]]:
    """The sections that wait for each reason."""
    found: dict[str, list[str]] = {}
    for one in proof.remains:
        found.setdefault(one.why, []).append(f"{one.law} ({one.rule})")
    return found


def _breach(one: Breach) -> dict[str, str]:
    return {"rule": one.rule, "law": one.law, "step": one.step, "message": one.message, "path": one.path}
