"""`relight` as it is, with a clock that is ahead or behind: `python -m tests.journeys.shifted SECONDS worker …`.

Nothing but the one clock is moved, so that a real process can work at the moment a story has come to.
"""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta

from relight.flow.database import Database, Tx
from relight.project.main import main

_told, _later = Database.clock, Tx.later_together


def shift(seconds: float) -> None:
    """Move the database's clock for this process, outside transactions and within."""
    span = timedelta(seconds=seconds)

    def clock(self: Database) -> datetime:
        return _told(self) + span

    def later_together(self: Tx, now: datetime) -> Callable[[], datetime]:
        found = _later(self, now - span)
        return lambda: found() + span

    Database.clock = clock  # type: ignore[method-assign]
    Tx.later_together = later_together  # type: ignore[method-assign]


if __name__ == "__main__":
    shift(float(sys.argv.pop(1)))
    main()
