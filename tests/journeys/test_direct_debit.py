"""A bill that the bank collects: nothing is asked meanwhile, and what goes back is followed up anew."""

from datetime import timedelta
from pathlib import Path

import pytest

from relight.audit.run import audit
from relight.flow.cases.people import operator
from relight.flow.payments.mandates import answering, noting, planning, writing
from relight.flow.payments.mandates.noting import Told
from relight.flow.road.intake import import_payments
from tests.flow.factories import Account as Customer
from tests.flow.mandating import KARI
from tests.journeys.world import World
from tests.unit.payments.files.written import Giro, ocr

KID, OWED, ACCOUNT = "2345676", 79900, "15032080119"


class Desk:
    """The partner's direct debit by AvtaleGiro, run each day after the bank's files."""

    def __init__(self, world: World):
        self.world = world
        with world.db.transaction(world.partner) as tx:
            noting.keep_creditor(
                tx, creditor="Nordlys Kraft AS", scheme="avtalegiro", number="55555555", group_number="",
                by=operator("test"), now=world.moment,
            )  # fmt: skip

    def mandate(self, account: Customer) -> None:
        with self.world.db.transaction(self.world.partner) as tx:
            told = Told(account.ref, "avtalegiro", KID, self.world.moment.date() - timedelta(days=90))
            noting.by_hand(tx, told, by=KARI, now=self.world.moment)

    def works(self) -> int:
        """A day's run: end what nobody answered, plan, and order; how many collections were ordered."""
        world = self.world
        answering.sweep(world.db, world.partner, now=world.moment)
        planning.plan(world.db, world.partner, now=world.moment)
        with world.db.transaction(world.partner) as tx:
            written = writing.order(tx, "avtalegiro", now=world.moment)
        return written.collections if written else 0

    def passes(self, days: int) -> None:
        """Days go by, each with its run."""
        for _ in range(days):
            self.world.days(1)
            self.works()

    def bank(self, folder: Path, giro: Giro, number: int) -> None:
        """A file of the bank's of this day."""
        path, day = folder / f"{number}.ocr", self.world.moment.date()
        told = ocr([giro], transmission=number, assignment=number, day=f"{day:%d%m%y}", account=ACCOUNT)
        path.write_bytes(told)
        import_payments(self.world.db, self.world.partner, path, format="ocr", now=self.world.moment)
        self.world.run()

    def collections(self) -> list[tuple[str, str]]:
        """How each went, and its day."""
        return self.world.rows("SELECT state, collect_date::text FROM collection ORDER BY id")

    def audit(self) -> list[tuple[str, str]]:
        """What `relight audit` finds wrong."""
        slug = self.world.value("SELECT slug FROM partner")
        found = audit(self.world.db.conninfo, partner=slug, as_of=self.world.moment)
        return [(one.code, one.why) for one in found.violations]


@pytest.fixture
def till(world: World) -> Desk:
    return Desk(world)


CAME, BACK = Giro(OWED, KID, archive=1, type="15"), Giro(OWED, KID, archive=2, type="18", sign="-")


def test_a_bill_that_is_collected_is_asked_for_by_nobody(till: Desk, tmp_path: Path) -> None:
    world = till.world
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=OWED, reference=KID, issued_date=world.moment.date())
    till.mandate(account)

    ordered = till.works()
    till.passes(15)
    asked = world.messages(account)
    till.bank(tmp_path, CAME, 1)

    assert ordered == 1
    assert till.collections() == [("collected", "2026-03-16")]
    assert asked == []
    assert world.state(account) == "closed"
    assert world.observed(service) == "full"
    assert till.audit() == []


def test_a_returned_debit_is_tried_again_then_followed_up_and_paid_in_the_end(till: Desk, tmp_path: Path) -> None:
    world = till.world
    account = world.customer()
    service = world.service(account)
    claim = world.invoice(account, amount=OWED, reference=KID, issued_date=world.moment.date())
    till.mandate(account)
    till.works()
    till.passes(15)
    till.bank(tmp_path, CAME, 1)
    till.passes(3)

    till.bank(tmp_path, BACK, 2)
    owed = world.value("SELECT principal FROM claim WHERE id = %(c)s", c=claim)
    till.passes(25)
    while_tried = (world.messages(account)[-1:], till.collections())
    till.passes(5)
    world.until_step(account, "limit")
    limited = world.observed(service)
    world.pays(account, OWED + world.value("SELECT costs FROM claim WHERE id = %(c)s", c=claim))
    world.run()

    assert owed == OWED
    assert while_tried == ([("payment_received", "sms")], [("returned", "2026-03-16"), ("sent", "2026-04-13")])
    assert till.collections()[-1] == ("unanswered", "2026-04-13")
    assert world.tasks(account) == ["collection_failed"]
    assert "reminder" in world.steps(account)
    assert limited == "walled_garden"
    assert world.observed(service) == "full"
    assert till.audit() == []


def test_late_money_gives_the_line_back_and_money_that_goes_back_goes_on_where_it_was(
    till: Desk, tmp_path: Path
) -> None:
    world = till.world
    account = world.customer()
    service = world.service(account)
    world.invoice(account, amount=OWED, reference=KID, issued_date=world.moment.date())
    till.mandate(account)
    till.works()
    till.passes(48)  # both tries came to nothing
    world.until_step(account, "limit")
    world.run()
    limited = world.observed(service)

    till.bank(tmp_path, CAME, 1)
    back, states = world.observed(service), [state for state, _ in till.collections()]
    world.days(2)
    till.bank(tmp_path, BACK, 2)
    till.passes(2)

    assert (limited, back) == ("walled_garden", "full")
    assert states == ["unanswered", "collected"]
    assert till.collections()[-1] == ("returned", "2026-04-13")
    assert world.state(account) != "closed"
    assert till.audit() == []
