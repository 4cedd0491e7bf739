"""What files about mandates and collections have in common: their rows some at a time, and what became of them."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeVar

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.fields import Problem

T = TypeVar("T")
ERRORS_MAX = 1_000  # that are kept and told of a file; the others are counted
_BATCH = 1_000


@dataclass(slots=True)
class Taken:
    """What became of a file: how many rows changed something, how many did not, and what was wrong with the others.

    `ended` are mandates that the file does not name any more, though it is a full list. `rejected` counts all rows that
    were wrong; `errors` says of the first `ERRORS_MAX` why.
    """

    read: int = 0
    changed: int = 0
    ended: int = 0
    rejected: int = 0
    errors: list[Problem] = field(default_factory=list[Problem])

    @property
    def unchanged(self) -> int:
        """Rows that say what was known."""
        return self.read - self.changed - self.rejected

    def reject(self, problems: Iterable[Problem]) -> None:
        """Count rows that are wrong, and keep the first."""
        for problem in problems:
            self.rejected += 1
            if len(self.errors) < ERRORS_MAX:
                self.errors.append(problem)


def table(path: Path, columns: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """A table's rows with their lines, by the names of its columns. Raises `UnableToImport`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=";" if head.count(";") >= head.count(",") else ",", restval="")
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            missing = [name for name in columns if name not in names]
            if missing:
                raise UnableToImport(f"{path.name} has no column {missing[0]!r}. It needs {', '.join(columns)}.")
            reader.fieldnames = names
            for row in reader:
                yield reader.line_num, {name: (row.get(name) or "").strip() for name in names}
    except UnicodeDecodeError:
        raise UnableToImport(f"{path.name} is not UTF-8. Save it as such.") from None
    except csv.Error as wrong:
        raise UnableToImport(f"{path.name} is no table: {wrong}.") from None
    except OSError as refused:
        raise UnableToImport(f"{path} cannot be opened: {refused.strerror}. Check the name and its rights.") from None


def batches(rows: Iterable[T]) -> Iterator[list[T]]:
    """Rows some at a time."""
    turned = iter(rows)
    while batch := list(islice(turned, _BATCH)):
        yield batch
