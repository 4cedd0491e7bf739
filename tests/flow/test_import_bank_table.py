"""A bank's table of movements: decimal comma, in and out in one column or two, and rows without a name."""

from datetime import datetime
from pathlib import Path

import pytest

from relight.flow.claims.errors import UnableToImport
from relight.flow.database import Database
from relight.flow.road.report import Report
from tests.flow.banking import Bank
from tests.flow.importing import counts, where

TWO_COLUMNS = """\
mapping: two-columns
kind: payments
delimiter: ";"
dates: [DD.MM.YYYY]
decimal: ","
grouping: " ."
other_when_empty: [amount]
columns: {amount: Inn, value_date: Dato, reference: Melding, payer: Fra}
"""
ONE_COLUMN = """\
mapping: one-column
kind: payments
delimiter: ";"
dates: [DD.MM.YYYY]
decimal: ","
columns: {ref: Arkivref, amount: Sum, direction: Retning, value_date: Dato, reference: Melding}
words: {direction: {in: [K, Kredit], out: [D, Debet]}}
"""


class Statement(Bank):
    """A bank whose files are tables."""

    def table(self, mapping: str, *lines: str) -> Report:
        path = self.folder / "mapping.yaml"
        path.write_text(mapping, "utf-8")
        return self.sends("\n".join(lines).encode(), "csv", mapping=path)


@pytest.fixture
def bank(db: Database, partner: int, now: datetime, tmp_path: Path) -> Statement:
    return Statement(db, partner, now, tmp_path)


def test_money_that_went_out_is_another_kind_whether_it_has_a_column_or_a_mark(bank: Statement) -> None:
    two = bank.table(TWO_COLUMNS, "Dato;Fra;Melding;Inn;Ut", "20.02.2026;Kari;1;1.500,50;", "20.02.2026;Ola;2;;99,00")
    one = bank.table(
        ONE_COLUMN, "Dato;Arkivref;Retning;Sum;Melding", "20.02.2026;A1;K;10,00;x", "20.02.2026;A2;D;9,00;y"
    )

    assert (counts(two), counts(one)) == ((2, 1, 0, 1, 0), (2, 1, 0, 1, 0))
    assert bank.rows("SELECT amount FROM payment ORDER BY 1") == [(1000,), (150050,)]


def test_rows_without_a_name_count_once_across_files_that_overlap(bank: Statement) -> None:
    header, first, second = "Dato;Fra;Melding;Inn", "20.02.2026;Kari;takk;100,00", "21.02.2026;Ola;takk;100,00"
    bank.table(TWO_COLUMNS, header, first)

    again = bank.table(TWO_COLUMNS, header, first, second)

    assert counts(again) == (2, 1, 1, 0, 0)


def test_two_equal_rows_of_one_file_are_two_payments_and_stay_two(bank: Statement) -> None:
    lines = ("Dato;Fra;Melding;Inn", "20.02.2026;Kari;takk;100,00", "20.02.2026;Kari;takk;100,00")

    first, again = bank.table(TWO_COLUMNS, *lines), bank.table(TWO_COLUMNS, *lines)

    assert (counts(first), counts(again)) == ((2, 2, 0, 0, 0), (2, 0, 2, 0, 0))


def test_bad_lines_are_told_one_by_one_and_the_rest_goes_in(bank: Statement) -> None:
    report = bank.table(
        ONE_COLUMN,
        "Dato;Arkivref;Retning;Sum;Melding",
        "31.02.2026;A1;K;10,00;",
        "20.02.2026;A2;K;10,001;",
        "20.02.2026;;K;10,00;",
        "20.02.2026;A4;?;10,00;",
        "20.02.2026;A5;K;10,00;",
    )

    assert counts(report) == (5, 1, 0, 0, 4)
    assert where(report) == [(2, "value_date"), (3, "amount"), (4, "ref"), (5, "direction")]


def test_a_file_that_lacks_the_name_that_its_mapping_promises_is_refused(bank: Statement) -> None:
    with pytest.raises(UnableToImport, match="Arkivref"):
        bank.table(ONE_COLUMN, "Dato;Retning;Sum;Melding", "20.02.2026;K;10,00;x")
