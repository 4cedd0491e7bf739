"""Any bytes at all are a file: they are read or refused in a sentence, and every row of them is accounted for."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from relight.flow.claims.errors import UnableToImport
from relight.flow.claims.fields import Defaults, Fields
from relight.flow.claims.invoices import InvoiceReader
from relight.flow.claims.joining import Read
from relight.flow.claims.mapping import find_mapping
from relight.flow.claims.mapping_file import read_mapping
from relight.flow.claims.tables import open_table
from tests.unit.claims.mutations import GOOD, mutated


def read(content: bytes) -> list[Read] | str:
    """What a file comes to: its invoices, or the sentence it is refused with."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "file.csv")
        path.write_bytes(content)
        try:
            with open_table(path) as table:
                mapping = find_mapping("invoices", table.header, None)
                return list(InvoiceReader(Fields(mapping, table.header, Defaults("NOK", "NO"))).read(table.rows))
        except UnableToImport as refused:
            return str(refused)


@settings(max_examples=300, deadline=None)
@given(mutated())
def test_a_mutated_file_never_crashes_and_each_refused_row_says_why(content: bytes) -> None:
    found = read(content)

    if isinstance(found, str):
        assert found.endswith(".")
        return
    for one in found:
        assert one.lines >= 1
        assert one.row is not None or one.problems
        assert all(problem.line >= 1 and problem.field and problem.reason.endswith(".") for problem in one.problems)
        if one.row is not None:
            assert one.row.number
            assert one.row.account_ref
            assert one.row.amount == sum(line.amount for line in one.row.lines) or not one.row.lines
            assert 0 <= one.row.disputed <= max(one.row.amount, 0)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_a_sentence_or_read(content: bytes) -> None:
    found = read(content)

    assert isinstance(found, list) or found.endswith(".")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD)))
def test_a_file_that_was_cut_off_gives_no_row_that_the_whole_one_does_not(cut: int) -> None:
    whole = read(GOOD)
    assert isinstance(whole, list)
    known = {one.row for one in whole}

    found = read(GOOD[:cut])

    assert isinstance(found, str) or {one.row for one in found if one.row} <= known


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_mapping_or_says_on_which_line_it_is_none(text: str) -> None:
    try:
        told = read_mapping(text, "own.yaml").name
    except UnableToImport as refused:
        told = str(refused)

    assert told.startswith("own")
