"""Money of others is paid over once, what came back is taken off; and partners owe for success what was agreed."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from relight.flow.books import remittance, success
from relight.flow.books.errors import UnableToRemit
from relight.flow.books.trial import trial
from relight.flow.cases.people import Person, UnableToAct, operator
from relight.flow.claims import fees
from relight.flow.claims.operations import receive_payments
from relight.flow.database import Database, Tx
from tests.flow import ledger
from tests.flow.booking import AGENT, BENTE, add_creditor, add_person, books_of
from tests.flow.factories import Account, make_account, make_claim, make_source, payment_row
from tests.flow.paying import OWED, Debtor, make_debtor, with_policy

NETT = "Nett AS"
OCTOBER, NOVEMBER, DECEMBER = (datetime(2026, month, 12, 12, tzinfo=UTC) for month in (10, 11, 12))


def pay(tx: Tx, account: Account, amount: int, now: datetime, ref: str, *, state: str = "confirmed", **more) -> None:
    source = make_source(tx, now)
    row = payment_row(amount, now, account=account, ref=ref, state=state, **more)
    assert not receive_payments(tx, source, [row], now=now)[0].refused


@pytest.fixture
def account(db: Database, partner: int, owner: psycopg.Connection) -> Account:
    """Somebody with a bill of the partner's own and one of another creditor's, with a fee on it."""
    add_creditor(owner, partner, NETT)
    with db.transaction(partner) as tx:
        made = make_account(tx, OCTOBER)
        make_claim(tx, made, OCTOBER, amount=5000, number="own", due_date=date(2026, 10, 1))
        claim = make_claim(tx, made, OCTOBER, amount=3000, number="theirs", creditor=NETT, due_date=date(2026, 10, 2))
        fees.post(tx, [(claim, 500)], OCTOBER)
    return made


def test_what_came_in_on_a_creditors_claims_is_paid_over_once(db: Database, partner: int, account: Account) -> None:
    with db.transaction(partner) as tx:
        pay(tx, account, 7000, OCTOBER, "P1")
        pay(tx, account, 1000, NOVEMBER, "P2")

        [first] = remittance.remit(tx, NETT, date(2026, 10, 31), by=BENTE, now=NOVEMBER)
        with pytest.raises(UnableToRemit) as again:
            remittance.remit(tx, NETT, date(2026, 10, 31), by=BENTE, now=NOVEMBER)
        [second] = remittance.remit(tx, NETT, date(2026, 11, 12), by=BENTE, now=NOVEMBER)

        assert "everything has been paid over" in str(again.value)
        assert [(one.payment, one.amount) for one in remittance.items(tx, first.id)] == [("P1", 2000)]
        assert [(one.payment, one.amount) for one in remittance.items(tx, second.id)] == [("P2", 1000)]
        assert ledger.balance(tx, "remitted") == 3000
        assert ledger.balance(tx, "settlement") == 8000 - 3000
        books = {(one.creditor, one.ledger): one.balance for one in trial(tx, NOVEMBER.date()).balances}
        assert books[NETT, "between"] == 0  # what the two owed each other is settled
        assert ledger.differences(tx) == []


def test_a_payment_that_came_back_after_it_was_paid_over_lowers_the_next_one(
    db: Database, partner: int, account: Account
) -> None:
    with db.transaction(partner) as tx:
        pay(tx, account, 7000, OCTOBER, "P1", reference="own")
        remittance.remit(tx, NETT, date(2026, 10, 31), by=BENTE, now=NOVEMBER)
        pay(tx, account, 7000, NOVEMBER, "P1", state="returned")
        with pytest.raises(UnableToRemit) as short:
            remittance.remit(tx, NETT, date(2026, 11, 12), by=BENTE, now=NOVEMBER)

        pay(tx, account, 8500, DECEMBER, "P2")
        [next_] = remittance.remit(tx, NETT, date(2026, 12, 12), by=BENTE, now=DECEMBER)

        assert "2000 NOK more came back than came in" in str(short.value)
        by_payment = {}
        for one in remittance.items(tx, next_.id):
            by_payment[one.payment] = by_payment.get(one.payment, 0) + one.amount
        assert by_payment == {"P1": -2000, "P2": 3500}
        assert next_.amount == 1500
        assert ledger.balance(tx, "remitted") == 3500


def test_what_stays_here_is_not_paid_over(db: Database, partner: int, account: Account) -> None:
    with db.transaction(partner) as tx:
        pay(tx, account, 8500, OCTOBER, "P1")

        [made] = remittance.remit(tx, NETT, date(2026, 10, 31), by=BENTE, now=NOVEMBER, keep=["costs"])

        assert made.amount == 3000
        assert {one.part for one in remittance.items(tx, made.id)} == {"principal"}


def test_currencies_are_paid_over_apart_and_never_before_their_day(
    db: Database, partner: int, account: Account
) -> None:
    with db.transaction(partner) as tx:
        euro = make_account(tx, OCTOBER, currency="EUR")
        make_claim(tx, euro, OCTOBER, amount=700, number="euro", creditor=NETT, currency="EUR")
        pay(tx, euro, 700, OCTOBER, "E1", currency="EUR")
        pay(tx, account, 8500, OCTOBER, "P1")
        with pytest.raises(UnableToRemit) as early:
            remittance.remit(tx, NETT, date(2026, 11, 13), by=BENTE, now=NOVEMBER)

        made = remittance.remit(tx, NETT, date(2026, 11, 12), by=BENTE, now=NOVEMBER)

        assert "has not come yet" in str(early.value)
        assert {(one.currency, one.amount) for one in made} == {("EUR", 700), ("NOK", 3500)}


def test_an_agent_pays_nothing_over(db: Database, partner: int, account: Account) -> None:
    with pytest.raises(UnableToAct), db.transaction(partner) as tx:
        remittance.remit(tx, NETT, date(2026, 10, 31), by=AGENT, now=NOVEMBER)


def test_the_command_pays_over_with_the_list_for_the_creditor(
    db: Database, partner: int, account: Account, owner: psycopg.Connection, database_urls: dict[str, str]
) -> None:
    books, manager = books_of(owner, database_urls, partner), add_person(owner, partner, "manager")
    with db.transaction(partner) as tx:
        pay(tx, account, 7000, datetime(2024, 3, 2, 9, tzinfo=UTC), "P1")

    shown = books("remit", "--creditor", NETT, "--until", "2024-03-31", "--dry-run", "--csv")
    made = books("remit", "--creditor", NETT, "--until", "2024-03-31", "--as", manager, "--json")
    listed = books("remittances", "--json")

    assert "theirs,P1,2024-03-02,principal,20.00,NOK" in shown.stdout
    assert json.loads(made.stdout)["remittances"][0]["amount"] == 2000
    assert json.loads(listed.stdout)["remittances"][0]["payments"] == 1


@pytest.fixture
def debtor(db: Database, partner: int) -> Debtor:
    """Somebody whose bill was named by a step in October, before it was paid."""
    with db.transaction(partner) as tx:
        with_policy(tx, OCTOBER)
        made = make_debtor(tx, OCTOBER, reference="")
        step = tx.value(
            "INSERT INTO step_taken (partner_id, case_id, number, step, decided_at)"
            " VALUES (%(p)s, %(c)s, 9, 'reminder', %(at)s) RETURNING id",
            {"p": partner, "c": made.case_id, "at": OCTOBER},
        )
        tx.run(
            "INSERT INTO step_claim (partner_id, step_id, claim_id, principal) VALUES (%(p)s, %(s)s, %(c)s, 1)",
            {"p": partner, "s": step, "c": made.claim_id},
        )
    return made


def agree(db: Database, partner: int, starts: date, *, share: int = 0, amount: int = 0) -> None:
    with db.transaction(partner) as tx:
        success.agree(tx, starts=starts, currency="NOK", share=share, amount=amount, by=operator("root"), now=OCTOBER)


def month_of(db: Database, partner: int, month: int) -> list[success.Total]:
    with db.transaction(partner) as tx:
        return success.totals(success.successes(tx, date(2026, month, 1)))


def test_success_is_paid_for_by_share_and_amount_and_taken_off_in_the_month_when_it_comes_back(
    db: Database, partner: int, debtor: Debtor
) -> None:
    agree(db, partner, date(2026, 10, 1), share=250, amount=2500)
    with db.transaction(partner) as tx:
        pay(tx, debtor.account, OWED, OCTOBER + timedelta(days=1), "P1")
    agree(db, partner, date(2026, 11, 1), share=500)
    with db.transaction(partner) as tx:
        pay(tx, debtor.account, OWED, NOVEMBER, "P1", state="returned")

    october, november = month_of(db, partner, 10), month_of(db, partner, 11)

    fee = 2500 + 2248  # 2.5 % of 899.00 is 22.475, rounded half up
    assert october == [success.Total("NOK", 1, 0, OWED, fee)]
    assert november == [success.Total("NOK", 0, 1, -OWED, -fee)]
    assert month_of(db, partner, 12) == []


def test_what_nobody_followed_up_is_no_success(db: Database, partner: int, debtor: Debtor) -> None:
    agree(db, partner, date(2026, 10, 1), amount=2500)
    with db.transaction(partner) as tx:
        other = make_account(tx, OCTOBER)
        make_claim(tx, other, OCTOBER, amount=100)
        pay(tx, other, 100, OCTOBER + timedelta(days=1), "unasked")
        pay(tx, debtor.account, OWED, OCTOBER - timedelta(days=1), "before the step")

    assert month_of(db, partner, 10) == []


def test_without_an_agreement_successes_are_counted_and_cost_nothing(
    db: Database, partner: int, debtor: Debtor
) -> None:
    agree(db, partner, date(2026, 11, 1), amount=2500)
    with db.transaction(partner) as tx:
        pay(tx, debtor.account, 100, OCTOBER + timedelta(days=1), "P1")
        pay(tx, debtor.account, 100, NOVEMBER, "P2")
    agree(db, partner, date(2026, 12, 1))
    with db.transaction(partner) as tx:
        pay(tx, debtor.account, 100, DECEMBER, "P3")

    assert [month_of(db, partner, month)[0].fee for month in (10, 11, 12)] == [0, 2500, 0]


@pytest.mark.parametrize("who", [BENTE, Person("admin", "admin")])
def test_a_partner_does_not_set_its_own_fee(db: Database, partner: int, who: Person) -> None:
    with pytest.raises(UnableToAct, match="Ask whoever runs the installation"), db.transaction(partner) as tx:
        success.agree(tx, starts=date(2026, 10, 1), currency="NOK", by=who, now=OCTOBER)


def test_the_commands_agree_and_report(
    db: Database, partner: int, debtor: Debtor, owner: psycopg.Connection, database_urls: dict[str, str]
) -> None:
    books = books_of(owner, database_urls, partner)

    agreed = books("agree", "--from", "2026-10-01", "--share", "2.5", "--amount", "25.00", "--by", "Kari")
    with db.transaction(partner) as tx:
        pay(tx, debtor.account, OWED, OCTOBER + timedelta(days=1), "P1")
    told = json.loads(books("success", "--month", "2026-10", "--json").stdout)
    each = list(csv.DictReader(io.StringIO(books("success", "--month", "2026-10", "--csv").stdout)))

    assert agreed.stdout == "From 2026-10-01: 2.5 percent and 25.00 NOK for each successful transaction.\n"
    assert told["partners"][0]["fee"] == "47.48"
    assert [(one["payment"], one["paid"], one["fee"]) for one in each] == [("P1", "899.00", "47.48")]
