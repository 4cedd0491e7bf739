"""The driver's side of supply: set a service to a level, and read back what it is.

One driver object serves one configured system (a RADIUS realm, a head-end, a meter line). It is built once a worker
from its settings (`Driver(settings: Mapping[str, object])`, validated there: a wrong setting raises `WrongSettings`
with the setting's name and the remedy), used by many tasks at once, and closed at the end. It imports no models.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from relight.core.levels import Level
from relight.flow.effects.port import Attempt, Outcome, Repeat


class WrongSettings(ValueError):
    """A driver's settings cannot be used; the text names the setting and says what to write instead."""


@dataclass(frozen=True, slots=True)
class Target:
    """A service as the outside knows it. `address` is the driver's own (`{"username": …}`, `{"host", "port"}`);
    `serial` is the device that must be there: a cut is refused (code `wrong_device`) when another answers."""

    kind: str  # broadband, electricity_grid, …
    address: Mapping[str, object]
    serial: str = ""
    profile: str = ""  # what "full" means for this customer (the RADIUS group, say)


@dataclass(frozen=True, slots=True)
class Observation:
    """What a read-back saw. `level` is None when it could not be told; `proof` says how it was seen."""

    level: Level | None
    observed_at: datetime
    proof: str = ""  # re-authentication, accounting, control_state, …
    serial: str = ""


class SupplyDriver(Protocol):
    """Sets a service to a level.

    `apply` sends, then proves: DONE only after a read-back showed the level, with `facts={"observed": level,
    "proof": …}`. A power meter that waits for its button after a reconnect is DONE with observed `ready`.
    A refusal carries the other side's code. `apply` is idempotent: asked twice for the same level it does no harm.
    """

    name: str
    repeat: Repeat
    levels: frozenset[Level]

    async def apply(self, target: Target, level: Level, attempt: Attempt) -> Outcome:
        """Set `target` to `level` and read it back."""
        ...

    async def read(self, target: Target) -> Observation:
        """Read what the service is now; never changes it."""
        ...

    async def aclose(self) -> None:
        """End connections and threads."""
        ...
