"""The bell that wakes one of the worker's loops, and says for whom."""

import asyncio

from relight.flow.road.due import Only


class Bell:
    """Rung with the partners that have work. Every so often, and when it was rung for nobody in particular, the loop
    has to ask the database instead: a bell may be missed, and some work falls due by the clock alone."""

    def __init__(self, ask_after_seconds: float):
        self.seconds = ask_after_seconds
        self._rung = asyncio.Event()
        self._named = set[int]()
        self._asked_at = float("-inf")

    def ring(self, *partners: int) -> None:
        """There is work for these."""
        self._named.update(partners)
        self._rung.set()

    def take(self) -> Only:
        """Whom to work for now; None: for whomever the database names."""
        named, self._named = self._named, set[int]()
        self._rung.clear()
        now = asyncio.get_running_loop().time()
        if named and now - self._asked_at < self.seconds:
            return named
        self._asked_at = now
        return None

    async def wait(self) -> None:
        """Until it rings, or until it is time to ask."""
        try:
            async with asyncio.timeout(self.seconds):
                await self._rung.wait()
        except TimeoutError:
            return
