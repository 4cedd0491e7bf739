"""An attempt is handed to its driver though the database is away when the driver's settings are to be read."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from relight.drivers.inbox import InboxDriver
from relight.flow.effects.drivers import DriverRoom
from relight.flow.effects.port import Attempt, Repeat, Result
from relight.flow.messages.port import Channel, Message
from relight.flow.road import act as acting
from relight.flow.road.act import act_and_finish
from relight.flow.road.ends import Ended
from relight.flow.road.release import Job

GONE = psycopg.OperationalError("gone")


class Room(DriverRoom):
    """Production's room with one inbox; reading its settings raises what is in `wrong` first."""

    def __init__(self, *wrong: Exception, driver: str = "inbox"):
        super().__init__(None)  # type: ignore[arg-type]  # nobody opens it: the reading is ours
        self.wrong, self.driver = list(wrong), driver

    def _settings(self, partner_id: int) -> Mapping[str, Any]:
        if self.wrong:
            raise self.wrong.pop(0)
        return {"messages": {"sms": {"driver": self.driver}}}


class Desk:
    """Keeps what is handed in."""

    def __init__(self) -> None:
        self.ends: list[Ended] = []

    async def hand_in(self, partner_id: int, ended: Ended, *, is_message: bool) -> None:
        self.ends.append(ended)


def job(send_before: datetime) -> Job:
    message = Message(Channel.SMS, "+4790000001", "Nordlys", "nb", "", "Hei")
    return Job(1, 2, 3, 4, Attempt("a key", 1, send_before), "sms", message=message)


def acted(room: Room, *, seconds_left: float = 60) -> Ended:
    """How one attempt with `room` ended."""
    desk = Desk()
    asyncio.run(act_and_finish(desk, room, job(datetime.now(UTC) + timedelta(seconds=seconds_left))))  # type: ignore[arg-type]
    (ended,) = desk.ends
    return ended


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "_TRY_AGAIN_SECONDS", 0)


def test_a_message_waits_for_its_drivers_settings_and_is_sent_once() -> None:
    room = Room(GONE, GONE, psycopg.errors.AdminShutdown("restarts"))

    ended = acted(room)

    driver = room.get(1, "messages", "sms")
    assert isinstance(driver, InboxDriver)
    assert (ended.outcome.result, ended.repeat) == (Result.DONE, Repeat.KEYED)
    assert [kept.key for kept in driver.messages] == ["a key"]


def test_what_had_to_wait_for_too_long_is_not_sent() -> None:
    room = Room(GONE)

    ended = acted(room, seconds_left=-1)

    assert ended.outcome.result is Result.LATE
    assert room.get(1, "messages", "sms").messages == []


def test_a_driver_that_cannot_be_made_has_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise KeyError("folder")

    monkeypatch.setattr(InboxDriver, "__init__", breaks)

    ended = acted(Room())

    assert (ended.outcome.result, ended.outcome.code, ended.repeat) == (Result.BUSY, "KeyError", Repeat.SAFE)


@pytest.mark.parametrize("driver", ["", "carrier-pigeon"])
def test_a_driver_that_is_not_there_is_asked_for_again_later(driver: str) -> None:
    ended = acted(Room(driver=driver))

    assert (ended.outcome.result, ended.outcome.code) == (Result.BUSY, "no_driver")
