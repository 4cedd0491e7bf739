"""What must hold when the dust has settled: by Relight's audit, by its rows, and by what the outside world kept."""

import json
from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from typing import Any

from relight.audit.run import audit
from relight.core.levels import Level
from relight.drivers.inbox import read
from relight.drivers.simulated_devices import DevicesInFolder
from relight.flow.database import Database
from relight.flow.messages.port import Channel
from tests.chaos.hosted import POISON
from tests.chaos.town import OWED

LATE = ("I4", "late")
_PAUSE = timedelta(minutes=2)  # what is to be tried again after a fault is due within it
_UNFINISHED = """
    SELECT e.id, e.state FROM effect e JOIN account a ON a.id = e.account_id
    WHERE (e.state = 'in_flight' OR e.state = 'pending' AND e.due_at <= %(soon)s) AND a.ref NOT LIKE %(poison)s
"""
_DUE = "SELECT id FROM dunning_case WHERE state <> 'closed' AND wakes_at <= %(now)s"
_PAID = """
    SELECT k.provider_ref, a.ref, count(p.id), coalesce(sum(p.amount), 0)::bigint, a.credit, u.observed,
        (SELECT coalesce(sum(c.principal + c.costs + c.interest), 0)::bigint FROM claim c WHERE c.account_id = a.id)
    FROM checkout k JOIN account a ON a.id = k.account_id
    JOIN service s ON s.account_id = a.id JOIN supply u ON u.service_id = s.id
    LEFT JOIN payment p ON p.account_id = a.id
    WHERE k.provider_ref = ANY (%(refs)s) GROUP BY 1, 2, a.credit, u.observed, a.id
"""
_MONEY = "SELECT coalesce(sum(amount), 0)::bigint FROM payment"
_SENT = """
    SELECT e.key, e.state, EXISTS (SELECT FROM attempt a WHERE a.effect_id = e.id AND a.result = 'unknown')
    FROM effect e WHERE e.kind = 'message'
"""
_TASKS = """
    SELECT t.code, a.ref, t.params FROM task t LEFT JOIN account a ON a.id = t.account_id
    WHERE t.state = 'open' ORDER BY t.id
"""
_POISONED = "SELECT count(*) FROM account WHERE ref LIKE %(poison)s"
_LIMITED_TWICE = """
    SELECT effect_id FROM attempt WHERE result = 'done' GROUP BY 1 HAVING count(*) > 1
"""
_KINDS = "SELECT kind, state, count(*) FROM effect GROUP BY 1, 2 ORDER BY 1, 2"


def unrest(db: Database, partner: int) -> list[Any]:
    """What is still to be done by somebody, or under way."""
    with db.transaction(partner) as tx:
        now = db.clock()
        asked = {"now": now, "soon": now + _PAUSE, "poison": f"{POISON}%"}
        return [*tx.rows(_UNFINISHED, asked), *tx.rows(_DUE, asked)]


def left_late(db: Database) -> int:
    """Restores that left later than a second after they could have: with a server away none can."""
    return sum((one.invariant, one.code) == LATE for one in audit(db.conninfo).violations)


def wrongs(db: Database, partner: int, folder: Path, accepted: Collection[str]) -> list[str]:
    """Everything that is not as it must be, in words."""
    found = audit(db.conninfo).violations
    return [
        *(f"audit: {one.invariant} {one.why}" for one in found if (one.invariant, one.code) != LATE),
        *_payments(db, partner, folder, accepted),
        *_messages(db, partner, folder),
        *_tasks(db, partner),
        *(f"still to be done: {row}" for row in unrest(db, partner)),
    ]


def kinds(db: Database, partner: int) -> dict[str, int]:
    """How many effects came to which end."""
    with db.transaction(partner) as tx:
        return {f"{kind} {state}": count for kind, state, count in tx.rows(_KINDS)}


def _payments(db: Database, partner: int, folder: Path, accepted: Collection[str]) -> list[str]:
    devices = {device.key: device.level for device in DevicesInFolder(folder / "devices").all()}
    with db.transaction(partner) as tx:
        found = tx.rows(_PAID, {"refs": list(accepted)})
        money, twice = tx.value(_MONEY), tx.rows(_LIMITED_TWICE)
    wrong = [f"the attempt of effect {row[0]} was done twice" for row in twice]
    if missing := set(accepted) - {row[0] for row in found}:
        wrong.append(f"accepted and not known: {sorted(missing)[:5]}")
    if money != OWED * len(accepted):
        wrong.append(f"{len(accepted)} payments were accepted, and {money} came of them")
    for ref, home, count, amount, credit, observed, owed in found:
        if (count, amount, credit, owed) != (1, OWED, 0, 0):
            wrong.append(f"{home} paid {ref}: {count} payments of {amount}, {credit} left over, {owed} still owed")
        if observed != "full" or devices.get(home) is not Level.FULL:
            wrong.append(f"{home} paid {ref} and is {observed}; the device says {devices.get(home)}")
    return wrong


def _messages(db: Database, partner: int, folder: Path) -> list[str]:
    """Sent is what is done; or the end of an attempt was lost, on record, and by then it was to be said no longer."""
    kept = Counter(message.key for message in read(folder / "inbox", Channel.SMS))
    with db.transaction(partner) as tx:
        rows = tx.rows(_SENT)
    done = {key for key, state, _ in rows if state == "done"}
    told = done | {key for key, state, is_unknown in rows if state == "withheld" and is_unknown}
    return [
        *(f"message {key} was sent {count} times" for key, count in kept.items() if count > 1),
        *(f"message {key} was sent, and nothing on record says so" for key in kept.keys() - told),
        *(f"message {key} is done, and nobody got it" for key in done - kept.keys()),
    ]


def _tasks(db: Database, partner: int) -> list[str]:
    with db.transaction(partner) as tx:
        tasks = tx.rows(_TASKS)
        poisoned = tx.value(_POISONED, {"poison": f"{POISON}%"})
    expected = [row for row in tasks if str(row[1]).startswith(POISON)]
    wrong = [f"a person has to do {code} for {ref}: {json.dumps(told)}" for code, ref, told in tasks
             if not str(ref).startswith(POISON)]  # fmt: skip
    if [row[0] for row in expected] != ["given_up"] * poisoned:
        wrong.append(f"of {poisoned} effects that end their workers, persons have {[row[0] for row in expected]}")
    return wrong
