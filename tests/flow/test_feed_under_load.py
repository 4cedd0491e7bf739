"""The feed under load: several writers, workers of which one is killed, old transactions, and readers of all kinds."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice, pairwise
from pathlib import Path

import psycopg
import pytest

from bench.feed_writers import SQL
from relight.flow.cases.operations import add_note, lock_accounts
from relight.flow.database import Database
from relight.flow.feeds.operations import Entry, acknowledge, position_of, pull, read, sequence
from tests.flow.factories import slug_of
from tests.flow.paying import Debtor, make_debtor, with_policy
from tests.journeys.processes import Workers, wait_for

CASES, SLICES, WRITERS = 30, 40, 3


@pytest.fixture
def debtors(db: Database, partner: int, now: datetime) -> list[Debtor]:
    """Some customers with open cases, of which nothing has been told yet."""
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        return [make_debtor(tx, now, reference="") for _ in range(CASES)]


@pytest.fixture
def workers(database_urls: dict[str, str], tmp_path: Path) -> Iterator[Workers]:
    """Worker processes on the tests' database."""
    made = Workers(database_urls, tmp_path)
    yield made
    made.end()


def test_who_began_last_and_commits_last_keeps_its_place_however_often_positions_are_given_meanwhile(
    db: Database, partner: int, debtors: list[Debtor], now: datetime
) -> None:
    early, late, *others = debtors
    with db.transaction(partner) as late_tx:
        with db.transaction(partner) as early_tx:
            lock_accounts(early_tx, [early.account.id])  # has its transaction's number before the late one has
            add_note(late_tx, case_id=late.case_id, actor="import", now=now, text="written first")
            add_note(early_tx, case_id=early.case_id, actor="test", now=now, text="hello")
        for other in others:
            _note(db, partner, other, now)
            sequence(db, partner, limit=1)
        before = list(pull(db, partner, "billing", now))
    _note(db, partner, late, now)
    while sequence(db, partner, limit=1):
        pass
    after = list(pull(db, partner, "billing", now))

    assert late.case_id not in {entry.case_id for entry in before}
    assert [entry.event_number for entry in after if entry.case_id == late.case_id] == [1, 2]
    assert [entry.position for entry in before + after] == list(range(1, CASES + 2))


def test_what_was_taken_is_not_walked_past_again_while_somebody_holds_an_old_snapshot(
    db: Database, owner: psycopg.Connection, partner: int, debtors: list[Debtor], now: datetime
) -> None:
    owner.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    owner.execute("SELECT count(*) FROM feed_pending")
    for debtor in debtors[:6]:
        _note(db, partner, debtor, now)
        sequence(db, partner)

    with db.transaction(partner) as tx:
        settled = tx.value("SELECT settled FROM feed_head WHERE partner_id = %(p)s", {"p": partner})
        drawn = tx.value("SELECT last_value FROM pg_sequences WHERE sequencename = 'feed_pending_id_seq'")
    owner.execute("ROLLBACK")

    assert drawn - 6 < settled <= drawn


def test_nothing_is_skipped_or_told_twice_when_a_worker_is_killed_under_load(
    db: Database, database_urls: dict[str, str], partner: int, debtors: list[Debtor], now: datetime, workers: Workers
) -> None:
    written = CASES * SLICES
    slug = slug_of(db, partner)
    dying, _ = (workers.start("bulk", at=now, partner=slug) for _ in range(2))
    load = Load(db, partner, debtors, now)

    with psycopg.connect(database_urls["owner"]) as snapshot, db.transaction(partner) as late:
        snapshot.execute("SELECT count(*) FROM feed_pending")
        late.run("SELECT id FROM account WHERE id = %(id)s FOR NO KEY UPDATE", {"id": debtors[0].account.id})
        add_note(late, case_id=debtors[0].case_id, actor="import", now=now, text="written first")
        load.start()
        wait_for(lambda: _head(db, partner) > written // 4, "a quarter of the positions")
        workers.kill(dying)
        load.written()
        wait_for(lambda: _head(db, partner) == written - SLICES, "all but the late one's case")
    wait_for(lambda: load.written_late() and _head(db, partner) == written + 1, "all positions")
    seen = load.seen()

    for entries in seen.values():
        assert [entry.position for entry in entries] == list(range(1, written + 2))
        assert _in_order_by_case(entries)
    assert workers.complaints() == ""


class Load:
    """Writers of events on all cases but the first, whose account somebody holds; and a quick reader, a slow one, and
    one that dies in the middle of each batch and goes on from where it had acknowledged."""

    def __init__(self, db: Database, partner: int, debtors: Sequence[Debtor], now: datetime):
        self.db, self.partner, self.debtors, self.now = db, partner, debtors, now
        self._threads = ThreadPoolExecutor(WRITERS + 3)
        self._ending = threading.Event()
        self._seen: dict[str, list[Entry]] = {"quick": [], "slow": [], "dying": []}
        self._is_late_written = False

    def start(self) -> None:
        """Begin to write and to read."""
        share = (CASES - 1) // WRITERS + 1
        parts = [self.debtors[1:][at * share : (at + 1) * share] for at in range(WRITERS)]
        self._writers = [self._threads.submit(self._write, part) for part in parts]
        takes: list[tuple[str, Callable[[], list[Entry]]]] = [
            ("quick", lambda: list(pull(self.db, self.partner, "quick", self.now))),
            ("slow", lambda: self._take("slow", 20)),
            ("dying", self._die_in_a_batch),
        ]
        self._readers = [self._threads.submit(self._follow, name, take) for name, take in takes]

    def written(self) -> None:
        """Wait for the writers."""
        for writer in self._writers:
            writer.result()

    def written_late(self) -> bool:
        """Write to the first case too, once; its account is free by now."""
        if not self._is_late_written:
            self._write(self.debtors[:1])
            self._is_late_written = True
        return True

    def seen(self) -> dict[str, list[Entry]]:
        """What each reader saw in the end, each position once as it told of it."""
        self._ending.set()
        for reader in self._readers:
            reader.result()
        self._threads.shutdown()
        rest = {name: list(pull(self.db, self.partner, name, self.now)) for name in self._seen}
        return {name: before + rest[name] for name, before in self._seen.items()}

    def _write(self, debtors: Sequence[Debtor]) -> None:
        first, last = debtors[0].account.id, debtors[-1].account.id
        params = {"partner": self.partner, "first": first, "last": last, "now": self.now}
        for _ in range(SLICES):
            with self.db.transaction(self.partner) as tx:
                tx.rows(SQL.lock, params)
                tx.run(SQL.write, params)

    def _follow(self, name: str, take: Callable[[], list[Entry]]) -> None:
        while not self._ending.wait(0.01):
            self._seen[name] += take()

    def _take(self, name: str, limit: int) -> list[Entry]:
        with self.db.transaction(self.partner) as tx:
            entries = read(tx, after=position_of(tx, name), limit=limit)
            if entries:
                acknowledge(tx, name, entries[-1].position, self.now)
        return entries

    def _die_in_a_batch(self) -> list[Entry]:
        with self.db.transaction(self.partner) as tx:
            waiting = len(read(tx, after=position_of(tx, "dying"), limit=7))
        lost = list(islice(pull(self.db, self.partner, "dying", self.now), waiting))  # one more would end the batch
        again = self._take("dying", 50)
        assert again[: len(lost)] == lost
        return again


def _note(db: Database, partner: int, debtor: Debtor, now: datetime) -> None:
    with db.transaction(partner) as tx:
        add_note(tx, case_id=debtor.case_id, actor="test", now=now, text="hello")


def _in_order_by_case(entries: Sequence[Entry]) -> bool:
    by_case: dict[int | None, list[int]] = {}
    for entry in entries:
        by_case.setdefault(entry.case_id, []).append(entry.event_number or 0)
    return all(one < next_ for numbers in by_case.values() for one, next_ in pairwise(numbers))


def _head(db: Database, partner: int) -> int:
    with db.transaction(partner) as tx:
        return int(tx.value("SELECT position FROM feed_head WHERE partner_id = %(p)s", {"p": partner}) or 0)
