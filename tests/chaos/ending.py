"""What must hold when the dust has settled: by Relight's audit, by its rows, and by what the outside world kept."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from relight.audit.report import Violation
from relight.audit.run import audit
from relight.core.levels import Level
from relight.drivers.inbox import read
from relight.drivers.simulated_devices import DevicesInFolder
from relight.flow.database import Database, Tx
from relight.flow.messages.port import Channel
from tests.chaos import relay
from tests.chaos.hosted import POISON
from tests.chaos.outages import HOLDS_UP_RESTORES, Outage, clock, unexplained
from tests.chaos.persons import left_to_do
from tests.chaos.town import OWED

_LATE = ("I4", "late")
_LATE_SECONDS = 1.0  # the audit's own
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
    FROM effect e WHERE e.kind = 'message' AND e.channel = %(channel)s
"""
_WAITED = """
    SELECT e.case_id, e.event_number,
        extract(epoch FROM greatest(e.created_at, (
            SELECT max(y.finished_at) FROM effect f JOIN attempt y ON y.effect_id = f.id
            WHERE f.service_id = e.service_id AND f.kind = 'supply' AND y.id < a.id)))::float8,
        extract(epoch FROM a.started_at)::float8
    FROM unnest(%(cases)s::bigint[], %(events)s::integer[]) AS late (case_id, event_number)
    JOIN effect e USING (case_id, event_number) JOIN attempt a ON a.effect_id = e.id AND a.number = 1
    WHERE e.kind = 'supply'
"""
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


@dataclass(frozen=True, slots=True)
class Ending:
    """How it ended: everything that is not as it must be, in words, and figures for the result."""

    wrong: list[str]
    figures: dict[str, int]


def judge(db: Database, partner: int, folder: Path, accepted: Collection[str], outages: Sequence[Outage]) -> Ending:
    """Hold what Relight has on record against what the outside knows, and what is odd against the faults."""
    violations = audit(db.conninfo).violations
    late = [one for one in violations if (one.invariant, one.code) == _LATE]
    with db.transaction(partner) as tx:
        wrong_late = _late(tx, late, outages)
        messages = _messages(tx, folder)
        to_do, asked = left_to_do(tx, outages)
    wrong = [
        *(f"audit: {one.invariant} {one.why}" for one in violations if (one.invariant, one.code) != _LATE),
        *wrong_late,
        *_payments(db, partner, folder, accepted),
        *messages,
        *to_do,
        *(f"still to be done: {row}" for row in unrest(db, partner)),
    ]
    beside_a_fault = {"late_beside_a_fault": len(late) - len(wrong_late)}
    return Ending(wrong, {"mails": relay.taken(folder).total(), **beside_a_fault, **asked})


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


def _late(tx: Tx, late: Sequence[Violation], outages: Sequence[Outage]) -> list[str]:
    """Restores that left late, and the faults explain all of the waiting but the second that any may take, or not."""
    asked = {"cases": [one.case for one in late], "events": [one.event for one in late]}
    waited = {(case, event): (could, left) for case, event, could, left in tx.rows(_WAITED, asked)}
    unexplained_seconds = ((one, unexplained(*waited[one.case, one.event], outages, HOLDS_UP_RESTORES)) for one in late)
    return [
        f"{one.why} It waited from {clock(*waited[one.case, one.event])}, of which {seconds:.1f} s lie beside no fault."
        for one, seconds in unexplained_seconds
        if seconds > _LATE_SECONDS
    ]


def _messages(tx: Tx, folder: Path) -> list[str]:
    """Sent is what is done; or the end of an attempt was lost, on record, and it was to be said no longer or must not
    be said again. Nothing is sent twice: the relay would take it; the inbox knows a key again, so it cannot show it."""
    kept = Counter(message.key for message in read(folder / "inbox", Channel.SMS))
    return [*_sent(tx, "sms", kept), *_sent(tx, "email", relay.taken(folder))]


def _sent(tx: Tx, channel: str, taken: Counter[str]) -> list[str]:
    rows = tx.rows(_SENT, {"channel": channel})
    done = {key for key, state, _ in rows if state == "done"}
    unseen = {key for key, state, is_unknown in rows if is_unknown and state in ("withheld", "given_up")}
    return [
        *(f"{channel} {key} was sent {count} times" for key, count in taken.items() if count > 1),
        *(f"{channel} {key} was sent, and nothing on record says so" for key in taken.keys() - done - unseen),
        *(f"{channel} {key} is done, and nobody got it" for key in done - taken.keys()),
    ]
