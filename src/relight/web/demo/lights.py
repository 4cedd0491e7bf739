"""The households' devices as somebody in the street would see them: which light is on, and since when."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from relight.core.levels import Level
from relight.drivers.simulated_devices import Device, Devices, DevicesInFolder
from relight.web.demo.story import Household, Story, Supplied, folder

WORDS = {
    (False, Level.FULL): "On",
    (False, Level.LIMITED): "Slowed down",
    (False, Level.WALLED_GARDEN): "Pay page only",
    (False, Level.OFF): "Cut off",
    (True, Level.FULL): "On",
    (True, Level.OFF): "Cut off",
    (True, Level.READY): "Ready: press the button",
}


@dataclass(frozen=True, slots=True)
class Light:
    """One device: whose, what, its level, and since when (None: it was never touched)."""

    household: Household
    service: Supplied
    level: Level
    since: datetime | None

    @property
    def word(self) -> str:
        """The level in words."""
        return WORDS[self.service.has_meter, self.level]

    @property
    def is_on(self) -> bool:
        """Whether all is as it should be."""
        return self.level is Level.FULL

    @property
    def waits_for_button(self) -> bool:
        """Whether somebody has to press the meter's button."""
        return self.level is Level.READY


@lru_cache(maxsize=8)
def _devices(path: Path) -> Devices:
    return DevicesInFolder(path)


def devices() -> Devices:
    """The demo's devices, the same files that the driver sets."""
    return _devices(folder() / "devices")


def lights_of(who: Household, story: Story) -> list[Light]:
    """A household's devices."""
    return [_light(who, service, devices().get(service.key), story) for service in who.services]


def street(story: Story) -> list[Light]:
    """Every device, by account; those that were never touched are on."""
    touched = {device.key: device for device in devices().all()}
    return [_light(who, one, touched.get(one.key), story) for who in story.people for one in who.services]


def _light(who: Household, service: Supplied, device: Device | None, story: Story) -> Light:
    if device is None:
        return Light(who, service, Level.FULL, None)
    return Light(who, service, device.level, datetime.fromisoformat(device.since).astimezone(story.zone))
