"""The simulated year at work, in a process of its own that may be killed at any moment and started again.

    python -m tests.year.child FOLDER

It reads what was asked for, and does what the database does not know to be done yet.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from relight.flow.database import Database
from relight.flow.road.machine import Machine
from relight.flow.road.release import LEASE
from relight.project.installation import Installed
from tests.year import books, debits, money
from tests.year.acts import Desk
from tests.year.script import CALENDAR, Act, Year

ZONE = ZoneInfo("Europe/Oslo")
BANK, BILLS, DEBITS, DESK = time(6), time(8), time(8, 30), time(9, 30)
CUSTOMERS = time(12)
# Once each would do for a year without kills. The others are for what a kill made a minute later, also a week later
# under the contact cap: it is done before anybody else acts, as if nothing had been killed.
BEFORE_CUSTOMERS = (time(10), time(11), time(11, 40))
AFTER_CUSTOMERS = (time(12, 5), time(15), time(18))
CLOSES_ON, SUMMER = 3, date(2026, 7, 1)
AFTER_A_KILL, SENT_AGAIN = LEASE + timedelta(seconds=10), timedelta(seconds=2)
_CUSTOMERS = ("card", "charge_back", "dispute", "credit", "cancel")


def main(folder: Path, year: Year) -> None:
    """Go on where the year stands, until its end."""
    asked = json.loads((folder / "year.json").read_text())
    installed = Installed()
    with installed.database() as db:
        Days(db, asked["partner"], year, folder, installed).go_on()


class Days:
    """The days of one partner's year."""

    def __init__(self, db: Database, partner_id: int, year: Year, folder: Path, installed: Installed):
        self.db, self.partner_id, self.year, self.moment = db, partner_id, year, datetime.now(UTC)
        self.desk = Desk(db, partner_id, folder)
        self.machine = Machine(
            db, installed.pay_link("https://betal.nordlys.example"), lambda: self.moment, only={partner_id}
        )

    def go_on(self) -> None:
        """Every day that is not marked as done."""
        with self.machine:
            for number, day in enumerate(self.year.each_day(), start=1):
                if not self.desk.is_done(f"day-{day}"):
                    self._day(day, number)
                    self._evening(day)

    def _day(self, day: date, number: int) -> None:
        acts = self.year.acts.get(day, [])
        self.desk.bank(day, number, acts, _at(day, BANK))
        bills = self.year.bills.get(day, [])
        self.desk.bill(day, bills, _at(day, BILLS))
        self.desk.once(f"agree-{day}", lambda tx: debits.agree(tx, self.year, bills, _at(day, BILLS)))
        self._debits(day, _at(day, DEBITS))
        if CALENDAR.is_working_day(day):
            self._desk(day, _at(day, DESK))
        for at in BEFORE_CUSTOMERS:
            self._road(day, at)
        for act in _of(acts, _CUSTOMERS):
            getattr(self.desk, act.kind)(act, _at(day, CUSTOMERS))
        for at in AFTER_CUSTOMERS:
            self._road(day, at)

    def _debits(self, day: date, now: datetime) -> None:
        if CALENDAR.is_working_day(day) and not self.desk.is_done(f"debits-{day}"):
            debits.plan(self.db, self.partner_id, now)
            self.desk.once(f"debits-{day}", lambda tx: debits.order(tx, now))

    def _desk(self, day: date, now: datetime) -> None:
        self.desk.work(day, now, _at(day, time()))
        self.desk.once(f"agency-{day}", lambda tx: money.agency(tx, day, now))
        self.desk.once(f"money-{day}", lambda tx: money.morning(tx, day, now))
        if day.month != self.year.start.month or day.year != self.year.start.year:
            self._month_end(day, now)
        if day >= SUMMER:
            self.desk.once("summer rate", lambda tx: money.set_summer_rate(tx, now))

    def _month_end(self, day: date, now: datetime) -> None:
        """On the third working day or after, once a month, when everybody has told of the month before."""
        if sum(CALENDAR.is_working_day(day.replace(day=one)) for one in range(1, day.day + 1)) >= CLOSES_ON:
            self.desk.once(f"month-{day:%Y-%m}", lambda tx: money.month_end(tx, day, now))

    def _road(self, day: date, at: time) -> None:
        """All that is due. Who comes after a kill comes a lease later, finds what was lost with it and sends it."""
        key = f"road-{day}-{at}"
        if self.desk.is_done(key):
            return
        kills = self.desk.begins(key)
        self.moment = _at(day, at) + kills * AFTER_A_KILL
        while self.machine.find_lost():
            continue
        self._all_due()
        if kills:
            self.moment += SENT_AGAIN
            self._all_due()
        self.desk.once(key, lambda tx: None)

    def _all_due(self) -> None:
        self.machine.run()
        self.machine.look_at_buttons()
        self.machine.run()

    def _evening(self, day: date) -> None:
        """The books add up, and a closed month is as it was."""
        with self.db.transaction(self.partner_id) as tx:
            found = books.wrong(tx, _at(day, time()), day)
        assert not found, f"{day}: {found[:5]}"
        self.desk.once(f"day-{day}", lambda tx: None)
        print(day, flush=True)


def _of(acts: list[Act], kinds: tuple[str, ...]) -> Iterator[Act]:
    return (act for act in acts if act.kind in kinds)


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, ZONE).astimezone(UTC)
