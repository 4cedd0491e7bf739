"""Damaged bank files, all the way to the books: nothing is booked that the bank did not say, and nothing twice.

The long form, by hand, is `python -m tests.flow.booking_damage`.
"""

from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from relight.flow.database import Database
from tests.flow.booking_damage import Damage
from tests.unit.payments.files.damage import FILES

COPIES = 12
FIRST = 500


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_copy_books_no_sum_that_the_bank_did_not_say_and_the_good_file_makes_it_whole(
    db: Database, owner: psycopg.Connection, now: datetime, tmp_path: Path, name: str
) -> None:
    damage = Damage(db, owner, now, tmp_path, name)

    booked = [damage.book(FIRST + seed, whole=True) for seed in range(COPIES)]

    assert any(report is not None and report.accepted for report in booked)
