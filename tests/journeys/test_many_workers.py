"""Three workers of each lane over five hundred due cases: nothing twice, nothing lost, one command a service."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from relight.drivers.inbox import read
from relight.drivers.simulated_devices import DevicesInFolder
from relight.flow.cases.opening import open_cases
from relight.flow.claims.operations import post_claims
from relight.flow.claims.rows import ClaimRow
from relight.flow.database import Database
from relight.flow.messages.port import Channel
from relight.flow.payments.settle import settle
from relight.flow.road.intake import import_cases
from tests.flow.factories import make_account, make_service, payment_row
from tests.flow.importing import write_csv
from tests.journeys.processes import Workers, wait_for
from tests.journeys.street import live
from tests.journeys.world import World

HOMES = 500
OWED = 89900
SECONDS = 240.0

pytestmark = pytest.mark.timeout(900)


def test_six_workers_limit_five_hundred_lines_and_give_them_back(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, workers: Workers, tmp_path: Path
) -> None:
    crowd = Crowd(db, owner, partner, now + timedelta(days=1, hours=1), tmp_path)

    for lane in ("urgent", "bulk") * 3:
        workers.start(lane, at=crowd.moment)
    wait_for(lambda: crowd.told("service_limited") == HOMES, "all are limited and told so", seconds=SECONDS)
    limited = Counter(device.level.value for device in crowd.devices.all())
    crowd.all_pay()
    wait_for(lambda: crowd.told("restored") == HOMES, "all are restored and told so", seconds=SECONDS)
    wait_for(lambda: crowd.is_at_rest, "nothing is due any more", seconds=SECONDS)

    assert limited == {"walled_garden": HOMES}
    assert Counter(device.level.value for device in crowd.devices.all()) == {"full": HOMES}
    crowd.everything_happened_once()
    assert workers.complaints() == ""


class Crowd(World):
    """Households that have had their notices and not paid, in the old system; today their lines are to be limited."""

    def __init__(self, db: Database, owner: psycopg.Connection, partner: int, moment: datetime, folder: Path):
        self.inbox, self.devices = folder / "inbox", DevicesInFolder(folder / "devices")
        supply = {"sim": {"driver": "simulator", "folder": str(folder / "devices")}}
        messages = {"sms": {"driver": "inbox", "channel": "sms", "folder": str(self.inbox), "receipts": False}}
        super().__init__(db, owner, partner, moment, drivers={"supply": supply, "messages": messages})
        live(owner, partner, cuts_per_hour=HOMES, cuts_per_day=HOMES)
        self._move_in()
        self._taken_over(folder)

    def _move_in(self) -> None:
        due = self.moment.date() - timedelta(days=70)
        with self.db.transaction(self.partner) as tx:
            self.accounts = [
                make_account(tx, self.moment, contacts={"sms": f"+4791{number:06}"}) for number in range(HOMES)
            ]
            for account in self.accounts:
                make_service(tx, account, self.moment, driver="sim", address={"device": account.ref})
            rows = [
                ClaimRow(account.ref, f"F-{account.ref}", OWED, "NOK", due, service_kind="broadband")
                for account in self.accounts
            ]
            assert not post_claims(tx, rows, run_id=None, now=self.moment).refused
            open_cases(tx, [account.id for account in self.accounts], self.moment)

    def _taken_over(self, folder: Path) -> None:
        friendly, reminder, pay_by = (self.moment.date() - timedelta(days=days) for days in (66, 60, 20))
        header = ("account", "step", "completed_date", "pay_by_date", "claims", "proof")
        steps = [
            (account.ref, step, completed, pay_by, f"F-{account.ref}", "from the old system")
            for account in self.accounts
            for step, completed in (("friendly", friendly), ("reminder", reminder))
        ]
        report = import_cases(self.db, self.partner, write_csv(folder / "cases.csv", header, steps), now=self.moment)
        assert report.accepted == 2 * HOMES, report

    def all_pay(self) -> None:
        """Five hundred payments in one file of the bank's."""
        with self.db.transaction(self.partner) as tx:
            rows = [payment_row(OWED, self.moment, account=account) for account in self.accounts]
            settle(tx, self.source, rows, now=self.moment)

    def told(self, template: str) -> int:
        """How many have been told something."""
        sent = "SELECT count(*) FROM sent_message WHERE template = %(template)s AND sent_at IS NOT NULL"
        return int(self.value(sent, template=template))

    @property
    def is_at_rest(self) -> bool:
        """Whether every case is closed and no effect is open."""
        return not self.rows("SELECT 1 FROM dunning_case WHERE state <> 'closed'") and not self.rows(
            "SELECT 1 FROM effect WHERE state IN ('pending', 'in_flight')"
        )

    def everything_happened_once(self) -> None:
        """By the phones' own account and by the record: each thing once, and commands of a service one by one."""
        texts = read(self.inbox, Channel.SMS)
        effects = self.rows(
            "SELECT coalesce(nullif(template, ''), level), state, count(*) FROM effect GROUP BY 1, 2 ORDER BY 1"
        )
        ends = dict(self.rows("SELECT result, count(*) FROM attempt GROUP BY 1"))
        done_again = self.rows("SELECT effect_id FROM attempt WHERE result = 'done' GROUP BY 1 HAVING count(*) > 1")
        overlapping = self.rows(
            "SELECT service_id FROM (SELECT e.service_id, a.started_at, max(a.finished_at)"
            " OVER (PARTITION BY e.service_id ORDER BY a.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS ended"
            " FROM effect e JOIN attempt a ON a.effect_id = e.id WHERE e.kind = 'supply') x WHERE started_at < ended"
        )
        assert len({text.key for text in texts}) == len(texts) == 3 * HOMES
        assert set(Counter(text.to for text in texts).values()) == {3}
        assert effects == [
            (what, "done", HOMES)
            for what in ("full", "payment_received", "restored", "service_limited", "walled_garden")
        ]
        assert set(ends) <= {"done", "late"}  # late: not sent, since it had waited for longer than a release holds
        assert (done_again, overlapping) == ([], [])
        assert self.value("SELECT count(*) FROM spent_cut") == HOMES
        assert self.value("SELECT count(*) FROM task") == 0
