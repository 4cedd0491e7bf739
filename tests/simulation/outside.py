"""The outside world: devices and phones that do what they are told, and lose, delay or repeat what they answer.

What reaches them is held against what is on record: nothing may leave before its attempt is committed.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from relight.core.levels import Level
from relight.flow.effects.drivers import DriverRoom
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.messages.port import Message
from relight.flow.supply.port import Observation, Target
from tests.simulation.connection import Watch
from tests.simulation.invariants import Violated
from tests.simulation.stage import Stage

_ON_RECORD = """
    SELECT 1 FROM attempt a JOIN effect e ON e.partner_id = a.partner_id AND e.id = a.effect_id
    WHERE e.key = %s AND a.number = %s
"""
FATES = ("done",) * 20 + ("busy", "command lost", "answer lost", "answer late", "refused", "raises")
_DELAYS_SECONDS = (0.02, 0.1, 0.4, 1.0, 1.9, 2.5, 8.0)
_LATE_SECONDS = (20.0, 45.0, 100.0, 250.0)


class Outside:
    """All devices and phones of one history."""

    def __init__(self, stage: Stage, watch: Watch):
        self.stage, self.watch = stage, watch
        self.levels: dict[str, str] = {}
        self.busy: Counter[str] = Counter()  # commands under way, by device
        self.messages: Counter[str] = Counter()

    def heard(self, attempt: Attempt) -> None:
        """Something reaches the outside."""
        if not self.watch.rows(_ON_RECORD, (attempt.key, attempt.number)):
            raise Violated("sent_before_commit", f"attempt {attempt.number} at {attempt.key} is not on record")

    def fate(self) -> str:
        """How the next call goes."""
        fate = FATES[self.stage.dice.draw("driver", len(FATES))] if self.stage.faulty else "done"
        if fate != "done":
            self.stage.faults[fate] += 1
        return fate

    def delay(self) -> None:
        """The way there, or back."""
        self.stage.sleep(_DELAYS_SECONDS[self.stage.dice.draw("delay", len(_DELAYS_SECONDS))])

    def late(self) -> None:
        """A very long way back."""
        self.stage.sleep(_LATE_SECONDS[self.stage.dice.draw("delay", len(_LATE_SECONDS))])


class Lines:
    """A supply driver: sets lines, and proves it by reading back."""

    name, repeat, levels = "sim", Repeat.SAFE, frozenset(Level)

    def __init__(self, outside: Outside):
        self.outside = outside

    async def apply(self, target: Target, level: Level, attempt: Attempt) -> Outcome:
        """Set a line."""
        outside, key = self.outside, str(target.address["device"])
        if outside.stage.moment >= attempt.send_before:
            return Outcome.late()
        fate = outside.fate()
        if fate in ("busy", "refused"):
            return Outcome(Result(fate), code="simulated")
        if fate == "raises":
            raise ConnectionResetError("simulated")
        outside.busy[key] += 1
        try:
            if fate != "command lost":
                outside.heard(attempt)
                outside.levels[key] = level.value
                outside.stage.note(f"{key} is {level.value}")
            if fate == "answer late":
                outside.late()
            else:
                outside.delay()
        finally:
            outside.busy[key] -= 1
        if fate in ("command lost", "answer lost"):
            return Outcome(Result.UNKNOWN, code="timeout")
        return Outcome(Result.DONE, facts={"observed": level.value, "proof": "simulated"})

    async def read(self, target: Target) -> Observation:
        """Read a line."""
        level = self.outside.levels.get(str(target.address["device"]), "full")
        return Observation(Level(level), self.outside.stage.moment, proof="simulated")

    async def aclose(self) -> None:
        """Nothing is open."""


class Phones:
    """A message driver that deduplicates by our key."""

    repeat = Repeat.KEYED

    def __init__(self, outside: Outside, channel: str):
        self.outside, self.name = outside, channel

    async def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Deliver one message."""
        outside = self.outside
        if outside.stage.moment >= attempt.send_before:
            return Outcome.late()
        fate = outside.fate()
        if fate in ("busy", "refused"):
            return Outcome(Result(fate), code="simulated")
        if fate == "raises":
            raise ConnectionResetError("simulated")
        if fate != "command lost":
            outside.heard(attempt)
            outside.messages[attempt.key] = 1
        if fate == "answer late":
            outside.late()
        else:
            outside.delay()
        if fate in ("command lost", "answer lost"):
            return Outcome(Result.UNKNOWN, code="timeout")
        return Outcome(Result.DONE, facts={"provider_ids": [attempt.key]})

    async def aclose(self) -> None:
        """Nothing is open."""


class OutsideRoom(DriverRoom):
    """Production's room of drivers, with these behind the settings' names."""

    def __init__(self, db: Any, outside: Outside):
        super().__init__(db, clock=lambda: self._now(outside))
        self.outside = outside

    @staticmethod
    def _now(outside: Outside) -> datetime:
        return outside.stage.moment

    def _build(self, partner_id: int, section: str, name: str) -> Any:
        settings: Mapping[str, Any] = self._settings(partner_id).get(section, {})
        assert name in settings, (section, name)
        return Lines(self.outside) if section == "supply" else Phones(self.outside, name)
