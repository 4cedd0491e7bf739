"""The database's moment on this host: what drivers compare `send_before` with, since hosts' own clocks may be wrong."""

import time
from datetime import datetime, timedelta

from relight.flow.database import Database


class Ticker:
    """Tells the database's time without asking it each time. `set` it now and then; any thread may call it."""

    def __init__(self, db: Database):
        self._db = db
        self.set()

    def set(self) -> None:
        """Ask the database. What the question takes is counted as passed, so that we are early rather than late."""
        since = time.monotonic()
        self._told = self._db.clock(), since, time.monotonic()

    def __call__(self) -> datetime:
        """The database's moment, as far as we know."""
        at, since, _ = self._told
        return at + timedelta(seconds=time.monotonic() - since)

    def earliest(self) -> datetime:
        """A moment that is there already: what the question took counts as not passed."""
        at, _, until = self._told
        return at + timedelta(seconds=time.monotonic() - until)
