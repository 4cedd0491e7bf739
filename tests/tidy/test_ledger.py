"""No float comes near money: neither a column of the ledger nor a function on its way there takes one."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from relight.core import money
from relight.flow.claims.operations import post_claims, receive_payments
from relight.flow.claims.rows import ClaimRow
from relight.flow.database import Database
from tests.flow.factories import Account, make_account, make_claim, make_source, payment_row

OWED = 89900

AMOUNTS = {
    "account": {"credit"},
    "agency_fee": {"amount", "least"},
    "agency_settlement": {"received", "fee", "paid_over"},
    "agency_settlement_line": {"received", "fee", "agreed"},
    "bank_booking": {"amount"},
    "bank_statement": {"opening", "closing"},
    "books_act": {"amount"},
    "books_balance": {"debit", "credit"},
    "checkout": {"amount"},
    "claim": {"amount", "principal", "costs", "interest", "disputed"},
    "claim_line": {"amount", "disputed"},
    "collection": {"amount"},
    "collection_file": {"amount"},
    "dunning_case": {"arrears"},
    "handover_claim": {"principal", "costs", "interest"},
    "hold": {"amount"},
    "bank_refund": {"amount"},
    "instalment_plan": {"amount"},
    "payment": {"amount", "unmatched"},
    "payment_act": {"amount"},
    "payment_share": {"amount"},
    "plan_claim": {"amount"},
    "plan_part": {"amount"},
    "provider_notice": {"amount"},
    "provider_refund": {"amount"},
    "remittance": {"amount"},
    "sent_message": {"amount"},
    "step_claim": {"principal", "costs"},
    "success_terms": {"amount"},
    "transfer": {"amount"},
}
_COLUMNS = """
SELECT table_name::text, column_name::text, data_type::text FROM information_schema.columns
WHERE table_schema = 'relight'
"""
_FUNCTIONS = """
SELECT p.proname::text, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid) FROM pg_proc p
WHERE p.pronamespace = 'relight'::regnamespace
"""
_FRACTIONS = ("real", "double precision", "numeric", "money")


def test_every_amount_is_a_whole_number_and_nothing_in_the_database_is_a_fraction(owner: psycopg.Connection) -> None:
    columns = {(table, column): kind for table, column, kind in owner.execute(_COLUMNS)}

    amounts = {(table, name): columns.get((table, name)) for table, names in AMOUNTS.items() for name in names}

    assert amounts == dict.fromkeys(amounts, "bigint")
    assert {where: kind for where, kind in columns.items() if kind in _FRACTIONS} == {}


def test_every_column_that_is_named_like_money_is_known_here(owner: psycopg.Connection) -> None:
    names = {name for known in AMOUNTS.values() for name in known}

    found = {(table, column) for table, column, kind in owner.execute(_COLUMNS) if column in names and kind != "text"}

    assert found == {(table, name) for table, known in AMOUNTS.items() for name in known}


def test_no_function_of_the_database_takes_or_gives_a_fraction(owner: psycopg.Connection) -> None:
    signatures = {name: f"{takes} {gives}" for name, takes, gives in owner.execute(_FUNCTIONS)}

    assert [name for name, said in signatures.items() if any(kind in said for kind in _FRACTIONS)] == []


def test_a_planted_column_of_fractions_is_noticed(owner: psycopg.Connection) -> None:
    owner.execute("CREATE TABLE careless (amount double precision)")
    try:
        with pytest.raises(AssertionError, match="careless"):
            test_every_amount_is_a_whole_number_and_nothing_in_the_database_is_a_fraction(owner)
    finally:
        owner.execute("DROP TABLE careless")


@pytest.mark.parametrize("amount", [899.0, 0.1 + 0.2, Decimal("8.99"), "899"])
def test_what_is_no_whole_number_is_refused_where_money_is_written_for_people(amount: Any) -> None:
    with pytest.raises(TypeError, match="whole"):
        money.format_amount(amount, "NOK", "nb")
    with pytest.raises(TypeError, match="whole"):
        money.to_decimal(amount, "NOK")


def test_a_number_is_no_text_to_read_an_amount_from() -> None:
    with pytest.raises((TypeError, AttributeError)):
        money.parse_amount(12.5, "NOK")  # type: ignore[arg-type]


FLOATS = [89900.0, 12.7, 0.5]


@pytest.fixture
def account(db: Database, partner: int, now: datetime) -> Account:
    """An account with a bill of `OWED`."""
    with db.transaction(partner) as tx:
        made = make_account(tx, now)
        make_claim(tx, made, now, amount=OWED)
    return made


def booked(db: Database, partner: int) -> int:
    with db.transaction(partner) as tx:
        return tx.value("SELECT sum(amount) FROM transfer")


def bill(db: Database, partner: int, account: Account, amount: Any, now: datetime) -> None:
    row = ClaimRow(account.ref, "F-float", amount, "NOK", now.date())
    with db.transaction(partner) as tx:
        post_claims(tx, [row], run_id=None, now=now)


def pay(db: Database, partner: int, account: Account, amount: Any, now: datetime) -> None:
    with db.transaction(partner) as tx:
        receive_payments(tx, make_source(tx, now), [payment_row(amount, now, account=account)], now=now)


@pytest.mark.parametrize("amount", FLOATS)
def test_a_float_reaches_no_claim(db: Database, partner: int, account: Account, now: datetime, amount: float) -> None:
    with pytest.raises((TypeError, psycopg.Error)):
        bill(db, partner, account, amount, now)

    assert booked(db, partner) == OWED


@pytest.mark.parametrize("amount", FLOATS)
def test_a_float_reaches_no_payment(db: Database, partner: int, account: Account, now: datetime, amount: float) -> None:
    with pytest.raises(TypeError):
        pay(db, partner, account, amount, now)

    assert booked(db, partner) == OWED


@pytest.mark.parametrize("amount", FLOATS)
def test_the_way_to_the_database_takes_no_float_wherever_it_hides(db: Database, partner: int, amount: float) -> None:
    for hidden in (amount, [amount, amount]):
        with pytest.raises(TypeError), db.transaction(partner) as tx:
            tx.value("SELECT %(amount)s", {"amount": hidden})
