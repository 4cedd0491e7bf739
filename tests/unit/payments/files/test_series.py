"""Whether one statement follows another: by number, by balance, across pages, new years and OCR's two counts."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from relight.flow.payments.files.series import Series, follows
from relight.flow.payments.files.statements import Statement
from relight.flow.payments.sequence import Span, advance, complete_until

DAY = datetime(2026, 3, 2, tzinfo=UTC)
FIRST = Statement("camt.053 NO1 NOK", 1, 12, opening=0, closing=100, until=DAY)


@pytest.mark.parametrize(
    ("after", "goes_on"),
    [
        (replace(FIRST, number=13, opening=100), True),
        (replace(FIRST, number=13, opening=90), False),
        (replace(FIRST, number=14, opening=100), False),
        (replace(FIRST, number=12, opening=100), False),
        (replace(FIRST, number=12, opening=100, until=datetime(2026, 3, 3, tzinfo=UTC)), True),
        (replace(FIRST, number=12, opening=90, until=datetime(2026, 3, 3, tzinfo=UTC)), False),
        (replace(FIRST, number=12, opening=None, until=datetime(2026, 3, 3, tzinfo=UTC)), False),
        (replace(FIRST, number=1, opening=100), False),
        (replace(FIRST, number=1, opening=100, until=datetime(2027, 1, 1, tzinfo=UTC)), True),
        (replace(FIRST, number=2, opening=100, until=datetime(2027, 1, 2, tzinfo=UTC)), False),
        (replace(FIRST, number=13, opening=None), True),
        (replace(FIRST, number=None, opening=100), True),
        (replace(FIRST, number=None, opening=90), False),
        (replace(FIRST, number=None, opening=None), False),
        (replace(FIRST, number=13, opening=100, part=2), False),
        (replace(FIRST, chain="camt.053 NO2 NOK", number=13, opening=100), False),
    ],
)
def test_numbers_and_balances_must_both_go_on(after: Statement, goes_on: bool) -> None:
    assert follows(FIRST, after) is goes_on


def test_pages_follow_until_the_last() -> None:
    page = replace(FIRST, is_last=False)

    assert follows(page, replace(FIRST, part=2, opening=100))
    assert not follows(page, replace(FIRST, number=13, opening=100))


@pytest.mark.parametrize(("number", "other", "goes_on"), [(6, 9, True), (5, 2, True), (8, 2, True), (8, 3, False)])
def test_ocr_goes_on_by_transmission_or_by_assignment(number: int, other: int, goes_on: bool) -> None:
    before = Statement("OCR 1", 1, 5, other_number=1, until=DAY)

    assert follows(before, Statement("OCR 1", 1, number, other_number=other, until=DAY)) is goes_on


def test_a_million_notifications_in_a_row_are_one_run() -> None:
    series = Series()
    for number in range(1, 2_001):
        series.add(Statement("camt.054 NO1", number, number, until=DAY), number - 1)
    series.add(Statement("camt.054 NO1", 9_999, 3_000, until=DAY), 2_000)
    series.reject(1_000)

    assert [(run.first.number, run.last.number, run.rejected) for run in series.runs] == [
        (1, 2_000, 1),
        (3_000, 3_000, 0),
    ]


def span(id_: int, number: int, *, chain: str = "camt.054 NO1", day: int = 2) -> Span:
    one = Statement(chain, 0, number, until=datetime(2026, 3, day, tzinfo=UTC))
    return Span(id_, one, one)


def test_what_came_after_a_gap_counts_as_soon_as_the_gap_is_filled() -> None:
    heads: dict[str, Span] = {}
    first = advance(heads, [span(1, 12, day=2)])
    gap = advance(heads, [span(2, 14, day=4), span(3, 15, day=5)])
    behind = heads["camt.054 NO1"].id
    filled = advance(heads, [span(4, 13, day=3), span(2, 14, day=4), span(3, 15, day=5)])

    assert ([one.id for one in first[0]], first[1]) == ([1], [])
    assert gap == ([], ["After statement 12 of camt.054 NO1 comes 14: 13 is missing."])
    assert behind == 1
    assert ([one.id for one in filled[0]], filled[1]) == ([4, 2, 3], [])


def test_a_source_is_complete_up_to_its_most_backward_account() -> None:
    heads = {
        "camt.053 NO1 NOK": span(1, 1, day=2),
        "camt.054 NO1 NOK": span(2, 1, day=4),
        "camt.053 NO2 NOK": span(3, 1, day=3),
    }

    assert complete_until(heads) == datetime(2026, 3, 3, tzinfo=UTC)
    assert complete_until({}) is None


def test_notifications_that_nobody_can_put_in_order_are_one_run_too() -> None:
    series = Series()
    for place in range(500):
        series.add(Statement("camt.054 NO1", place, until=DAY), place)

    assert len(series.runs) == 1
    assert not series.runs[0].last.can_tell


def test_a_row_that_is_refused_while_its_statement_is_read_keeps_that_statement_back() -> None:
    series = Series()
    series.add(Statement("camt.054 NO1", 1, 1, until=DAY), 0)
    series.reject(1)
    series.add(Statement("camt.054 NO1", 2, 2, until=DAY), 1)

    assert [run.rejected for run in series.runs] == [0, 1]
