"""A bill that is paid a second time: the money is credit, a person is told, and it is kept or sent back."""

from datetime import datetime
from pathlib import Path

import pytest

from relight.flow.cases.people import Person
from relight.flow.claims.placing import Part
from relight.flow.database import Database
from relight.flow.payments import bank_refunds, matching
from relight.flow.payments.bank_refunds import Wanted
from relight.flow.payments.matching import Act, UnableToMatch
from relight.flow.payments.queue import counts, payment
from tests.flow.banking import KID
from tests.flow.factories import Account, make_claim
from tests.flow.queueing import ANNE, Desk

OWED = 89900


@pytest.fixture
def desk(db: Database, partner: int, now: datetime, tmp_path: Path) -> Desk:
    return Desk(db, partner, now, tmp_path)


def paid_twice(desk: Desk) -> tuple[Account, int]:
    """A customer whose only bill is paid, and then again under its own KID; the second payment."""
    kari = desk.customer()
    desk.comes(OWED, reference=KID)
    return kari, desk.comes(OWED, reference=KID)


def bill_of(desk: Desk, account: Account) -> str:
    return str(desk.value("SELECT number FROM claim WHERE account_id = %(a)s", a=account.id))


def keeps(desk: Desk, payment_id: int) -> None:
    with desk.db.transaction(desk.partner) as tx:
        matching.keep(tx, Act(payment_id, ANNE, desk.now))
    desk.adds_up()


def test_a_bill_paid_twice_is_credit_and_the_queue_names_the_bill(desk: Desk) -> None:
    kari, second = paid_twice(desk)

    told = [(one.id, one.why, one.rest, one.account, one.bill) for one in desk.waiting()]

    assert desk.owes(kari) == -OWED
    assert told == [(second, "paid_again", OWED, kari.ref, bill_of(desk, kari))]
    with desk.db.transaction(desk.partner) as tx:
        assert counts(tx) == (0, 0, 1, 0)
        assert payment(tx, second).paid_again == bill_of(desk, kari)


def test_the_same_word_again_asks_nobody_twice(desk: Desk) -> None:
    desk.customer()
    desk.comes(OWED, reference=KID, ref="first")
    desk.comes(OWED, reference=KID, ref="second", state="confirmed")
    desk.comes(OWED, reference=KID, ref="second", state="booked")
    desk.comes(OWED, reference=KID, ref="first")

    assert [one.why for one in desk.waiting()] == ["paid_again"]


def test_what_is_kept_leaves_the_queue_and_pays_the_next_bill(desk: Desk) -> None:
    kari, second = paid_twice(desk)

    keeps(desk, second)
    kept = desk.waiting()
    with desk.db.transaction(desk.partner) as tx:
        make_claim(tx, kari, desk.now, amount=OWED, number="next")

    assert kept == []
    assert desk.rows("SELECT principal FROM claim WHERE number = 'next'") == [(0,)]
    assert desk.owes(kari) == 0


def test_a_bill_that_comes_meanwhile_takes_the_money_and_nobody_need_look(desk: Desk) -> None:
    kari, second = paid_twice(desk)
    with desk.db.transaction(desk.partner) as tx:
        make_claim(tx, kari, desk.now, amount=OWED, number="next")

    assert desk.waiting() == []
    with pytest.raises(UnableToMatch, match="Nothing of this payment is credit"):
        keeps(desk, second)


def test_another_open_bill_is_paid_at_once_and_only_what_is_left_asks(desk: Desk) -> None:
    kari = desk.customer()
    desk.comes(OWED, reference=KID)
    with desk.db.transaction(desk.partner) as tx:
        make_claim(tx, kari, desk.now, amount=OWED - 500, number="other")

    desk.comes(OWED, reference=KID)

    assert [(one.why, one.rest) for one in desk.waiting()] == [("paid_again", 500)]


def test_who_pays_a_little_too_much_is_asked_nothing(desk: Desk) -> None:
    kari = desk.customer()

    desk.comes(OWED + 500, reference=KID)

    assert desk.owes(kari) == -500
    assert desk.waiting() == []


def test_it_is_sent_back_by_two_people_and_leaves_the_queue_when_one_has_asked(desk: Desk) -> None:
    kari, second = paid_twice(desk)

    with desk.db.transaction(desk.partner) as tx:
        wanted = Wanted(kari.id, OWED, "Kari Nordmann", "NO9386011117947")
        bank_refunds.ask(tx, Act(second, ANNE, desk.now, "paid twice"), wanted)

    assert desk.waiting() == []
    with desk.db.transaction(desk.partner) as tx:
        assert [(one.amount, one.state) for one in bank_refunds.open_refunds(tx)] == [(OWED, "asked")]


def test_one_whose_refund_is_refused_waits_for_somebody_again(desk: Desk) -> None:
    kari, second = paid_twice(desk)
    with desk.db.transaction(desk.partner) as tx:
        wanted = Wanted(kari.id, OWED, "Kari Nordmann", "NO9386011117947")
        refund = bank_refunds.ask(tx, Act(second, ANNE, desk.now, "paid twice"), wanted)

    with desk.db.transaction(desk.partner) as tx:
        bank_refunds.decide(tx, refund, granted=False, by=Person("ole", "manager"), now=desk.now, note="ask her first")

    assert [(one.id, one.why) for one in desk.waiting()] == [(second, "paid_again")]
    with desk.db.transaction(desk.partner) as tx:
        assert counts(tx) == (0, 0, 1, 0)


def test_one_that_is_set_aside_stays_among_those(desk: Desk) -> None:
    _, second = paid_twice(desk)

    with desk.db.transaction(desk.partner) as tx:
        matching.park(tx, Act(second, ANNE, desk.now, "asked the agency whether it is its pay-over"))

    assert desk.waiting() == []
    assert [(one.id, one.why) for one in desk.waiting("parked")] == [(second, "paid_again")]


def test_a_neighbours_second_payment_is_moved_to_the_neighbour(desk: Desk) -> None:
    kari, second = paid_twice(desk)
    ola = desk.customer(kid="2345684")

    desk.moves(second, kari, Part(ola.id, OWED))

    assert (desk.owes(kari), desk.owes(ola)) == (0, 0)
    assert desk.waiting() == []
