"""What a worker does beside the road: each in a loop of its own, so that none waits for another's provider."""

import asyncio
import threading
from typing import Any, cast

import pytest

from relight.cli import running
from relight.flow.database import Database


class NoDatabase:
    """As much of a database as the loops ask for before their work, which is replaced here."""

    def by_its_own_clock(self) -> "NoDatabase":
        """The same."""
        return self

    def clock(self) -> None:
        """No moment."""


def test_lost_webhooks_are_looked_for_while_a_provider_keeps_refunds_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, polled, may_end = threading.Event(), threading.Event(), threading.Event()

    def hangs(*_: Any) -> None:
        begun.set()
        may_end.wait(60)

    def polls(*_: Any) -> None:
        if begun.wait(30):
            polled.set()

    monkeypatch.setattr(running, "send_refunds", hangs)
    monkeypatch.setattr(running, "poll_open_checkouts", polls)
    loops = dict(running._extras(cast(Database, NoDatabase()), None))

    async def both() -> bool:
        tasks = [asyncio.create_task(loops[name]()) for name in ("refunds", "poll payments")]
        try:
            return await asyncio.to_thread(polled.wait, 60)
        finally:
            may_end.set()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    assert asyncio.run(both())
