"""Fast motion: the demo's days on a clock of their own, from one moment at which something is due to the next.

The road is the production one (`Machine`), with its drivers; customers, bank and desks act in between. Nothing here
depends on the host's clock or on the order of threads: the same seed tells the same story.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from relight.cli.demo import desk
from relight.cli.demo.habits import Do
from relight.cli.demo.lives import Life, Plan
from relight.cli.demo.portfolio import Household, Invoice
from relight.cli.demo.room import Reached, WatchedRoom
from relight.cli.demo.till import LINK, Till
from relight.core.calendars import calendar_for
from relight.core.levels import Level
from relight.drivers.inbox import Kept
from relight.flow.cases.opening import open_cases
from relight.flow.claims.operations import post_claims
from relight.flow.database import Database
from relight.flow.messages.port import Channel, Inbound
from relight.flow.road.hear import Ear
from relight.flow.road.machine import Machine
from relight.flow.road.release import LinkMaker

BANK_AT, BILLS_AT, DESK_AT = time(6), time(8), time(9, 30)
STRIDE = timedelta(minutes=5)
_NEXT_DUE = """
    SELECT least(
        (SELECT min(wakes_at) FROM dunning_case WHERE lane = 'bulk' AND wakes_at > %(now)s),
        (SELECT min(wakes_at) FROM dunning_case WHERE lane = 'urgent' AND wakes_at > %(now)s),
        (SELECT min(due_at) FROM effect WHERE state = 'pending' AND lane = 'bulk' AND due_at > %(now)s),
        (SELECT min(due_at) FROM effect WHERE state = 'pending' AND lane = 'urgent' AND due_at > %(now)s))
"""

Event = Callable[[datetime], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """A device came back: the real seconds from the accepted payment to the level read back."""

    kind: str
    seconds: float


class Town:
    """A partner's customers, desks and bank, and the road between them."""

    def __init__(
        self,
        db: Database,
        partner_id: int,
        households: list[Household],
        *,
        link: LinkMaker,
        till: Callable[[Callable[[], datetime]], Till],
        zone: ZoneInfo,
        start: datetime,
        seed: int,
    ):
        self.db, self.partner_id, self.zone, self.moment = db, partner_id, zone, start.astimezone(UTC)
        self.till = till(lambda: self.moment)
        self.machine = Machine(db, link, lambda: self.moment, only={partner_id})  # nobody else's days go by
        self.machine.room = self.room = WatchedRoom(db, lambda: self.moment)
        self.ear = Ear(db, partner_id, lambda: self.moment)
        self.lives = {household.number: Life(household, zone, seed) for household in households}
        self.by_ref = {household.ref: household.number for household in households}
        self.by_key = {service.key: (household, service) for household in households for service in household.services}
        self.restored: list[Restored] = []
        self._events: list[tuple[datetime, int, Event]] = []
        self._order = itertools.count()

    def close(self) -> None:
        """End the drivers."""
        self.machine.close()

    def plan_days(self, start: date, days: int, invoices: Iterable[Invoice]) -> None:
        """Put the bank's, the billing system's and the desks' days into the calendar."""
        bills: dict[date, list[Invoice]] = {}
        for invoice in invoices:
            bills.setdefault(max(invoice.issued, start), []).append(invoice)
        calendar = calendar_for("NO")
        for day in (start + timedelta(days=ahead) for ahead in range(days)):
            works = calendar.is_working_day(day)
            self._at(day, BANK_AT, partial(self._bank, works))
            if day in bills:
                self._at(day, BILLS_AT, partial(self._bill, bills[day]))
            if works:
                self._at(day, DESK_AT, self._desk)

    def run(self, until: datetime) -> None:
        """Let time pass."""
        while (following := self._next()) <= until:
            self.moment = following
            while self._events and self._events[0][0] <= self.moment:
                heapq.heappop(self._events)[2](self.moment)
            self._work()
        self.moment = until.astimezone(UTC)

    def _next(self) -> datetime:
        """When something happens next: at the minute, when a person does it; in strides, when the road does."""
        with self.db.transaction(self.partner_id) as tx:
            due = tx.value(_NEXT_DUE, {"now": self.moment})
        planned = self._events[0][0] if self._events else None
        if due is None:
            return planned or datetime.max.replace(tzinfo=UTC)
        in_stride = max(due, self.moment + STRIDE)
        return max(min(in_stride, planned) if planned else in_stride, self.moment)

    def _work(self) -> None:
        """The road at this moment, and what customers notice of it."""
        self.machine.run()
        self._notice_devices(self.room.take_notes())
        self._notice_messages(self.room.new_messages(self.partner_id))

    def _notice_devices(self, notes: list[Reached]) -> None:
        for note in notes:
            household, service = self.by_key[note.key]
            life = self.lives[household.number]
            if note.level in (Level.FULL, Level.READY):
                paid = self.till.accepted.get(household.ref)
                if paid is not None:
                    self.restored.append(Restored(service.kind, note.seconds - paid))
            if note.level is Level.READY:
                self._later(life.presses_button_at(self.moment), partial(self._press, note.key))
            self._plan(life.happens(note.level.value, self.moment))

    def _notice_messages(self, messages: list[Kept]) -> None:
        if not messages:
            return
        with self.db.transaction(self.partner_id) as tx:
            told = {
                key: (ref, template)
                for key, ref, template in tx.rows(
                    "SELECT e.key, a.ref, e.template FROM effect e JOIN account a ON a.partner_id = e.partner_id"
                    " AND a.id = e.account_id WHERE e.key = ANY (%(keys)s)",
                    {"keys": [message.key for message in messages]},
                )
            }
        for message in sorted(messages, key=lambda one: (*told[one.key], one.channel)):
            ref, template = told[message.key]
            life = self.lives[self.by_ref[ref]]
            if found := LINK.search(message.text):
                life.url = found[0]
            self._plan(life.happens(template, self.moment))

    def _plan(self, plans: list[Plan]) -> None:
        for plan in plans:
            self._later(plan.at, partial(self._do, plan))

    def _do(self, plan: Plan, now: datetime) -> None:
        life = self.lives[plan.household]
        match plan.do:
            case Do.CARD if life.url:
                self.till.card(life.url, now)
                self._work()  # each card payment on its own, so that its seconds are its own
            case Do.CARD | Do.BANK:
                self.till.order(life.household.ref, plan.percent, now)
            case Do.BANK_AGAIN:
                self.till.order(life.household.ref, plan.percent, now, again=True)
            case Do.ANSWER:
                self._answer(life.household, plan.text, now)

    def _answer(self, who: Household, text: str, now: datetime) -> None:
        channel, sender = (Channel.SMS, who.mobile) if who.mobile else (Channel.EMAIL, who.email)
        if sender:
            self.ear.answer(
                Inbound(channel, sender, "Nordlys", text, at=now, provider_id=f"{who.ref}-{now.isoformat()}")
            )

    def _press(self, key: str, now: datetime) -> None:
        if self.room.press_button(self.partner_id, key, now):
            self.machine.look_at_buttons()

    def _bank(self, works: bool, now: datetime) -> None:
        self.till.bank_run(now, books=works)

    def _bill(self, invoices: list[Invoice], now: datetime) -> None:
        with self.db.transaction(self.partner_id) as tx:
            posted = post_claims(tx, [invoice.row for invoice in invoices], run_id=None, now=now)
            assert not posted.refused, posted.refused
            open_cases(tx, list(posted.account_ids), now)
        for invoice in invoices:
            due = datetime.combine(invoice.row.due_date, time(12), self.zone)
            self._plan(self.lives[invoice.household].happens("invoice", max(due, now)))

    def _desk(self, now: datetime) -> None:
        desk.work(
            self.db,
            self.partner_id,
            now=now,
            before=datetime.combine(now.astimezone(self.zone).date(), time(), self.zone),
        )

    def _at(self, day: date, at: time, event: Event) -> None:
        self._later(datetime.combine(day, at, self.zone), event)

    def _later(self, at: datetime, event: Event) -> None:
        heapq.heappush(self._events, (max(at, self.moment).astimezone(UTC), next(self._order), event))
