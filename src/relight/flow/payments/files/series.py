"""The statements of one file, told as few: those that follow one another without a gap are one run."""

from dataclasses import dataclass

from relight.flow.payments.files.statements import Statement


@dataclass(slots=True)
class Run:
    """Statements of one chain without a gap: the first and the last of them, and their places in the file."""

    first: Statement
    last: Statement
    places: range
    rejected: int = 0


class Series:
    """Statements as they are read. `is_whole` turns false when something was unreadable outside all of them."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.is_whole = True
        self._rejected: set[int] = set()  # of statements that are still being read

    def add(self, statement: Statement, place: int) -> None:
        """Add the next statement of the file; `place` counts from 0."""
        last = self.runs[-1] if self.runs else None
        rejected = statement.rejected + (place in self._rejected)
        if last and last.places.stop == place and not rejected and _joins(last.last, statement):
            last.last, last.places = statement, range(last.places.start, place + 1)
        else:
            self.runs.append(Run(statement, statement, range(place, place + 1), rejected))

    def reject(self, place: int) -> None:
        """Something of a statement could not be taken in after all."""
        for run in self.runs:
            if place in run.places:
                run.rejected += 1
                return
        self._rejected.add(place)


def _joins(before: Statement, after: Statement) -> bool:
    """Whether two statements need not be told apart: they follow, or nobody can ever tell whether they do."""
    if before.can_tell or after.can_tell:
        return follows(before, after)
    return before.chain == after.chain


def follows(before: Statement, after: Statement) -> bool:
    """Whether nothing lies between two statements of one chain: their numbers, or else their balances, say so.

    Where both are told, both must agree. A number may begin anew with 1 in a new year.
    """
    if before.chain != after.chain:
        return False
    numbers = _numbers_follow(before, after)
    if before.closing is None or after.opening is None:
        return bool(numbers)
    return before.closing == after.opening and numbers is not False


def _numbers_follow(before: Statement, after: Statement) -> bool | None:
    """None when they cannot tell."""
    if before.number is None or after.number is None:
        return None
    if after.other_number is not None and before.other_number is not None:
        return _ocr_follows(before, after)
    if after.number == before.number:
        if not before.is_last:
            return after.part == before.part + 1
        # A bank that gives all its statements one number gives none.
        return None if _is_later(before, after) and after.part == before.part else False
    if not before.is_last or after.part != 1:
        return False
    if after.number == before.number + 1:
        return True
    new_year = bool(before.until and after.until and after.until.year > before.until.year)
    return new_year and after.number == 1


def _is_later(before: Statement, after: Statement) -> bool:
    return bool(before.until and after.until and after.until > before.until)


def _ocr_follows(before: Statement, after: Statement) -> bool:
    """OCR giro counts transmissions and assignments: either goes on by one, or both stand in one transmission."""
    assert before.number is not None
    assert before.other_number is not None
    return after.number in (before.number, before.number + 1) or after.other_number == before.other_number + 1
