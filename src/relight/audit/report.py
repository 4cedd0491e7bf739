"""What an audit says: how much it looked at, and everything that is not as it must be."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

INVARIANTS = {
    "I1": "an accepted payment is never lost and counts once",
    "I2": "a balance equals the sum of its transfers",
    "I3": "nobody is cut off who must not be",
    "I4": "who has paid gets the service back",
    "I5": "each effect comes from one recorded decision, and every attempt is on record",
    "I6": "each reader of the feed sees every event once, in order",
    "I7": "no partner can read or touch another's rows",
    "I8": "no message in quiet hours, over the cap, or on a channel that has ended",
    "I9": "every rule of law holds on the stored log",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong. `case` and `event` are ids as the log has them, None where it is about neither.

    `code` names the check (stable, for scripts); `why` and `todo` are sentences for people.
    """

    invariant: str
    case: int | None
    event: int | None
    why: str
    code: str
    todo: str
    partner: str = ""

    def as_data(self) -> dict[str, Any]:
        """JSON-ready, the promised fields first."""
        return {
            "invariant": self.invariant,
            "case": self.case,
            "event": self.event,
            "why": self.why,
            "code": self.code,
            "todo": self.todo,
            "partner": self.partner,
        }


@dataclass(slots=True)
class Report:
    """Counts of what was checked, by invariant, and the violations in the order of the invariants."""

    checked: dict[str, int] = field(default_factory=lambda: dict.fromkeys(INVARIANTS, 0))
    violations: list[Violation] = field(default_factory=list[Violation])

    def add(self, invariant: str, checked: int, violations: Iterable[Violation]) -> None:
        """Take in what one check came to."""
        self.checked[invariant] += checked
        self.violations.extend(violations)

    def as_data(self) -> dict[str, Any]:
        """JSON-ready: `{checked{I1…I9}, violations[…]}`."""
        return {"checked": self.checked, "violations": [violation.as_data() for violation in self.violations]}

    def as_text(self, *, limit: int = 50) -> str:
        """For people: one line an invariant, then each violation with what to do, at most `limit` of them."""
        found = dict.fromkeys(INVARIANTS, 0)
        for violation in self.violations:
            found[violation.invariant] += 1
        lines = [
            f"{name}  {'ok  ' if not found[name] else 'FAIL'}  {self.checked[name]:>9,} checked"
            f"{f', {found[name]:,} wrong' if found[name] else ''}: {meaning}"
            for name, meaning in INVARIANTS.items()
        ]
        for violation in self.violations[:limit]:
            lines += [
                "",
                f"{violation.invariant}  {_place(violation)}",
                f"    {violation.why}",
                f"    {violation.todo}",
            ]
        if len(self.violations) > limit:
            lines += ["", f"… and {len(self.violations) - limit:,} more: --json lists all."]
        return "\n".join(lines)


def _place(violation: Violation) -> str:
    parts = [f"partner {violation.partner}"] if violation.partner else []
    parts += [f"case {violation.case}"] if violation.case is not None else []
    parts += [f"event {violation.event}"] if violation.event is not None else []
    return ", ".join(parts) or "the installation"
