"""Who reads in `relight bench feed`, and who looks on: readers that check what they see, and a watch over writers."""

import threading
import time
from datetime import UTC, datetime
from types import TracebackType

import psycopg

from bench.feed_writers import SQL
from bench.home import Home
from relight.flow.database import Database
from relight.flow.feeds.operations import Entry, acknowledge, position_of, read

_LOOK_SECONDS = 0.02


class Reader:
    """Follows a partner's feed in batches of `at_once`, with `pause` seconds between them, from where it stands.

    `lags`: seconds from an event's moment to its being seen, while it followed. `wrong`: what should not be."""

    def __init__(self, db: Database, partner: int, name: str, *, at_once: int, pause: float):
        self.db, self.partner, self.name, self.at_once, self.pause = db, partner, name, at_once, pause
        self.seen = self._last = 0
        self.lags: list[float] = []
        self.wrong: list[str] = []
        self._numbers: dict[int | None, int] = {}

    def follow(self, ending: threading.Event) -> None:
        """Read at its own pace until it is told to end; what was there before it began has no lag."""
        began = datetime.now(UTC)
        while not ending.is_set():
            now = datetime.now(UTC)
            self.lags += [(now - entry.at).total_seconds() for entry in self._batch() if entry.at >= began]
            ending.wait(self.pause)

    def catch_up(self) -> None:
        """Read all that is left, without a pause."""
        self.at_once = 1000
        while self._batch():
            pass

    def _batch(self) -> list[Entry]:
        with self.db.transaction(self.partner) as tx:
            entries = read(tx, after=position_of(tx, self.name), limit=self.at_once)
            if entries:
                acknowledge(tx, self.name, entries[-1].position, datetime.now(UTC))
        for entry in entries:
            self._check(entry)
        return entries

    def _check(self, entry: Entry) -> None:
        self.seen += 1
        if entry.position != self._last + 1:
            self.wrong.append(f"after position {self._last} came {entry.position}")
        number, before = entry.event_number or 0, self._numbers.get(entry.case_id, 0)
        if number <= before:
            self.wrong.append(f"case {entry.case_id}: event {number} after {before}")
        self._last, self._numbers[entry.case_id] = entry.position, number


class Watch:
    """Looks again and again whether a writer waits for somebody's lock, while the block lasts."""

    def __init__(self, home: Home):
        self.home, self.looks, self.waiting = home, 0, 0
        self._ending = threading.Event()

    def __enter__(self) -> "Watch":
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join()

    def _look(self) -> None:
        with psycopg.connect(self.home.admin_url, autocommit=True) as admin:  # others see no reasons to wait
            while not self._ending.is_set():
                found = admin.execute(SQL.waiting).fetchone()
                self.looks, self.waiting = self.looks + 1, self.waiting + bool(found and found[0])
                time.sleep(_LOOK_SECONDS)
