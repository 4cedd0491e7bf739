"""Services that exist only on this machine: meters with a button and broadband lines, for the demo and for trying out.

A driver like the others, with `simulated_devices` behind it: files that the demo's web page shows, or memory.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import blake2b

from relight.core.levels import Level
from relight.drivers.simulated_devices import Device, Devices, DevicesInFolder, DevicesInMemory
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.supply.port import Observation, Target, WrongSettings

_LINES = frozenset({"broadband", "telephony", "tv"})
_WITH_BUTTON = frozenset({"electricity", "electricity_grid"})
_SWITCHED = frozenset({Level.FULL, Level.OFF})
_KEY_CHARACTERS_MAX = 60
_FAULTY_ATTEMPTS_MAX = 2  # a simulated fault never lasts: the third attempt at an effect always gets through
_BUSY_RETRY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Settings of the simulator, by name, with defaults.

    `folder` (empty: memory of this process) holds the devices. `button` (true): power meters wait for their button
    after a reconnect. `fail_share` (0.0 to 1.0): this share of first and second attempts ends BUSY, the same ones
    for the same `seed` (0).
    """

    folder: str = ""
    button: bool = True
    fail_share: float = 0.0
    seed: int = 0

    @classmethod
    def read(cls, settings: Mapping[str, object]) -> "SimulatorSettings":
        """Check settings; raises `WrongSettings`, which names the setting and the remedy."""
        known = [field.name for field in fields(cls)]
        for name in settings:
            if name not in known:
                raise WrongSettings(f"simulator: there is no setting {name!r}; there are {', '.join(known)}")
        read = cls(**settings)  # type: ignore[arg-type]
        if not isinstance(read.folder, str):
            raise WrongSettings("simulator: folder is a path as text, or empty for memory")
        if not isinstance(read.button, bool):
            raise WrongSettings("simulator: button is true or false")
        share = read.fail_share
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise WrongSettings("simulator: fail_share is a number between 0.0 and 1.0")
        if isinstance(read.seed, bool) or not isinstance(read.seed, int):
            raise WrongSettings("simulator: seed is a whole number")
        return read


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SimulatorDriver:
    """Sets simulated devices. Settings: see `SimulatorSettings`; `Target.address` is `{"device": key}`, a key of at
    most 60 ASCII characters. Broadband, telephony and television take every level, all else only full and off; power
    waits for a button. A device that was never touched is full and is the one expected. `devices` may be shown and
    changed by others.

    `clock` is for histories in fast motion, whose attempts carry the history's time.
    """

    name = "simulator"
    repeat = Repeat.SAFE
    levels = frozenset({Level.FULL, Level.LIMITED, Level.WALLED_GARDEN, Level.OFF})

    def __init__(self, settings: Mapping[str, object], *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._settings = SimulatorSettings.read(settings)
        self._clock = clock
        self.devices: Devices = DevicesInFolder(self._settings.folder) if self._settings.folder else DevicesInMemory()

    async def apply(self, target: Target, level: Level, attempt: Attempt) -> Outcome:
        """Set a device. Codes: `level_not_supported`, `wrong_address`, `wrong_device` (refused), `simulated` (busy)."""
        key = _key(target)
        if key is None:
            return Outcome(
                Result.REFUSED, code="wrong_address", detail="the address needs a device: 1 to 60 ASCII characters"
            )
        if level not in self.levels or (target.kind not in _LINES and level not in _SWITCHED):
            return Outcome(Result.REFUSED, code="level_not_supported", detail=f"{target.kind} cannot be set to {level}")
        now = self._clock()
        if now >= attempt.send_before:
            return Outcome.late()
        if _fails(self._settings, attempt):
            return Outcome(Result.BUSY, code="simulated", retry_after_seconds=_BUSY_RETRY_SECONDS)
        reached = self._reached(target, level)
        after = self.devices.change(
            key, lambda before: _moved(before or _untouched(target, key, now), target, reached, now)
        )
        if _is_other(after, target):
            return Outcome(Result.REFUSED, code="wrong_device", facts={"serial": after.serial})
        return Outcome(Result.DONE, facts={"observed": after.level, "proof": "simulated", "serial": after.serial})

    async def read(self, target: Target) -> Observation:
        """Read a device; never changes it."""
        now = self._clock()
        key = _key(target)
        if key is None:
            return Observation(None, now, proof="wrong_address")
        device = self.devices.get(key) or _untouched(target, key, now)
        if _is_other(device, target):
            return Observation(None, now, proof="wrong_device", serial=device.serial)
        return Observation(device.level, now, proof="simulated", serial=device.serial)

    async def aclose(self) -> None:
        """Nothing is open."""

    def _reached(self, target: Target, level: Level) -> Level:
        waits = self._settings.button and target.kind in _WITH_BUTTON and level is Level.FULL
        return Level.READY if waits else level


def _key(target: Target) -> str | None:
    key = target.address.get("device")
    return key if isinstance(key, str) and key.isascii() and 1 <= len(key) <= _KEY_CHARACTERS_MAX else None


def _untouched(target: Target, key: str, now: datetime) -> Device:
    return Device(key=key, kind=target.kind, serial=target.serial, level=Level.FULL, since=now.isoformat())


def _is_other(device: Device, target: Target) -> bool:
    return bool(target.serial) and device.serial != target.serial


def _moved(device: Device, target: Target, level: Level, now: datetime) -> Device:
    """The device after a command: another meter stays as it is, and who has light is not made to press a button."""
    if _is_other(device, target) or device.level is level or (level is Level.READY and device.level is Level.FULL):
        return device
    return replace(device, level=level, since=now.isoformat())


def _fails(settings: SimulatorSettings, attempt: Attempt) -> bool:
    """Whether this attempt meets a fault: told by its key, number and the seed, so that histories repeat."""
    if not settings.fail_share or attempt.number > _FAULTY_ATTEMPTS_MAX:
        return False
    drawn = blake2b(f"{settings.seed}:{attempt.key}:{attempt.number}".encode(), digest_size=4).digest()
    return int.from_bytes(drawn, "big") < settings.fail_share * 2**32
