"""The first sheet of an .xlsx, row by row; a workbook that is damaged half-way gives the rows before the damage."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile
from zlib import error as CannotInflate

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from relight.flow.claims.cells import UNREADABLE, Broken, Cell, Row, Table, column_name
from relight.flow.claims.errors import UnableToImport

COLUMNS_MAX = 1_000
HELD_BYTES_MAX = 100_000_000  # of what is not read row by row: a workbook's texts, each kept once, and its styles
# What openpyxl lets through when a workbook is damaged or was never one.
_DAMAGED = (
    BadZipFile, InvalidFileException, CannotInflate, ParseError, AttributeError, EOFError, IndexError, KeyError,
    NotImplementedError, OSError, TypeError, ValueError,
)  # fmt: skip


@contextmanager
def open_workbook(path: Path) -> Iterator[Table]:
    """Open a workbook whose first row with something in it names the columns. Raises `UnableToImport`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="openpyxl")
        try:
            _must_fit(path)
            book = load_workbook(path, read_only=True, data_only=True)
        except _DAMAGED as refused:
            raise UnableToImport(
                f"{path.name} is not an Excel file that can be read. Save it again as .xlsx."
            ) from refused
        try:
            yield _table(book, path.name)
        finally:
            book.close()


def _must_fit(path: Path) -> None:
    """Refuse before anything is unpacked what would be held in memory whole, and too large for it."""
    with ZipFile(path) as parts:
        held = sum(part.file_size for part in parts.infolist() if not part.filename.startswith("xl/worksheets/"))
    if held > HELD_BYTES_MAX:
        most, there = (f"{size // 1_000_000:,} MB" for size in (HELD_BYTES_MAX, held))
        raise UnableToImport(f"{path.name} holds {there} of text, and an Excel file may hold {most}. Save it as CSV.")


def _table(book: Any, name: str) -> Table:
    rows = enumerate(_values(book), start=1)
    for _, values in rows:
        if values is None:
            raise UnableToImport(f"{name} is damaged on its first sheet. Save it again as .xlsx.")
        names = [column_name(value) for value in values[:COLUMNS_MAX]]
        while names and not names[-1]:
            names.pop()
        if names:
            return Table(names, _rows(rows, len(names)))
    raise UnableToImport(f"{name} has nothing on its first sheet. Its first row must name the columns.")


def _values(book: Any) -> Iterator[tuple[object, ...] | None]:
    """Each row's values; None, and then no more, where the file is damaged."""
    try:
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write a size that is not the sheet's
        yield from sheet.iter_rows(values_only=True)
    except _DAMAGED:
        yield None


def _rows(rows: Iterator[tuple[int, tuple[object, ...] | None]], columns: int) -> Iterator[Row]:
    for at, values in rows:
        if values is None:
            yield Row(at, [], Broken("The workbook is damaged from here on. Save it again as .xlsx."))
            continue
        cells = [_cell(value) for value in values[:columns]]
        cells += [None] * (columns - len(cells))
        beyond = next((value for value in values[columns:] if value not in (None, "")), None)
        if all(cell in (None, "") for cell in cells) and beyond is None:
            continue
        yield Row(at, cells, _broken(cells, beyond, columns))


def _broken(cells: list[Cell], beyond: object, columns: int) -> Broken | None:
    if beyond is not None:
        return Broken(
            f"There is something to the right of the {columns} columns of the header. Give it a name or remove it."
        )
    for at, cell in enumerate(cells):
        if isinstance(cell, str) and UNREADABLE.search(cell):
            return Broken("There are characters here that are not text. Take them out.", at)
    return None


def _cell(value: object) -> Cell:
    """A cell's value without a float: a number is what Excel shows of it, to fifteen digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, str | date):
        return value
    if isinstance(value, int):
        return Decimal(value)
    return Decimal(format(value, ".15g")) if isinstance(value, float) else str(value)
