"""The door for law packs: what a law says of one act on one case. The packs are in `rules`."""

from datetime import datetime
from enum import IntEnum
from typing import Protocol

from relight.core.conditions import Param
from relight.core.facts import CaseFacts, ClaimFacts
from relight.core.policy import Policy, Step
from relight.core.records import record


class Answer(IntEnum):
    """What a guard says; the highest of several counts."""

    ALLOW = 0
    DEFER = 1
    DENY = 2


@record
class Reason:
    """Why: a code with parameters, to be put into words when read. `law` is the section, where a law says so."""

    code: str
    params: tuple[tuple[str, Param], ...] = ()
    law: str = ""


@record
class Ruling:
    """One answer, with its reason; `until` is the earliest moment worth asking again."""

    answer: Answer
    reason: Reason
    until: datetime | None = None


class Law(Protocol):
    """A law pack as `decide` sees it."""

    def hash_for(self, policy: Policy) -> str:
        """The hash that decisions under a policy store: the content of the packs that guard it."""
        ...

    def rule(
        self, policy: Policy, step: Step, claims: tuple[ClaimFacts, ...], facts: CaseFacts, now: datetime
    ) -> tuple[Ruling, ...]:
        """What the law says of taking `step` for `claims` now; empty when it says nothing against."""
        ...


@record
class NoLaw:
    """No pack: the guards that hold everywhere still apply."""

    def hash_for(self, policy: Policy) -> str:
        """There is nothing to hash."""
        return "none"

    def rule(
        self, policy: Policy, step: Step, claims: tuple[ClaimFacts, ...], facts: CaseFacts, now: datetime
    ) -> tuple[Ruling, ...]:
        """Nothing against."""
        return ()
