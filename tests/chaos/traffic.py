"""What goes on while things fail: homes are limited and pay, bills come in, the bank is heard. Threads, until `end`."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg
import psycopg_pool

from tests.chaos.sender import Sender
from tests.chaos.town import Town

_AWAY = (psycopg.OperationalError, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed)
_BACK = """
    SELECT k.provider_ref FROM checkout k JOIN service s ON s.account_id = k.account_id
    JOIN supply u ON u.service_id = s.id WHERE k.provider_ref = ANY (%(refs)s) AND u.observed = 'full'
"""
_WAITING = """
    SELECT count(*) FROM supply u JOIN service s ON s.id = u.service_id
    WHERE NOT EXISTS (SELECT FROM checkout k WHERE k.account_id = s.account_id)
"""
_AGAIN_SECONDS = 0.3
_BILLS_SECONDS = 8
_STOCK = 60


@dataclass
class Traffic:
    """Customers pay one by one; when each had paid and when each was back, by the monotonic clock. `broken`: which of
    its threads ended over what nobody expected, and why."""

    town: Town
    sender: Sender
    pace_seconds: float
    homes: int
    bills: int
    poisoned: int = 0
    paid_at: dict[str, float] = field(default_factory=dict)
    back_at: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stock: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Begin, with those who had ordered before and not paid."""
        self._stock = [ref for ref in self.town.ordered() if ref not in self.sender.accepted]
        for loop in (self._move_in, self._pay, self._look):
            thread = threading.Thread(target=self._kept, args=(loop,), name=loop.__name__, daemon=True)
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """Nobody else pays."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def missing(self) -> list[str]:
        """Who has paid and is not back."""
        return [ref for ref in list(self.paid_at) if ref not in self.back_at]

    def look(self) -> None:
        """See who is back."""
        if missing := self.missing():
            with self.town.db.transaction(self.town.partner) as tx:
                found = [row[0] for row in tx.rows(_BACK, {"refs": missing})]
            self.back_at.update(dict.fromkeys(found, time.monotonic()))

    def pays(self, ref: str) -> None:
        """A customer who was on the card page has paid."""
        self.paid_at[ref] = time.monotonic()
        self.sender.pay(ref)

    def recovered(self, since: float, ended: float) -> float | None:
        """How many seconds after a fault struck it was as if nothing had been: one who paid after its end is back, and
        so is everybody who had paid before that. None: not yet."""
        later = [self.back_at[ref] for ref, at in list(self.paid_at.items()) if at >= ended and ref in self.back_at]
        before = [self.back_at.get(ref) for ref, at in list(self.paid_at.items()) if at < ended]
        if not later or None in before:
            return None
        return max(min(later), max((at for at in before if at is not None), default=since)) - since

    def _pay(self) -> None:
        if not self._stock:
            self._stock = self.town.order(10)
        if self._stock:
            self.pays(self._stock.pop(0))
        self._ending.wait(self.pace_seconds)

    def _move_in(self) -> None:
        with self.town.db.transaction(self.town.partner) as tx:
            waiting = tx.value(_WAITING)
        if waiting < _STOCK or self.town.is_half_in():
            self.town.wave(self.homes, poisoned=0 if self.town.waves else self.poisoned)
        self.town.bank_is_heard()
        self.town.bill(int(time.time()), self.bills)
        self._ending.wait(_BILLS_SECONDS)

    def _look(self) -> None:
        self.look()
        self._ending.wait(0.1)

    def _kept(self, loop: Callable[[], None]) -> None:
        while not self._ending.is_set():
            try:
                loop()
            except _AWAY:
                self._ending.wait(_AGAIN_SECONDS)
            except BaseException as unexpected:
                self.broken.append(f"{loop.__name__} ended: {unexpected!r}")
                raise
