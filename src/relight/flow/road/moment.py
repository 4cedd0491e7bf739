"""Which moment a batch bears: the one it was given, or the database's once the locks are held.

A worker reads the clock, asks whose work is due, and locks: meanwhile somebody may have given a hold, a flag or a block
that begins a moment after that clock. By the old moment it would not have begun yet, and a cut would leave while its
customer has it on the screen that nothing will happen (a simulated history showed it).
"""

from collections.abc import Callable
from datetime import datetime

from relight.flow.database import Tx

Moment = Callable[[Tx, datetime], Callable[[], datetime]]
"""Asked within `Tx.together`; what is returned tells the moment after the end."""


def as_told(_: Tx, now: datetime) -> Callable[[], datetime]:
    """For whoever goes by a calendar of their own: a demo, a test."""
    return lambda: now


def by_the_database(tx: Tx, now: datetime) -> Callable[[], datetime]:
    """For workers; see `Tx.later_together`."""
    return tx.later_together(now)
