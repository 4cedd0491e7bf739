"""Lines become invoices: one wrong line keeps its whole invoice out, and none goes in with a line missing."""

from datetime import date

import pytest

from relight.flow.claims.cells import Broken, Row
from relight.flow.claims.columns import FileMapping
from relight.flow.claims.fields import Defaults, Fields
from relight.flow.claims.invoices import InvoiceReader
from relight.flow.claims.joining import LINES_MAX, Read
from relight.flow.claims.mapping import named_mapping

HEADER = ["number", "account", "due_date", "amount", "line_amount", "line_text"]


@pytest.fixture
def mapping() -> FileMapping:
    return named_mapping("invoices", "relight")


def read(mapping: FileMapping, *lines: str | None) -> list[Read]:
    """Read lines of number, amount and line amount; None for one of which nothing can be read."""
    rows = [Row(at, [], Broken("?")) if line is None else row(at, line) for at, line in enumerate(lines, start=2)]
    return list(InvoiceReader(Fields(mapping, HEADER, Defaults("NOK", "NO"))).read(rows))


def row(at: int, line: str) -> Row:
    number, amount, line_amount = line.split()
    cells = [number, "A1", "2026-03-01", "" if amount == "-" else amount, line_amount, f"line {at}"]
    return Row(at, list(cells))


def accepted(found: list[Read]) -> dict[str, int]:
    return {one.row.number: one.row.amount for one in found if one.row}


def test_lines_that_follow_one_another_are_one_invoice(mapping: FileMapping) -> None:
    found = read(mapping, "F1 - 100", "F1 - 20", "F2 - 30")

    assert accepted(found) == {"F1": 12000, "F2": 3000}
    assert found[0].row is not None
    assert [line.text for line in found[0].row.lines] == ["line 2", "line 3"]
    assert [one.lines for one in found] == [2, 1]


def test_a_wrong_line_keeps_its_whole_invoice_out_and_no_other(mapping: FileMapping) -> None:
    found = read(mapping, "F1 - 100", "F2 - 10", "F2 - ten", "F2 - 5", "F3 - 30")

    assert accepted(found) == {"F1": 10000, "F3": 3000}
    refused = found[1]
    assert (refused.lines, refused.row) == (3, None)
    assert [(problem.line, problem.field) for problem in refused.problems] == [(4, "line_amount"), (3, "number")]


def test_an_unreadable_line_keeps_out_the_neighbours_that_it_may_belong_to(mapping: FileMapping) -> None:
    found = read(mapping, "F1 - 100", "F2 - 10", None, "F3 - 30", "F4 - 40")

    assert accepted(found) == {"F1": 10000, "F4": 4000}
    assert sum(one.lines for one in found) == 5


def test_a_stated_amount_shows_that_no_line_is_missing(mapping: FileMapping) -> None:
    found = read(mapping, "F1 120 100", None, "F1 120 20", None, "F2 50 30")

    assert accepted(found) == {"F1": 12000}


def test_lines_that_do_not_come_to_the_stated_amount_are_refused(mapping: FileMapping) -> None:
    found = read(mapping, "F1 120 100", "F1 120 10")

    assert [problem.field for problem in found[0].problems] == ["amount"]


def test_lines_that_contradict_one_another_are_refused(mapping: FileMapping) -> None:
    rows = [row(2, "F1 - 100"), row(3, "F1 - 10")]
    rows[1].cells[2] = date(2026, 4, 1)

    found = list(InvoiceReader(Fields(mapping, HEADER, Defaults("NOK", "NO"))).read(rows))

    assert [(problem.line, problem.field) for problem in found[0].problems] == [(3, "number")]


def test_an_invoice_without_end_is_refused_without_being_kept(mapping: FileMapping) -> None:
    found = read(mapping, *["F1 - 1"] * (LINES_MAX + 5), "F2 - 2")

    assert accepted(found) == {"F2": 200}
    assert found[0].lines == LINES_MAX + 5
    assert "right column" in found[0].problems[0].reason
