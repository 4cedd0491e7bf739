"""The demo's phone and mailbox: what is kept, what is told, what comes back."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from relight.drivers.inbox import InboxDriver, leave_answer, read
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.messages.port import Channel, Inbound, Message, Receipt, Report

KARI = "+4790000001"
NOON = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def sms(text: str = "Hei Kåre", **changed: Any) -> Message:
    fields = {"channel": Channel.SMS, "to": KARI, "sender": "Blåfjell", "language": "nb", "subject": "", "text": text}
    return Message(**{**fields, **changed})


def driver_at_noon(**settings: Any) -> InboxDriver:
    return InboxDriver(settings, clock=lambda: NOON)


async def send(driver: InboxDriver, message: Message, key: str = "case:1:7") -> Outcome:
    return await driver.send(message, Attempt(key, 1, NOON + timedelta(seconds=2)))


async def hear(driver: InboxDriver, how_many: int) -> list[Receipt | Inbound]:
    events: list[Receipt | Inbound] = []
    enough = asyncio.Event()

    async def sink(event: Receipt | Inbound) -> None:
        events.append(event)
        if len(events) == how_many:
            enough.set()

    listening = asyncio.create_task(driver.listen(sink))
    async with asyncio.timeout(15):
        await enough.wait()
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return events


def test_another_process_reads_what_was_kept(tmp_path: Path) -> None:
    async def story() -> Outcome:
        driver = driver_at_noon(folder=str(tmp_path))
        outcome = await send(driver, sms("Hei Kåre\nBetal på https://b.no ✓"))
        await driver.aclose()
        return outcome

    outcome = asyncio.run(story())

    (kept,) = read(tmp_path, Channel.SMS)
    assert outcome.result == Result.DONE
    assert (kept.to, kept.sender, kept.text, kept.at) == (KARI, "Blåfjell", "Hei Kåre\nBetal på https://b.no ✓", NOON)
    assert read(tmp_path, Channel.EMAIL) == []


def test_without_a_folder_messages_stay_in_memory() -> None:
    driver = driver_at_noon()

    asyncio.run(send(driver, sms()))

    assert [kept.text for kept in driver.messages] == ["Hei Kåre"]


@pytest.mark.parametrize("folder", [False, True], ids=["memory", "folder"])
def test_the_same_key_is_kept_once_even_over_a_restart(tmp_path: Path, folder: bool) -> None:
    settings = {"folder": str(tmp_path)} if folder else {}

    async def story() -> InboxDriver:
        driver = driver_at_noon(**settings)
        await send(driver, sms())
        await send(driver, sms())
        await driver.aclose()
        again = driver_at_noon(**settings) if folder else driver
        await send(again, sms())
        return again

    assert len(asyncio.run(story()).messages) == 1


def test_what_a_killed_process_has_kept_is_not_kept_by_another_that_runs_already(tmp_path: Path) -> None:
    killed, other = driver_at_noon(folder=str(tmp_path)), driver_at_noon(folder=str(tmp_path))
    asyncio.run(send(other, sms(), "case:1:6"))
    asyncio.run(send(killed, sms()))
    with (tmp_path / "sms.jsonl").open("a") as file:
        file.write('{"key": "case:1:8", "chan')  # killed while it wrote

    again = asyncio.run(send(other, sms()))
    asyncio.run(send(other, sms("Hei igjen"), "case:1:8"))

    assert again.result is Result.DONE
    assert [kept.key for kept in read(tmp_path, Channel.SMS)] == ["case:1:6", "case:1:7", "case:1:8"]


def test_a_letter_lies_beside_as_a_pdf(tmp_path: Path) -> None:
    driver = driver_at_noon(channel="letter", folder=str(tmp_path))

    asyncio.run(send(driver, sms(channel=Channel.LETTER, to="Kåre Ås\n0123 Oslo", pdf=b"%PDF-1.7")))
    asyncio.run(driver.aclose())

    (kept,) = read(tmp_path, Channel.LETTER)
    assert (tmp_path / kept.pdf).read_bytes() == b"%PDF-1.7"


def test_each_message_is_told_to_be_delivered() -> None:
    async def story() -> list[Receipt | Inbound]:
        driver = driver_at_noon(channel="email")
        await send(driver, sms(channel=Channel.EMAIL), key="case:1:7")
        await send(driver, sms(channel=Channel.EMAIL), key="case:2:7")
        return await hear(driver, 2)

    assert asyncio.run(story()) == [
        Receipt(Channel.EMAIL, Report.DELIVERED, at=NOON, provider_id="case:1:7", key="case:1:7"),
        Receipt(Channel.EMAIL, Report.DELIVERED, at=NOON, provider_id="case:2:7", key="case:2:7"),
    ]


def test_an_answer_typed_in_the_browser_is_heard(tmp_path: Path) -> None:
    leave_answer(tmp_path, Channel.SMS, sender=KARI, text="STOP", recipient="2012")

    (event,) = asyncio.run(hear(driver_at_noon(folder=str(tmp_path)), 1))

    assert isinstance(event, Inbound)
    assert (event.sender, event.recipient, event.text, event.at) == (KARI, "2012", "STOP", NOON)
    assert list((tmp_path / "sms-answers").iterdir()) == []


def test_what_could_not_be_stored_is_told_again(tmp_path: Path) -> None:
    async def fails(event: Receipt | Inbound) -> None:
        raise ConnectionError("the database is away")

    async def story() -> list[Receipt | Inbound]:
        driver = driver_at_noon(folder=str(tmp_path))
        driver.answer(KARI, "Jeg har betalt")
        leave_answer(tmp_path, Channel.SMS, sender=KARI, text="STOP")
        with pytest.raises(ConnectionError):
            await driver.listen(fails)
        return await hear(driver, 2)

    assert [event.text for event in asyncio.run(story()) if isinstance(event, Inbound)] == ["Jeg har betalt", "STOP"]


def test_a_line_half_written_is_left_for_the_next_time(tmp_path: Path) -> None:
    driver = driver_at_noon(folder=str(tmp_path))
    asyncio.run(send(driver, sms()))
    asyncio.run(driver.aclose())
    with (tmp_path / "sms.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": "half"})[:-1])

    assert len(read(tmp_path, Channel.SMS)) == 1


def test_a_release_too_old_is_not_kept() -> None:
    driver = driver_at_noon()

    outcome = asyncio.run(driver.send(sms(), Attempt("case:1:7", 1, NOON)))

    assert outcome.result == Result.LATE
    assert driver.messages == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"channel": "fax"}, "channel is one of sms, email, letter"), ({"receipts": 1}, "receipts is true or false")],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        InboxDriver(settings)
