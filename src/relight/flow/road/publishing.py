"""Publishing a policy: only one that was checked and simulated under today's law packs, and only by who may.

A record is no proof: what is published is proved once more, on every path, with the texts that are really sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from relight.core.findings import Findings
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.core.prove.prove import prove
from relight.core.prove.result import Proof
from relight.core.rules.lawbook import packaged_law
from relight.core.rules.reader import packaged_pack
from relight.flow.cases.drafts import Draft, Stages, keep_draft, put_on_record, stages
from relight.flow.cases.errors import UnableTo
from relight.flow.cases.people import Person
from relight.flow.cases.policies import compile_policy, is_in_force, put_in_force, rivals, take_turn
from relight.flow.database import Tx
from relight.flow.messages.elements import Texts
from relight.flow.road.caps import refuse_over_cap
from relight.flow.road.rehearsal import SMALL, Rehearsal, rehearse

_PROOFS: dict[str, Proof] = {}  # by the policy's hash: publishing the same one to forty partners proves it once


class UnableToPublish(UnableTo):
    """The law packs do not prove the policy; nothing was published."""

    def __init__(self, policy: Policy, proof: Proof):
        self.proof = proof
        told = "\n".join(f"  {one.step}: {one.message}. {one.law} ({one.rule})" for one in proof.findings)
        super().__init__(f"{policy.name} is not proved lawful, and cannot be published:\n{told}")


class UnableToSkip(UnableTo):
    """This very content was not checked, or not simulated, under today's law packs; nothing was published."""

    def __init__(self, policy: Policy, missing: str):
        packs = ", ".join(f"{name} {hash_[:8]}" for name, hash_ in packs_of(policy).items()) or "none"
        command = {"checked": "check", "simulated": "simulate"}[missing]
        super().__init__(
            f"{policy.name} {policy.hash[:8]} was never {missing} under today's law packs ({packs})."
            f" First: relight policy {command} FILE --keep"
        )


class UnableToChoose(UnableTo):
    """Another policy is in force for the same customers, and nothing says which of the two it is."""

    def __init__(self, policy: Policy, names: list[str], priority: int):
        several = " and ".join(names)
        super().__init__(
            f"{several}: in force for some of the same customers with the same priority ({priority})."
            f" Give {policy.name} another --priority; the highest wins."
        )


@dataclass(frozen=True, slots=True)
class Published:
    """What publishing laid down: the version's id and number."""

    id: int
    version: int


def publish(
    tx: Tx, text: str, *, by: Person, now: datetime, priority: int = 0, share: int = 100, cap: int | None = None
) -> Published | None:
    """Publish a policy for new cases, or `share` of a hundred of them, of which at most `cap` may run at a time.

    None when this very content is in force already. Raises `UnusablePolicy` for a text with mistakes, `UnableToAct`
    for a person who may not, `UnableToPublish` for a policy that is not proved, `UnableToSkip` for one that was not
    checked and simulated before, `UnableToChoose` for a second one for the same customers, and `UnableToExceed` when
    the share would come to more cases than the cap.
    """
    by.must("policy")
    policy = compile_policy(text)
    proof = proof_of(policy)
    if not proof.ok:
        raise UnableToPublish(policy, proof)
    take_turn(tx, policy.name)
    if is_in_force(tx, policy):
        return None
    refuse_skipping(policy, stages(tx, policy, proof.hashes))
    if others := rivals(tx, policy, priority=priority):
        raise UnableToChoose(policy, others, priority)
    refuse_over_cap(tx, policy, share=share, cap=cap)
    kept = {"paths": proof.paths, "rules": proof.rules, "packs": dict(proof.hashes)}
    laid = put_in_force(tx, policy, text, actor=by.name, now=now, proof=kept, priority=priority, share=share, cap=cap)
    assert laid is not None, "nobody else publishes meanwhile"
    told = {"priority": priority, "share": share, "cap": cap, **kept}
    put_on_record(tx, "published", name=policy.name, hash=policy.hash, by=by, now=now, version=laid[1], params=told)
    return Published(*laid)


def refuse_skipping(policy: Policy, come: Stages) -> None:
    """Raise `UnableToSkip` unless a content was both checked and simulated."""
    for missing in ("checked", "simulated"):
        if getattr(come, missing) is None:
            raise UnableToSkip(policy, missing)


def keep_check(tx: Tx, text: str, *, by: Person, now: datetime) -> Proof:
    """Keep a text as a draft and prove it; that it passed goes on record. The proof, passed or not."""
    by.must("policy")
    policy = compile_policy(text)
    proof = proof_of(policy)
    keep_draft(tx, policy, text, by=by, now=now)
    if proof.ok:
        found = {"packs": dict(proof.hashes), "paths": proof.paths, "rules": proof.rules}
        put_on_record(tx, "checked", name=policy.name, hash=policy.hash, by=by, now=now, params=found)
    return proof


def keep_what_if(tx: Tx, text: str, what_if: Rehearsal, *, by: Person, now: datetime) -> None:
    """Keep a text as a draft with what a what-if of it came to."""
    by.must("policy")
    policy = compile_policy(text)
    keep_draft(tx, policy, text, by=by, now=now)
    found = {"packs": packs_of(policy), **what_if.as_params()}
    put_on_record(tx, "simulated", name=policy.name, hash=policy.hash, by=by, now=now, params=found)


def publish_at_once(
    tx: Tx,
    text: str,
    *,
    by: Person,
    now: datetime,
    priority: int = 0,
    share: int = 100,
    cap: int | None = None,
) -> Published | None:
    """Check and simulate (a small portfolio) what was not yet, and publish: for set-ups in which nobody is asked.

    Raises what `publish` raises.
    """
    policy = compile_policy(text)
    if not is_in_force(tx, policy) and proof_of(policy).ok:
        come = stages(tx, policy, packs_of(policy))
        if come.checked is None:
            keep_check(tx, text, by=by, now=now)
        if come.simulated is None:
            keep_what_if(tx, text, rehearse(policy, text, SMALL), by=by, now=now)
    return publish(tx, text, by=by, now=now, priority=priority, share=share, cap=cap)


def stage_of(draft: Draft) -> str:
    """How far a draft has come under today's law packs: `draft`, `checked` or `simulated`."""
    policy = read_policy(draft.text)
    if isinstance(policy, Findings):  # a newer release reads the language more strictly
        return "draft"
    packs = packs_of(policy)
    if draft.checked_packs != packs:
        return "draft"
    return "simulated" if draft.simulated_packs == packs else "checked"


def packs_of(policy: Policy) -> dict[str, str]:
    """The law packs in force that guard a policy: name to hash."""
    return {pack.name: pack.hash for pack in packaged_law().packs_of(policy)}


def proof_of(policy: Policy) -> Proof:
    """The proof under the packs that the policy names, which are in force."""
    if policy.hash not in _PROOFS:
        _PROOFS[policy.hash] = prove(policy, packaged_law(), Texts())
    return _PROOFS[policy.hash]


def proof_with(policy: Policy, others: Iterable[str]) -> Proof:
    """The proof under packs that are not in force yet, beside the policy's own. Raises KeyError for an unknown name."""
    packs = [packaged_pack(name) for name in others]
    named = replace(policy, laws=tuple(dict.fromkeys((*policy.laws, *(pack.name for pack in packs)))))
    return prove(named, packaged_law().with_packs(packs), Texts())
