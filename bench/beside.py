"""What else goes on while customers pay: an import of invoices, and a feed with its writer and its reader.

Both are of partners of their own, as in a group; they begin with the payments and are ended with the last of them.
"""

import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg

from bench import population
from bench.feed_readers import Reader
from bench.feed_writers import SLICE, SQL, writers
from bench.home import Home
from bench.importing import INVOICES_EACH, write_invoices
from bench.population import CUSTOMERS, Plan, Shape
from bench.processes import wait_until

_FEED_CASES = 4_000
_FEED_FIRST, _IMPORT_FIRST = 200_000_000, 300_000_000  # where nobody else's accounts lie
_ROUND = 2_000  # events that a writer is asked for at once: after each it may be told to end


@dataclass
class Beside:
    """How much of each there is, and what came of it by the end: rows taken in, events written and read, `of` so many,
    and how many a second.

    `whole`: whether it went on until the last payment.
    """

    home: Home
    owner: psycopg.Connection
    import_rows: int
    feed_events: int
    done: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def fill(self, now: datetime) -> None:
        """Customers for the import, and cases for the feed. Before the payments' own portfolio is settled."""
        if self.import_rows:
            self._customers("imported", _IMPORT_FIRST, -(-self.import_rows // INVOICES_EACH), now)
            write_invoices(self.home.folder / "beside.csv", self.import_rows, first=_IMPORT_FIRST)
        if self.feed_events:
            tables = (*CUSTOMERS, "claims", "lines", "transfers", "cases")
            self._customers("told", _FEED_FIRST, _FEED_CASES, now, tables)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """All of it, as long as the block lasts."""
        ending = threading.Event()
        with ExitStack() as stack, ThreadPoolExecutor(3) as threads:
            under_way: list[Future[None]] = []
            reader: Reader | None = None
            if self.import_rows:
                under_way.append(threads.submit(self._import, ending))
            if self.feed_events:
                app, partner = self.home.app_url, self._partner("told")
                write = stack.enter_context(writers(app, partner, _FEED_FIRST, _FEED_CASES, 1, gently=True))
                reader = Reader(stack.enter_context(self.home.database()), partner, "beside", at_once=1000, pause=0.05)
                under_way += [threads.submit(self._write, write, ending), threads.submit(reader.follow, ending)]
            try:
                yield
            finally:
                ending.set()
            for one in under_way:
                one.result()
            if reader is not None:
                wait_until(lambda: not self._untold(), "a position for each event", seconds=300)
                reader.catch_up()
                self.done["feed"]["read"] = reader.seen
                if reader.wrong:
                    raise RuntimeError(f"the feed: {reader.wrong[:5]}")

    def _import(self, ending: threading.Event) -> None:
        command = self.home.command("import", "invoices", str(self.home.folder / "beside.csv"), "--partner", "imported")
        began = time.monotonic()
        with subprocess.Popen(
            command, env=dict(self.home.environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            while process.poll() is None and not ending.wait(0.1):
                pass
            seconds, whole = time.monotonic() - began, process.poll() is None
            process.terminate()
        if not whole and process.returncode:
            raise RuntimeError(f"the import ended with {process.returncode}")
        found = self.owner.execute("SELECT count(*) FROM claim WHERE partner_id = %s", [self._partner("imported")])
        rows = (found.fetchone() or (0,))[0]
        self.done["import"] = {
            "rows": rows, "of": self.import_rows, "per_second": round(rows / seconds), "whole": whole
        }  # fmt: skip

    def _write(self, write: Any, ending: threading.Event) -> None:
        began, written = time.monotonic(), 0
        while written < self.feed_events and not ending.is_set():
            write(events := min(_ROUND, self.feed_events - written))
            written += -(-events // SLICE) * SLICE
        seconds = time.monotonic() - began
        self.done["feed"] = {
            "events": written, "of": self.feed_events, "per_second": round(written / seconds), "whole": ending.is_set()
        }  # fmt: skip

    def _untold(self) -> int:
        """Events of the feed that have no position yet."""
        found = self.owner.execute(SQL.head, {"partner": self._partner("told")}).fetchone()
        assert found is not None
        return int(found[1])

    def _customers(self, slug: str, first: int, count: int, now: datetime, tables: tuple[str, ...] = CUSTOMERS) -> None:
        partner = population.make_partner(self.owner, slug, now, {})
        with self.home.database() as db:
            policy = population.publish_policies(db, partner, now)["broadband"]
        with self.home.filling() as filling:
            plan = Plan(first, count, (Shape(0, 4),), wakes_in=timedelta(days=5), tables=tables)
            population.fill(filling, partner, policy, plan, now)

    def _partner(self, slug: str) -> int:
        found = self.owner.execute("SELECT id FROM partner WHERE slug = %s", [slug]).fetchone()
        assert found is not None
        return int(found[0])
