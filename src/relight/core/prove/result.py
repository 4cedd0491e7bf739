"""What a proof comes to: findings with their counterexample, warnings, and what remains for run time and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from relight.core.prove.clock import DUE
from relight.core.prove.paths import Path
from relight.core.rules.model import Rule

HOUSE = "Relight's own rule"
BLOCKING = frozenset({"block", "default"})  # a default holds like a law until somebody takes it out of the pack


@dataclass(frozen=True, slots=True)
class Breach:
    """A way through the policy on which a rule does not hold. `path` tells it with dates, where days matter."""

    rule: str
    law: str
    step: str
    message: str
    path: str
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class Remaining:
    """A rule that no file can be held to: it is asked of each case, and `why`."""

    rule: str
    law: str
    why: str


@dataclass(frozen=True, slots=True)
class Proof:
    """The whole answer about one policy under its packs."""

    paths: int
    rules: int
    findings: tuple[Breach, ...] = ()
    warnings: tuple[Breach, ...] = ()
    remains: tuple[Remaining, ...] = ()
    hashes: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def ok(self) -> bool:
        """Whether the policy may go live."""
        return not self.findings


def breach(rule: Rule, path: Path, place: int, message: str, told: str = "") -> Breach:
    """A rule's breach at a step of a path."""
    way = told or " → ".join(step.name for step in path.steps[: place + 1])
    if path.profile != "standard":
        way += f" (profile {path.profile})"
    return Breach(rule.id, rule.law, path.steps[place].name, message, way, rule.enforce in BLOCKING)


def with_dates(path: Path, first: int, day: date, days: Sequence[date]) -> str:
    """ "due 2026-03-01 → reminder 2026-03-06 → cut 2026-03-20": the counterexample as people read it."""
    begun = f"due {day}" if first == DUE else f"{path.steps[first].name} {day}"
    told = [f"{path.steps[first + 1 + at].name} {on}" for at, on in enumerate(days)]
    return " → ".join([begun, *told])
