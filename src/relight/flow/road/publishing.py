"""Publishing a policy: only one that its law packs prove on every path, with the texts that are really sent."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from relight.core.policy import Policy
from relight.core.prove.prove import prove
from relight.core.prove.result import Proof
from relight.core.rules.lawbook import packaged_law
from relight.core.rules.reader import packaged_pack
from relight.flow.cases.errors import UnableTo
from relight.flow.cases.policies import compile_policy, put_in_force, rivals
from relight.flow.database import Tx
from relight.flow.messages.elements import Texts

_PROOFS: dict[str, Proof] = {}  # by the policy's hash: publishing the same one to forty partners proves it once


class UnableToPublish(UnableTo):
    """The law packs do not prove the policy; nothing was published."""

    def __init__(self, policy: Policy, proof: Proof):
        self.proof = proof
        told = "\n".join(f"  {one.step}: {one.message}. {one.law} ({one.rule})" for one in proof.findings)
        super().__init__(f"{policy.name} is not proved lawful, and cannot be published:\n{told}")


class UnableToChoose(UnableTo):
    """Another policy is in force for the same customers, and nothing says which of the two it is."""

    def __init__(self, policy: Policy, names: list[str], priority: int):
        several = " and ".join(names)
        super().__init__(
            f"{several}: in force for some of the same customers with the same priority ({priority})."
            f" Give {policy.name} another --priority; the highest wins."
        )


def publish(tx: Tx, text: str, *, actor: str, now: datetime, priority: int = 0, share: int = 100) -> int | None:
    """Publish a policy for new cases, or `share` of a hundred of them; its version id.

    None when this very text is in force already. Raises `UnusablePolicy` for a text with mistakes, `UnableToPublish`
    for a policy that is not proved, `UnableToChoose` for a second one for the same customers.
    """
    policy = compile_policy(text)
    proof = proof_of(policy)
    if not proof.ok:
        raise UnableToPublish(policy, proof)
    if others := rivals(tx, policy, priority=priority, now=now):
        raise UnableToChoose(policy, others, priority)
    kept = {"paths": proof.paths, "rules": proof.rules, "packs": dict(proof.hashes)}
    return put_in_force(tx, policy, text, actor=actor, now=now, proof=kept, priority=priority, share=share)


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
