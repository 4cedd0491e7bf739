"""The answer to "what may be charged": an amount, or nothing, and why in either case."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

Code = Literal[
    "capped",  # the law's limit gave the amount
    "deducted",  # other fees were taken off it
    "forbidden",  # the law lets nobody charge this
    "no_rule",  # the pack says nothing of it: what no law is read to permit is not charged
    "unknown",  # the pack has the figure's place, and not the figure
    "not_verified",  # the figure is from memory, and memory permits nothing
    "too_early",  # not before `on`
    "too_often",  # as often as the law lets it, or as much
    "missing",  # a letter that has to come first has not come
    "flagged",  # something about the customer or the claim forbids it
    "not_for",  # not for this debtor, or this claim
]


@dataclass(frozen=True, slots=True)
class Why:
    """One reason: a code, the rule's id, its section, and what it is about (`on`: the first day that it may be)."""

    code: Code
    law: str = ""
    rule: str = ""
    about: str = ""
    on: date | None = None


@dataclass(frozen=True, slots=True)
class FeeAnswer:
    """The most that may be charged, in minor units of the pack's currency. Zero: nothing is booked; `why` says why."""

    amount: int
    why: tuple[Why, ...]


def nothing(*why: Why) -> FeeAnswer:
    """Nothing may be charged, for these reasons."""
    return FeeAnswer(0, why)
