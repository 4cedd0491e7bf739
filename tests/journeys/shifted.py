"""`relight` as it is, with a clock that is ahead or behind: `python -m tests.journeys.shifted SECONDS worker …`.

Nothing but the one clock is moved, so that a real process can work at the moment a story has come to.
"""

import sys
from datetime import datetime, timedelta

from relight.flow.database import Database
from relight.project.main import main

_told = Database.clock


def shift(seconds: float) -> None:
    """Move the database's clock for this process."""

    def clock(self: Database) -> datetime:
        return _told(self) + timedelta(seconds=seconds)

    Database.clock = clock  # type: ignore[method-assign]


if __name__ == "__main__":
    shift(float(sys.argv.pop(1)))
    main()
