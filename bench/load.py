"""The load: a batch of cases that the bulk worker decides, woken anew where it would run dry."""

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType

import psycopg

from bench.home import Home
from bench.town import SQL
from relight.flow.niceness import NICENESS, make_nice

_LOOK_SECONDS = 5  # in which no half of the load can be decided: counting what waits takes a core's time of its own
_SLICE = 5_000


@dataclass
class Load:
    """Keeps at least half of the `count` cases from `first` on due while the block lasts.

    Afterwards `decided` in `seconds`."""

    home: Home
    partner: int
    first: int
    count: int
    decided: int = 0
    woken: int = 0
    seconds: float = 0.0
    _due_before: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)
    _failed: BaseException | None = None

    def __enter__(self) -> "Load":
        self._due_before, self._began = self.due(), time.monotonic()
        self._thread = threading.Thread(target=self._keep, name="load", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join()
        self.decided = self._due_before + self.woken - self.due()
        self.seconds = time.monotonic() - self._began
        if self._failed is not None and error is None:
            raise self._failed

    def due(self) -> int:
        """How many are waiting to be decided."""
        with self.home.owner() as owner:
            return self._due(owner)

    def _keep(self) -> None:
        try:
            with self.home.owner() as owner:
                make_nice(owner, NICENESS)
                at = 0
                while not self._ending.wait(_LOOK_SECONDS):
                    missing = self.count // 2 - self._due(owner)
                    for _ in range(0, self.count, _SLICE):
                        if missing <= 0 or self._ending.is_set():
                            break
                        missing -= self._wake(owner, at)
                        at = at + _SLICE if at + _SLICE < self.count else 0
        except BaseException as failed:  # noqa: BLE001 - raised again in the thread that measures
            self._failed = failed

    def _wake(self, owner: psycopg.Connection, at: int) -> int:
        last = self.first + min(at + _SLICE, self.count) - 1
        params = {"partner": self.partner, "first": self.first + at, "last": last}
        woken = owner.execute(SQL.wake_again, params).rowcount
        self.woken += woken
        return woken

    def _due(self, owner: psycopg.Connection) -> int:
        params = {"partner": self.partner, "first": self.first, "last": self.first + self.count - 1}
        found = owner.execute(SQL.due, params).fetchone()
        assert found is not None
        return found[0]
