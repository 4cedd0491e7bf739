"""Files as people have them: any delimiter and encoding, stray quotes, lines cut off; a bad line costs itself."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pytest

from relight.flow.claims import tables
from relight.flow.claims.cells import Row
from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.tables import open_table


def read(path: Path, **given: str) -> tuple[list[str], list[Row]]:
    with open_table(path, **given) as table:
        return table.header, list(table.rows)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_delimiter_and_any_line_end_is_found(path: Path, delimiter: str, ending: str) -> None:
    lines = [delimiter.join(("number", "text")), delimiter.join(("1", "a")), "", delimiter.join(("2", "b"))]
    write(path, (ending.join(lines)).encode())

    header, rows = read(path)

    assert header == ["number", "text"]
    assert [(row.line, row.cells) for row in rows] == [(2, ["1", "a"]), (4, ["2", "b"])]


def test_a_byte_order_mark_is_not_part_of_the_first_name(path: Path) -> None:
    write(path, b"\xef\xbb\xbfnumber,text\n1,\xc3\xb8\n")

    assert read(path)[0] == ["number", "text"]
    assert read(path)[1][0].cells == ["1", "ø"]


def test_a_file_whose_header_is_latin_1_is_read_as_latin_1(path: Path) -> None:
    write(path, "Beløp;Navn\n10;Åse\n".encode("latin-1"))

    header, rows = read(path)

    assert header == ["Beløp", "Navn"]
    assert rows[0].cells == ["10", "Åse"]


def test_a_file_with_many_latin_1_lines_and_no_utf_8_is_latin_1(path: Path) -> None:
    names = ["Åse", "Bjørn", "Kåre", "Per"]
    write(path, ("name\n" + "\n".join(names)).encode("latin-1"))

    assert [row.cells for row in read(path)[1]] == [[name] for name in names]


def test_a_single_latin_1_line_among_utf_8_is_broken_and_says_where(path: Path) -> None:
    good = "".join(f"{at},Bjørn\n" for at in range(100)).encode()
    write(path, b"number,name\n" + good + "100,Bj\xf8rn\n".encode("latin-1") + "101,Åse\n".encode())

    rows = read(path)[1]

    broken = [row for row in rows if row.broken]
    assert len(rows) == 102
    assert [(row.line, row.broken.column if row.broken else None) for row in broken] == [(102, 1)]
    assert "UTF-8" in (broken[0].broken.reason if broken[0].broken else "")


def test_a_nul_byte_is_broken(path: Path) -> None:
    write(path, b"number,name\n" + b"1,a\n" * 200 + b"2,b\x00c\n")

    assert [row.line for row in read(path)[1] if row.broken] == [202]


def test_a_quoted_text_may_go_on_over_lines(path: Path) -> None:
    write(path, b'number,text\n1,"first\nsecond, ""third"""\n2,b\n')

    rows = read(path)[1]

    assert [row.cells for row in rows] == [["1", 'first\nsecond, "third"'], ["2", "b"]]
    assert [row.line for row in rows] == [2, 4]


def test_a_quote_that_is_never_closed_costs_its_own_line_only(path: Path) -> None:
    write(path, b'number,text\n1,"open\n' + b"".join(b"%d,fine\n" % at for at in range(2, 300)))

    rows = read(path)[1]

    assert [row.line for row in rows if row.broken] == [2]
    assert [row.cells[0] for row in rows if not row.broken] == [str(at) for at in range(2, 300)]


def test_two_stray_quotes_do_not_swallow_what_lies_between(path: Path) -> None:
    write(path, b'number,text\n1,"open\n2,fine\n3,"open too\n4,fine\n')

    rows = read(path)[1]

    assert [row.cells[0] for row in rows if not row.broken] == ["2", "4"]


def test_an_inch_sign_inside_a_text_is_just_a_sign(path: Path) -> None:
    write(path, b'number,text\n1,19" rack\n2,b\n')

    assert [row.cells for row in read(path)[1]] == [["1", '19" rack'], ["2", "b"]]


def test_a_line_that_is_cut_off_and_one_that_is_too_wide_are_broken(path: Path) -> None:
    write(path, b"a,b,c\n1,2,3\n1,2,3,4\n1,2,3,,\n1,2")

    rows = read(path)[1]

    assert [row.line for row in rows if row.broken] == [3, 5]
    assert "2 of 3 columns" in (rows[3].broken.reason if rows[3].broken else "")


def test_a_line_without_an_end_is_skipped_in_constant_memory(path: Path) -> None:
    write(path, b"a,b\n" + b"x" * (5 * tables.LINE_CHARACTERS_MAX) + b"\n1,2\n")

    rows = read(path)[1]

    assert [(row.line, bool(row.broken)) for row in rows] == [(2, True), (3, False)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\xd0\xcf\x11\xe0rest", ".xlsx or as CSV"),
        ("number\n".encode("utf-16"), "not plain text"),
        (b"PK\x03\x04rubbish", "not an Excel file"),
        (b"%PDF-1.7\n1 0 obj", "is a PDF"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Document/>", "is XML"),
    ],
)
def test_a_file_that_cannot_be_used_says_what_to_do(path: Path, content: bytes, says: str) -> None:
    write(path, content)

    with pytest.raises(UnableToImport, match=says):
        read(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnableToImport, match="cannot be opened"):
        read(tmp_path / "nothing.csv")


def test_excel_gives_days_and_exact_numbers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["number", "amount", "due", "paid", "text"])
    sheet.append(
        [
            1001,
            0.1 + 0.2,
            datetime(2026, 3, 1),  # noqa: DTZ001 - Excel knows no time zones
            True,
            "ø",
        ]
    )
    sheet.append([None, None, None, None, None])
    sheet.append([1002, 55.94, date(2026, 3, 2), None, "x"])
    book.save(tmp_path / "file.xlsx")

    header, rows = read(tmp_path / "file.xlsx")

    assert header == ["number", "amount", "due", "paid", "text"]
    assert rows[0].cells == [Decimal(1001), Decimal("0.3"), date(2026, 3, 1), "yes", "ø"]
    assert rows[1] == Row(4, [Decimal(1002), Decimal("55.94"), date(2026, 3, 2), None, "x"])


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(UnableToImport, match="is not a file"):
        read(tmp_path)


def test_characters_that_only_look_like_line_ends_belong_to_their_text(path: Path) -> None:
    write(path, 'number,text\n1,"a\u2028b\x85c, ""d"""\n2,b\n'.encode())

    assert [row.cells for row in read(path)[1]] == [["1", 'a\u2028b\x85c, "d"'], ["2", "b"]]


def test_a_quoted_text_beyond_any_measure_is_broken_and_the_rest_is_read(path: Path) -> None:
    long = "x" * (tables.LINE_CHARACTERS_MAX - 10)
    write(path, f'number,text\n1,"{long}\n{long}"\n2,b\n'.encode())

    rows = read(path)[1]

    assert [row.cells for row in rows if not row.broken] == [["2", "b"]]


def test_a_sheet_whose_stated_size_is_wrong_is_read_whole(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["number", "text"], [1, "a"], [2, "b"]):
        sheet.append(row)
    book.save(tmp_path / "good.xlsx")
    rewrite(tmp_path / "good.xlsx", tmp_path / "file.xlsx", lambda xml: xml.replace(b'ref="A1:B3"', b'ref="A1"'))

    header, rows = read(tmp_path / "file.xlsx")

    assert header == ["number", "text"]
    assert [row.cells[1] for row in rows] == ["a", "b"]


def test_a_sheet_that_is_damaged_half_way_gives_the_rows_before(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["number", "text"])
    for at in range(2_000):
        sheet.append([at, "a"])
    book.save(tmp_path / "good.xlsx")
    rewrite(tmp_path / "good.xlsx", tmp_path / "file.xlsx", lambda xml: xml[: len(xml) // 2])

    rows = read(tmp_path / "file.xlsx")[1]

    assert [bool(row.broken) for row in rows] == [False] * (len(rows) - 1) + [True]
    assert 500 < len(rows) < 2_000
    assert "damaged" in (rows[-1].broken.reason if rows[-1].broken else "")


def test_a_workbook_whose_texts_would_fill_the_memory_is_refused_before_they_are_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["number", "account"])
    book.save(tmp_path / "good.xlsx")
    with ZipFile(tmp_path / "good.xlsx", "a", ZIP_DEFLATED) as parts:
        parts.writestr("xl/sharedStrings.xml", b" " * 101_000_000)

    with pytest.raises(UnableToImport, match="holds 101 MB of text, and an Excel file may hold 100 MB"):
        read(tmp_path / "good.xlsx")


def test_a_cell_right_of_the_header_is_broken(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["number", "text"], [1, "a", "?"], [2, "b", None], [None, None, "?"]):
        sheet.append(row)
    book.save(tmp_path / "file.xlsx")

    assert [row.line for row in read(tmp_path / "file.xlsx")[1] if row.broken] == [2, 4]


def rewrite(source: Path, target: Path, change: Callable[[bytes], bytes]) -> None:
    """Copy a workbook with its first sheet changed."""
    with ZipFile(source) as old, ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name.endswith("sheet1.xml") else content)
