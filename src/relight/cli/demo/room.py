"""The demo's drivers, watched: which device reached which level, and when, by the real clock, that was read back."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from relight.cli.demo.portfolio import DRIVER
from relight.core.levels import Level
from relight.drivers.inbox import InboxDriver, Kept
from relight.drivers.simulated_devices import press_button
from relight.drivers.simulator import SimulatorDriver
from relight.flow.database import Database
from relight.flow.effects.drivers import Clock, DriverRoom
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.messages.port import Channel
from relight.flow.supply.port import Observation, Target


@dataclass(frozen=True, slots=True)
class Reached:
    """A device was set, and read back. `seconds` is the monotonic clock's."""

    key: str
    level: Level
    seconds: float


class WatchedDevices:
    """The simulator, with a note of everything it did."""

    def __init__(self, driver: SimulatorDriver, notes: list[Reached]):
        self.driver, self.notes = driver, notes
        self.name, self.repeat, self.levels = driver.name, driver.repeat, driver.levels

    async def apply(self, target: Target, level: Level, attempt: Attempt) -> Outcome:
        """Set the device, and read it back once more before noting that it is so."""
        outcome = await self.driver.apply(target, level, attempt)
        if outcome.result is Result.DONE:
            seen = await self.driver.read(target)
            if seen.level is not None:
                self.notes.append(Reached(str(target.address["device"]), seen.level, time.monotonic()))
        return outcome

    async def read(self, target: Target) -> Observation:
        """See `SupplyDriver`."""
        return await self.driver.read(target)

    async def aclose(self) -> None:
        """See `SupplyDriver`."""
        await self.driver.aclose()


class WatchedRoom(DriverRoom):
    """The drivers of the fast motion: the production ones, with a view of what they did."""

    def __init__(self, db: Database, clock: Clock):
        super().__init__(db, clock=clock)
        self.notes: list[Reached] = []
        self._read: dict[str, int] = {}

    def get(self, partner_id: int, section: str, name: str) -> Any:
        """See `DriverRoom`; devices come with an observer."""
        driver = super().get(partner_id, section, name)
        if isinstance(driver, SimulatorDriver):
            return WatchedDevices(driver, self.notes)
        return driver

    def take_notes(self) -> list[Reached]:
        """What devices reached since the last call, by device."""
        taken = sorted(self.notes, key=lambda note: note.key)
        self.notes.clear()
        return taken

    def new_messages(self, partner_id: int) -> list[Kept]:
        """What came to the inboxes since the last call."""
        found: list[Kept] = []
        for channel in Channel:
            inbox = super().get(partner_id, "messages", channel.value)
            assert isinstance(inbox, InboxDriver)
            found += inbox.messages[self._read.get(channel.value, 0) :]
            self._read[channel.value] = len(inbox.messages)
        return found

    def press_button(self, partner_id: int, key: str, now: datetime) -> bool:
        """Somebody at home presses the button of a meter; whether it was waiting for that."""
        watched = self.get(partner_id, "supply", DRIVER)
        return press_button(watched.driver.devices, key, now)
