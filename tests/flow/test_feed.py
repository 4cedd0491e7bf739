"""The feed: each reader sees every event exactly once by position, in order per case, whatever commits late or dies."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice, pairwise
from pathlib import Path

import psycopg
import pytest

from relight.flow.cases.operations import add_note
from relight.flow.database import Database
from relight.flow.feeds.operations import Entry, pull, sequence
from tests.flow.factories import pay, slug_of
from tests.flow.paying import make_debtor, with_policy
from tests.journeys.processes import Workers, holding, wait_for

CASES = 12


@pytest.fixture
def cases(db: Database, partner: int, now: datetime) -> list[int]:
    """Some open cases, of which nothing has been told yet."""
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        return [make_debtor(tx, now, reference="").case_id for _ in range(CASES)]


@pytest.fixture
def workers(database_urls: dict[str, str], tmp_path: Path) -> Iterator[Workers]:
    """Worker processes on the tests' database."""
    made = Workers(database_urls, tmp_path)
    yield made
    made.end()


def test_two_readers_at_different_speeds_see_every_event_once(
    db: Database, partner: int, cases: list[int], now: datetime
) -> None:
    quick: list[Entry] = []
    for number in range(3):
        _note(db, partner, cases, now, f"note {number}")
        _sequence_all(db, partner)
        quick += pull(db, partner, "quick", now)

    slow = list(pull(db, partner, "slow", now))

    assert [entry.position for entry in quick] == list(range(1, 3 * CASES + 1))
    assert slow == quick
    assert list(pull(db, partner, "quick", now)) == []


def test_a_reader_that_dies_in_the_middle_of_a_batch_reads_it_again_from_where_it_acknowledged(
    db: Database, partner: int, cases: list[int], now: datetime
) -> None:
    _note(db, partner, cases, now, "first")
    _sequence_all(db, partner)
    first = list(pull(db, partner, "billing", now))
    _note(db, partner, cases, now, "second")
    _sequence_all(db, partner)

    seen = list(islice(pull(db, partner, "billing", now), 5))
    again = list(pull(db, partner, "billing", now))

    assert [entry.position for entry in first] == list(range(1, CASES + 1))
    assert again[:5] == seen
    assert [entry.position for entry in again] == list(range(CASES + 1, 2 * CASES + 1))


def test_what_commits_late_is_not_skipped_and_holds_nobody_up(
    db: Database, partner: int, cases: list[int], now: datetime
) -> None:
    with db.transaction(partner) as late:
        add_note(late, case_id=cases[0], actor="import", now=now, text="written first")
        _note(db, partner, cases[1:], now, "written later")
        _sequence_all(db, partner)
        before = list(pull(db, partner, "billing", now))
    _note(db, partner, cases[:1], now, "written last")
    _sequence_all(db, partner)
    after = list(pull(db, partner, "billing", now))

    assert {entry.case_id for entry in before} == set(cases[1:])
    assert [(entry.case_id, entry.body["text"]) for entry in after] == [
        (cases[0], "written first"),
        (cases[0], "written last"),
    ]
    assert [entry.position for entry in before + after] == list(range(1, CASES + 2))


def test_a_payment_enters_the_feed_when_it_is_taken_in(
    db: Database, partner: int, cases: list[int], now: datetime
) -> None:
    with db.transaction(partner) as tx:
        debtor = make_debtor(tx, now, reference="")
        pay(tx, debtor.account, 5000, now)

    _sequence_all(db, partner)

    told = [(entry.topic, entry.body["amount"]) for entry in pull(db, partner, "billing", now)]
    assert told == [("payment.ordered", 5000), ("payment.confirmed", 5000)]


def test_a_sequencer_is_killed_while_it_gives_positions(
    db: Database, partner: int, cases: list[int], now: datetime, database_urls: dict[str, str], workers: Workers
) -> None:
    _note(db, partner, cases, now, "hello")

    with holding(database_urls["owner"], "LOCK TABLE feed IN SHARE MODE") as reached:
        worker = workers.start("bulk", at=now, partner=slug_of(db, partner))
        wait_for(reached, "the worker gives positions")
        workers.kill(worker)
    wait_for(lambda: _sequence_all(db, partner) or _head(db, partner), "the dead worker's transaction is gone")

    assert [entry.position for entry in pull(db, partner, "billing", now)] == list(range(1, CASES + 1))


def test_many_write_and_several_give_positions_and_read_at_once(
    db: Database, database_urls: dict[str, str], partner: int, cases: list[int], now: datetime
) -> None:
    traffic = Traffic(db, partner, now)

    one, two = traffic.run(cases, notes=15)

    assert one == two
    assert [entry.position for entry in one] == list(range(1, 15 * CASES + 1))
    assert _written(database_urls["owner"], partner) == {(entry.case_id, entry.event_number) for entry in one}
    by_case: dict[int | None, list[int]] = defaultdict(list)
    for entry in one:
        by_case[entry.case_id].append(entry.event_number or 0)
    assert all(before < after for numbers in by_case.values() for before, after in pairwise(numbers))


class Traffic:
    """Three writers, two sequencers and two readers, all at once."""

    def __init__(self, db: Database, partner: int, now: datetime):
        self.db, self.partner, self.now = db, partner, now
        self._writing = threading.Event()

    def run(self, cases: Sequence[int], *, notes: int) -> list[list[Entry]]:
        """Write so many events on each case; what each of the readers saw."""
        self._writing.set()
        with ThreadPoolExecutor(7) as threads:
            writers = [threads.submit(self._write, cases[at::3], notes) for at in range(3)]
            sequencers = [threads.submit(self._give) for _ in range(2)]
            readers = [threads.submit(self._take, name) for name in ("one", "two")]
            try:
                for writer in writers:
                    writer.result()
            finally:
                self._writing.clear()
            for sequencer in sequencers:
                sequencer.result()
            seen = [reader.result() for reader in readers]
        _sequence_all(self.db, self.partner)
        rest = [list(pull(self.db, self.partner, name, self.now)) for name in ("one", "two")]
        return [before + after for before, after in zip(seen, rest, strict=True)]

    def _write(self, cases: Sequence[int], notes: int) -> None:
        for number in range(notes):
            _note(self.db, self.partner, cases, self.now, str(number))

    def _give(self) -> None:
        while self._writing.is_set():
            sequence(self.db, self.partner, limit=7)

    def _take(self, name: str) -> list[Entry]:
        seen: list[Entry] = []
        while self._writing.is_set():
            seen += pull(self.db, self.partner, name, self.now)
        return seen


def _note(db: Database, partner: int, cases: Sequence[int], now: datetime, text: str) -> None:
    """An event on each case, each in a transaction of its own."""
    for case_id in cases:
        with db.transaction(partner) as tx:
            add_note(tx, case_id=case_id, actor="test", now=now, text=text)


def _sequence_all(db: Database, partner: int) -> int:
    given = 0
    while more := sequence(db, partner):
        given += more
    return given


def _head(db: Database, partner: int) -> int:
    with db.transaction(partner) as tx:
        return int(tx.value("SELECT position FROM feed_head WHERE partner_id = %(p)s", {"p": partner}) or 0)


def _written(owner_url: str, partner: int) -> set[tuple[int, int]]:
    with psycopg.connect(owner_url) as owner:
        return set(owner.execute("SELECT case_id, number FROM case_event WHERE partner_id = %s", (partner,)).fetchall())
