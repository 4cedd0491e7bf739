"""Money that was paid too much, or by nobody we know, goes back: one asks, another one grants, a file orders it."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from relight.flow.cases.errors import UnableToApprove
from relight.flow.cases.people import Person, UnableToAct
from relight.flow.claims.placing import Part
from relight.flow.database import Database
from relight.flow.payments import bank_refunds
from relight.flow.payments.bank_refunds import UnableToRefundByBank, Wanted
from relight.flow.payments.matching import Act
from tests.flow import ledger
from tests.flow.factories import Account, make_claim
from tests.flow.queueing import ANNE, BENTE, Desk
from tests.unit.payments.files.pain001 import rules_broken
from tests.unit.payments.files.written import Paid, entry

OWED = 89900
IBAN = "NO9386011117947"


class Till(Desk):
    """A desk that gives money back."""

    def asks(
        self, payment: int, amount: int, *, account: Account | None = None, to: str = IBAN, by: Person = ANNE
    ) -> int:
        with self.db.transaction(self.partner) as tx:
            wanted = Wanted(account.id if account else None, amount, "Ola Nordmann", to)
            return bank_refunds.ask(tx, Act(payment, by, self.now, "Du betalte for mye"), wanted)

    def answers(self, refund: int, *, granted: bool = True, by: Person = BENTE) -> None:
        with self.db.transaction(self.partner) as tx:
            bank_refunds.decide(tx, refund, granted=granted, by=by, now=self.now)
        self.adds_up()

    def orders(self) -> tuple[str, bytes] | None:
        with self.db.transaction(self.partner) as tx:
            return bank_refunds.order(tx, now=self.now)

    def on(self, name: str) -> int:
        with self.db.transaction(self.partner) as tx:
            return ledger.balance(tx, name)


@pytest.fixture
def till(db: Database, partner: int, now: datetime, tmp_path: Path) -> Till:
    return Till(db, partner, now, tmp_path)


def told(file: bytes) -> Mapping[str, str]:
    """The texts of a file by the names of their elements."""
    return {one.tag.rpartition("}")[2]: one.text or "" for one in Xml.fromstring(file).iter()}


def test_an_overpayment_goes_back_after_a_colleagues_yes(till: Till) -> None:
    kari = till.customer()
    payment = till.comes(OWED + 10000, reference="2345676")
    refund = till.asks(payment, 10000, account=kari)
    till.answers(refund)

    message, file = till.orders() or ("", b"")

    assert rules_broken(file) == []
    assert (told(file)["InstdAmt"], told(file)["EndToEndId"]) == ("100.00", f"{message}/{refund}")
    assert (told(file)["IBAN"], told(file)["Ustrd"]) == (IBAN, "Du betalte for mye")
    assert (till.owes(kari), till.on("refund"), till.on("settlement")) == (0, 0, OWED)


def test_what_was_granted_pays_no_bill_any_more(till: Till) -> None:
    kari = till.customer()
    payment = till.comes(OWED + 10000, reference="2345676")
    till.answers(till.asks(payment, 10000, account=kari))

    with till.db.transaction(till.partner) as tx:
        make_claim(tx, kari, till.now, amount=5000, number="later")

    assert till.owes(kari) == 5000


def test_money_of_nobody_is_sent_back_to_the_account_that_it_came_from(till: Till) -> None:
    till.tells(entry(Paid("50.00", "what is this", "B1", payer="Ola Nordmann", payer_account=IBAN)))
    (waiting,) = till.waiting()
    refund = till.asks(waiting.id, 5000, to="")

    till.answers(refund)
    _, file = till.orders() or ("", b"")

    assert till.waiting("all") == []
    assert told(file)["IBAN"] == IBAN


def test_who_asked_does_not_grant_it(till: Till) -> None:
    payment = till.comes(5000)
    refund = till.asks(payment, 5000, by=BENTE)

    with pytest.raises(UnableToApprove, match="Ask a colleague"):
        till.answers(refund, by=BENTE)

    assert till.orders() is None


def test_an_agent_asks_and_does_not_grant(till: Till) -> None:
    refund = till.asks(till.comes(5000), 5000)

    with pytest.raises(UnableToAct, match="may not approve"):
        till.answers(refund, by=Person("carl", "agent"))


def test_money_that_went_to_a_bill_meanwhile_does_not_go_back(till: Till) -> None:
    kari = till.customer()
    payment = till.comes(OWED)
    refund = till.asks(payment, OWED)
    till.assigns(payment, Part(kari.id, OWED))

    with pytest.raises(UnableToRefundByBank, match=r"0\.00 of this payment is there"):
        till.answers(refund)

    assert till.owes(kari) == 0


def test_the_same_money_is_not_asked_for_twice(till: Till) -> None:
    payment = till.comes(5000)
    till.asks(payment, 5000)

    with pytest.raises(UnableToRefundByBank):
        till.asks(payment, 1)


def test_what_was_refused_stays_in_the_queue(till: Till) -> None:
    payment = till.comes(5000)
    till.answers(till.asks(payment, 5000), granted=False)

    assert till.orders() is None
    assert [(one.id, one.rest) for one in till.waiting()] == [(payment, 5000)]


def test_a_file_that_was_lost_is_written_again_and_orders_nothing_anew(till: Till) -> None:
    till.answers(till.asks(till.comes(5000), 5000))
    message, file = till.orders() or ("", b"")

    with till.db.transaction(till.partner) as tx:
        again = bank_refunds.again(tx, message)

    assert again == file
    assert till.orders() is None


@pytest.mark.parametrize("to", ["NO9386011117948", "12", "somewhere"])
def test_an_account_with_a_slip_gets_no_money(till: Till, to: str) -> None:
    payment = till.comes(5000)

    with pytest.raises(UnableToRefundByBank, match="is no"):
        till.asks(payment, 5000, to=to)


def test_a_refunded_payment_that_the_bank_takes_back_is_owed_to_us(till: Till) -> None:
    kari = till.customer()
    payment = till.comes(OWED + 10000, reference="2345676", ref="B1")
    till.answers(till.asks(payment, 10000, account=kari))
    till.orders()

    till.comes(OWED + 10000, ref="B1", state="returned")

    assert (till.owes(kari), till.on("refund"), till.on("settlement")) == (OWED, 10000, -10000)
