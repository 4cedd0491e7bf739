"""Money that goes back by the provider that took it: of credit alone, booked once, never lost when nobody answers."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from relight.drivers.testpay import TestProvider
from relight.flow.cases.errors import UnableToApprove
from relight.flow.cases.people import Person
from relight.flow.database import Database
from relight.flow.payments import bank_refunds, refunds
from relight.flow.payments.bank_refunds import UnableToRefundByBank, Wanted
from relight.flow.payments.errors import UnableToRefund
from relight.flow.payments.matching import Act
from relight.flow.payments.operations import record_notices
from relight.flow.payments.port import REFUND_FAILED, PaymentState, ProviderEvent, ProviderUnavailable, RefundOrder
from relight.flow.payments.providers import FAILURES_MAX
from relight.flow.payments.settle import settle
from tests.flow import ledger
from tests.flow.factories import make_source, payment_row
from tests.flow.paying import OWED, checked_out, make_debtor, said, with_policy, with_testpay

TOO_MUCH = 10100


class Overpaid(NamedTuple):
    """A customer who paid `TOO_MUCH` by the bank and everything by card: so much stands as credit."""

    db: Database
    partner: int
    provider: TestProvider
    settings: dict[str, Any]
    ref: str
    now: datetime

    def orders(self, amount: int | None = None) -> int:
        with self.db.transaction(self.partner) as tx:
            return refunds.order_refund(
                tx, provider_name="testpay", ref=self.ref, amount=amount, by="kari", now=self.now
            )

    def hears(self, event: ProviderEvent) -> None:
        with self.db.transaction(self.partner) as tx:
            record_notices(tx, provider_name="testpay", events=[event], now=self.now)

    def sends(self, *, after: timedelta = timedelta(), away: bool = False) -> int:
        folder = "/dev/null/nowhere" if away else self.settings["folder"]
        settings = {"testpay": {**self.settings, "folder": folder}}
        return refunds.send_refunds_of(self.db, self.partner, settings, self.now + after)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.db.transaction(self.partner) as tx:
            assert ledger.differences(tx) == []
            return tx.rows(statement)

    @property
    def books(self) -> tuple[int, int, int]:
        """Credit, refunds on their way, and what the sources owe us."""
        credit = self.rows("SELECT sum(credit)::bigint FROM account")[0][0]
        with self.db.transaction(self.partner) as tx:
            return credit, -ledger.balance(tx, "refund"), ledger.balance(tx, "settlement")


@pytest.fixture
def overpaid(db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path) -> Overpaid:
    provider = with_testpay(owner, partner, tmp_path)
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        debtor = make_debtor(tx, now)
    ref = checked_out(db, partner, debtor, provider, now)
    with db.transaction(partner) as tx:
        settle(tx, make_source(tx, now), [payment_row(TOO_MUCH, now, account=debtor.account)], now=now)
    provider.finish(ref, "pay")
    settings = {"secret": f"whsec-{partner}", "folder": str(tmp_path)}
    made = Overpaid(db, partner, provider, settings, ref, now)
    made.hears(said(ref))
    return made


def test_a_refund_leaves_the_credit_when_it_is_ordered_and_the_house_when_it_is_told(overpaid: Overpaid) -> None:
    before = overpaid.books
    ordered = overpaid.orders()
    booked = overpaid.books

    overpaid.sends()
    overpaid.hears(said(overpaid.ref, PaymentState.RETURNED, amount=TOO_MUCH, event_id="back"))

    assert ordered == TOO_MUCH
    assert (before, booked) == ((TOO_MUCH, 0, OWED + TOO_MUCH), (0, TOO_MUCH, OWED + TOO_MUCH))
    assert overpaid.books == (0, 0, OWED)
    assert overpaid.rows("SELECT state FROM provider_refund") == [("done",)]
    assert overpaid.rows("SELECT state FROM payment WHERE amount = 89900") == [("confirmed",)]


def test_what_paid_a_bill_is_not_given_back_as_credit(overpaid: Overpaid) -> None:
    with pytest.raises(UnableToRefund, match="stands as credit"):
        overpaid.orders(TOO_MUCH + 1)
    overpaid.orders(TOO_MUCH - 1)

    with pytest.raises(UnableToRefund):
        overpaid.orders(2)


def test_a_provider_that_is_away_is_asked_until_its_keys_may_be_forgotten(overpaid: Overpaid) -> None:
    overpaid.orders()

    sent = [overpaid.sends(away=True), overpaid.sends(after=timedelta(hours=19)), overpaid.sends()]

    assert sent == [0, 1, 0]
    assert overpaid.provider.payment(overpaid.ref).refunded == TOO_MUCH


class Refuses:
    """A provider that refuses, or does not answer, but for the sums that it takes."""

    def __init__(self, *takes: int) -> None:
        self.takes, self.asked = takes, list[int]()

    def refund(self, order: RefundOrder) -> str:
        self.asked.append(order.amount)
        if order.amount in self.takes:
            return f"re-{order.key}"
        raise ProviderUnavailable("no answer within ten seconds")


def test_a_provider_that_hangs_is_asked_a_few_times_and_holds_up_no_other(
    overpaid: Overpaid, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(10):
        overpaid.orders(100)
    hangs = Refuses()
    monkeypatch.setattr(refunds, "provider", lambda _settings, _name: hangs)

    sent = overpaid.sends()
    too_late = overpaid.sends(after=timedelta(hours=21))

    assert (sent, too_late) == (0, 0)
    assert len(hangs.asked) == FAILURES_MAX
    assert overpaid.rows("SELECT DISTINCT state FROM provider_refund") == [("unsure",)]


def test_one_that_is_taken_between_two_that_are_refused_is_no_outage(
    overpaid: Overpaid, monkeypatch: pytest.MonkeyPatch
) -> None:
    for amount in (1, 1, 100, 1, 1, 100):
        overpaid.orders(amount)
    refuses = Refuses(100)
    monkeypatch.setattr(refunds, "provider", lambda _settings, _name: refuses)

    assert overpaid.sends() == 2


def test_a_few_that_are_refused_for_good_keep_none_behind_them_waiting(
    overpaid: Overpaid, monkeypatch: pytest.MonkeyPatch
) -> None:
    for amount in (1, 1, 1, 100):
        overpaid.orders(amount)
    refuses = Refuses(100)
    monkeypatch.setattr(refunds, "provider", lambda _settings, _name: refuses)

    sent = [overpaid.sends(after=timedelta(seconds=20, microseconds=later)) for later in (0, 3)]

    assert sent == [0, 1]
    assert overpaid.rows("SELECT amount FROM provider_refund WHERE state = 'sent'") == [(100,)]


def test_a_refund_that_nobody_answered_for_a_day_is_left_to_a_person(overpaid: Overpaid) -> None:
    overpaid.orders()

    sent = overpaid.sends(after=timedelta(hours=21))

    assert sent == 0
    assert overpaid.rows("SELECT state FROM provider_refund") == [("unsure",)]
    assert overpaid.rows("SELECT code FROM task") == [("refund_failed",)]
    assert overpaid.provider.payment(overpaid.ref).refunded == 0


@pytest.mark.parametrize("told_first", [False, True], ids=["before it was done", "after it was done"])
def test_a_refund_that_fails_is_credit_again(overpaid: Overpaid, told_first: bool) -> None:
    overpaid.orders()
    overpaid.sends()
    if told_first:
        overpaid.hears(said(overpaid.ref, PaymentState.RETURNED, amount=TOO_MUCH, event_id="back"))

    failed = said(overpaid.ref, PaymentState.FAILED, amount=TOO_MUCH, event_id="failed")
    for _ in range(2):
        overpaid.hears(replace(failed, reason=REFUND_FAILED))

    assert overpaid.books == (TOO_MUCH, 0, OWED + TOO_MUCH)
    assert overpaid.rows("SELECT state FROM provider_refund") == [("failed",)]
    assert overpaid.rows("SELECT code FROM task") == [("refund_failed",)]
    assert overpaid.rows("SELECT state FROM payment WHERE amount = 89900") == [("confirmed",)]


def test_a_whole_payment_goes_back_and_its_bill_is_owed_again(overpaid: Overpaid) -> None:
    number = refunds.give_back_whole(
        overpaid.db, overpaid.partner, {"testpay": overpaid.settings}, "testpay", overpaid.ref
    )
    overpaid.hears(said(overpaid.ref, PaymentState.RETURNED, event_id="back"))

    assert number
    assert overpaid.rows("SELECT state FROM payment WHERE amount = 89900") == [("returned",)]
    assert overpaid.rows("SELECT sum(principal)::bigint FROM claim") == [(OWED - TOO_MUCH,)]
    assert overpaid.books == (0, 0, TOO_MUCH)


def test_a_chargeback_after_a_refund_is_a_persons_work(overpaid: Overpaid) -> None:
    overpaid.orders()
    overpaid.hears(said(overpaid.ref, PaymentState.RETURNED, amount=TOO_MUCH, event_id="back"))

    overpaid.hears(said(overpaid.ref, PaymentState.RETURNED, event_id="chargeback"))

    assert overpaid.rows("SELECT code FROM task") == [("payment_mismatch",)]
    assert overpaid.books == (0, 0, OWED)


def payment_of(overpaid: Overpaid, *, source: str) -> tuple[int, int]:
    """The payment that a source told of, and its account."""
    found = overpaid.rows("SELECT p.id, p.account_id, s.name FROM payment p JOIN source s ON s.id = p.source_id")
    return next((payment, account) for payment, account, name in found if name == source)


def asked(overpaid: Overpaid, amount: int, *, by: str = "anne") -> int:
    """A person asks that money goes back the way it came; the refund."""
    payment, account = payment_of(overpaid, source="testpay")
    with overpaid.db.transaction(overpaid.partner) as tx:
        act = Act(payment, Person(by, "manager"), overpaid.now, "You paid twice")
        return bank_refunds.ask(tx, act, Wanted(account, amount, "", by_provider=True))


def answered(overpaid: Overpaid, refund: int, *, by: str = "bente", granted: bool = True) -> None:
    with overpaid.db.transaction(overpaid.partner) as tx:
        bank_refunds.decide(tx, refund, granted=granted, by=Person(by, "manager"), now=overpaid.now)


def test_two_people_send_money_back_the_way_it_came_and_the_provider_is_asked(overpaid: Overpaid) -> None:
    refund = asked(overpaid, TOO_MUCH)
    before = overpaid.books

    answered(overpaid, refund)
    overpaid.sends()
    overpaid.hears(said(overpaid.ref, PaymentState.RETURNED, amount=TOO_MUCH, event_id="back"))

    assert before == (TOO_MUCH, 0, OWED + TOO_MUCH)
    assert overpaid.books == (0, 0, OWED)
    assert overpaid.rows("SELECT state, way, asked_by, decided_by FROM bank_refund") == [
        ("ordered", "provider", "anne", "bente")
    ]
    assert overpaid.rows("SELECT state, ordered_by FROM provider_refund") == [("done", "bente")]
    with overpaid.db.transaction(overpaid.partner) as tx:
        assert bank_refunds.order(tx, now=overpaid.now) is None


def test_who_asked_a_provider_for_money_back_does_not_grant_it(overpaid: Overpaid) -> None:
    refund = asked(overpaid, TOO_MUCH)

    with pytest.raises(UnableToApprove):
        answered(overpaid, refund, by="anne")
    answered(overpaid, refund, granted=False)

    assert overpaid.books == (TOO_MUCH, 0, OWED + TOO_MUCH)
    assert overpaid.rows("SELECT id FROM provider_refund") == []


def test_more_than_the_payment_left_as_credit_is_not_asked_of_its_provider(overpaid: Overpaid) -> None:
    asked(overpaid, TOO_MUCH - 100)

    with pytest.raises(UnableToRefundByBank, match="is there to go back"):
        asked(overpaid, 200)


def test_money_from_the_bank_has_no_provider_to_go_back_by(overpaid: Overpaid) -> None:
    payment, account = payment_of(overpaid, source="bank")
    act = Act(payment, Person("anne", "agent"), overpaid.now, "You paid twice")

    with overpaid.db.transaction(overpaid.partner) as tx, pytest.raises(UnableToRefundByBank, match="No provider"):
        bank_refunds.ask(tx, act, Wanted(account, 100, "", by_provider=True))
