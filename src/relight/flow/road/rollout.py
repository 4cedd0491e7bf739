"""Rolling a version out: by share of new cases, up to all and back again. Running cases stay where they are."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from relight.flow.cases.drafts import put_on_record
from relight.flow.cases.errors import UnableTo
from relight.flow.cases.opening import make_room, open_waiting
from relight.flow.cases.people import Person
from relight.flow.cases.policies import (
    RolledOut,
    compile_policy,
    newest,
    retire_older,
    rivals,
    roll_out,
    running,
    take_turn,
    take_up,
    version_before,
)
from relight.flow.database import Tx
from relight.flow.road.caps import refuse_over_cap
from relight.flow.road.publishing import UnableToChoose, UnableToPublish, proof_of


class UnableToGoBack(UnableTo):
    """There is no version that new cases could go back to; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What sharing out came to. `rest` is the version that gets the other new cases, None where nobody does."""

    version: int
    share: int
    cap: int | None
    rest: int | None


def share_out(
    tx: Tx, name: str, share: int, *, by: Person, now: datetime, cap: int | None = None, keep_cap: bool = True
) -> Shared:
    """Give the newest version of a policy `share` of a hundred new cases, under `cap` unless the old one is kept.

    At 100 older versions are retired; below, the last one that had all gets the rest, and at 0 it gets all again.
    Raises `UnableToFind`, `UnableToAct`, `UnableToExceed`, `UnableToGoBack`; and `UnableToPublish` or `UnableToChoose`
    when the version that would be taken up again is not lawful any more, or has a rival now.
    """
    by.must("policy")
    take_turn(tx, name)
    at = newest(tx, name)
    cap = at.cap if keep_cap else cap
    before = version_before(tx, name, at.version)
    if share == 0 and before is None:
        raise UnableToGoBack(
            f"{name} has no version before {at.version}: new cases would not be followed up at all."
            " To hold everything back: relight stop"
        )
    if share:
        refuse_over_cap(tx, compile_policy(at.text), share=share, cap=cap, running=running(tx, at.id))
    rest = _rest(tx, before) if share < 100 else None
    roll_out(tx, at, share=share, cap=cap, now=now)
    if share == 100:
        retire_older(tx, name, at, now)
    if share:
        make_room(tx, at.id, actor=by.name, now=now)  # who shares it out has seen that it was full
    told = {"from": at.share, "to": share, "cap_from": at.cap, "cap": cap, "rest": rest}
    put_on_record(tx, "shared", name=name, hash=at.hash, by=by, now=now, version=at.version, params=told)
    return Shared(at.version, share, cap, rest)


def let_all_in(open_transaction: Callable[[], AbstractContextManager[Tx]], now: datetime, *, most: int) -> int:
    """Open cases for customers who had no version to come under, or found it full: a batch a transaction, until nobody
    waits or `most` were opened; how many."""
    total = 0
    while total < most:
        with open_transaction() as tx:
            opened = open_waiting(tx, now)
        if not opened:
            break
        total += opened
    return total


def _rest(tx: Tx, before: tuple[RolledOut, bool] | None) -> int | None:
    """See to it that the version before is in force for the other new cases; its number."""
    if before is None:
        return None
    version, retired = before
    if retired:
        policy = compile_policy(version.text)
        proof = proof_of(policy)
        if not proof.ok:
            raise UnableToPublish(policy, proof)
        if others := rivals(tx, policy, priority=version.priority):
            raise UnableToChoose(policy, others, version.priority)
        take_up(tx, version)
    return version.version
