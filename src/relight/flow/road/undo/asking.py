"""Asking for an undo, and agreeing to it: one person alone for a few cases, two for more, as with refunds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from relight.flow.cases.errors import UnableTo, UnableToFind
from relight.flow.cases.people import Person
from relight.flow.database import Tx
from relight.flow.road.undo.finding import SQL, Found, Scope, look

ALONE_MAX = 20  # cases; a second person has to agree to more
_SHOWN_MAX = 100


class UnableToUndo(UnableTo):
    """Nothing was found, or it is not one's to answer; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Undo:
    """An undo as it stands. `found` is what its asker was shown, `done` the sums of what was done; `reached` and
    `sorry` among them count customers."""

    id: int
    policy: str
    version: int | None
    run: int | None
    bulk: int | None
    since: datetime
    until: datetime | None
    why: str
    state: str
    found: Mapping[str, Any]
    needs: int
    asked_at: datetime
    asked_by: str
    answered_at: datetime | None
    answered_by: str
    started_at: datetime | None
    finished_at: datetime | None
    after_case: int
    act: int | None
    apology: str
    apology_by: str
    done: Mapping[str, Any]

    @property
    def scope(self) -> Scope:
        """What it is about."""
        return Scope(self.since, self.policy, self.version, self.run, self.bulk)

    @property
    def apology_waits(self) -> bool:
        """Whether a person has still to say whether customers are written to."""
        return self.apology == "draft" and not self.apology_by


def ask(tx: Tx, scope: Scope, *, why: str, by: Person, now: datetime) -> tuple[int, Found]:
    """Ask for an undo; its number and what was found. A few cases need nobody else. Raises `UnableToAct`,
    `UnableToFind`, and `UnableToUndo` when there is nothing to undo."""
    by.must("void")
    found = look(tx, scope, now)
    if not found.cases:
        raise UnableToUndo("Nothing was done since then that fits. Look at the moment, and at what you named.")
    needs = 1 if found.cases <= ALONE_MAX else 2
    number = tx.value(
        SQL.ask,
        {
            "partner": tx.partner_id,
            "policy": scope.policy,
            "version": scope.version,
            "run": scope.run,
            "bulk": scope.bulk,
            "since": scope.since,
            "why": why,
            "found": Jsonb(found.as_data()),
            "needs": needs,
            "now": now,
            "actor": by.name,
        },
    )
    if needs == 1:
        tx.run(SQL.answer, {"undo": number, "state": "granted", "now": now, "actor": by.name})
    return number, found


def agree(tx: Tx, number: int, *, granted: bool, by: Person, now: datetime) -> None:
    """A second person's yes or no. Raises `UnableToAct`, `UnableToFind` and `UnableToUndo`."""
    by.must("void")
    tx.rows(SQL.lock, {"undo": number})
    found = undo(tx, number)
    if found.state != "asked":
        raise UnableToUndo(f"Undo {number} is {found.state} already.")
    if granted and by.name == found.asked_by:
        raise UnableToUndo(f"{by.name} asked for undo {number}, and cannot agree to it too. Ask a colleague.")
    state = "granted" if granted else "refused"
    tx.run(SQL.answer, {"undo": number, "state": state, "now": now, "actor": by.name})


def undo(tx: Tx, number: int) -> Undo:
    """One undo. Raises `UnableToFind`."""
    row = tx.row(SQL.one, {"undo": number, "limit": 1})
    if row is None:
        raise UnableToFind(f"There is no undo {number} at this partner. See them: relight undo list")
    return Undo(*row)


def undos(tx: Tx) -> list[Undo]:
    """The partner's undos, newest first; at most a hundred."""
    return [Undo(*row) for row in tx.rows(SQL.one, {"undo": None, "limit": _SHOWN_MAX})]


def running_under(tx: Tx, scope: Scope) -> int:
    """How many cases run under the policy that was wrong: they would take the same steps when their hold ends."""
    return tx.value(SQL.running_under, {"name": scope.policy, "version": scope.version}) if scope.policy else 0
