"""Cases open: for accounts with open claims, under the version that their policy's share and cap leave them.

A version that is full passes new cases on to the next one that is in force for them. Where there is none they wait and
a person is told; they are let in when a case ends or somebody raises the cap.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from relight.flow.cases.operations import lock_accounts
from relight.flow.database import Tx, statements

SQL = statements(__package__, "opening.sql")
BATCH = 500
_LOOK_WITHIN = timedelta(days=1)


def open_cases(tx: Tx, account_ids: Sequence[int], now: datetime) -> list[int]:
    """A case for each account with open claims under a published policy and no open case yet; the new ids."""
    if not account_ids:
        return []
    capped = [row[0] for row in tx.rows(SQL.lock_capped)]
    rooms = _rooms(tx, capped) if capped else {}
    opened = _open(tx, account_ids, now, rooms)
    while _full(left := _rooms(tx, capped) if capped else {}) != _full(rooms):
        rooms = left
        opened += _open(tx, account_ids, now, rooms)  # those who found it full go to the version before
    if full := _full(rooms):
        tx.run(SQL.cap_reached, {"full": full, "now": now, "due_at": now + _LOOK_WITHIN})
    return opened


def open_waiting(tx: Tx, now: datetime, *, limit: int = BATCH) -> int:
    """Open cases for at most so many accounts that have none, and for whom there is room; how many were opened."""
    capped = [row[0] for row in tx.rows(SQL.capped)]
    full = _full(_rooms(tx, capped)) if capped else []
    accounts = [row[0] for row in tx.rows(SQL.waiting, {"now": now, "full": full, "limit": limit})]
    lock_accounts(tx, accounts)
    return len(open_cases(tx, accounts, now))


def let_in(tx: Tx, now: datetime) -> int:
    """Open cases where a version was full and has room again, and finish its task; how many. Call it until it is 0."""
    asked = [row[0] for row in tx.rows(SQL.asked_for_room)]
    rooms = _rooms(tx, asked) if asked else {}
    roomy = [version for version in asked if rooms.get(version, 1)]
    if not roomy:
        return 0
    tx.run(SQL.room_again, {"versions": roomy, "actor": "relight", "now": now})
    return open_waiting(tx, now)


def make_room(tx: Tx, version_id: int, *, actor: str, now: datetime) -> None:
    """Finish the task that says that a version is full: somebody has seen to it."""
    tx.run(SQL.room_again, {"versions": [version_id], "actor": actor, "now": now})


def _open(tx: Tx, account_ids: Sequence[int], now: datetime, rooms: dict[int, int]) -> list[int]:
    params = {
        "accounts": list(account_ids),
        "now": now,
        "capped": list(rooms),
        "rooms": list(rooms.values()),
        "full": _full(rooms),
    }
    return [row[0] for row in tx.rows(SQL.open_cases, params)]


def _rooms(tx: Tx, capped: Sequence[int]) -> dict[int, int]:
    """How many more cases each version takes; one without a cap, or retired, is left out."""
    return {row[0]: row[1] for row in tx.rows(SQL.rooms, {"capped": list(capped)}) if row[1] is not None}


def _full(rooms: dict[int, int]) -> list[int]:
    return [version for version, room in rooms.items() if not room]
