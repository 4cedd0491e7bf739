"""Drivers by name: found by entry point, built once a worker from a partner's settings, closed at the end.

A partner's `driver_settings` are `{"supply": {name: {"driver": …, **settings}}, "messages": {channel: {…}}, "handover":
{agency: {…}}}`; a service names its supply driver, a message its channel, a hand-over its agency.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib.metadata import entry_points
from inspect import signature
from typing import Any

from relight.flow.database import Database
from relight.flow.effects.port import Repeat

Clock = Callable[[], datetime]
SECTIONS = {
    "supply": "relight.drivers.supply",
    "messages": "relight.drivers.messages",
    "handover": "relight.drivers.handover",
}


class NoDriver(LookupError):
    """A partner has no such driver in its settings, or none of that kind is installed; the text says which."""


class DriverRoom:
    """The drivers of one worker. `clock` goes to drivers that compare `send_before` with another clock than the host's
    (the demo's fast motion)."""

    def __init__(self, db: Database, *, clock: Clock | None = None):
        self.db, self.clock = db, clock
        self._built: dict[tuple[int, str, str], Any] = {}

    def get(self, partner_id: int, section: str, name: str) -> Any:
        """The driver, built at first use; raises `NoDriver`, or ValueError for settings that cannot be used."""
        key = (partner_id, section, name)
        if key not in self._built:
            self._built[key] = self._build(partner_id, section, name)
        return self._built[key]

    def repeat(self, partner_id: int, section: str, name: str) -> Repeat:
        """What is safe after an attempt whose end nobody saw; never, when the driver cannot be asked."""
        try:
            return self.get(partner_id, section, name).repeat
        except (NoDriver, ValueError):
            return Repeat.NEVER

    def names(self, partner_id: int, section: str) -> list[str]:
        """What the partner's settings name in a section."""
        return sorted(self._settings(partner_id).get(section, {}))

    async def aclose(self) -> None:
        """Close every driver that was built."""
        while self._built:
            _, driver = self._built.popitem()
            await driver.aclose()

    def _settings(self, partner_id: int) -> Mapping[str, Any]:
        with self.db.transaction(partner_id) as tx:
            return tx.value("SELECT driver_settings FROM partner WHERE id = %(id)s", {"id": partner_id}) or {}

    def _build(self, partner_id: int, section: str, name: str) -> Any:
        settings = dict(self._settings(partner_id).get(section, {}).get(name) or {})
        kind = settings.pop("driver", "")
        if not kind:
            raise NoDriver(f"the partner's settings have no {section} driver {name!r}")
        found = [entry for entry in entry_points(group=SECTIONS[section]) if entry.name == kind]
        if not found:
            raise NoDriver(f"no {section} driver {kind!r} is installed")
        factory = found[0].load()
        if self.clock is not None and "clock" in signature(factory).parameters:
            return factory(settings, clock=self.clock)
        return factory(settings)
