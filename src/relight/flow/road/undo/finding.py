"""Finding what a wrong run did: which steps since a moment, and what they came to for customers. Changes nothing."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from relight.flow.cases.errors import UnableToFind
from relight.flow.database import Tx, statements

SQL = statements(__package__, "undo.sql")
BATCH = 200


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be undone: steps taken from `since` on, by a policy (or one version of it), for the bills of an
    import, or in the cases that a move (`bulk`) brought over; everything where none of these is named."""

    since: datetime
    policy: str = ""
    version: int | None = None
    run: int | None = None
    bulk: int | None = None


@dataclass(frozen=True, slots=True)
class Harm:
    """What wrong steps did in one case. `fees` in minor units; `services` are below full for their sake; `messages`
    (with `letters`) and `commands` have left, `stopped` have not; `handovers` are with an agency; `by_hand` are cuts,
    terminations and hand-overs that people carried out."""

    case_id: int
    account_id: int
    numbers: Sequence[int]
    names: Sequence[str]
    fees: int
    services: int
    messages: int
    letters: int
    stopped: int
    commands: int
    handovers: int
    by_hand: int

    @property
    def reached(self) -> bool:
        """Whether the customer noticed anything, and is owed an apology."""
        return bool(self.fees or self.messages or self.commands or self.handovers or self.by_hand)


@dataclass(slots=True)
class Found:
    """The sums of what was found, `reached` too by case. `fees` in minor units of the partner's currency."""

    cases: int = 0
    steps: Counter[str] = field(default_factory=Counter[str])
    fees: int = 0
    services: int = 0
    messages: int = 0
    letters: int = 0
    stopped: int = 0
    handovers: int = 0
    reached: int = 0

    def add(self, harm: Harm) -> None:
        """Count one case."""
        self.cases += 1
        self.steps.update(harm.names)
        self.reached += harm.reached
        for name in ("fees", "services", "messages", "letters", "stopped", "handovers"):
            setattr(self, name, getattr(self, name) + getattr(harm, name))

    def as_data(self) -> dict[str, Any]:
        """As it is kept and printed."""
        sums = {name: getattr(self, name) for name in ("cases", "fees", "services", "messages", "letters", "stopped")}
        return {**sums, "handovers": self.handovers, "reached": self.reached, "steps": dict(sorted(self.steps.items()))}


def asked_of(tx: Tx, scope: Scope) -> Mapping[str, Any]:
    """The scope as the statements ask for it. Raises `UnableToFind` for a policy, import or move that is not there."""
    hashes = None
    if scope.policy:
        hashes = tx.value(SQL.hashes, {"name": scope.policy, "version": scope.version})
        if not hashes:
            number = f" {scope.version}" if scope.version is not None else ""
            raise UnableToFind(f"There is no policy {scope.policy}{number}. See which: relight policy list")
    if scope.run is not None and tx.value(SQL.import_run, {"run": scope.run}) is None:
        raise UnableToFind(f"There was no import {scope.run} of invoices at this partner.")
    if scope.bulk is not None and tx.value(SQL.bulk, {"bulk": scope.bulk}) is None:
        raise UnableToFind(f"There was no move {scope.bulk} at this partner. See them: relight policy history NAME")
    return {"since": scope.since, "hashes": hashes, "run": scope.run, "bulk": scope.bulk}


def look(tx: Tx, scope: Scope, now: datetime) -> Found:
    """What an undo would find at this moment, in batches, so that it takes no more memory for more cases."""
    found = Found()
    asked = {**asked_of(tx, scope), "until": now, "now": now}
    for cases in _pages(tx, asked):
        for harm in harm_of(tx, steps_of(tx, asked, cases), now):
            found.add(harm)
    return found


def _pages(tx: Tx, asked: Mapping[str, Any]) -> Iterator[list[int]]:
    after = 0
    while page := page_of(tx, asked, after=after, limit=10 * BATCH):
        after = page[-1][0]
        yield [case for case, _ in page]


def page_of(tx: Tx, asked: Mapping[str, Any], *, after: int, limit: int) -> list[tuple[int, int]]:
    """(case, account) of the next cases that took any step in that time, by id."""
    return [(row[0], row[1]) for row in tx.rows(SQL.page, {**asked, "after": after, "limit": limit})]


def steps_of(tx: Tx, asked: Mapping[str, Any], cases: Sequence[int]) -> list[int]:
    """The ids of the steps that are to be voided in these cases."""
    return [row[0] for row in tx.rows(SQL.steps, {**asked, "cases": list(cases)})]


def harm_of(tx: Tx, steps: Sequence[int], now: datetime) -> list[Harm]:
    """What these steps did, case by case."""
    return [Harm(*row) for row in tx.rows(SQL.harm, {"steps": list(steps), "now": now})] if steps else []
