"""Receipts that come side by side are written together; one that cannot be written takes none of the others along."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from relight.drivers.inbox import InboxDriver
from relight.flow.messages.port import Channel, Inbound, Receipt, Report
from relight.flow.road import receipts
from relight.flow.road.receipts import AT_ONCE, Receipts

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def receipt(number: int) -> Receipt:
    return Receipt(Channel.SMS, Report.DELIVERED, AT, key=str(number))


class Writing:
    """What is written, batch by batch; `wrong` says what a batch raises. Messages from 1000 on are not known."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.wrong: Any = lambda numbers: None

    def __call__(self, told: Sequence[Receipt]) -> list[bool]:
        numbers = [int(one.key) for one in told]
        if wrong := self.wrong(numbers):
            raise wrong
        self.batches.append(numbers)
        return [number < 1000 for number in numbers]


@pytest.fixture
def writing() -> Writing:
    return Writing()


def tell(writing: Writing, *numbers: int) -> list[Any]:
    """All at once; what each was told."""

    async def all_of_them() -> list[Any]:
        post = Receipts(writing)
        return await asyncio.gather(*(post.take(receipt(number)) for number in numbers), return_exceptions=True)

    return asyncio.run(all_of_them())


def test_what_comes_at_once_is_written_together(writing: Writing) -> None:
    told = tell(writing, *range(AT_ONCE + 10))

    assert told == [True] * (AT_ONCE + 10)
    assert writing.batches == [list(range(AT_ONCE)), list(range(AT_ONCE, AT_ONCE + 10))]


def test_each_hears_whether_its_own_message_is_known(writing: Writing) -> None:
    assert tell(writing, 1, 1000, 2) == [True, False, True]


def test_a_receipt_that_cannot_be_written_takes_no_other_along(writing: Writing) -> None:
    bug = ValueError("no such thing")
    writing.wrong = lambda numbers: bug if 2 in numbers else None

    assert tell(writing, 1, 2, 3) == [True, bug, True]
    assert writing.batches == [[1], [3]]


def test_while_the_database_is_away_all_are_to_come_again(writing: Writing) -> None:
    away = psycopg.OperationalError("gone")
    writing.wrong = lambda numbers: away

    assert tell(writing, 1, 2, 3) == [away] * 3


def test_where_several_come_the_next_are_gathered_and_a_lone_one_waits_for_nobody(
    writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    pause = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await pause(0)

    monkeypatch.setattr(receipts.asyncio, "sleep", sleep)

    async def one_after_another() -> list[int]:
        post = Receipts(writing)
        waits = list[int]()
        for numbers in ([1], [2], [3, 4], [5], [6]):
            await asyncio.gather(*(post.take(receipt(number)) for number in numbers))
            waits.append(len(slept))
        return waits

    assert asyncio.run(one_after_another()) == [0, 0, 0, 1, 1]


def test_the_demos_phone_tells_receipts_side_by_side_and_again_what_was_not_taken() -> None:
    heard: list[str] = []
    refused = {"2"}

    async def sink(told: Receipt | Inbound) -> None:
        assert isinstance(told, Receipt)
        heard.append(told.key)
        await asyncio.sleep(0)
        if told.key in refused:
            refused.discard(told.key)
            raise RuntimeError("not now")

    async def listens() -> None:
        driver = InboxDriver({})
        for number in (1, 2, 3):
            driver._tell(receipt(number))
        with pytest.raises(RuntimeError):
            await driver.listen(sink)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await driver.listen(sink)

    asyncio.run(listens())

    assert heard == ["1", "2", "3", "2"]
