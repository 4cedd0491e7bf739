"""Bugs that are planted in production's code while a history is played, to see that the simulation finds them.

Each is a mistake that somebody could make: one line left out, two turned round. They are patched in at run time, and
only here.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from psycopg import errors

from relight.core.leave import Exit, Leave
from relight.flow.claims import receiving
from relight.flow.effects.port import Result
from relight.flow.payments import settle
from relight.flow.road import claiming, ends, release
from relight.flow.road.record import VersionMoved, record
from relight.flow.road.release import Releaser
from relight.flow.road.turn import Turner
from relight.flow.road.worker import Worker
from relight.flow.supply import operations as supply
from tests.simulation.ground import Ground

_DUE = "SELECT id, account_id FROM dunning_case WHERE lane = %(lane)s AND wakes_at <= %(now)s ORDER BY id LIMIT 5"
_LOCK = "SELECT id FROM account WHERE id = ANY(%(accounts)s::bigint[]) ORDER BY id FOR NO KEY UPDATE"
_ONE_COMMAND = (
    "CREATE UNIQUE INDEX effect_one_command ON effect (partner_id, service_id)"
    " WHERE kind = 'supply' AND state = 'in_flight'"
)


def _changed(sql: SimpleNamespace, **changes: tuple[str, str]) -> SimpleNamespace:
    """Statements with words replaced in some of them; a word that is not there any more is an error."""
    changed = dict(vars(sql))
    for name, (before, after) in changes.items():
        assert before in changed[name], f"{name} does not say {before!r} any more"
        changed[name] = changed[name].replace(before, after)
    return SimpleNamespace(**changed)


@contextmanager
def facts_read_while_claiming(ground: Ground) -> Iterator[None]:
    """The facts are read before the accounts' locks are taken, and are older than them. Where another worker decided
    meanwhile the case's version says so; who paid or paused meanwhile leaves no such trace."""

    def turn(self: Turner, partner_id: int, lane: str, now: datetime, **_: Any) -> int:
        with suppress(VersionMoved, errors.UniqueViolation), self.db.transaction(partner_id) as tx:
            due = tx.rows(_DUE, {"lane": lane, "now": now})
            if not due:
                return 0
            decided = self.decide(tx, [case for case, _ in due], now)
            tx.rows(_LOCK, {"accounts": [account for _, account in due]})
            record(tx, decided, now)
            return len(decided)
        return 0

    with patch.object(Turner, "turn", turn):
        yield


@contextmanager
def guards_skipped_at_release(ground: Ground) -> Iterator[None]:
    """What was decided leaves, whatever has happened since."""
    with patch.object(release, "check_leave", lambda *_: Leave(Exit.SEND)):
        yield


@contextmanager
def sent_before_commit(ground: Ground) -> Iterator[None]:
    """The drivers have the attempts before these are on record for good."""
    honest = Releaser._start

    def started(self: Releaser, *given: Any) -> Any:
        jobs = honest(self, *given)
        for job in jobs:
            self.hand(job)  # type: ignore[attr-defined]
        if jobs:
            self.db.stage.sleep(0.5)  # type: ignore[attr-defined]
        return jobs

    with patch.object(Releaser, "_start", started):
        yield


@contextmanager
def nobody_woken(ground: Ground) -> Iterator[None]:
    """A payment is posted, and its account's cases sleep on."""
    with patch.object(settle, "wake", lambda *_, **__: 0):
        yield


@contextmanager
def allocated_twice(ground: Ground) -> Iterator[None]:
    """A payment that is told twice is posted twice, and pays twice."""
    changed = _changed(receiving.SQL, advance=("NOT was_posted AND NOT was_returned", "NOT was_returned"))
    with patch.object(receiving, "SQL", changed):
        yield


@contextmanager
def lease_ignored(ground: Ground) -> Iterator[None]:
    """Whatever is in flight counts as lost, although somebody is at it."""
    changed = _changed(ends.SQL, lost=("AND e.lease_until <= %(now)s", ""))
    everybody = patch.object(Worker, "_due", lambda self, _: self._partners())
    with patch.object(ends, "SQL", changed), everybody:
        yield


@contextmanager
def two_commands_for_one_service(ground: Ground) -> Iterator[None]:
    """The index that forbids it is not there, and nobody looks."""
    change = ("f.state = 'in_flight'", "false")
    changed = _changed(release.SQL, due_bulk=change, due_urgent=change, still_due=change)
    ground.watch.connection.execute("DROP INDEX effect_one_command")
    try:
        with patch.object(release, "SQL", changed), patch.object(claiming, "EFFECTS", changed):
            yield
    finally:
        ground.empty()
        ground.watch.connection.execute(_ONE_COMMAND)


@contextmanager
def late_answers_believed(ground: Ground) -> Iterator[None]:
    """An answer to an attempt that was given up for lost counts as what the line is now."""

    def believed(tx: Any, effect: Any, attempt_id: int, told: Any, now: datetime) -> None:
        if effect.service_id is not None and told.result is Result.DONE:
            supply.observe(tx, effect.service_id, effect.level, "late", now)

    with patch.object(ends, "late", believed):
        yield


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug, and what a history says that has found it: anything else would be found without it too."""

    plant: Callable[[Ground], AbstractContextManager[None]]
    codes: frozenset[str]


def _bug(plant: Callable[[Ground], AbstractContextManager[None]], *codes: str) -> Planted:
    return Planted(plant, frozenset(codes))


_CUTS = ("cut_while_held", "cut_while_paid", "cut_while_paying", "cut_while_in_danger", "cut_while_planned")
PLANTED: dict[str, Planted] = {
    "facts-while-claiming": _bug(facts_read_while_claiming, "unseen_payment", "not_restored", *_CUTS),
    "guards-skipped": _bug(guards_skipped_at_release, "left_although_stopped", "cut_while_stopped", *_CUTS),
    "sent-before-commit": _bug(sent_before_commit, "sent_before_commit"),
    "nobody-woken": _bug(nobody_woken, "unseen_payment", "not_restored"),
    "allocated-twice": _bug(allocated_twice, "payment_counted_wrongly"),
    "lease-ignored": _bug(lease_ignored, "lease_ignored"),
    "two-commands": _bug(two_commands_for_one_service, "two_commands"),
    "late-answers-believed": _bug(late_answers_believed, "wrongly_believed"),
}
