"""The queue of payments at the console: placed, taken away, set aside and sent back, each by who may."""

from datetime import datetime
from pathlib import Path

import pytest

from relight.flow.database import Database
from relight.flow.payments import bank_refunds
from relight.flow.payments.settle import settle
from tests.flow.factories import Account, make_source, payment_row
from tests.flow.queueing import Desk
from tests.web.console_visitor import SignIn

OWED = 89900


@pytest.fixture
def desk(db: Database, partner: int, now: datetime, tmp_path: Path) -> Desk:
    return Desk(db, partner, now, tmp_path)


@pytest.fixture
def kari(desk: Desk) -> Account:
    return desk.customer()


@pytest.fixture
def payment(desk: Desk, kari: Account) -> int:
    """One that names Kari's bill with a slip."""
    return desk.comes(OWED, reference="2345679", payer="Mor Hansen")


def test_the_queue_shows_who_paid_and_whose_it_may_be_and_why(seat: SignIn, kari: Account, payment: int) -> None:
    seen = seat("reader").opens("payments/", q="")

    assert seen.rows == 1
    assert seen.has("Mor Hansen", "2345679", "Kari Nordmann", "én skrivefeil unna 2345676")
    assert f"/console/payments/{payment}/" in seen.html


def test_a_suggestion_is_taken_with_one_button(seat: SignIn, desk: Desk, kari: Account, payment: int) -> None:
    agent = seat("agent")
    seen = agent.opens(f"payments/{payment}/")

    seen = agent.fills(seen, f"/console/payments/{payment}/assign/", guess=f"{kari.id}")

    assert seen.has("Plassert. Den som har betalt, får alt tilbake", f"plassert på {kari.ref}")
    assert desk.owes(kari) == 0
    assert desk.waiting() == []


def test_a_payment_is_typed_onto_two_customers(seat: SignIn, desk: Desk, kari: Account, payment: int) -> None:
    ola, agent = desk.customer(kid="2345684"), seat("agent")

    agent.sends(
        f"payments/{payment}/assign/", account1=kari.ref, amount1="500,00", account2=ola.ref, amount2="399", note="delt"
    )

    assert (desk.owes(kari), desk.owes(ola)) == (OWED - 50000, OWED - 39900)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"account1": "nobody"}, "Det er ingen slik kunde"),
        ({"account1": "KARI", "amount1": "lots"}, "Skriv et beløp"),
        ({"account1": "KARI", "bill1": "F-0"}, "Kunden har ingen slik faktura"),
        ({}, "Si for hver del"),
    ],
)
def test_what_was_typed_wrong_is_told_at_its_field_and_kept(
    seat: SignIn, desk: Desk, kari: Account, payment: int, typed: dict[str, str], said: str
) -> None:
    given = {name: kari.ref if value == "KARI" else value for name, value in typed.items()}

    seen = seat("agent").sends(f"payments/{payment}/assign/", **given)

    assert seen.status == 422
    assert seen.has(said)
    assert desk.owes(kari) == OWED


def test_more_than_came_is_told_and_changes_nothing(seat: SignIn, desk: Desk, kari: Account, payment: int) -> None:
    seen = seat("agent").sends(f"payments/{payment}/assign/", account1=kari.ref, amount1="900")

    assert seen.status == 409
    assert seen.has("Dette passer ikke med betalingen")
    assert desk.owes(kari) == OWED


def test_what_was_placed_is_taken_away_again_and_both_stand_in_its_history(
    seat: SignIn, desk: Desk, kari: Account, payment: int
) -> None:
    agent = seat("agent")
    agent.sends(f"payments/{payment}/assign/", account1=kari.ref)

    agent.sends(f"payments/{payment}/take-away/", account=str(kari.id))

    seen = agent.opens(f"payments/{payment}/")
    assert desk.owes(kari) == OWED
    assert seen.has(f"plassert på {kari.ref}", f"tatt bort fra {kari.ref}")


def test_what_waits_for_an_answer_is_set_aside_and_the_filter_is_remembered(seat: SignIn, payment: int) -> None:
    agent = seat("agent")
    agent.sends(f"payments/{payment}/park/", note="spurt banken")

    waiting = agent.opens("payments/", q="")
    parked = agent.opens("payments/", show="parked", q="")
    again = agent.opens("payments/")

    assert waiting.has("Ingen betalinger venter her")
    assert parked.has("spurt banken")
    assert again.has("spurt banken")


def test_money_goes_back_when_a_colleague_says_yes(seat: SignIn, desk: Desk, db: Database, partner: int) -> None:
    payment = desk.comes(5000, payer="Ola Nordmann")
    fields = {"amount": "50", "to_name": "Ola Nordmann", "to_account": "NO9386011117947", "note": "Feil konto"}
    seat("agent").sends(f"payments/{payment}/refund/", **fields)
    with db.transaction(partner) as tx:
        (asked,) = bank_refunds.open_refunds(tx)

    forbidden = seat("agent").sends(f"refunds/{asked.id}/", answer="yes")
    seat("manager").sends(f"refunds/{asked.id}/", answer="yes")

    assert forbidden.status == 403
    with db.transaction(partner) as tx:
        assert [one.state for one in bank_refunds.open_refunds(tx)] == ["granted"]


def test_a_manager_does_not_approve_what_they_asked_for(seat: SignIn, desk: Desk, db: Database, partner: int) -> None:
    payment, manager = desk.comes(5000, payer="Ola Nordmann"), seat("manager")
    fields = {"amount": "50", "to_name": "Ola Nordmann", "to_account": "NO9386011117947", "note": "Feil konto"}
    manager.sends(f"payments/{payment}/refund/", **fields)
    with db.transaction(partner) as tx:
        (asked,) = bank_refunds.open_refunds(tx)

    manager.sends(f"refunds/{asked.id}/", answer="yes")

    with db.transaction(partner) as tx:
        assert [one.state for one in bank_refunds.open_refunds(tx)] == ["asked"]


def test_a_reader_sees_and_changes_nothing(seat: SignIn, desk: Desk, kari: Account, payment: int) -> None:
    reader = seat("reader")

    page = reader.opens(f"payments/{payment}/")
    refused = reader.sends(f"payments/{payment}/assign/", account1=kari.ref)

    assert "Plasser her" not in page.html
    assert refused.status == 403
    assert desk.owes(kari) == OWED


def test_another_partners_payment_is_not_there(seat: SignIn, payment: int, other_partner: int) -> None:
    stranger = seat("agent", at=other_partner)

    assert stranger.opens(f"payments/{payment}/").status == 404
    assert stranger.opens("payments/", q="").has("Ingen betalinger venter her")


def test_a_bill_paid_twice_is_told_and_left_for_the_next_bill_with_one_button(
    seat: SignIn, desk: Desk, kari: Account
) -> None:
    desk.comes(OWED, reference="2345676", payer="Mor Hansen")
    second, agent = desk.comes(OWED, reference="2345676", payer="Mor Hansen"), seat("agent")

    listed = agent.opens("payments/", show="paid_again", q="")
    page = agent.opens(f"payments/{second}/")
    kept = agent.fills(page, f"/console/payments/{second}/keep/")

    assert listed.has("Betalt to ganger", f"F-{kari.ref}", "som allerede var betalt")
    assert page.has(f"Faktura F-{kari.ref} var allerede betalt", "La det stå til neste faktura", "Send penger tilbake")
    assert kept.has("Står til gode. Neste faktura tar av det.")
    assert desk.waiting() == []
    assert desk.owes(kari) == -OWED


def test_what_came_by_a_provider_goes_back_by_it_when_a_colleague_says_yes(
    seat: SignIn, desk: Desk, kari: Account, db: Database, partner: int
) -> None:
    desk.comes(OWED, reference="2345676")
    with db.transaction(partner) as tx:
        source = make_source(tx, desk.now, name="testpay", kind="provider", required=False)
        row = payment_row(OWED, desk.now, account=kari)
        second = settle(tx, source, [row], now=desk.now).received[0].payment_id
    agent, manager = seat("agent"), seat("manager")
    page = agent.opens(f"payments/{second}/")
    fields = {"account": str(kari.id), "amount": "899", "note": "Betalt to ganger", "way": "provider"}

    agent.sends(f"payments/{second}/refund/", **fields)
    with db.transaction(partner) as tx:
        (asked,) = bank_refunds.open_refunds(tx)
    listed = manager.opens("payments/", q="")
    manager.sends(f"refunds/{asked.id}/", answer="yes")

    assert page.has("Samme vei som det kom: testpay gir det tilbake")
    assert listed.has("tilbake gjennom testpay")
    assert desk.rows("SELECT state, amount FROM provider_refund") == [("ordered", OWED)]
    assert desk.owes(kari) == 0
