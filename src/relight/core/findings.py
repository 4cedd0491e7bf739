"""Findings: what is wrong with a policy's text, where, and what to do: errors as values, all of them at once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

FINDINGS_MAX = 200  # more help nobody; the last one then says how many were left out


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake. `line` and `column` count from 1; `path` is as in "steps.cut.do[0].supply", empty for the file."""

    line: int
    column: int
    path: str
    message: str
    remedy: str = ""

    def __str__(self) -> str:
        place = f"line {self.line}, column {self.column}"
        where = f"{place} ({self.path})" if self.path else place
        return f"{where}: {self.message}" + (f"; {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class Findings:
    """All mistakes of one text, in its order; never empty. `source` is the file's name, for people."""

    items: tuple[Finding, ...]
    source: str = ""

    @classmethod
    def of(cls, items: Iterable[Finding], source: str = "") -> "Findings":
        """Sorted, without repetitions, and cut off at `FINDINGS_MAX`."""
        ordered = sorted(set(items))
        left_out = len(ordered) - FINDINGS_MAX
        if left_out > 0:
            last = ordered[FINDINGS_MAX]
            more = Finding(last.line, last.column, "", f"and {left_out} more findings", "mend those above first")
            ordered = [*ordered[:FINDINGS_MAX], more]
        return cls(tuple(ordered), source)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __str__(self) -> str:
        prefix = f"{self.source}: " if self.source else ""
        return "\n".join(f"{prefix}{item}" for item in self.items)
