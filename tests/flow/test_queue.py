"""Payments that found no claim: a person says whose they are, wholly or in parts, and can take it back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from threading import Barrier

import pytest

from relight.flow.cases.people import Person, UnableToAct, operator
from relight.flow.claims.placing import Part
from relight.flow.database import Database
from relight.flow.payments import matching
from relight.flow.payments.matching import Act, UnableToMatch
from tests.flow.factories import Account, make_account, make_claim
from tests.flow.paying import with_policy
from tests.flow.queueing import ANNE, Desk

OWED = 89900


@pytest.fixture
def desk(db: Database, partner: int, now: datetime, tmp_path: Path) -> Desk:
    return Desk(db, partner, now, tmp_path)


def test_a_payment_of_nobody_waits_until_a_person_says_whose_it_is(desk: Desk) -> None:
    kari = desk.customer()
    payment = desk.comes(OWED, payer="Ola Nordmann")
    before = [one.id for one in desk.waiting()]

    desk.assigns(payment, Part(kari.id, OWED))

    assert before == [payment]
    assert desk.waiting() == []
    assert desk.owes(kari) == 0


def test_a_payment_is_shared_out_over_two_accounts_and_the_rest_stays_in_the_queue(desk: Desk) -> None:
    kari, ola = desk.customer(kid="2345676"), desk.customer(kid="2345684")
    payment = desk.comes(2 * OWED + 500)

    desk.assigns(payment, Part(kari.id, OWED), Part(ola.id, OWED))

    assert (desk.owes(kari), desk.owes(ola)) == (0, 0)
    assert [(one.id, one.rest) for one in desk.waiting()] == [(payment, 500)]


def test_a_person_may_say_which_bill_is_paid_before_the_older_one(desk: Desk) -> None:
    kari = desk.customer()
    with desk.db.transaction(desk.partner) as tx:
        newer = make_claim(tx, kari, desk.now, amount=30000, due_date=desk.now.date(), number="newer")
    payment = desk.comes(30000)

    desk.assigns(payment, Part(kari.id, 30000, (newer,)))

    left = dict(desk.rows("SELECT id, principal FROM claim WHERE account_id = %(a)s", a=kari.id))
    assert left[newer] == 0
    assert sum(left.values()) == OWED


def test_what_was_assigned_is_taken_back_and_the_bill_is_open_again(desk: Desk) -> None:
    kari = desk.customer()
    payment = desk.comes(OWED)
    desk.assigns(payment, Part(kari.id, OWED))

    desk.takes_away(payment, note="it was another Kari")

    assert desk.owes(kari) == OWED
    assert [(one.id, one.rest) for one in desk.waiting()] == [(payment, OWED)]
    acts = desk.rows("SELECT code, actor, note FROM payment_act WHERE payment_id = %(p)s ORDER BY id", p=payment)
    assert acts == [("assigned", "anne", ""), ("taken_away", "anne", "it was another Kari")]


def test_a_payment_that_went_to_the_wrong_customer_by_itself_is_moved(desk: Desk) -> None:
    kari, ola = desk.customer(kid="2345676"), desk.customer(kid="2345684")
    payment = desk.comes(OWED, reference="2345676")
    went_to = desk.owes(kari)

    desk.moves(payment, kari, Part(ola.id, OWED), note="typed the neighbour's number")

    assert went_to == 0
    assert (desk.owes(kari), desk.owes(ola)) == (OWED, 0)
    assert desk.value("SELECT account_id FROM payment WHERE id = %(p)s", p=payment) == ola.id


def test_a_payment_that_a_person_placed_is_moved_by_no_file_any_more(desk: Desk) -> None:
    kari, ola = desk.customer(kid="2345676"), desk.customer(kid="2345684")
    payment = desk.comes(OWED, reference="2345676", ref="B1", state="confirmed")
    desk.takes_away(payment)

    desk.comes(OWED, reference="2345684", ref="B1", state="booked")

    assert (desk.owes(kari), desk.owes(ola)) == (OWED, OWED)
    assert [(one.id, one.rest) for one in desk.waiting()] == [(payment, OWED)]


def test_a_shared_payment_that_comes_back_opens_the_bills_of_everyone_it_paid(desk: Desk) -> None:
    kari, ola = desk.customer(kid="2345676"), desk.customer(kid="2345684")
    payment = desk.comes(2 * OWED, ref="B1")
    desk.assigns(payment, Part(kari.id, OWED), Part(ola.id, OWED))

    desk.comes(2 * OWED, ref="B1", state="returned")

    assert (desk.owes(kari), desk.owes(ola)) == (OWED, OWED)
    assert desk.waiting("all") == []


def test_everyone_who_had_a_share_of_a_payment_that_comes_back_is_told_of_that_share(desk: Desk) -> None:
    with desk.db.transaction(desk.partner) as tx:
        with_policy(tx, desk.now)
    kari, ola = desk.customer(kid="2345676"), desk.customer(kid="2345684", owed=OWED + 100)
    payment = desk.comes(2 * OWED + 100, ref="B1")
    desk.assigns(payment, Part(kari.id, OWED), Part(ola.id, OWED + 100))

    for _ in range(2):
        desk.comes(2 * OWED + 100, ref="B1", state="returned")

    told = "SELECT params ->> 'amount' FROM case_event e JOIN dunning_case c ON c.id = e.case_id"
    told += " WHERE c.account_id = %(account)s AND code = 'payment_returned'"
    assert desk.rows(told, account=ola.id) == [(str(OWED + 100),)]
    assert desk.rows(told, account=kari.id) == [], "kari's next turn says it: the payment is hers"


def test_more_than_came_is_not_given_away(desk: Desk) -> None:
    kari = desk.customer()
    payment = desk.comes(OWED)

    with pytest.raises(UnableToMatch, match=r"899\.00 of the payment can be placed"):
        desk.assigns(payment, Part(kari.id, OWED + 1))

    assert desk.owes(kari) == OWED


@pytest.mark.parametrize(("state", "said"), [("ordered", "is ordered"), ("failed", "is failed")])
def test_money_that_has_not_come_is_not_placed(desk: Desk, state: str, said: str) -> None:
    kari = desk.customer()
    payment = desk.comes(OWED, state=state)

    with pytest.raises(UnableToMatch, match=said):
        desk.assigns(payment, Part(kari.id, OWED))


def test_a_payment_in_another_currency_stays_in_the_queue(desk: Desk) -> None:
    with desk.db.transaction(desk.partner) as tx:
        abroad = make_account(tx, desk.now, currency="EUR")
    payment = desk.comes(OWED)

    with pytest.raises(UnableToMatch, match="kept in EUR"):
        desk.assigns(payment, Part(abroad.id, OWED))


@pytest.mark.parametrize("by", [Person("rolf", "reader"), operator("root")])
def test_who_may_only_read_places_nothing(desk: Desk, by: Person) -> None:
    kari = desk.customer()
    payment = desk.comes(OWED)

    with pytest.raises(UnableToAct, match="may not place payments"):
        desk.assigns(payment, Part(kari.id, OWED), by=by)


def test_a_payer_who_names_an_unknown_bill_of_a_known_customer_is_in_the_queue_too(desk: Desk) -> None:
    kari = desk.customer()

    payment = desk.comes(OWED, reference="998877", account=kari)

    assert desk.owes(kari) == 0
    assert [(one.id, one.why, one.rest) for one in desk.waiting()] == [(payment, "names_unknown", 0)]


def test_of_two_people_who_place_the_same_money_at_once_one_is_told_that_it_is_gone(desk: Desk) -> None:
    kari, ola = desk.customer(kid="2345676"), desk.customer(kid="2345684")
    payment, ready = desk.comes(OWED), Barrier(2)

    def place(account: Account) -> bool:
        with desk.db.transaction(desk.partner) as tx:
            ready.wait()
            try:
                matching.assign(tx, Act(payment, ANNE, desk.now), [Part(account.id, OWED)])
            except UnableToMatch:
                return False
        return True

    with ThreadPoolExecutor(2) as people:
        placed = list(people.map(place, (kari, ola)))

    assert sorted(placed) == [False, True]
    assert desk.owes(kari) + desk.owes(ola) == OWED
    desk.adds_up()
