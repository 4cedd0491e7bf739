"""Lines of one invoice, which a file gives row by row, become one invoice; nothing is posted that may lack a line."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from relight.flow.claims.fields import Problem
from relight.flow.claims.rows import ClaimRow

LINES_MAX = 10_000


class Read(NamedTuple):
    """One invoice as read: of how many rows, where it starts, the row unless it is refused, the problems met, and its
    number, which is empty when a broken row does not tell it."""

    lines: int
    line: int
    row: ClaimRow | None
    problems: tuple[Problem, ...]
    number: str = ""


def joined(rows: Iterable[Read]) -> Iterator[Read]:
    """Invoices in the order of the file, from rows of which each is one line.

    Rows of one invoice follow one another. A refused row keeps its whole invoice out. A row that does not tell its
    number may belong to either neighbour: these go in only if their stated amount shows that no line is missing.
    """
    group = _Group()
    gap_before = False
    for found in rows:
        if not found.number:
            yield found
            group.has_gap = gap_before = True
            continue
        if group.parts and group.number != found.number:
            yield group.invoice()
            group = _Group()
        group.has_gap = group.has_gap or gap_before
        gap_before = False
        group.add(found)
    if group.parts:
        yield group.invoice()


class _Group:
    """The rows of one invoice so far; beyond `LINES_MAX` they are only counted."""

    def __init__(self) -> None:
        self.parts: list[Read] = []
        self.count = 0
        self.has_gap = False

    @property
    def number(self) -> str:
        return self.parts[0].number

    def add(self, part: Read) -> None:
        self.count += 1
        if len(self.parts) < LINES_MAX:
            self.parts.append(part)

    def invoice(self) -> Read:
        """One invoice of several lines. Its other fields must agree; its amount is what the lines come to."""
        first = self.parts[0]
        problems = [problem for part in self.parts for problem in part.problems]
        rows = [(part.line, part.row) for part in self.parts if part.row is not None]
        if len(rows) < len(self.parts) or self.count > LINES_MAX:
            problems += self._left_out(len(rows))
            return Read(self.count, first.line, None, tuple(problems), first.number)
        problems += _disagreements(rows)
        whole = _whole([row for _, row in rows])
        problems += self._sums(rows[0][1], whole)
        refused = any(not problem.warning for problem in problems)
        return Read(self.count, first.line, None if refused else whole, tuple(problems), first.number)

    def _left_out(self, good: int) -> Iterator[Problem]:
        if self.count > LINES_MAX:
            reason = f"The invoice has more than {LINES_MAX} lines. Is this the right column for its number?"
            yield Problem(self.parts[0].line, "number", reason)
        elif good:
            first = next(part.line for part in self.parts if part.row is not None)
            reason = f"Another line of invoice {self.number} is wrong, so all of it stays out. Mend that line."
            yield Problem(first, "number", reason)

    def _sums(self, head: ClaimRow, whole: ClaimRow) -> Iterator[Problem]:
        line = self.parts[0].line
        if head.cancelled:
            return
        if whole.amount == 0:
            yield Problem(line, "line_amount", "The lines come to zero. Leave the invoice out.")
        if head.amount not in (0, whole.amount):
            yield Problem(line, "amount", "The lines do not come to the invoice's amount. Correct them.")
        elif head.amount == 0 and self.has_gap:
            reason = (
                "A line next to this invoice could not be read and may belong to it. Mend that line, or give the "
                "invoice's amount beside its lines."
            )
            yield Problem(line, "line_amount", reason)


def _disagreements(rows: list[tuple[int, ClaimRow]]) -> Iterator[Problem]:
    head = rows[0][1]
    of_the_line = {"service_ref": head.service_ref, "service_kind": head.service_kind, "lines": (), "customers": ()}
    same = head._replace(lines=(), customers=())
    for line, row in rows[1:]:
        if row._replace(**of_the_line) != same:  # type: ignore[arg-type]
            reason = f"Invoice {row.number} says otherwise on its first line. Make all but line columns agree."
            yield Problem(line, "number", reason)


def _whole(rows: list[ClaimRow]) -> ClaimRow:
    head = rows[0]
    lines = tuple(line for row in rows for line in row.lines)
    return head._replace(
        amount=sum(line.amount for line in lines),
        disputed=max(head.disputed, sum(line.disputed for line in lines)),
        lines=lines,
        customers=tuple(customer for row in rows for customer in row.customers),
        service_ref="",
        service_kind=head.service_kind if len({row.service_kind for row in rows}) == 1 else "",
    )
