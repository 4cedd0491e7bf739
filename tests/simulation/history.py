"""One history: a story and its dice, played to its end or to the first thing that must not be."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from relight.audit.run import audit
from relight.flow.effects.port import Repeat
from tests.simulation.dice import Dice
from tests.simulation.ground import Ground
from tests.simulation.invariants import SQL, Invariants, Violated
from tests.simulation.outside import Outside
from tests.simulation.people import People
from tests.simulation.stage import STATEMENT, Process, Stage
from tests.simulation.story import Story
from tests.simulation.workers import StagedWorker

CALM = timedelta(days=3)  # at the end nothing fails any more, so that everything can come to its end
_POLL_SECONDS = 2
_VAIN_MAX = 10  # half an hour
_APPROVED_AFTER = timedelta(hours=1)
_NOT_WITH_FAULTS = {("I4", "late")}  # a worker that stands still is late; that it comes is what must hold
_DRIVERS_OWN = {"driver_raised", "driver_hangs"}
_ASKED = "SELECT min(requested_at) FROM approval WHERE state = 'requested'"


@dataclass(frozen=True, slots=True)
class Lived:
    """What became of a history. `code` is empty when everything held."""

    steps: int
    digest: str
    faults: Counter[str]
    code: str = ""
    what: str = ""
    drawn: Mapping[str, Sequence[int]] = field(default_factory=dict[str, Sequence[int]])
    log: Sequence[str] = ()


def _no_bugs_in(logged: Sequence[Mapping[str, Any]]) -> None:
    """What a worker logs as an error and goes on after is a find; but for drivers, which raise as the seed says."""
    for one in logged:
        if one["log_level"] in ("error", "critical") and one["event"] not in _DRIVERS_OWN:
            raise Violated("_".join(("logged", one["event"], *([one["error"]] if "error" in one else []))), str(one))


def live(ground: Ground, told: Story, dice: Dice, *, log: bool = False) -> Lived:
    """Play a story; the same story and dice come to the same history."""
    folder = Path(tempfile.mkdtemp(prefix="rs"))
    try:
        return _History(ground, told, dice, folder, log=log).play()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _History:
    def __init__(self, ground: Ground, told: Story, dice: Dice, folder: Path, *, log: bool):
        self.ground, self.told, self.dice = ground, told, dice
        accounts = ground.lay(told)
        self.stage = Stage(dice, told.starts_at, self._quiet)
        self.stage.log = [] if log else None
        self.outside = Outside(self.stage, ground.room)
        self.invariants = Invariants(ground.watch, self.outside)
        self.people = People(self.stage, ground.room, ground.partner, accounts, folder)
        self.workers = [self._worker(number) for number in range(told.workers)]
        self.to_come = sorted(
            (told.starts_at + timedelta(days=one.day, seconds=one.second), index)
            for index, one in enumerate(told.happenings) if not one.nth
        )  # fmt: skip
        self.at_cuts = [index for index, one in enumerate(told.happenings) if one.nth]
        self.near: Counter[str] = Counter()
        self.waiting: list[tuple[datetime, int]] = []
        self._rung_at: tuple[int, int] | None = None
        self.commits = self.jumps = 0
        self.vain = 0  # polls since the last commit: what nobody can do is not looked at as often as in production

    def play(self) -> Lived:
        """Play it."""
        code = what = ""
        self.ground.room.on_commit = self._committed
        try:
            with structlog.testing.capture_logs() as logged:
                self.stage.play()
            _no_bugs_in(logged)
            self._audit()
        except Violated as violated:
            code, what = violated.code, violated.what
        except Exception as bug:  # noqa: BLE001 - whatever production's code raises is a find
            code, what = f"raised_{type(bug).__name__}", str(bug)
        finally:
            self.ground.room.on_commit = None
        return Lived(self.stage.steps, self.stage.digest, self.stage.faults, code, what, self.dice.drawn,
                     self.stage.log or ())  # fmt: skip

    def _committed(self) -> None:
        self.commits += 1
        self.vain = 0
        try:
            self.invariants.at_commit(self.stage.moment + self.ground.room.clock_is_off)
        except Violated as violated:  # production's code, which goes on behind an error, must not go on behind this
            self.stage.fail(violated)
        self._begin_at_cuts(self.stage.moment)
        rung = self.dice.draw("bell", 6) - 6 + len(self.workers)
        if rung >= 0:
            self.workers[rung].ring(decide=True, release=True, house=False)

    def _audit(self) -> None:
        report = audit(self.ground.urls["app"], as_of=self.stage.moment)
        for wrong in report.violations:
            if (wrong.invariant, wrong.code) in _NOT_WITH_FAULTS and self.stage.faults:
                continue
            raise Violated(f"audit_{wrong.invariant}_{wrong.code}", wrong.why)

    # -- when nobody can go on

    def _quiet(self) -> None:
        if self._mend_workers():
            return  # they look for work as they begin, and must before anybody calls it rest
        now = self.stage.moment + self.ground.room.clock_is_off
        decide, release, house = self.ground.watch.rows(SQL.due, {"now": now})[0]
        state = (self.jumps, self.commits)
        if (decide or release or house) and state != self._rung_at:
            self._rung_at = state
            self._ring(decide=decide, release=release, house=house)
            return
        self._jump(polls=bool(decide or release or house))

    def _worker(self, number: int) -> StagedWorker:
        return StagedWorker(self.stage, self.ground.room, self.outside, number, Repeat(self.told.repeat))

    def _mend_workers(self) -> bool:
        """Begin those anew that were killed; whether there were any."""
        dead = [number for number, worker in enumerate(self.workers) if worker.process.dead]
        for number in dead:
            self.workers[number] = self._worker(number)
        return bool(dead)

    def _ring(self, *, decide: bool, release: bool, house: bool) -> None:
        awake = [worker for worker in self.workers if not self._stalls(worker.process)]
        chosen = self.dice.draw("rung", 8)
        if chosen and awake:
            awake = [awake[chosen % len(awake)]]
        for worker in awake:
            worker.ring(decide=decide, release=release, house=house)

    def _somebody_acts(self) -> bool:
        """Whether somebody is in the middle of something, be it that their process stands still."""
        actors = self.stage.actors
        return any(isinstance(one.waits_for, datetime) and not one.away for one in actors) or any(
            self._stalls(one.process) for one in [*actors, *self.workers]
        )

    def _stalls(self, process: Process) -> bool:
        return process.stalled_until is not None and process.stalled_until > self.stage.moment

    def _jump(self, *, polls: bool) -> None:
        """To the next moment at which something happens; `polls`: something is due that was not done when the bell rang
        (a turn failed), and workers look again by themselves."""
        self.jumps += 1
        if self._begin(self.stage.moment):
            return
        ahead = [moment for moment in self._moments() if moment > self.stage.moment]
        if polls:
            ahead.append(self.stage.moment + timedelta(seconds=_POLL_SECONDS * 2**self.vain))
            self.vain = min(self.vain + 1, _VAIN_MAX)
        then = min([*ahead, self.told.ends_at])
        if not self._somebody_acts():  # until then nothing comes: what is not done by now is not done just before it
            self.invariants.at_rest(then - STATEMENT + self.ground.room.clock_is_off)
        self.stage.moment = then
        if then >= self.told.ends_at:
            self.stage.end()
            return
        self.stage.faulty = self.stage.moment < self.told.ends_at - CALM
        self._begin(self.stage.moment)

    def _moments(self) -> Iterator[datetime]:
        """When something happens, past moments among them."""
        off = self.ground.room.clock_is_off
        due = self.ground.watch.rows(SQL.next_due, {"now": self.stage.moment + off})[0][0]
        if due:
            yield due - off
        if asked := self._asked():
            yield asked + _APPROVED_AFTER
        yield from (moment for moment, _ in (*self.to_come[:1], *self.waiting))
        for actor in self.stage.actors:
            if isinstance(actor.waits_for, datetime):
                yield actor.waits_for
            if actor.process.stalled_until:
                yield actor.process.stalled_until

    def _asked(self) -> datetime | None:
        return self.ground.watch.rows(_ASKED)[0][0]

    def _begin(self, now: datetime) -> bool:
        """What is to happen by now; whether anything was."""
        begun = False
        while self.to_come and self.to_come[0][0] <= now:
            self.people.happen(self.told.happenings[self.to_come.pop(0)[1]])
            begun = True
        asked = self._asked()
        if asked and asked + _APPROVED_AFTER <= now and not self.people.approving:
            self.people.start("approval", partial(self.people.approve))
            begun = True
        return self._begin_at_cuts(now) or begun

    def _begin_at_cuts(self, now: datetime) -> bool:
        """What comes when a cut is near, at rest and between two commits; whether anything did."""
        self._see_cuts(now)
        ready = [one for one in self.waiting if one[0] <= now]
        for one in ready:
            self.waiting.remove(one)
            self.people.happen(self.told.happenings[one[1]])
        return bool(ready)

    def _see_cuts(self, now: datetime) -> None:
        """Happenings that wait for a cut of their account to be near."""
        if not self.at_cuts:
            return
        at = now + self.ground.room.clock_is_off
        near = {row[0] for row in self.ground.watch.rows(SQL.coming, {"at": at})}
        self.near.update(near)
        for index in list(self.at_cuts):
            one = self.told.happenings[index]
            ref = self.people.accounts[one.account][1]
            if ref in near and self.near[ref] >= one.nth:
                self.at_cuts.remove(index)
                self.waiting.append((now + timedelta(seconds=one.second), index))
