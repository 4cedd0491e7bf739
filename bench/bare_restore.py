"""The bare loop beside `restore`: what the counterparts and one commit take when nothing is thought.

Customers of a partner of its own, cut off like those who pay, come at the same pace. For each one row is updated and
committed, by the role that runs in production; then the driver's own command goes out, which reads back as always.
There is no webhook, no ledger, no decision and no outbox, and one process does it all.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from bench import population
from bench.figures import percentiles
from bench.home import Home
from bench.population import CUSTOMERS, Plan, Shape
from bench.town import SQL, Town
from relight.core.levels import Level
from relight.drivers.dlms import DlmsDriver
from relight.drivers.radius import RadiusDriver
from relight.flow.database import Database
from relight.flow.effects.port import Attempt, Result
from relight.flow.supply.port import Target

MOST = 250  # customers of each kind: percentiles enough, and the run does not become twice as long
_FIRST = 400_000_000
_SEND_WITHIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Done:
    """One restore: when its row was updated by the database's clock, and milliseconds to the driver's proof."""

    customer: int
    meter: int | None
    began: datetime
    ms: float
    is_done: bool


class BareLoop:
    """So many broadband customers, by turns off and in the walled garden, and the town's last `power` meters."""

    def __init__(self, home: Home, town: Town, broadband: int, power: int):
        self.home, self.town = home, town
        self.partner = 0
        self.lines = [_FIRST + number for number in range(broadband)]
        first_meter = len(town.park.meters) - power
        self.meters = {_FIRST + broadband + number: first_meter + number for number in range(power)}

    def fill(self, owner: psycopg.Connection, filling: psycopg.Connection, now: datetime) -> None:
        """Their rows, and the town's; before the town is watched."""
        self.partner = population.make_partner(owner, "bare", now, {})
        count = len(self.lines) + len(self.meters)
        plan = Plan(_FIRST, max(count, 1), (Shape(steps=0, due_days=0),), level="off", tables=CUSTOMERS)
        population.fill(filling, self.partner, 0, plan, now)  # no cases: no policy
        for customer in self.lines:
            self.town.move_in(f"user-{customer}", "off" if customer % 2 else "walled_garden")

    def run(self, rate: float, *, warm_up: int) -> dict[str, Any]:
        """Restore them all, `rate` a second, of whom the first do not count; spreads of what it took, and how many were
        not proven."""
        with self.home.database() as db:
            done = asyncio.run(self._restore_all(db, rate))[warm_up:]
        heard = {int(name.removeprefix("user-")): at for name, at in self.town.radius_heard().items()}
        heard |= {one.customer: at for one in done
                  if one.meter is not None and (at := self.town.meter_heard(one.meter)) is not None}  # fmt: skip
        proven = [one for one in done if one.is_done]
        inside = [(heard[one.customer] - one.began) / timedelta(milliseconds=1)
                  for one in proven if one.customer in heard]  # fmt: skip
        return {
            "raw_inside_ms": percentiles(inside),
            "raw_broadband_ms": percentiles([one.ms for one in proven if one.meter is None]),
            "raw_power_ms": percentiles([one.ms for one in proven if one.meter is not None]),
            "raw": {
                "runs": sum(one.meter is None for one in done),
                "power": sum(one.meter is not None for one in done),
                "not_proven": len(done) - len(proven),
            },
        }

    async def _restore_all(self, db: Database, rate: float) -> Sequence[Done]:
        radius, dlms = RadiusDriver(self.town.radius.settings()), DlmsDriver({})
        try:
            began, restoring = time.monotonic(), list[asyncio.Task[Done]]()
            async with asyncio.TaskGroup() as group:
                for at, customer in enumerate(self._in_order()):
                    await asyncio.sleep(max(0.0, began + at / rate - time.monotonic()))
                    driver = dlms if customer in self.meters else radius
                    restoring.append(group.create_task(self._restore(db, driver, customer)))
            return [one.result() for one in restoring]
        finally:
            await radius.aclose()
            await dlms.aclose()

    def _in_order(self) -> list[int]:
        """Both kinds spread evenly, as payments are."""
        kinds = (self.lines, list(self.meters))
        places = [((at + 0.5) / len(kind), customer) for kind in kinds for at, customer in enumerate(kind)]
        return [customer for _, customer in sorted(places)]

    async def _restore(self, db: Database, driver: RadiusDriver | DlmsDriver, customer: int) -> Done:
        began = time.perf_counter()
        updated = await asyncio.to_thread(self._update, db, customer)
        attempt = Attempt(f"bare-{customer}", 1, datetime.now(UTC) + _SEND_WITHIN)
        outcome = await driver.apply(self._target(customer), Level.FULL, attempt)
        ms = (time.perf_counter() - began) * 1000
        return Done(customer, self.meters.get(customer), updated, ms, outcome.result is Result.DONE)

    def _update(self, db: Database, customer: int) -> datetime:
        with db.transaction(self.partner) as tx:
            found: datetime = tx.value(SQL.bare_update, {"service": customer})
        return found

    def _target(self, customer: int) -> Target:
        if customer in self.meters:
            meter = self.town.park.meters[self.meters[customer]]
            return Target("electricity_grid", meter.address, meter.serial)
        address = {"username": f"user-{customer}", "password": self.town.password}
        return Target("broadband", address, profile=self.town.radius.profile)
