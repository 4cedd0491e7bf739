"""One row among the other rows of its case: what came before it, for the same bill, since all was last paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from relight.core.calendars import Calendar
from relight.core.rules.model import Rule
from relight.core.rules.sentences import name_of, said
from relight.core.second_opinion.log import SETTLED, Entry


@dataclass(frozen=True, slots=True)
class Held:
    """A row that is held against rules. `case`: its case's rows by day and line; `doubtful`: rows not understood.

    Rows of one day count as earlier where a rule asks what came first: the log does not tell the hour.
    """

    entry: Entry
    case: Sequence[Entry]
    calendar: Calendar
    currency: str
    doubtful: tuple[int, ...] = ()

    def round(self) -> list[Entry]:
        """The rows for the same bill since all was last paid; a row that names no bill is about every one."""
        mine = self.entry.what
        found: list[Entry] = []
        for one in self.case:
            if mine and one.what and one.what != mine:
                continue
            if SETTLED in one.acts and one.day < self.entry.day:
                found = []
            found.append(one)
        return found

    def before(self, act: str, *, together: bool = False) -> list[Entry]:
        """When an act came before the row, or on its day; with `together`, in the row itself, too."""
        day = self.entry.day
        return [e for e in self.round() if act in e.acts and e.day <= day and (together or e is not self.entry)]

    def earlier(self, rule: Rule) -> list[Entry]:
        """The rows above this one, in the order of days, that did what the rule is about."""
        rows = self.round()
        return [one for one in rows[: _place(rows, self.entry)] if one.acts & rule.targets]

    def due(self) -> date | None:
        """When the bill was due: as the row says, else the earliest day that the case's rows give."""
        if self.entry.due is not None:
            return self.entry.due
        return min((one.due for one in self.round() if one.due is not None), default=None)


def subject(rule: Rule, held: Held) -> str:
    """How a sentence about the row begins: what it did of that which the rule is about, and when."""
    return f"The {name_of(min(held.entry.acts & rule.targets or held.entry.acts))} of {said(held.entry.day)}"


def _place(rows: Sequence[Entry], entry: Entry) -> int:
    return next(at for at, one in enumerate(rows) if one is entry)
