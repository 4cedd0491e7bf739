"""A private PostgreSQL for histories: one partner, its policy published once, and everything else as at the beginning.

Tables are emptied and their numbers begin anew before each history, so that rows lie where they lay: what has no order
of its own comes in the same order again.
"""

import contextlib
import csv
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from relight.core.policy_reader import packaged_text
from relight.flow.cases.opening import open_cases
from relight.flow.cases.people import operator
from relight.flow.database import Database, Tx
from relight.flow.road.intake import import_cases
from relight.flow.road.publishing import publish_at_once
from tests.flow import factories
from tests.flow.conftest import make_partner, migrated
from tests.journeys.world import SAFE_FLAGS
from tests.simulation.connection import Room, Watch
from tests.simulation.story import Story

_SINCE = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
_OWED = 89900
_OVERDUE_DAYS = 45
# A server on which nothing happens by itself: nobody tidies up, and no circle of waiters is broken by a timer.
_QUIET = ("autovacuum = off", "deadlock_timeout = '1h'", "synchronous_commit = off", "full_page_writes = off",
          "max_parallel_workers_per_gather = 0", "jit = off")  # fmt: skip
_TABLES = """
    SELECT c.oid::regclass::text, pg_total_relation_size(c.oid) FROM pg_class c
    WHERE c.relnamespace = 'relight'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""
_TIDY_EVERY = 40


class Ground:
    """The server, and what stays on it from history to history."""

    def __init__(self, urls: dict[str, str]):
        self.urls = urls
        self.watch = Watch(urls["admin"])
        self.room = Room(urls["app"], self.watch)
        self.partner = self._found()
        self._kept = {table for table in self._tables() if self._rows(table)}
        self._laid = 0

    def close(self) -> None:
        """End the connections."""
        self.room.close()
        self.watch.connection.close()

    def lay(self, told: Story) -> list[tuple[int, str]]:
        """Begin anew with the story's accounts, each with a line and a bill; their (id, ref)."""
        self.empty()
        self.room.clock_is_off, self.room.on_commit = timedelta(0), None
        self.watch.rows("UPDATE partner SET stopped_at = NULL WHERE id = %s RETURNING 1", (self.partner,))
        at = told.starts_at
        with self._database() as db:
            with db.transaction(self.partner) as tx:
                factories.make_source(tx, at)
                accounts = [self._move_in(tx, f"C{number}", at) for number in range(len(told.noticed))]
            self._take_over(db, told)
        return accounts

    def _move_in(self, tx: Tx, ref: str, at: datetime) -> tuple[int, str]:
        """A customer with a line and a bill."""
        contacts = {"sms": f"+479000000{ref[1:]}", "email": f"{ref.lower()}@kunde.example"}
        account = factories.make_account(tx, at, ref=ref, contacts=contacts)
        factories.make_service(tx, account, at, driver="sim", address={"device": f"line-{ref}"}, ref=f"S-{ref}")
        for flag in SAFE_FLAGS:
            tx.run(
                "INSERT INTO flag (partner_id, name, value, account_id, starts_at, source)"
                " VALUES (%(p)s, %(name)s, 'no', %(account)s, %(now)s, 'import')",
                {"p": self.partner, "name": flag, "account": account.id, "now": at},
            )
        due = at.date() - timedelta(days=_OVERDUE_DAYS)
        factories.make_claim(tx, account, at, number=f"F-{ref}", amount=_OWED, due_date=due)
        open_cases(tx, [account.id], at)
        return account.id, ref

    def _take_over(self, db: Database, told: Story) -> None:
        """Who was reminded before, elsewhere."""
        rows = [
            (f"C{number}", step, told.starts_at.date() - timedelta(days=days + earlier), f"F-C{number}", "letter 88")
            for number, days in enumerate(told.noticed) if days
            for step, earlier in (("friendly", 5), ("reminder", 0))
        ]  # fmt: skip
        if not rows:
            return
        with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("account", "step", "completed_date", "claims", "proof"))
            writer.writerows(rows)
            file.flush()
            report = import_cases(db, self.partner, Path(file.name), now=told.starts_at)
        assert not report.rejected, report.errors

    def _found(self) -> int:
        """The partner and its policy."""
        with psycopg.connect(self.urls["owner"], autocommit=True) as owner:
            partner = make_partner(owner, _SINCE)
            drivers = {"supply": {"sim": {}}, "messages": {"sms": {}, "email": {}}}
            owner.execute(
                "UPDATE partner SET driver_settings = %s, site = 'nordlys.example', money_stale_after_hours = 10000"
                " WHERE id = %s",
                (Jsonb(drivers), partner),
            )
            owner.execute(
                "UPDATE brand SET phone = '77 00 00 00', site = 'nordlys.example',"
                " return_address = E'Nordlys Kraft AS\\nPostboks 1\\n9008 Tromsø' WHERE partner_id = %s",
                (partner,),
            )
        with self._database() as db, db.transaction(partner) as tx:
            publish_at_once(tx, packaged_text("broadband-no"), by=operator("test"), now=_SINCE)
        return partner

    @contextlib.contextmanager
    def _database(self) -> Iterator[Database]:
        with Database(self.urls["app"], size_max=1, name="simulation-ground") as db:
            yield db

    def _tables(self) -> dict[str, int]:
        return dict(self.watch.rows(_TABLES))

    def _rows(self, table: str) -> bool:
        return bool(self.watch.rows(f"SELECT 1 FROM {table} LIMIT 1"))  # noqa: S608 - a name from the catalogue

    def empty(self) -> None:
        """Nothing but the partner and its policy."""
        tables = [table for table in self._tables() if table not in self._kept]
        self.watch.connection.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY")
        self._laid += 1
        if self._laid % _TIDY_EVERY == 0:
            for catalog in ("pg_class", "pg_attribute", "pg_depend"):
                self.watch.connection.execute(f"VACUUM {catalog}")


@contextlib.contextmanager
def ground() -> Iterator[Ground]:
    """A server for as long as the block lasts."""
    with migrated() as urls:
        with psycopg.connect(urls["admin"], autocommit=True) as admin:
            for setting in _QUIET:
                admin.execute(f"ALTER SYSTEM SET {setting}")
            admin.execute("SELECT pg_reload_conf()")
        made = Ground(urls)
        try:
            yield made
        finally:
            made.close()
