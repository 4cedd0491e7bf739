"""Simulated devices and where they are kept: one small file each, shared by worker and web, or memory.

Whole files are replaced under one lock, so that each process sees the same and none sees half.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from relight.core.levels import Level


@dataclass(frozen=True, slots=True)
class Device:
    """A simulated device. `since` is ISO 8601, when it took its level."""

    key: str
    kind: str
    serial: str
    level: Level
    since: str

    @property
    def waits_for_button(self) -> bool:
        """Whether the customer has to press the button to have light."""
        return self.level is Level.READY


Change = Callable[[Device | None], Device]


class Devices(Protocol):
    """Where simulated devices are kept."""

    def get(self, key: str) -> Device | None:
        """One device, or None when it has never been touched."""
        ...

    def change(self, key: str, change: Change) -> Device:
        """Replace a device by what `change` makes of it, with nobody else at it; returns the device after."""
        ...

    def all(self) -> list[Device]:
        """Every device, by key."""
        ...


class DevicesInMemory:
    """Devices of one process: for simulations of months in seconds."""

    def __init__(self) -> None:
        self._devices: dict[str, Device] = {}

    def get(self, key: str) -> Device | None:
        """See `Devices`."""
        return self._devices.get(key)

    def change(self, key: str, change: Change) -> Device:
        """See `Devices`."""
        changed = self._devices[key] = change(self._devices.get(key))
        return changed

    def all(self) -> list[Device]:
        """See `Devices`."""
        return [self._devices[key] for key in sorted(self._devices)]


class DevicesInFolder:
    """Devices shared by processes: one JSON file each in `folder`, which is made when it is missing."""

    def __init__(self, folder: str | Path) -> None:
        self._folder = Path(folder)
        self._folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> Device | None:
        """See `Devices`."""
        return _read(self._path(key))

    def change(self, key: str, change: Change) -> Device:
        """See `Devices`."""
        path = self._path(key)
        with self._alone():
            before = _read(path)
            changed = change(before)
            if changed != before:
                fresh = path.with_suffix(".new")
                fresh.write_text(json.dumps(asdict(changed)), encoding="utf-8")
                fresh.replace(path)
        return changed

    def all(self) -> list[Device]:
        """See `Devices`."""
        found = [device for path in self._folder.glob("*.json") if (device := _read(path)) is not None]
        return sorted(found, key=lambda device: device.key)

    def _path(self, key: str) -> Path:
        return self._folder / f"{quote(key, safe='')}.json"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def press_button(devices: Devices, key: str, now: datetime) -> bool:
    """Press the button of a meter; true when it was waiting for that and the customer has light again."""
    before = devices.get(key)
    if before is None:
        return False
    waited = False

    def reconnect(device: Device | None) -> Device:
        nonlocal waited
        current = device or before
        waited = current.waits_for_button
        return replace(current, level=Level.FULL, since=now.isoformat()) if waited else current

    devices.change(key, reconnect)
    return waited


def _read(path: Path) -> Device | None:
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Device(**{**stored, "level": Level(stored["level"])})
