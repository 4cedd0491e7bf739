"""The road through a collection agency: given away with its documents, paid there or here, called back, settled."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest

from relight.audit.run import audit
from relight.flow.cases.people import operator
from relight.flow.database import Database
from relight.flow.handover.settlement_file import read_settlement
from relight.flow.road.agencies import read_letters, settle_agency
from relight.flow.road.publishing import publish_at_once
from tests.flow import collecting
from tests.flow.collecting import AGENCY, POLICY, paid, says, status
from tests.flow.factories import Account
from tests.journeys.world import SIMULATED, World

OWED = 89900


@dataclass
class Collected:
    """A household whose bill is with the agency, and the folder that both sides share."""

    world: World
    account: Account
    service: int
    folder: Path

    @property
    def case(self) -> str:
        """The number that the agency knows the case by."""
        return collecting.out(self.folder)[0]["case"]

    def hears(self) -> None:
        """Relight reads what the agency left, and does what follows."""
        read_letters(self.world.db, self.world.machine.room, self.world.moment, {self.world.partner})
        self.world.run()

    def state(self) -> str:
        """How the hand-over stands."""
        return self.world.value("SELECT state FROM handover")

    def audit(self) -> list[tuple[str, str]]:
        """What `relight audit` finds wrong with the partner."""
        slug = self.world.value("SELECT slug FROM partner WHERE id = %(p)s", p=self.world.partner)
        found = audit(self.world.db.conninfo, partner=slug, as_of=self.world.moment)
        return [(wrong.invariant, wrong.code) for wrong in found.violations]

    def ledger(self) -> dict[str, int]:
        """What lies in each ledger, debits less credits."""
        return dict(self.world.rows(
            "SELECT x.name, sum(x.amount)::bigint FROM transfer t CROSS JOIN LATERAL (VALUES (t.debit, t.amount),"
            " (t.credit, -t.amount)) x (name, amount) GROUP BY x.name HAVING sum(x.amount) <> 0"))  # fmt: skip


@pytest.fixture
def collected(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path
) -> Iterator[Collected]:
    """An unpaid bill that went all the way: reminder, notice, limited, warned, handed over."""
    folder = tmp_path / "agency"
    folder.mkdir()
    drivers = {**SIMULATED, "handover": {AGENCY: {"driver": "agency_file", "folder": str(folder)}}}
    world = World(db, owner, partner, now, drivers=drivers, policies=())
    with db.transaction(partner) as tx:
        publish_at_once(tx, POLICY, by=operator("test"), now=now)
        collecting.set_up(tx, now)
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=OWED, reference="0000012345676")
    world.until_step(account, "agency")
    world.run()
    yield Collected(world, account, service, folder)
    world.close()


def test_claims_go_to_the_agency_with_their_lines_their_notices_and_proof(collected: Collected) -> None:
    (package,) = collecting.out(collected.folder)

    manifest = json.loads(package["files"]["manifest.json"])

    assert {file["name"]: file["sha256"] for file in manifest["files"]} == {
        name: sha256(content).hexdigest() for name, content in package["files"].items() if name != "manifest.json"
    }
    assert [(claim["principal"], claim["lines"][0]["amount"]) for claim in package["claims"]] == [(OWED, OWED)]
    assert package["total"] == OWED
    assert {notice["template"] for notice in package["notices"]} >= {"reminder", "collection_warning"}
    assert all(notice["sent_at"] for notice in package["notices"])
    assert {contact["channel"] for contact in package["people"][0]["contacts"]} == {"sms", "email", "letter"}
    warned = next(name for name in package["files"] if name.endswith("collection_warning.pdf"))
    assert package["files"][warned].startswith(b"%PDF-")
    assert collected.state() == "placed"


def test_recall_from_the_agency_on_the_day_that_the_customer_pays_them(collected: Collected) -> None:
    world, at = collected.world, collected.world.moment
    says(collected.folder, status(collected.case, "accepted", at))
    collected.hears()
    limited = world.observed(collected.service)

    said = paid(collected.case, 60000, at, payment="NI-2026-0001")
    says(collected.folder, said)
    world.pays(collected.account, OWED - 60000)
    collected.hears()
    says(collected.folder, said, {**said, "id": "said again under another id"})
    collected.hears()
    recall = collecting.out(collected.folder)[-1]
    says(collected.folder, status(collected.case, "recall_confirmed", at))
    collected.hears()

    assert limited == "walled_garden"
    assert world.observed(collected.service) == "full"
    assert world.value("SELECT sum(amount) FROM payment") == OWED
    assert (recall["what"], recall["why"], recall["owed"]) == ("recall", "paid", 0)
    assert [payment["amount"] for payment in recall["paid_to_creditor"]] == [OWED - 60000]
    assert collected.state() == "recalled"
    assert world.state(collected.account) == "closed"
    assert "agency_recall" not in world.tasks(collected.account)
    assert collected.ledger() == {"agency": 60000, "settlement": OWED - 60000, "revenue": -OWED}
    assert collected.audit() == []


def test_the_agency_settles_with_its_fee_as_agreed_and_nothing_is_left_with_it(collected: Collected) -> None:
    world, at = collected.world, collected.world.moment
    says(collected.folder, paid(collected.case, OWED, at, payment="NI-2026-0002"))
    collected.hears()

    table = f"case,payment,received,fee,paid_over\n{collected.case},NI-2026-0002,899.00,89.90,809.10\n"
    settlement = read_settlement(table.encode(), ref="2026-05", day=at.date(), currency="NOK")
    with world.db.transaction(world.partner) as tx:
        first = settle_agency(tx, AGENCY, settlement, file_name="may.csv", now=at)
        again = settle_agency(tx, AGENCY, settlement, file_name="may.csv", now=at)

    assert [line.wrong for line in first.lines] == [""]
    assert again.repeated
    assert collected.state() == "paid"
    assert collected.ledger() == {"settlement": 80910, "agency_fee": 8990, "revenue": -OWED}
    assert collected.audit() == []


def test_an_audit_finds_what_went_to_an_agency_that_nobody_had_looked_up(
    collected: Collected, owner: psycopg.Connection
) -> None:
    world = collected.world

    owner.execute("UPDATE agency_check SET valid_until = checked_date WHERE partner_id = %s", (world.partner,))

    assert collected.audit() == [("I9", "unregistered")]


def test_an_audit_finds_fees_beyond_the_agreement_and_money_that_lies_nowhere(
    collected: Collected, owner: psycopg.Connection
) -> None:
    world, at = collected.world, collected.world.moment
    says(collected.folder, paid(collected.case, OWED, at, payment="NI-2026-0003"))
    collected.hears()
    held = "UPDATE transfer SET amount = amount - 1 WHERE partner_id = %s AND debit = 'agency'"
    fee = (
        "INSERT INTO transfer (partner_id, account_id, payment_id, kind, debit, credit, amount, currency, value_date,"
        " posted_at) SELECT partner_id, account_id, payment_id, 'settlement', 'agency_fee', 'agency', amount, currency,"
        " value_date, posted_at FROM transfer WHERE partner_id = %s AND debit = 'agency'"
    )

    for planted in (held, fee, fee):
        owner.execute(planted, (world.partner,))

    assert collected.audit() == [("I2", "unheld"), ("I2", "overdrawn"), ("I2", "fee")]
