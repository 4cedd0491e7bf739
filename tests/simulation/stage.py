"""The stage: actors in threads of which one at a time has the baton, and a clock that moves only when all of them wait.

An actor gives the baton away before each database statement. Who is blocked in the database (`pg_blocking_pids`) waits
until a commit lets it go; a circle of waiters is broken as PostgreSQL would, but always at the same one. Of two who
wait for one row that is changed meanwhile, the server lets in now the one and now the other: a seed in which three are
at one account at once may come to one of two histories.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn

from tests.simulation.dice import Dice

STATEMENT = timedelta(milliseconds=1)
STEPS_MAX = 40_000


class Over(BaseException):
    """The history has ended: whoever is in the middle of something stops there."""


class Crashed(BaseException):
    """The process that this actor belongs to was killed."""


class NoEnd(AssertionError):
    """A history makes more and more to do."""


@dataclass(eq=False)
class Process:
    """What dies together: a worker with its loops, a web request, an import."""

    name: str
    stalled_until: datetime | None = None
    dead: bool = False
    actors: list["Actor"] = field(default_factory=list["Actor"])
    crashes: bool = True


@dataclass(eq=False)
class Actor:
    """One thread of a process. `waits_for` is a moment, "bell", "lock", or None when it wants to go on."""

    name: str
    process: Process
    waits_for: Any = None
    connection: Any = None
    bell: bool = False
    done: bool = False
    away: bool = False
    baton: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


class Stage:
    """All actors of one history. `quiet` is called when all wait: it moves the clock, wakes somebody, or ends it."""

    def __init__(self, dice: Dice, start: datetime, quiet: Callable[[], None]):
        self.dice, self.moment, self.quiet = dice, start, quiet
        self.actors: list[Actor] = []
        self.steps = 0
        self.released = False
        self.faulty = True
        self.faults: Counter[str] = Counter()
        self.database_faults = 0  # of them, those of statements and commits
        self.ended = False
        self.failed: BaseException | None = None
        self.log: list[str] | None = None
        self._digest = hashlib.blake2b(digest_size=12)
        self._now_on: Actor | None = None
        self._curtain = threading.Semaphore(0)

    @property
    def digest(self) -> str:
        """A hash of everything that happened, in order."""
        return self._digest.hexdigest()

    @property
    def now_on(self) -> Actor:
        """Who has the baton."""
        assert self._now_on is not None
        return self._now_on

    def note(self, text: str) -> None:
        """Into the history's hash, and its log where one is kept."""
        line = f"{self.moment:%Y-%m-%d %H:%M:%S.%f} {self._now_on.name if self._now_on else '-'}: {text}"
        self._digest.update(line.encode())
        if self.log is not None:
            self.log.append(line)

    def enter(self, name: str, process: Process, play: Callable[[], None]) -> Actor:
        """One more actor, who waits for the baton."""
        actor = Actor(name, process)
        process.actors.append(actor)
        self.actors.append(actor)
        threading.Thread(target=self._live, args=(actor, play), daemon=True, name=name).start()
        return actor

    def play(self) -> None:
        """Let them all play until the history is over."""
        self._hand_on(None)
        self._curtain.acquire()
        if self.failed is not None:
            raise self.failed

    def end(self) -> None:
        """The history is over; everybody leaves."""
        self.ended = True

    def fail(self, why: BaseException) -> NoReturn:
        """The history ends here; production's code, which catches what drivers raise, does not catch this."""
        self.failed, self.ended = self.failed or why, True
        raise Over

    # -- what actors call

    def step(self, text: str, *, alone: bool = False) -> None:
        """Before a statement: somebody else may go first, unless it goes together with the one before."""
        self.steps += 1
        self.moment += STATEMENT
        self.note(text)
        if self.steps > STEPS_MAX:
            raise NoEnd(f"after {STEPS_MAX:,} statements there is still something to do")
        if not alone:
            self._give_way()

    def sleep(self, seconds: float, *, away: bool = False) -> None:
        """Wait for a moment. Who is `away` meanwhile is at nothing."""
        actor = self.now_on
        if seconds > 0:
            actor.waits_for, actor.away = self.moment + timedelta(seconds=seconds), away
        self._give_way()
        actor.away = False

    def wait_for_bell(self) -> None:
        """Wait until there may be work."""
        actor = self.now_on
        if not actor.bell:
            actor.waits_for = "bell"
        actor.bell = False
        self._give_way()

    def wait_for_lock(self, connection: Any) -> None:
        """The statement under way is blocked by somebody else's transaction."""
        actor = self.now_on
        actor.waits_for, actor.connection = "lock", connection
        self.note("blocked")
        self._give_way()

    def ring(self, actor: Actor) -> None:
        """There may be work for this one."""
        actor.bell = True
        if actor.waits_for == "bell":
            actor.waits_for, actor.bell = None, False

    def kill(self, process: Process) -> None:
        """The process dies at this statement, with all its threads. Faults are counted by whoever drew them."""
        self.note(f"{process.name} is killed")
        process.dead = True
        raise Crashed

    def stall(self, process: Process, seconds: float) -> None:
        """The process stands still for a while."""
        self.note(f"{process.name} stands still for {seconds} s")
        process.stalled_until = self.moment + timedelta(seconds=seconds)
        self._give_way()

    # -- the baton

    def _live(self, actor: Actor, play: Callable[[], None]) -> None:
        actor.baton.acquire()
        try:
            self._check(actor)
            play()
        except (Over, Crashed):
            pass
        except BaseException as bug:  # noqa: BLE001 - a violation, or a bug: the history ends here
            self.failed = self.failed or bug
            self.ended = True
        actor.done = True
        self.actors.remove(actor)
        self._hand_on(None)

    def _give_way(self) -> None:
        actor = self.now_on
        self._hand_on(actor)
        self._check(actor)

    def _check(self, actor: Actor) -> None:
        if self.ended:
            raise Over
        if actor.process.dead:
            raise Crashed

    def _hand_on(self, giver: Actor | None) -> None:
        try:
            taker = self._choose(giver)
        except BaseException as bug:  # noqa: BLE001 - found at rest, by whoever gave the baton away
            self.failed, self.ended = self.failed or bug, True
            taker = self._last_ones()
        if taker is giver and giver is not None:
            return
        self._now_on = taker
        if taker is None:
            self._curtain.release()
        else:
            taker.baton.release()
        if giver is not None:
            giver.baton.acquire()

    def _last_ones(self) -> Actor | None:
        return next(iter(self.actors), None)

    def _choose(self, giver: Actor | None) -> Actor | None:
        while True:
            if self.ended:
                return self._last_ones()
            if dying := next((actor for actor in self.actors if actor.process.dead), None):
                return dying
            self._look_at_locks()
            ready = [actor for actor in self.actors if self._is_ready(actor)]
            if ready:
                return self._pick(giver, ready)
            if not self._break_circle():
                self.quiet()

    def _is_ready(self, actor: Actor) -> bool:
        stalled = actor.process.stalled_until
        if stalled is not None and stalled > self.moment:
            return False
        if isinstance(actor.waits_for, datetime) and actor.waits_for <= self.moment:
            actor.waits_for = None
        return actor.waits_for is None

    def _pick(self, giver: Actor | None, ready: list[Actor]) -> Actor:
        if len(ready) == 1:
            return ready[0]
        stays = self.dice.draw("order", 4) < 2
        if stays and giver in ready:
            return giver  # type: ignore[return-value]
        return ready[self.dice.draw("who", len(ready))]

    def _blocked(self) -> list[Actor]:
        return [actor for actor in self.actors if actor.waits_for == "lock"]

    def _look_at_locks(self) -> None:
        """After a commit, those whom it let go: each has its answer, or waits for the next one."""
        if self.released:
            self.released = False
            for actor in self._blocked():
                if not actor.connection.is_blocked():
                    actor.waits_for = None

    def _break_circle(self) -> bool:
        """Nobody can go on, and some wait for locks: where they wait for one another alone, the last one gives up."""
        waits = {actor.connection.pid: (actor, set(actor.connection.blockers())) for actor in self._blocked()}
        while free := [pid for pid, (_, blockers) in waits.items() if not blockers <= set(waits)]:
            for pid in free:
                del waits[pid]
        if not waits:
            return False
        actor = list(waits.values())[-1][0]
        self.faults["deadlock"] += 1
        self.note(f"deadlock: {actor.name} gives up")
        actor.connection.give_up_waiting("deadlock")
        actor.waits_for = None
        return True
