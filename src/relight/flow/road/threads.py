"""The threads in which a worker speaks to the database: some for the road alone, the others for all else.

Who writes ends, polls a provider or gives positions may wait long, for a lock or a replica that is away, and for each
partner another. Deciding, releasing, leases and the search for what nobody holds any more must not stand behind them:
the last is what ends such waiting.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")

OTHERS = 8  # with the road's own and a few that ask for the moment: no more than a worker has sessions


class Threads:
    """As many threads as loops use them, one call of each at a time, so that none waits for another."""

    def __init__(self, loops: int):
        self._own = ThreadPoolExecutor(loops, "road")

    def begin(self) -> None:
        """In the running event loop: `asyncio.to_thread` has `OTHERS` threads, however many cores there are."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(OTHERS, "others"))

    def end(self) -> None:
        """Nothing new is begun."""
        self._own.shutdown(wait=False)

    async def run(self, do: Callable[..., T], *given: Any) -> T:
        """What `do` answers, in a thread of the road's."""
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._own, context.run, do, *given)

    async def to_its_end(self, do: Callable[..., T], *given: Any) -> T:
        """The same; who is cancelled meanwhile waits for its end, since what it puts on record has to be acted on."""
        under_way = asyncio.ensure_future(self.run(do, *given))
        try:
            return await asyncio.shield(under_way)
        except asyncio.CancelledError:
            await asyncio.gather(under_way, return_exceptions=True)
            raise
