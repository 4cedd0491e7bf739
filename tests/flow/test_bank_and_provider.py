"""A payment that a provider and the bank both tell of counts once, whoever is first; a payout less its fee is none."""

from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from relight.flow.database import Database
from relight.flow.payments.operations import attach, record_notices, start_checkout
from tests.flow.banking import Bank
from tests.flow.importing import counts, write_csv
from tests.flow.paying import OWED, Debtor, checked_out, make_debtor, said, with_policy, with_testpay
from tests.unit.payments.files.written import Paid, entry

PAYMENTS = (
    "SELECT o.name, p.state, p.amount, p.account_id FROM payment p JOIN source o ON o.id = p.source_id ORDER BY p.id"
)


@pytest.fixture
def bank(db: Database, partner: int, now: datetime, tmp_path: Path) -> Bank:
    return Bank(db, partner, now, tmp_path)


@pytest.fixture
def debtor(db: Database, partner: int, now: datetime) -> Debtor:
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        return make_debtor(tx, now)


@pytest.fixture
def ref(db: Database, owner: psycopg.Connection, partner: int, debtor: Debtor, now: datetime, tmp_path: Path) -> str:
    """The provider's own id of an open checkout."""
    provider = with_testpay(owner, partner, tmp_path)
    return checked_out(db, partner, debtor, provider, now)


def provider_tells(bank: Bank, ref: str) -> None:
    with bank.db.transaction(bank.partner) as tx:
        record_notices(tx, provider_name="testpay", events=[said(ref)], now=bank.now)


@pytest.mark.parametrize("paid", [Paid(), Paid(reference="")])
def test_the_bank_after_the_provider_changes_nothing_but_that_the_payment_is_booked(
    bank: Bank, debtor: Debtor, ref: str, paid: Paid
) -> None:
    provider_tells(bank, ref)
    told = paid._replace(end_to_end=ref)

    reports = [bank.tells(entry(told), kind=kind) for kind in ("camt.054", "camt.053")]

    assert bank.owes(debtor.account) == 0
    assert bank.rows(PAYMENTS) == [("testpay", "booked", OWED, debtor.account.id)]
    assert [counts(report) for report in reports] == [(1, 1, 0, 0, 0), (1, 0, 1, 0, 0)]


def test_the_bank_before_the_provider_pays_the_bill_and_the_late_webhook_changes_nothing(
    bank: Bank, debtor: Debtor, ref: str
) -> None:
    bank.tells(entry(Paid(reference=ref)))
    paid = bank.owes(debtor.account)

    provider_tells(bank, ref)

    assert (paid, bank.owes(debtor.account)) == (0, 0)
    assert bank.rows(PAYMENTS) == [("testpay", "booked", OWED, debtor.account.id)]


def test_a_table_that_names_the_providers_payment_counts_once_too(bank: Bank, debtor: Debtor, ref: str) -> None:
    provider_tells(bank, ref)
    path = write_csv(bank.folder / "p.csv", ("ref", "amount", "value_date", "reference"),
                     [("X1", "899.00", "2026-03-02", ref)])  # fmt: skip

    bank.sends(path.read_bytes(), "csv")

    assert bank.owes(debtor.account) == 0
    assert [row[0] for row in bank.rows(PAYMENTS)] == ["testpay"]


def test_a_payout_less_the_providers_fee_is_no_payment_and_a_person_hears_of_it_once(
    bank: Bank, debtor: Debtor, ref: str
) -> None:
    provider_tells(bank, ref)

    reports = [bank.tells(entry(Paid("880.00", ref)), kind=kind) for kind in ("camt.054", "camt.053")]

    assert [counts(report) for report in reports] == [(1, 0, 0, 1, 0)] * 2
    assert bank.owes(debtor.account) == 0
    assert bank.rows("SELECT code, params->>'asked', params->>'amount' FROM task") == [
        ("payment_mismatch", "89900", "88000")
    ]


def test_the_return_of_a_providers_payment_by_the_bank_opens_the_bill_again(
    bank: Bank, debtor: Debtor, ref: str
) -> None:
    provider_tells(bank, ref)
    bank.tells(entry(Paid(reference=ref, bank_ref="B1")))

    bank.tells(entry(Paid(reference=ref, bank_ref="B2"), mark="DBIT", reversal=True, day="2026-03-04"))

    assert bank.owes(debtor.account) == OWED


def test_a_short_reference_is_never_taken_for_a_providers(
    bank: Bank, debtor: Debtor, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE checkout SET provider_ref = '2345676' WHERE partner_id = %s", (bank.partner,))

    bank.tells(entry(Paid()))

    assert [row[0] for row in bank.rows(PAYMENTS)] == ["bank"]


@pytest.mark.parametrize(
    ("provider", "named"),
    [
        ("vipps", "rl-36bd38322dcf4c7493e9ee13facf20f4"),
        ("adyen", "rl-09d4bba4092745a89230d8a6c714616c"),
        ("mollie", "tr_7UhSN1zuXS"),
        ("stripe", "pi_3PabcdEfGhIjKlMn0123"),
    ],
)
def test_a_payment_that_provider_and_bank_both_tell_of_counts_once_by_each_providers_own_name(
    bank: Bank, debtor: Debtor, owner: psycopg.Connection, provider: str, named: str
) -> None:
    with bank.db.transaction(bank.partner) as tx:
        order = {"link_id": debtor.link_id, "amount": OWED, "currency": "NOK", "now": bank.now}
        started = start_checkout(tx, provider=provider, **order)  # type: ignore[arg-type]
        attach(tx, checkout_id=started.checkout_id, provider_ref=named, now=bank.now)
        record_notices(tx, provider_name=provider, events=[said(named)], now=bank.now)

    bank.tells(entry(Paid(reference="", end_to_end=named)))

    assert bank.owes(debtor.account) == 0
    assert bank.rows(PAYMENTS) == [(provider, "booked", OWED, debtor.account.id)]


def test_a_providers_payout_is_on_no_customers_account(bank: Bank, debtor: Debtor, ref: str) -> None:
    provider_tells(bank, ref)

    bank.tells(entry(Paid("12345.60", "Utbetaling 2000042", payer="Vipps MobilePay AS")))

    assert bank.owes(debtor.account) == 0
    assert [row[0::3] for row in bank.rows(PAYMENTS)] == [("testpay", debtor.account.id), ("bank", None)]
