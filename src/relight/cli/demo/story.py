"""One run of the demo: the partner made anew, its days in fast motion, and what they came to."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from relight.cli.demo import counts
from relight.cli.demo.partner import driver_settings, make_partner
from relight.cli.demo.portfolio import Household, households, invoices
from relight.cli.demo.till import Till
from relight.cli.demo.town import Town
from relight.drivers.testpay import TestProvider
from relight.flow.database import Database
from relight.flow.feeds.operations import pull
from relight.flow.payments.links import LinkKey
from relight.flow.road.release import LinkMaker

ZONE = ZoneInfo("Europe/Oslo")
READERS = ("accounting", "customer service")
_DAY_BEGINS = clock_time(5)


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. `folder` keeps devices and messages for others to see; `hosted` the test provider's."""

    accounts: int
    days: int
    seed: int
    start: date
    folder: Path | None
    hosted: Path

    @property
    def begins_at(self) -> datetime:
        """The first morning."""
        return datetime.combine(self.start, _DAY_BEGINS, ZONE)


@dataclass(frozen=True, slots=True)
class Told:
    """The story's end."""

    partner_id: int
    people: list[Household]
    result: dict[str, Any]
    seconds: float
    fed: int


Watch = Callable[[date, tuple[int, ...]], None]


def tell_story(
    db: Database, owner_url: str, wish: Wish, *, link: LinkMaker, key: LinkKey, watch: Watch, until: datetime
) -> Told:
    """Run the days until a moment, midnight or any other; `watch` sees each evening."""
    began = time.monotonic()
    settings = driver_settings(wish.folder, wish.hosted)
    partner_id = make_partner(owner_url, db, now=wish.begins_at, accounts=wish.accounts, settings=settings)
    people = households(wish.accounts, wish.seed)

    def till(now: Callable[[], datetime]) -> Till:
        return Till(db, partner_id, TestProvider(settings["payments"]["testpay"], clock=now), key, ZONE)

    town = Town(db, partner_id, people, link=link, till=till, zone=ZONE, start=wish.begins_at, seed=wish.seed)
    try:
        town.plan_days(wish.start, wish.days + 1, invoices(people, wish.start, wish.days, wish.seed))
        for day in _days(wish.start, until):
            town.run(min(_midnight(day + timedelta(days=1)), until))
            watch(day, counts.day(db, partner_id))
    finally:
        town.close()
    fed = sum(sum(1 for _ in pull(db, partner_id, name, town.moment)) for name in READERS)
    result = counts.counts(db, partner_id)
    given_up = result.pop("given_up")
    seconds = counts.percentiles([one.seconds for one in town.restored])
    result |= {"restore_seconds": seconds, "given_up": given_up}
    return Told(partner_id, people, result, time.monotonic() - began, fed)


def _days(start: date, until: datetime) -> Iterator[date]:
    """The days that begin before `until`."""
    day = start
    while _midnight(day) < until:
        yield day
        day += timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, clock_time(), ZONE)
