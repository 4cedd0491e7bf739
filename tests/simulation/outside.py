"""The outside world: devices and phones that do what they are told, and lose, delay or repeat what they answer.

What reaches them is held against what is on record: nothing may leave before its attempt is committed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from relight.core.levels import Level
from relight.flow.effects.drivers import DriverRoom
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.messages.port import Message
from relight.flow.supply.port import Observation, Target
from tests.simulation.connection import Room
from tests.simulation.invariants import Violated
from tests.simulation.stage import Stage

_ON_RECORD = """
    SELECT 1 FROM attempt a JOIN effect e ON e.partner_id = a.partner_id AND e.id = a.effect_id
    WHERE e.key = %s AND a.number = %s
"""
_FATES = ("busy", "command lost", "answer lost", "answer late", "stands still", "killed", "refused", "raises")
_LINE_FATES = ("done",) * 8 + _FATES + ("stands still",) * 2
_PHONE_FATES = ("done",) * 30 + _FATES
_DELAYS_SECONDS = (0.0, 0.1, 0.4, 1.0, 1.9, 2.5, 8.0)
_LATE_SECONDS = (20.0, 100.0, 250.0)


class Outside:
    """All devices and phones of one history."""

    def __init__(self, stage: Stage, room: Room):
        self.stage, self.watch, self.room = stage, room.watch, room
        self.levels: dict[str, str] = {}
        self.busy: Counter[str] = Counter()  # commands under way, by device
        self.messages: Counter[str] = Counter()  # that reached a phone, by key
        self._arrived = set[tuple[str, int]]()

    def clock(self) -> datetime:
        """What a worker takes to be the database's moment."""
        return self.stage.moment + self.room.clock_is_off

    def heard(self, attempt: Attempt) -> None:
        """Something reaches the outside."""
        if not self.watch.rows(_ON_RECORD, (attempt.key, attempt.number)):
            self.stage.fail(
                Violated("sent_before_commit", f"attempt {attempt.number} of {attempt.key} is not on record")
            )

    def arrived(self, attempt: Attempt, *, once: bool) -> None:
        """A message reaches a phone: each attempt at most once, and with `once` each key."""
        this = (attempt.key, attempt.number)
        if this in self._arrived or (once and self.messages[attempt.key]):
            self.stage.fail(Violated("told_twice", f"attempt {attempt.number} of {attempt.key}"))
        self._arrived.add(this)
        self.messages[attempt.key] += 1
        self.stage.note(f"{attempt.key} arrives")

    def fate(self, fates: Sequence[str]) -> str:
        """How the next call goes."""
        fate = fates[self.stage.dice.draw("driver", len(fates))] if self.stage.faulty else "done"
        if fate != "done":
            self.stage.faults[fate] += 1
        return fate

    def delay(self) -> None:
        """The way there, or back."""
        self._sleep(_DELAYS_SECONDS)

    def answer(self, fate: str) -> Outcome | None:
        """The way back of what was done, or nearly; the answer, unless it is the driver's own."""
        process = self.stage.now_on.process
        if fate == "killed":
            self.stage.kill(process)
        if fate == "stands still":
            self.stage.stall(process, _LATE_SECONDS[self.stage.dice.draw("stall", len(_LATE_SECONDS))])
        self._sleep(_LATE_SECONDS if fate == "answer late" else _DELAYS_SECONDS)
        return Outcome(Result.UNKNOWN, code="timeout") if fate in ("command lost", "answer lost") else None

    def refuses(self, fate: str) -> Outcome | None:
        """An answer at once, if it is no; raises when there is none."""
        if fate == "raises":
            raise ConnectionResetError("simulated")
        return Outcome(Result(fate), code="simulated") if fate in ("busy", "refused") else None

    def _sleep(self, choices: Sequence[float]) -> None:
        self.stage.sleep(choices[self.stage.dice.draw("delay", len(choices))])


class Lines:
    """A supply driver: sets lines, and proves it by reading back."""

    name, repeat, levels = "sim", Repeat.SAFE, frozenset(Level)

    def __init__(self, outside: Outside):
        self.outside = outside

    async def apply(self, target: Target, level: Level, attempt: Attempt) -> Outcome:
        """Set a line."""
        outside, key = self.outside, str(target.address["device"])
        if outside.clock() >= attempt.send_before:
            return Outcome.late()
        fate = outside.fate(_LINE_FATES)
        if said := outside.refuses(fate):
            return said
        outside.busy[key] += 1
        try:
            if fate != "command lost":
                outside.heard(attempt)
                outside.levels[key] = level.value
                outside.stage.note(f"{key} is {level.value}")
            done = Outcome(Result.DONE, facts={"observed": level.value, "proof": "simulated"})
            return outside.answer(fate) or done
        finally:
            outside.busy[key] -= 1

    async def read(self, target: Target) -> Observation:
        """Read a line."""
        level = self.outside.levels.get(str(target.address["device"]), "full")
        return Observation(Level(level), self.outside.clock(), proof="simulated")

    async def aclose(self) -> None:
        """Nothing is open."""


class Phones:
    """A message driver with the history's promise: what is at the other end knows our key (KEYED), or can be asked for
    it (INQUIRE), or neither (NEVER)."""

    def __init__(self, outside: Outside, channel: str, repeat: Repeat):
        self.outside, self.name, self.repeat = outside, channel, repeat

    async def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Deliver one message."""
        outside, done = self.outside, Outcome(Result.DONE, facts={"provider_ids": [attempt.key]})
        if self.repeat is Repeat.INQUIRE:
            if outside.messages[attempt.key]:
                return done
            outside.delay()
        if outside.clock() >= attempt.send_before:
            return Outcome.late()
        fate = outside.fate(_PHONE_FATES)
        if said := outside.refuses(fate):
            return said
        if fate != "command lost":
            outside.heard(attempt)
            outside.arrived(attempt, once=self.repeat is not Repeat.KEYED)
        return outside.answer(fate) or done

    async def aclose(self) -> None:
        """Nothing is open."""


class OutsideRoom(DriverRoom):
    """Production's room of drivers, with these behind the settings' names."""

    def __init__(self, db: Any, outside: Outside, repeat: Repeat):
        super().__init__(db, clock=outside.clock)
        self.outside, self.promise = outside, repeat

    def _build(self, partner_id: int, section: str, name: str) -> Any:
        settings: Mapping[str, Any] = self._settings(partner_id).get(section, {})
        assert name in settings, (section, name)
        return Lines(self.outside) if section == "supply" else Phones(self.outside, name, self.promise)
