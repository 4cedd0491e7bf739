"""Hearing: delivery reports, bounces and customers' answers become facts, and the case thinks again.

Everything may be told twice and in any order: a report can be here before the attempt's own end is written.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from psycopg.types.json import Jsonb

from relight.core.calendars import calendar_for, due_date
from relight.core.plans.follow import AGREED, REMINDER
from relight.core.spans import Span, Unit
from relight.core.windows import local_date, local_midnight
from relight.flow.cases import plans
from relight.flow.cases.errors import UnableTo
from relight.flow.cases.operations import locked_at, place_hold, wake, wake_case
from relight.flow.cases.promises import promise, promise_last
from relight.flow.cases.tasks import add_task
from relight.flow.claims.receiving import partner_today
from relight.flow.database import Database, Tx
from relight.flow.messages.handlers import SQL
from relight.flow.messages.inbound import Meaning, understand
from relight.flow.messages.port import Inbound, Receipt, Report
from relight.flow.messages.promised import LAST, promised_day
from relight.flow.road.gather import zone
from relight.flow.road.receipts import Receipts, write_delivered

log = structlog.get_logger(__name__)
_TELL_AGAIN_SECONDS = (0.2, 0.5, 1, 2, 4)
_SAYS_PAID_FOR = Span(3, Unit.WORKING_DAYS)
_READ_WITHIN = timedelta(days=1)
_COMES_AGAIN_SECONDS = 600  # within so many, and at times up to twice as many, the same words are the same message

Sleep = Callable[[float], Awaitable[None]]


def _names(told: Inbound, sender: str) -> tuple[str, str]:
    """By what a message is known, and by what it is known if it came before. Text messages mostly have no name of their
    own (SMPP 3.4, deliver_sm), and come again when the link broke before we had answered: they go by their words."""
    if told.provider_id:
        return told.provider_id, told.provider_id
    words = hashlib.blake2b(told.text.encode(), digest_size=12).hexdigest()
    part = int(told.at.timestamp()) // _COMES_AGAIN_SECONDS
    return f"{sender}-{words}-{part}", f"{sender}-{words}-{part - 1}"


class Ear:
    """The sink of one partner's message drivers."""

    def __init__(self, db: Database, partner_id: int, clock: Callable[[], datetime], sleep: Sleep = asyncio.sleep):
        self.db, self.partner_id, self.clock, self.sleep = db, partner_id, clock, sleep
        self._delivered = Receipts(self.delivered)

    async def __call__(self, told: Receipt | Inbound) -> None:
        """Keep it; returns only when it is committed, so that the channel may forget it."""
        if isinstance(told, Inbound):
            await asyncio.to_thread(self.answer, told)
            return
        for pause in (*_TELL_AGAIN_SECONDS, None):
            if await self._take(told):
                return
            if pause is not None:
                await self.sleep(pause)
        log.warning("receipt_for_nothing", channel=told.channel.value, result=told.report.value)

    async def _take(self, told: Receipt) -> bool:
        if told.report is Report.DELIVERED:
            return await self._delivered.take(told)
        return await asyncio.to_thread(self.receipt, told)

    def delivered(self, told: Sequence[Receipt]) -> list[bool]:
        """Receipts of delivery; of each whether a message of ours is known by it (yet)."""
        return write_delivered(self.db, self.partner_id, told, self.clock())

    def receipt(self, told: Receipt) -> bool:
        """A delivery report or a bounce; False when no message of ours is known by it (yet)."""
        if told.report is Report.DELIVERED:
            return self.delivered([told])[0]
        now = self.clock()
        with self.db.transaction(self.partner_id) as tx:
            found = tx.row(SQL.messages_of, {"provider_ids": [told.provider_id], "keys": [told.key]})
            if found is None:
                return False
            _, message_id, effect_id, account_id, case_id, contact_id = found
            now = locked_at(tx, [account_id], now)
            if told.report is Report.UNDELIVERABLE:
                first_told = tx.value(SQL.undeliverable, {"message": message_id, "at": told.at})
                if told.code.upper() != "EXPIRED":  # a phone that was off for days is not a wrong number
                    tx.run(SQL.end_contact, {"contact": contact_id, "at": now, "why": "undeliverable"})
                    if first_told in (AGREED, REMINDER):
                        tx.run(plans.SQL.untold, {"effect": effect_id})
            wake_case(tx, case_id, now, urgent=False)
        return True

    def answer(self, told: Inbound) -> None:
        """What a customer wrote: STOP ends the channel, "paid" waits for the money, a day is a promise, a person reads
        the rest."""
        now = self.clock()
        with self.db.transaction(self.partner_id) as tx:
            sender = told.sender if told.channel.value != "sms" else "+" + told.sender.lstrip("+")
            found = tx.row(SQL.sender, {"channel": told.channel.value, "sender": sender})
            contact_id, _party_id, account_id, case_id, language = found or (None, None, None, None, "nb")
            meaning = understand(told.text, language)
            day = promised_day(told.text, today=partner_today(tx, now)) if meaning is Meaning.UNKNOWN else None
            meaning = Meaning.PROMISE if day is not None else meaning
            names = _names(told, sender)
            new = tx.row(
                SQL.receive,
                {
                    "partner": self.partner_id,
                    "account": account_id,
                    "channel": told.channel.value,
                    "sender": sender,
                    "text": told.text,
                    "meaning": meaning.value,
                    "provider_id": names[0],
                    "earlier": names[1],
                    "at": told.at,
                },
            )
            if new is None:
                return  # told again
            if contact_id is None or account_id is None or case_id is None:
                self._to_person(tx, None, account_id, new[0], now)
                return
            now = locked_at(tx, [account_id], now)
            if meaning is not Meaning.PROMISE or not self._promised(tx, case_id, day, now):
                self._act(tx, meaning, contact_id, account_id, case_id, new[0], now)
            wake(tx, [account_id], now, urgent=True)

    def _promised(self, tx: Tx, case_id: int, day: date | str | None, now: datetime) -> bool:
        """Whether the policy lets the customer promise that day, and it stands; else a person reads the answer."""
        given: dict[str, Any] = {"case_id": case_id, "actor": "customer", "now": now, "source": "sms"}
        try:
            if isinstance(day, date):
                promise(tx, until=day, **given)
            elif day == LAST:
                promise_last(tx, **given)
            return day is not None
        except UnableTo:
            return False

    def _act(
        self, tx: Tx, meaning: Meaning, contact_id: int, account_id: int, case_id: int, received_id: int, now: datetime
    ) -> None:
        match meaning:
            case Meaning.STOP:
                tx.run(SQL.end_contact, {"contact": contact_id, "at": now, "why": "opted_out"})
            case Meaning.PAID:
                place_hold(
                    tx,
                    case_id=case_id,
                    account_id=account_id,
                    reason="says_paid",
                    actor="customer",
                    now=now,
                    ends_at=self._settled_by(tx, now),
                    source="sms",
                )
            case Meaning.WRONG_PERSON:
                tx.run(SQL.end_contact, {"contact": contact_id, "at": now, "why": "wrong_person"})
                place_hold(
                    tx,
                    case_id=case_id,
                    account_id=account_id,
                    reason="wrong_person",
                    actor="customer",
                    now=now,
                    protective=True,
                    source="sms",
                )
                self._to_person(tx, case_id, account_id, received_id, now)
            case _:
                self._to_person(tx, case_id, account_id, received_id, now)

    def _settled_by(self, tx: Tx, now: datetime) -> datetime:
        """When money that a customer says is on its way must have arrived."""
        country, time_zone = tx.row(
            "SELECT country, time_zone FROM partner WHERE id = %(id)s", {"id": self.partner_id}
        ) or ("NO", "Europe/Oslo")
        day = due_date(calendar_for(country), local_date(now, zone(time_zone)), _SAYS_PAID_FOR)
        return local_midnight(day, zone(time_zone))

    def _to_person(self, tx: Tx, case_id: int | None, account_id: int | None, received_id: int, now: datetime) -> None:
        if account_id is None:
            tx.run(
                "INSERT INTO task (partner_id, code, params, created_at, due_at, dedup) VALUES "
                "(%(partner)s, 'read_message', %(params)s, %(now)s, %(due)s, %(dedup)s) ON CONFLICT DO NOTHING",
                {"partner": self.partner_id, "params": Jsonb({"message": received_id}), "now": now,
                 "due": now + _READ_WITHIN, "dedup": f"message-{received_id}"},
            )  # fmt: skip
            return
        add_task(
            tx,
            case_id=case_id,
            account_id=account_id,
            code="read_message",
            due_at=now + _READ_WITHIN,
            dedup=f"message-{received_id}",
            now=now,
            params={"message": received_id},
        )
