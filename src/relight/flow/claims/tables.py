"""A file as rows of cells, one at a time: CSV with any delimiter, or the first sheet of an .xlsx.

Of a CSV file nothing else is held. An Excel file keeps its texts apart from its rows, and they are held: 100 MB of them
at most.

A broken line costs itself and nothing else: it comes out as a `Broken`, and reading goes on after it.
"""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO

from relight.flow.claims.cells import UNREADABLE, Broken, Row, Table, column_name
from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.sheets import open_workbook

Line = tuple[int, str | None]

LINE_CHARACTERS_MAX = 100_000
QUOTED_LINES_MAX = 100  # a quoted text may hold line breaks; a quote that is never closed must not eat the file
SAMPLE_LINES = 5_000
LATIN_LINES_MIN, LATIN_SHARE = 3, 0.05
# What Windows calls Latin-1; it has signs where Latin-1 has none, and five bytes that mean nothing.
LATIN = "cp1252"

_ZIP = b"PK\x03\x04"  # what an .xlsx begins with
_DELIMITERS = ";\t,|"


@contextmanager
def open_table(path: Path, *, delimiter: str = "", encoding: str = "") -> Iterator[Table]:
    """Open a file by what it holds, not by its name. Raises `UnableToImport`.

    Without `encoding` a text is UTF-8, unless its header or at least one line in twenty says that it is Latin-1.
    """
    if refuse_unusable(path).startswith(_ZIP):
        with open_workbook(path) as table:
            yield table
        return
    with path.open(encoding=encoding or _guess_encoding(path), errors="surrogateescape", newline=None) as file:
        yield _read_text(file, path.name, delimiter)


def refuse_unusable(path: Path) -> bytes:
    """A file's first bytes; raises `UnableToImport` when they show that there are no rows in it to read."""
    try:
        if path.exists() and not path.is_file():
            raise UnableToImport(f"{path} is not a file. Give a file of rows.")
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as refused:
        raise UnableToImport(f"{path} cannot be opened: {refused.strerror}. Check the name and its rights.") from None
    if not start.startswith(_ZIP):
        _refuse_foreign(start, path.name)
    return start


def _refuse_foreign(start: bytes, name: str) -> None:
    """Name what is often taken for a table and is none."""
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnableToImport(
            f"{name} is an old Excel file, or has a password. Save it as .xlsx or as CSV without one, and import that."
        )
    if start.lstrip().startswith(b"%PDF"):
        raise UnableToImport(f"{name} is a PDF, which has no rows. Export the same list as CSV or .xlsx.")
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<?xml", b"<!DOCTYPE", b"<html")):
        raise UnableToImport(f"{name} is XML or a web page, not a table. Export the same list as CSV or .xlsx.")
    if not start:
        raise UnableToImport(f"{name} is empty. Its first line must name the columns.")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in start[:200]:
        raise UnableToImport(f"{name} is not plain text. Save it as “CSV UTF-8” or as .xlsx, and import that.")


def _guess_encoding(path: Path) -> str:
    """UTF-8 until shown otherwise: by the header, or by enough lines where nothing looks like UTF-8."""
    latin = utf8 = lines = 0
    with path.open("rb") as file:
        for line in islice(file, SAMPLE_LINES):
            lines += 1
            if line.isascii():
                continue
            if _is_utf8(line):
                utf8 += 1
            elif lines == 1:
                return LATIN
            else:
                latin += 1
    return LATIN if not utf8 and latin >= max(LATIN_LINES_MIN, LATIN_SHARE * lines) else "utf-8-sig"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _read_text(file: IO[str], name: str, delimiter: str) -> Table:
    lines = enumerate(_lines(file), start=1)
    first, header = next(((at, line) for at, line in lines if line is None or line.strip()), (0, None))
    if header is None:
        why = "has no header line that can be read" if first else "is empty"
        raise UnableToImport(f"{name} {why}. Its first line must name the columns.")
    separator = delimiter or max(_DELIMITERS, key=header.count)
    names = [column_name(cell) for cell in _split(header, separator)]
    return Table(names, _rows(lines, separator, len(names)))


def _lines(file: IO[str]) -> Iterator[str | None]:
    """Lines without their ends; None for one that is too long to be a line."""
    while line := file.readline(LINE_CHARACTERS_MAX):
        if line.endswith("\n") or len(line) < LINE_CHARACTERS_MAX:
            yield line.removesuffix("\n")
            continue
        while rest := file.readline(LINE_CHARACTERS_MAX):
            if rest.endswith("\n"):
                break
        yield None


def _rows(lines: Iterator[Line], delimiter: str, columns: int) -> Iterator[Row]:
    waiting: list[Line] = []  # lines that were read to find the end of a quoted text
    opens = re.compile(rf'(^|{re.escape(delimiter)})"')
    while True:
        at, line = waiting.pop() if waiting else next(lines, (0, ""))
        if not at:
            return
        if line is None:
            yield Row(at, [], Broken(f"The line is longer than {LINE_CHARACTERS_MAX} characters. Split it up."))
            continue
        if line.count('"') % 2 and opens.search(line):
            line, waiting = _close_quote(line, waiting, lines, delimiter, columns)
            if line is None:
                yield Row(at, [], Broken("A quotation mark is opened and never closed. Close it or take it out."))
                continue
        if not line.strip(delimiter + " \t"):
            continue
        cells = line.split(delimiter) if '"' not in line else _split(line, delimiter)
        yield Row(at, cells, _what_is_broken(cells, columns, line))  # type: ignore[arg-type]


def _close_quote(
    line: str,
    waiting: list[Line],
    lines: Iterator[Line],
    delimiter: str,
    columns: int,
) -> tuple[str | None, list[Line]]:
    """The whole of a quoted text that goes on over lines, or None and the lines to be read again on their own."""
    taken: list[Line] = []
    for _ in range(QUOTED_LINES_MAX):
        following = waiting.pop() if waiting else next(lines, None)
        if following is None:
            break
        taken.append(following)
        if following[1] is None or len(line) + len(following[1]) > LINE_CHARACTERS_MAX:
            break
        line = f"{line}\n{following[1]}"
        if line.count('"') % 2 == 0:
            if _is_whole(line, delimiter, columns):
                return line, waiting
            break  # it only meets the next line's stray quotation mark
    return None, [*waiting, *reversed(taken)]


def _is_whole(text: str, delimiter: str, columns: int) -> bool:
    """Whether quotation marks only open and close cells, and the cells are as many as the header's."""
    try:
        return len(_split(text, delimiter, strict=True)) == columns
    except csv.Error:
        return False


def _split(text: str, delimiter: str, *, strict: bool = False) -> list[str]:
    # Only our own line breaks: `splitlines` would also break at characters that belong to the text.
    lines = [f"{line}\n" for line in text.split("\n")]
    return next(csv.reader(lines, delimiter=delimiter, strict=strict), [])


def _what_is_broken(cells: list[str], columns: int, line: str) -> Broken | None:
    if (not line.isascii() or not line.isprintable()) and UNREADABLE.search(line):
        column = next((at for at, cell in enumerate(cells) if UNREADABLE.search(cell)), None)
        return Broken("There are bytes here that are not UTF-8 text. Save the file as UTF-8.", column)
    if len(cells) < columns:
        return Broken(f"The line ends after {len(cells)} of {columns} columns. It may have been cut off; complete it.")
    if any(cells[columns:]):
        return Broken(
            f"The line has {len(cells)} columns and the header {columns}. Put quotation marks around texts that hold "
            "the delimiter."
        )
    return None
