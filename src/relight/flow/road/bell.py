"""The bell that wakes one of the worker's loops, and says for whom."""

import asyncio

from relight.flow.road.due import Only

_REST_SECONDS_MAX = 0.1  # a round that had to wait for somebody's lock is no reason to wait once more


class Bell:
    """Rung with the partners that have work. Every so often the loop has to ask the database instead: a bell may be
    missed, and some work falls due by the clock alone.

    After a round that found work the next begins a pause later than that one began, and unless more is waiting the loop
    rests for as long as that round took, a tenth of a second at most. Who comes to a loop at rest never waits, and what
    comes while it is busy is taken together: each round has its price, however little it finds, and where the machine
    is full they take long."""

    def __init__(self, ask_after_seconds: float, *, pause_seconds: float = 0):
        self.seconds, self.pause = ask_after_seconds, pause_seconds
        self._began = self._not_before = float("-inf")
        self._rung = asyncio.Event()
        self._named = set[int]()
        self._asked_at = float("-inf")

    def ring(self, *partners: int) -> None:
        """There is work for these."""
        if partners:
            self._named.update(partners)
            self._rung.set()

    def take(self) -> Only:
        """Whom to work for now; None: for whomever the database names."""
        named, self._named = self._named, set[int]()
        self._rung.clear()
        self._began = now = asyncio.get_running_loop().time()
        if named and now - self._asked_at < self.seconds:
            return named
        self._asked_at = now
        return None

    def found_work(self, *, more: bool = False) -> None:
        """The round that `take` began was not for nothing; `more` waits, as far as is known."""
        now = asyncio.get_running_loop().time()
        rest = 0.0 if more else min(now - self._began, _REST_SECONDS_MAX)
        self._not_before = max(self._began + self.pause, now + rest)

    async def wait(self) -> None:
        """Until it rings and the pause is over, or until it is time to ask."""
        try:
            async with asyncio.timeout(self.seconds):
                await self._rung.wait()
        except TimeoutError:
            return
        await asyncio.sleep(max(0.0, self._not_before - asyncio.get_running_loop().time()))
