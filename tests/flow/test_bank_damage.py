"""Damaged bank files, all the way to the books: nothing is booked that the bank did not say, and nothing twice."""

from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from relight.flow.claims.errors import UnableToImport
from relight.flow.database import Database
from relight.flow.road.report import Report
from tests.flow.banking import Bank
from tests.flow.conftest import make_partner
from tests.unit.payments.files.damage import FILES, damaged

COPIES = 12


def taken_in(bank: Bank, content: bytes, format: str) -> Report | None:
    """None where the file is refused as a whole."""
    try:
        return bank.sends(content, format)
    except UnableToImport:
        return None


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_copy_books_no_sum_that_the_bank_did_not_say_and_the_good_file_makes_it_whole(
    db: Database, owner: psycopg.Connection, now: datetime, tmp_path: Path, name: str
) -> None:
    format_, good = FILES[name]
    sums = "SELECT amount, state, count(*) FROM payment GROUP BY 1, 2 ORDER BY 1"
    whole = Bank(db, make_partner(owner, now), now, tmp_path)
    whole.sends(good, format_)
    expected = {row[:2]: row[2] for row in whole.rows(sums)}

    for seed in range(COPIES):
        bank = Bank(db, make_partner(owner, now), now, tmp_path)
        first = taken_in(bank, damaged(good, 500 + seed), format_)
        again = taken_in(bank, damaged(good, 500 + seed), format_)
        stored = {row[:2]: row[2] for row in bank.rows(sums)}
        bank.sends(good, format_)

        assert all(count <= expected.get(sum_, 0) for sum_, count in stored.items()), seed
        assert sum(stored.values()) == (first.accepted if first else 0), seed
        assert again is None or again.accepted == 0, seed
        assert {row[:2] for row in bank.rows(sums)} == set(expected), seed
