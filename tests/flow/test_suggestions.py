"""Whose a payment may be: what speaks for an account is found and told, and the strongest comes first."""

from datetime import datetime
from pathlib import Path

import pytest

from relight.flow.claims.placing import Part
from relight.flow.database import Database
from tests.flow.factories import Account, make_account, make_claim
from tests.flow.queueing import Desk
from tests.unit.payments.files.written import Paid, entry

OWED = 89900


@pytest.fixture
def desk(db: Database, partner: int, now: datetime, tmp_path: Path) -> Desk:
    return Desk(db, partner, now, tmp_path)


def grounds(desk: Desk, payment: int) -> list[tuple[str, list[str]]]:
    """The customers that are suggested, each with the reasons."""
    return [(one.ref, sorted({ground.code for ground in one.grounds})) for one in desk.suggests(payment)]


def someone(desk: Desk, name: str, *, owed: int = 12300, kid: str = "") -> Account:
    with desk.db.transaction(desk.partner) as tx:
        account = make_account(tx, desk.now, name=name)
        make_claim(tx, account, desk.now, amount=owed, reference=kid)
    return account


@pytest.mark.parametrize("slip", ["2345976", "2354676", "3245676"])
def test_a_reference_with_one_slip_is_found(desk: Desk, slip: str) -> None:
    kari = desk.customer(kid="2345676")

    payment = desk.comes(5000, reference=slip)

    assert grounds(desk, payment) == [(kari.ref, ["near_reference"])]
    assert desk.suggests(payment)[0].grounds[0].told == "2345676"


def test_two_slips_are_no_suggestion(desk: Desk) -> None:
    desk.customer(kid="2345676")

    payment = desk.comes(5000, reference="2345989")

    assert grounds(desk, payment) == []


@pytest.mark.parametrize("written", ["NORDMANN OLA", "Ola Nordmann", "hr. Ola  Nordmann", "Nordmann, Ola Johan"])
def test_a_payer_is_known_by_name_whatever_order_and_capitals(desk: Desk, written: str) -> None:
    ola = someone(desk, "Ola Nordmann")
    someone(desk, "Ola Hansen")

    payment = desk.comes(5000, payer=written)

    assert grounds(desk, payment) == [(ola.ref, ["same_name"])]


@pytest.mark.parametrize(("name", "written"), [("Åse Bjørnø", "ASE BJORNO"), ("José Müller", "Muller Jose")])
def test_accents_that_banks_leave_out_do_no_harm(desk: Desk, name: str, written: str) -> None:
    account = someone(desk, name)

    payment = desk.comes(5000, payer=written)

    assert grounds(desk, payment) == [(account.ref, ["same_name"])]


def test_a_sum_that_only_one_owes_suggests_them(desk: Desk) -> None:
    kari = someone(desk, "Kari Nordmann", owed=43217)
    someone(desk, "Ola Nordmann", owed=43218)

    payment = desk.comes(43217)

    assert grounds(desk, payment) == [(kari.ref, ["owes_bill"])]


def test_a_price_that_many_owe_suggests_nobody(desk: Desk) -> None:
    for _ in range(8):
        someone(desk, "Kari Nordmann", owed=29900)

    payment = desk.comes(29900)

    assert grounds(desk, payment) == []


def test_a_sum_speaks_for_an_account_that_something_else_speaks_for(desk: Desk) -> None:
    ola = someone(desk, "Ola Nordmann", owed=29900)
    with desk.db.transaction(desk.partner) as tx:
        make_claim(tx, ola, desk.now, amount=10000)
    for _ in range(8):
        someone(desk, "Per Hansen", owed=29900)
    other = someone(desk, "Ola Nordmann", owed=500)

    payment = desk.comes(39900, payer="Ola Nordmann")

    assert grounds(desk, payment) == [(ola.ref, ["owes_all", "same_name"]), (other.ref, ["same_name"])]


def test_a_bill_that_is_named_in_the_middle_of_a_message_comes_first(desk: Desk) -> None:
    kari = desk.customer(kid="2345676")
    someone(desk, "Ola Nordmann")

    payment = desk.comes(5000, reference="for Kari, faktura 2345 676 takk", payer="Ola Nordmann")

    first = desk.suggests(payment)[0]
    assert (first.ref, [ground.code for ground in first.grounds]) == (kari.ref, ["names_bill"])
    assert len(first.claim_ids) == 1


def test_the_payer_may_be_another_than_the_debtor_and_is_remembered_as_a_suggestion_only(desk: Desk) -> None:
    kari = desk.customer()
    first = desk.comes(1000, payer="Mor Hansen")
    desk.assigns(first, Part(kari.id, 1000))

    second = desk.comes(1000, payer="HANSEN MOR")

    assert grounds(desk, second) == [(kari.ref, ["assigned_before"])]
    assert [one.id for one in desk.waiting()] == [second]


def test_an_assignment_that_was_taken_back_is_not_suggested_again(desk: Desk) -> None:
    kari = desk.customer()
    first = desk.comes(1000, payer="Mor Hansen")
    desk.assigns(first, Part(kari.id, 1000))
    desk.takes_away(first)

    second = desk.comes(1000, payer="Mor Hansen")

    assert grounds(desk, second) == []


def test_a_bank_account_that_paid_before_is_known_again(desk: Desk) -> None:
    kari = desk.customer(kid="2345676")
    desk.tells(entry(Paid("100.00", "2345676", "B1", payer="Kari", payer_account="NO9386011117947")))

    desk.tells(entry(Paid("50.00", "sorry", "B2", payer="K. N.", payer_account="NO9386011117947")))

    (waiting,) = desk.waiting()
    assert grounds(desk, waiting.id) == [(kari.ref, ["paid_before"])]


def test_nobody_is_suggested_who_is_kept_in_another_currency(desk: Desk) -> None:
    with desk.db.transaction(desk.partner) as tx:
        abroad = make_account(tx, desk.now, name="Ola Nordmann", currency="EUR")
        make_claim(tx, abroad, desk.now, currency="EUR")

    payment = desk.comes(5000, payer="Ola Nordmann")

    assert grounds(desk, payment) == []
