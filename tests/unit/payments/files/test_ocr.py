"""OCR giro line by line: KID, payer and sums; what was changed on the way is told by the file's own sums."""

from datetime import date

import pytest

from relight.flow.claims.errors import UnableToImport
from tests.unit.payments.files.reading import read
from tests.unit.payments.files.written import OCR_ACCOUNT, Giro, ocr

THREE = [Giro(10000, "1000017", 1), Giro(20000, "1000025", 2), Giro(30000, "1000033", 3)]


def test_a_giro_is_a_payment_with_its_kid_and_the_payers_account() -> None:
    (row,) = read(ocr([Giro(archive=99038562)]), "ocr").rows

    assert row.row is not None
    assert row.row[1:] == (89900, "NOK", "booked", date(2026, 3, 2), "", "2345676", "")
    assert row.booking == (OCR_ACCOUNT, "099038562", "", "12345678901", False, "")
    assert row.line == 3


def test_a_kid_may_end_with_a_minus_and_a_free_text_stands_where_there_is_none() -> None:
    found = read(ocr([Giro(kid="123456785-"), Giro(kid="", type="21", text="Takk for lyset")]), "ocr")

    assert [row.reference for row in found.payments] == ["123456785-", "Takk for lyset"]


@pytest.mark.parametrize(
    "giro", [Giro(type="18", sign="-"), Giro(type="20", sign="-", kid="", text="x"), Giro(sign="-")]
)
def test_a_reversal_is_a_return(giro: Giro) -> None:
    (row,) = read(ocr([giro]), "ocr").rows

    assert row.booking is not None
    assert row.booking.is_return
    assert row.row is not None
    assert row.row.state == "returned"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"00000000000020000 ", b"00000000000070000 "),  # a payment's sum
        (b"NY09008800000003", b"NY09008800000004"),  # how many there are
        (b"00000000000060000020326020326", b"00000000000050000020326020326"),  # what they come to
    ],
)
def test_an_assignment_that_does_not_add_up_is_not_booked(before: bytes, after: bytes) -> None:
    whole = ocr(THREE)
    assert whole.count(before) == 1

    found = read(whole.replace(before, after), "ocr")

    assert found.payments == []
    assert [place for place in found.problems if place[0] < 9] == [(3, "line"), (5, "line"), (7, "line")]
    assert "changed on the way" in found.reasons


def test_a_line_that_was_lost_is_noticed() -> None:
    lines = ocr(THREE).splitlines(keepends=True)

    found = read(b"".join(lines[:4] + lines[6:]), "ocr")

    assert found.payments == []
    assert "says 3 payments of 60000 øre and holds 2 of 40000" in found.reasons


@pytest.mark.parametrize(
    "accident",
    [
        lambda line: line[:40] + b"\r\n",
        lambda line: line.rstrip() + b"99\r\n",
        lambda line: b"XX" + line[2:],
        lambda line: line.replace(b"0000020000", b"00000Z0000"),
        lambda line: line.replace(b"020326", b"320326"),
        lambda line: b"\xff\x00" * 39 + line[78:],
    ],
)
def test_an_unreadable_line_costs_its_payment_and_no_other(accident) -> None:  # type: ignore[no-untyped-def]
    lines = ocr(THREE).splitlines(keepends=True)
    lines[4] = accident(lines[4])

    found = read(b"".join(lines), "ocr")

    assert [row.reference for row in found.payments] == ["1000017", "1000033"]
    assert {line for line, _ in found.problems} <= {5, 6}
    assert found.problems
    assert all(problem.reason.endswith(".") for row in found.rows for problem in row.problems)
    assert found.series.runs[0].rejected


@pytest.mark.parametrize("kept", [4, 6, 8, 9])
def test_a_file_that_was_cut_off_gives_its_whole_payments_and_does_not_count_as_complete(kept: int) -> None:
    lines = ocr(THREE).splitlines(keepends=True)

    found = read(b"".join(lines[:kept]), "ocr")

    assert len(found.payments) == min((kept - 2) // 2, 3)
    assert "ends before its last line" in found.reasons
    assert not found.series.is_whole or not found.series.runs


def test_an_assignment_that_was_lost_whole_is_noticed_by_the_files_last_line() -> None:
    one, other = ocr([Giro(10000)]).splitlines(keepends=True), ocr(THREE, assignment=2).splitlines(keepends=True)
    last = one[-1].replace(b"0000000100000006", b"0000000400000016").replace(b"0000010000", b"0000070000")

    whole = read(b"".join([*one[:-1], *other[1:-1], last]), "ocr")
    lost = read(b"".join([*one[:-1], last]), "ocr")

    assert whole.counts == (4, 0, 0)
    assert lost.counts == (1, 0, 1)
    assert not lost.series.is_whole


def test_what_is_no_ocr_file_is_refused() -> None:
    with pytest.raises(UnableToImport, match="first line must begin with NY000010"):
        read(b"ref,amount\r\n1,2\r\n", "ocr")


def test_a_very_long_line_is_one_bad_line() -> None:
    lines = ocr(THREE).splitlines(keepends=True)

    found = read(b"".join([*lines[:6], b"9" * 200_000 + b"\n", *lines[6:]]), "ocr")

    assert len(found.payments) == 3
    assert [line for line, _ in found.problems] == [7]
