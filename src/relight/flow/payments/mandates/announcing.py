"""Customers are told of a collection before its day, and of one that came to nothing: one message for what is drawn on
a day by one mandate. What reaches nobody is tried on the next channel; when none is left, nothing is collected.

The caller owns the transaction; accounts are locked.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from relight.core.collecting import FAILED, NOTICE
from relight.core.parts import CHANNELS
from relight.flow.cases.operations import locked_at
from relight.flow.cases.tasks import add_task
from relight.flow.database import Tx, statements
from relight.flow.payments.mandates.rules import schemes
from relight.flow.payments.mandates.withdrawing import Gone, withdraw

SQL = statements(__package__, "announcing.sql")
_PERSON_WITHIN = timedelta(days=3)


class Draw(NamedTuple):
    """A collection that a customer is told of. `reference` is the mandate's, `creditor_number` the scheme's name of the
    creditor; `channels` reach the debtor, `tried` did not."""

    account_id: int
    id: int
    claim_id: int
    day: date
    amount: int
    hold_id: int
    attempt: int
    bill: str
    reference: str
    creditor_number: str
    case_id: int | None
    channels: list[str]
    tried: list[str]

    @property
    def channel(self) -> str:
        """The next channel; empty when none is left."""
        return next((one for one in CHANNELS if one in self.channels and one not in self.tried), "")


class Said(NamedTuple):
    """A message that an event wants: its case, the channel and what its words are made from."""

    case_id: int
    code: str
    event: Mapping[str, Any]
    channel: str
    template: str
    params: Mapping[str, Any]


def scope() -> dict[str, list[str]]:
    """The schemes of which the creditor always tells the customer, and those where the bank does unless told not to."""
    found = schemes().values()
    return {
        "always": [one.name for one in found if one.told_by == "creditor"],
        "unless_bank": [one.name for one in found if one.told_by == "mandate"],
    }


def announce(tx: Tx, accounts: Sequence[int], *, now: datetime) -> int:
    """Tell what is planned and not told yet, or not yet with success; how many messages. What nobody can be told of is
    taken back, and a person is asked to find the customer."""
    now = locked_at(tx, accounts, now)
    given = {"accounts": list(accounts), "after": 0, "limit": None, "now": now, **scope()}
    rows = [Draw(*row) for row in tx.rows(SQL.to_tell, given)]
    lost = [one for one in rows if one.case_id is None or not one.channel]
    withdraw(tx, [Gone(o.id, o.account_id, o.claim_id, o.amount, o.hold_id) for o in lost], why="cannot_tell", now=now)
    for one in lost:
        _ask(tx, one, now)
    groups = [list(group) for _, group in groupby(sorted((o for o in rows if o not in lost), key=_key), key=_key)]
    effects = say(tx, [_said(group) for group in groups], now=now)
    pairs = [(one.id, effect) for group, effect in zip(groups, effects, strict=True) for one in group]
    if pairs:
        given = {"collections": [pair[0] for pair in pairs], "effects": [pair[1] for pair in pairs]}
        tx.run(SQL.note, {**given, "partner": tx.partner_id, "now": now})
    return len(groups)


def say(tx: Tx, said: Sequence[Said], *, now: datetime) -> list[int]:
    """Put messages in the outbox, each with the event that wants it; their effects, in order."""
    if not said:
        return []
    given = {
        "cases": [one.case_id for one in said],
        "codes": [one.code for one in said],
        "events": [Jsonb(dict(one.event)) for one in said],
        "channels": [one.channel for one in said],
        "templates": [one.template for one in said],
        "params": [Jsonb(dict(one.params)) for one in said],
    }
    return [row[1] for row in tx.rows(SQL.say, {**given, "partner": tx.partner_id, "now": now})]


def tell_failed(tx: Tx, collections: Sequence[int], *, now: datetime) -> None:
    """Tell customers that a bill could not be collected, and how to pay it."""
    if not collections:
        return
    rows = tx.rows(SQL.failed, {"collections": list(collections), "now": now})
    draws = [(Draw(*row[:-1]), row[-1]) for row in rows]
    say(tx, [_failed(draw, reference) for draw, reference in draws if draw.case_id and draw.channel], now=now)


def _failed(draw: Draw, reference: str) -> Said:
    assert draw.case_id is not None, "only those with a case are told"
    event = {"amount": draw.amount, "claim": draw.bill}
    return Said(
        draw.case_id, "collection_told", event, draw.channel, FAILED, {**_words([draw]), "reference": reference}
    )


def _key(one: Draw) -> tuple[int, str, date, str]:
    return one.case_id or 0, one.reference, one.day, one.channel


def _said(group: Sequence[Draw]) -> Said:
    first = group[0]
    event = {
        "amount": sum(one.amount for one in group),
        "claim": ", ".join(one.bill for one in group),
        "day": first.day.isoformat(),
    }
    assert first.case_id is not None, "what has no case was taken back"
    return Said(first.case_id, "collection_announced", event, first.channel, NOTICE, _words(group))


def _words(group: Iterable[Draw]) -> dict[str, Any]:
    draws = list(group)
    return {
        "day": draws[0].day.isoformat(),
        "bills": [[one.bill, one.amount] for one in draws],
        "mandate": draws[0].reference,
        "creditor_id": draws[0].creditor_number,
        "again": any(one.attempt > 1 for one in draws),
    }


def _ask(tx: Tx, one: Draw, now: datetime) -> None:
    add_task(
        tx,
        case_id=one.case_id,
        account_id=one.account_id,
        code="cannot_reach",
        due_at=now + _PERSON_WITHIN,
        dedup=f"cannot_tell-{one.account_id}",
        now=now,
        params={"template": NOTICE},
    )
