"""Money comes in: what a payment pays, once, whatever is repeated, and what its return opens again."""

from datetime import datetime, timedelta

import pytest

from relight.flow.claims.operations import receive_payments
from relight.flow.database import Database, Tx
from relight.flow.payments.settle import settle
from tests.flow import ledger
from tests.flow.factories import Account, make_account, make_claim, make_source, payment_row


def owed(tx: Tx, claim_id: int) -> tuple[int, int, str]:
    return tx.row("SELECT principal, costs, state FROM claim WHERE id = %(claim)s", {"claim": claim_id}) or (0, 0, "")


def credit(tx: Tx, account: Account) -> int:
    return tx.value("SELECT credit FROM account WHERE id = %(account)s", {"account": account.id})


def charge(tx: Tx, claim_id: int, amount: int, now: datetime) -> None:
    from relight.flow.claims import fees

    fees.post(tx, [(claim_id, amount)], now)


def test_a_payment_pays_the_claim_that_it_names_then_the_oldest(db: Database, partner: int, now: datetime) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        oldest = make_claim(tx, account, now, amount=500, due_date=now.date() - timedelta(days=60))
        named = make_claim(tx, account, now, amount=300, reference="2345676")

        (answer,) = settle(tx, make_source(tx, now), [payment_row(400, now, reference="2345676")], now=now).received

        assert answer.account_id == account.id
        assert owed(tx, named) == (0, 0, "settled")
        assert owed(tx, oldest) == (400, 0, "open")
        assert credit(tx, account) == 0
        assert ledger.differences(tx) == []


def test_principal_is_paid_before_costs_and_the_rest_waits_as_credit(db: Database, partner: int, now: datetime) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        claim = make_claim(tx, account, now, amount=1000)
        charge(tx, claim, 70, now)
        source = make_source(tx, now)

        settle(tx, source, [payment_row(1030, now, account=account)], now=now)
        after_first = owed(tx, claim)
        settle(tx, source, [payment_row(1000, now, account=account)], now=now)

        assert after_first == (0, 40, "open")
        assert owed(tx, claim) == (0, 0, "settled")
        assert credit(tx, account) == 960
        assert ledger.differences(tx) == []


@pytest.mark.parametrize(
    "told",
    [
        ["confirmed"] * 5,
        ["ordered", "authorised", "confirmed", "booked"],
        ["booked", "confirmed", "authorised", "ordered"],
        ["failed", "confirmed", "failed", "booked"],
        ["confirmed", "ordered", "booked", "confirmed", "booked"],
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_payment_counts_once_whatever_is_repeated_and_in_whatever_order(
    db: Database, partner: int, now: datetime, told: list[str], at_once: bool
) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        claim = make_claim(tx, account, now, amount=1000)
        source = make_source(tx, now)
        rows = [payment_row(600, now, account=account, ref="one", state=state) for state in told]

        for batch in [rows] if at_once else [[row] for row in rows]:
            settle(tx, source, batch, now=now)

        assert owed(tx, claim) == (400, 0, "open")
        assert ledger.balance(tx, "settlement") == 600
        assert ledger.differences(tx) == []


def test_an_authorised_payment_pays_nothing_yet(db: Database, partner: int, now: datetime) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        claim = make_claim(tx, account, now, amount=1000)

        settle(tx, make_source(tx, now), [payment_row(1000, now, account=account, state="authorised")], now=now)

        assert owed(tx, claim) == (1000, 0, "open")


def test_a_returned_payment_opens_its_claims_again_and_only_once(db: Database, partner: int, now: datetime) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        first = make_claim(tx, account, now, amount=500, due_date=now.date() - timedelta(days=60))
        second = make_claim(tx, account, now, amount=500)
        source = make_source(tx, now)
        settle(tx, source, [payment_row(800, now, account=account, ref="back")], now=now)
        settle(tx, source, [payment_row(400, now, account=account, ref="stays")], now=now)

        for _ in range(2):
            settle(tx, source, [payment_row(800, now, account=account, ref="back", state="returned")], now=now)

        assert owed(tx, first) == (300, 0, "open")
        assert owed(tx, second) == (300, 0, "open")
        assert credit(tx, account) == 0
        assert ledger.balance(tx, "settlement") == 400
        assert ledger.differences(tx) == []


def test_a_return_that_overtakes_its_payment_leaves_nothing_paid(db: Database, partner: int, now: datetime) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        claim = make_claim(tx, account, now, amount=500)
        source = make_source(tx, now)

        settle(tx, source, [payment_row(500, now, account=account, ref="x", state="returned")], now=now)
        settle(tx, source, [payment_row(500, now, account=account, ref="x", state="booked")], now=now)

        assert owed(tx, claim) == (500, 0, "open")
        assert ledger.differences(tx) == []


def test_a_payment_whose_reference_fits_two_accounts_is_left_for_a_person(
    db: Database, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        one, two = make_account(tx, now), make_account(tx, now)
        claims = [make_claim(tx, account, now, amount=500, reference="777") for account in (one, two)]
        source = make_source(tx, now)

        settled = settle(tx, source, [payment_row(500, now, reference="777", ref="unclear")], now=now)

        assert settled.received[0].account_id is None
        assert settled.account_ids == ()
        assert [owed(tx, claim)[0] for claim in claims] == [500, 500]

        settle(tx, source, [payment_row(500, now, account=two, ref="unclear")], now=now)

        assert [owed(tx, claim)[0] for claim in claims] == [500, 0]
        assert ledger.differences(tx) == []


def test_a_payment_in_another_currency_is_left_for_a_person(db: Database, partner: int, now: datetime) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        make_claim(tx, account, now, amount=500)

        answers = receive_payments(
            tx, make_source(tx, now), [payment_row(500, now, account=account, currency="EUR")], now=now
        )

        assert answers[0].account_id is None
        assert ledger.differences(tx) == []


def test_the_same_payment_with_another_amount_is_refused_in_words(db: Database, partner: int, now: datetime) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        claim = make_claim(tx, account, now, amount=500)
        source = make_source(tx, now)
        settle(tx, source, [payment_row(200, now, account=account, ref="x")], now=now)

        (answer,) = settle(tx, source, [payment_row(300, now, account=account, ref="x")], now=now).received

        assert "another amount" in answer.refused
        assert owed(tx, claim)[0] == 300


def test_several_payments_of_one_account_in_one_call_fill_claims_in_turn(
    db: Database, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        claims = [
            make_claim(tx, account, now, amount=100, due_date=now.date() - timedelta(days=50 - at), number=f"T{at}")
            for at in range(5)
        ]
        rows = [
            payment_row(150, now, reference="T3"),
            payment_row(120, now, account=account),
            payment_row(60, now, reference="T3"),
        ]

        settle(tx, make_source(tx, now), rows, now=now)

        assert [owed(tx, claim)[0] for claim in claims] == [0, 0, 70, 0, 100]
        assert ledger.differences(tx) == []


def test_one_partner_never_pays_the_claims_of_another(
    db: Database, partner: int, other_partner: int, now: datetime
) -> None:
    with db.transaction(other_partner) as tx:
        theirs = make_claim(tx, make_account(tx, now), now, amount=500, number="SHARED")
    with db.transaction(partner) as tx:
        (answer,) = settle(tx, make_source(tx, now), [payment_row(500, now, reference="SHARED")], now=now).received

    with db.transaction(other_partner) as tx:
        assert answer.account_id is None
        assert owed(tx, theirs)[0] == 500
