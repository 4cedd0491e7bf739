"""The road through a collection agency: given away with its documents, paid there or here, called back, settled."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest

from relight.audit.run import audit
from relight.flow.cases.people import Person, operator
from relight.flow.database import Database
from relight.flow.handover.operations import recall
from relight.flow.handover.settlement_file import read_settlement
from relight.flow.road.agencies import read_letters, settle_agency
from relight.flow.road.publishing import publish_at_once
from relight.flow.road.undo import asking
from relight.flow.road.undo.doing import carry_out
from relight.flow.road.undo.finding import Scope
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

    def packages(self) -> list[dict[str, Any]]:
        """What the agency was given, oldest first."""
        return collecting.out(self.folder) if (self.folder / "out").exists() else []

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
def before(db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path) -> Iterator[Collected]:
    """A bill on its way there: everything but the register has been looked up."""
    with arranged(db, owner, partner, now, tmp_path, checked=False) as found:
        yield found


@pytest.fixture
def collected(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path
) -> Iterator[Collected]:
    """An unpaid bill that went all the way: reminder, notice, limited, warned, handed over."""
    with arranged(db, owner, partner, now, tmp_path) as found:
        found.world.until_step(found.account, "agency")
        found.world.run()
        yield found


@contextmanager
def arranged(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path, *, checked: bool = True
) -> Iterator[Collected]:
    """A customer who does not pay, under a policy that ends at the agency."""
    folder = tmp_path / "agency"
    folder.mkdir()
    drivers = {**SIMULATED, "handover": {AGENCY: {"driver": "agency_file", "folder": str(folder)}}}
    world = World(db, owner, partner, now, drivers=drivers, policies=())
    with db.transaction(partner) as tx:
        publish_at_once(tx, POLICY, by=operator("test"), now=now)
        collecting.set_up(tx, now, checked=checked)
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=OWED, reference="0000012345676")
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
    called_back = collecting.out(collected.folder)[-1]
    says(collected.folder, status(collected.case, "recall_confirmed", at))
    collected.hears()

    assert limited == "walled_garden"
    assert world.observed(collected.service) == "full"
    assert world.value("SELECT sum(amount) FROM payment") == OWED
    assert (called_back["what"], called_back["why"], called_back["owed"]) == ("recall", "paid", 0)
    assert [payment["amount"] for payment in called_back["paid_to_creditor"]] == [OWED - 60000]
    assert collected.state() == "recalled"
    assert world.state(collected.account) == "closed"
    assert "agency_recall" not in world.tasks(collected.account)
    assert collected.ledger() == {"agency": 60000, "settlement": OWED - 60000, "revenue": -OWED}
    assert collected.audit() == []


def test_what_a_wrong_run_gave_to_the_agency_is_called_back(collected: Collected) -> None:
    world, at = collected.world, collected.world.moment
    says(collected.folder, status(collected.case, "accepted", at))
    collected.hears()
    world.moment += timedelta(minutes=1)

    with world.db.transaction(world.partner) as tx:
        scope, anne = Scope(at - timedelta(days=200)), Person("anne", "manager")
        number, found = asking.ask(tx, scope, why="all of it was wrong", by=anne, now=world.moment)
    undone = carry_out(world.db, world.partner, number, lambda: world.moment)
    world.run()
    called_back = collecting.out(collected.folder)[-1]

    assert (found.handovers, undone.done["handovers"], undone.done["services"]) == (1, 1, 1)
    assert called_back["what"] == "recall"
    assert world.observed(collected.service) == "full"
    assert collected.audit() == []


def test_what_a_rightful_step_gave_to_the_agency_stays_there(collected: Collected) -> None:
    world, agency = collected.world, collected.world.value("SELECT decided_at FROM step_taken WHERE step = 'agency'")
    world.owner.execute(
        "INSERT INTO handover (partner_id, agency_id, case_id, account_id, effect_id, ref, step_number, currency,"
        " state, after_transfer, created_at) SELECT h.partner_id, h.agency_id, h.case_id, h.account_id, h.effect_id,"
        " 'before', s.number, h.currency, h.state, h.after_transfer, h.created_at"
        " FROM handover h JOIN step_taken s ON s.case_id = h.case_id AND s.step = 'warn' WHERE h.partner_id = %s",
        (world.partner,),
    )
    world.moment += timedelta(minutes=1)

    with world.db.transaction(world.partner) as tx:
        number, found = asking.ask(tx, Scope(agency), why="too early", by=Person("anne", "manager"), now=world.moment)
    carry_out(world.db, world.partner, number, lambda: world.moment)

    assert (found.cases, found.handovers) == (1, 1)
    assert world.rows("SELECT wanted_back FROM handover ORDER BY id") == [("person",), ("",)]
    assert world.log(collected.account).count("recall_asked") == 1


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


def test_nothing_goes_to_an_agency_that_nobody_has_looked_up(before: Collected) -> None:
    world = before.world
    world.until_true(lambda: "guard.agency_unchecked" in world.codes(before.account), "the guard asks for a look")
    refused = before.packages()

    with world.db.transaction(world.partner) as tx:
        collecting.check(tx, world.moment)
    world.run()
    given = [package["what"] for package in before.packages()]

    assert (refused, given) == ([], ["place"])
    assert before.audit() == []


def test_a_look_that_is_no_longer_believed_stops_what_was_decided_and_has_not_left(before: Collected) -> None:
    world = before.world
    with world.db.transaction(world.partner) as tx:
        collecting.check(tx, world.moment, days=365)
    world.until_step(before.account, "warn")
    world.until_true(lambda: _is_next(before), "the hand-over is next")
    world.bank_was_heard(world.moment)
    world.decide()
    decided = "agency" in world.steps(before.account)

    with world.db.transaction(world.partner) as tx:
        collecting.check(tx, world.moment - timedelta(days=9), days=0)
    world.run()
    world.run()

    assert decided
    assert before.packages() == []
    assert "withdrawn.guard.agency_unchecked" in world.codes(before.account)
    assert "agency" not in world.steps(before.account)


def _is_next(found: Collected) -> bool:
    due = found.world.value("SELECT next_at FROM dunning_case WHERE next_step = 'agency'")
    if due is None or found.world.next_due() != due:
        return False
    found.world.moment = due
    return True


def test_while_the_agency_has_it_we_neither_ask_nor_charge_and_a_newer_bill_goes_its_own_way(
    collected: Collected,
) -> None:
    world = collected.world
    told = len(world.messages(collected.account))
    world.days(10)
    quiet = len(world.messages(collected.account))

    world.invoice(collected.account, amount=40000, due=world.moment.date() + timedelta(days=1))
    world.until_true(lambda: len(world.messages(collected.account)) > quiet, "the new bill's reminder")
    asked = world.value("SELECT amount FROM sent_message ORDER BY id DESC")

    assert quiet == told
    assert asked == 40000
    assert collected.state() == "placed"
    assert collected.audit() == []


def test_a_person_wants_it_back_and_the_agency_does_not_give_it(collected: Collected) -> None:
    world, case_id = collected.world, collected.world.value("SELECT id FROM dunning_case")
    with world.db.transaction(world.partner) as tx:
        recall(tx, case_id=case_id, why="creditor", actor="bente", note="moved to another creditor", now=world.moment)
    world.run()
    asked = collecting.out(collected.folder)[-1]
    waiting = world.tasks(collected.account)

    says(collected.folder, status(collected.case, "recall_refused", world.moment, reason="already in court"))
    collected.hears()

    assert (asked["what"], asked["why"], asked["owed"]) == ("recall", "creditor", OWED)
    assert waiting == ["agency_recall"]
    assert world.tasks(collected.account) == ["agency_recall", "agency_recall_refused"]
    assert {"recall_asked", "recall_decided", "agency_recall_refused"} <= set(world.log(collected.account))


def test_a_part_that_is_paid_to_us_is_told_to_the_agency_and_so_is_its_return(collected: Collected) -> None:
    world = collected.world
    world.pays(collected.account, 30000, ref="part")
    world.run()

    world.pays(collected.account, 30000, ref="part", state="returned")
    world.run()

    assert [(package["what"], package.get("owed")) for package in collected.packages()] == [
        ("place", None),
        ("tell", OWED - 30000),
        ("tell", OWED),
    ]


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
