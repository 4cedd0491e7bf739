"""What happens to whom in a history, drawn from its seed before it begins: a list that can be shortened.

A happening comes on a day of its own, or at the very moment when a line is about to be limited or cut: that is where
money, holds and commands meet.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

# Mondays: an ordinary one, and those before the clocks change and change back in Oslo while lines are to be limited.
STARTS = ("2026-06-01T06:00:00+00:00", "2026-03-23T06:00:00+00:00", "2026-10-19T06:00:00+00:00")
DAYS = 17
KINDS: dict[str, int] = {
    "card": 5, "giro": 4, "part": 2, "bounce": 2, "hold": 3, "unhold": 2, "invoice": 2, "credit": 2, "stop": 1,
    "void": 1, "tasks": 2, "clock": 1, "reader": 2, "raced": 2, "burst": 4, "danger": 1, "plan": 2, "promise": 1,
}  # fmt: skip
AT_THE_CUT = ("card", "giro", "hold", "stop", "burst", "giro", "raced", "credit", "void", "burst", "danger", "plan",
              "promise")  # fmt: skip
REPEATS = ("keyed", "inquire", "never")


@dataclass(frozen=True, slots=True)
class Happening:
    """`kind` is a method of `people.People`. On a day (and a second of it), or the `nth` time that a cut is near."""

    kind: str
    account: int
    day: int = 0
    second: int = 0
    nth: int = 0
    value: int = 0


@dataclass(frozen=True, slots=True)
class Story:
    """A street, the number of its workers, and everything that happens there.

    `noticed` has for each account how many days before the start its notice of closing was complete; nought for one
    that nobody has reminded yet. `repeat` is what the drivers of messages promise.
    """

    start: str
    noticed: tuple[int, ...]
    workers: int
    happenings: tuple[Happening, ...] = field(default=())
    repeat: str = REPEATS[0]

    @property
    def starts_at(self) -> datetime:
        """The first moment."""
        return datetime.fromisoformat(self.start)

    @property
    def ends_at(self) -> datetime:
        """The last moment."""
        return self.starts_at + timedelta(days=DAYS)

    def as_data(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> "Story":
        """As `as_data` wrote it."""
        happenings = tuple(Happening(**one) for one in data["happenings"])
        return cls(data["start"], tuple(data["noticed"]), data["workers"], happenings, data["repeat"])


def story(seed: int) -> Story:
    """The story of a seed."""
    draw = Random(f"{seed}-story")
    noticed = tuple(draw.choice((0, 27, 28, 29, 30, 31)) for _ in range(draw.choice((1, 2, 2))))
    accounts = len(noticed)
    happenings = [_on_a_day(draw, accounts) for _ in range(draw.randint(2, 5))]
    happenings += [_at_a_cut(draw, accounts) for _ in range(draw.randint(1, 3))]
    start, workers = draw.choice(STARTS), draw.choice((2, 2, 3))
    return Story(start, noticed, workers, tuple(happenings), draw.choice(REPEATS))


def _on_a_day(draw: Random, accounts: int) -> Happening:
    kind = draw.choices(list(KINDS), list(KINDS.values()))[0]
    second = draw.randint(0, 86_399)
    return Happening(kind, draw.randrange(accounts), draw.randint(1, DAYS - 3), second, value=draw.randrange(1000))


def _at_a_cut(draw: Random, accounts: int) -> Happening:
    kind = draw.choice(AT_THE_CUT)
    second = draw.choice((0, 0, 0, 1, 30, 90))
    return Happening(kind, draw.randrange(accounts), 0, second, draw.randint(1, 8), draw.randrange(1000))
