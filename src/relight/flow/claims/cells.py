"""Rows of cells, whatever kind of file they came from; a row that could not be read says why."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

Cell = str | Decimal | date | None

# Control characters, and what stands for bytes (or halves of characters) that mean nothing.
UNREADABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


class Broken(NamedTuple):
    """What could not be read: a sentence with what to do. `column` is the cell's place, or None for the whole line."""

    reason: str
    column: int | None = None


class Row(NamedTuple):
    """One row: where it starts in the file (from 1), and its cells, or why there are none."""

    line: int
    cells: list[Cell]
    broken: Broken | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header and an iterator over its rows, to be read once, while the file is open."""

    header: list[str]
    rows: Iterator[Row]


def column_name(value: object) -> str:
    """A header's cell as a name that can be shown and stored."""
    return UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", "" if value is None else str(value)).strip()
