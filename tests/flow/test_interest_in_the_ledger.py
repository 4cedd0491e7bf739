"""Late interest in the ledger, against a count of our own that knows every single day and shares no code with it."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import psycopg
import pytest

from relight.audit.run import audit
from relight.flow.claims import interest, rates
from relight.flow.claims.operations import allocate_by_age, receive_payments
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Database, Tx
from tests.flow import ledger
from tests.flow.factories import Account, make_account, make_claim, make_source

BEGINS = date(2023, 11, 20)  # so that a leap year lies within
TABLES = {"NO": "late_interest", "NL": "legal_interest_consumer"}
_DAY = timedelta(days=1)
_PRINCIPAL = """
SELECT value_date, CASE WHEN debit = 'receivable' THEN amount ELSE -amount END, kind FROM transfer
WHERE claim_id = %(claim)s AND part = 'principal' ORDER BY id
"""
_BOOKED = """
SELECT coalesce(sum(CASE WHEN debit = 'receivable' THEN amount ELSE -amount END), 0)::bigint FROM transfer
WHERE claim_id = %(claim)s AND kind = 'interest'
"""
_IDLE = """
SELECT a.credit FROM account a JOIN claim c ON c.account_id = a.id AND c.state = 'open'
WHERE a.id = %(account)s AND a.credit > 0
"""


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def day_by_day(tx: Tx, claim: int, percents: dict[date, Decimal]) -> int:
    """A claim's interest, one day after the other; none while no notice has named it."""
    due, until = tx.row("SELECT due_date, interest_until FROM claim WHERE id = %(id)s", {"id": claim}) or (None, None)
    moved = tx.rows(_PRINCIPAL, {"claim": claim})
    total, day = Fraction(0), due + _DAY
    while until is not None and day <= until:
        owed = sum(amount for when, amount, kind in moved if when < day or kind == "claim")
        known = [first for first in percents if first <= day]
        in_year = 366 if day.year % 4 == 0 else 365
        total += max(0, owed) * Fraction(percents[max(known)]) / 100 / in_year
        day += _DAY
    return int(total)


def confirm(tx: Tx, table: str, day: date, percents: dict[date, Decimal], dice: random.Random) -> None:
    """Somebody reads a rate, for a half-year or (where the table lets rates last) for any day, and answers for it."""
    percents[day] = Decimal(dice.randint(0, 2000)) / 100
    rates.set_rate(tx, table, day, percents[day], by="Ola", now=noon(BEGINS))


def payment(tx: Tx, account: Account, ref: str, day: date, *, amount: int, told: date, state: str = "booked") -> None:
    row = PaymentRow(ref, amount, "NOK", state, day, account_ref=account.ref)
    receive_payments(tx, make_source(tx, noon(told)), [row], now=noon(told))


def live(tx: Tx, account: Account, claims: list[int], dice: random.Random) -> Iterator[None]:
    """A year or two of notices (some voided), month's ends, payments (some told late or returned), from the dice."""
    day, paid = BEGINS, list[tuple[str, date, int]]()
    for n in range(dice.randint(10, 25)):
        day += timedelta(days=dice.randint(0, 40))
        match dice.choice(["notice", "month", "pay", "late", "return", "void"]):
            case "notice":
                interest.name(tx, [dice.choice(claims)], today=day, now=noon(day))
            case "void":
                interest.forget(tx, [dice.choice(claims)], today=day, now=noon(day))
                allocate_by_age(tx, [account.id], today=day, now=noon(day))
                interest.recount(tx, [account.id], today=day, now=noon(day))
            case "month":
                interest.book_month(tx, today=day, now=noon(day))
            case "return" if paid:
                ref, when, amount = paid.pop(dice.randrange(len(paid)))
                payment(tx, account, ref, when, amount=amount, told=day, state="returned")
            case what:
                when = day - timedelta(days=dice.randint(1, 90) if what == "late" else 0)
                paid.append((f"{account.ref}-{n}", when, dice.choice([dice.randint(1, 40_000), 300_000])))
                payment(tx, account, paid[-1][0], when, amount=paid[-1][2], told=day)
        yield
    interest.name(tx, claims, today=day + _DAY, now=noon(day + _DAY))
    yield


@pytest.mark.parametrize("country", ["NO", "NL"])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_comes_late_or_goes_back_the_ledger_holds_what_a_count_of_every_day_gives(
    db: Database,
    owner: psycopg.Connection,
    database_urls: dict[str, str],
    partner: int,
    country: str,
    seed: int,
) -> None:
    dice = random.Random(f"{country}{seed}")
    owner.execute("UPDATE partner SET country = %s WHERE id = %s", (country, partner))
    percents: dict[date, Decimal] = {}
    with db.transaction(partner) as tx:
        account = make_account(tx, noon(BEGINS), ref=f"I{country}{seed}")
        due = [BEGINS - timedelta(days=dice.randint(0, 60)) for _ in range(3)]
        claims = [
            make_claim(tx, account, noon(BEGINS), amount=dice.randint(1_000, 200_000), due_date=one) for one in due
        ]
        for year, month in ((2023, 7), (2024, 1), (2024, 7), (2025, 1), (2025, 7)):
            confirm(tx, TABLES[country], date(year, month, 1), percents, dice)
        if country == "NL":
            confirm(tx, TABLES[country], date(2024, 3, dice.randint(1, 28)), percents, dice)

        for _ in live(tx, account, claims, dice):
            booked = [tx.value(_BOOKED, {"claim": claim}) for claim in claims]

            assert booked == [day_by_day(tx, claim, percents) for claim in claims]
            assert ledger.differences(tx) == []
        assert sum(booked) > 0
        assert tx.row(_IDLE, {"account": account.id}) is None

    (slug,) = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchone() or ("",)
    assert audit(database_urls["app"], partner=slug).violations == []


def test_a_bill_that_was_too_high_bore_no_interest_for_what_is_taken_off_it_and_a_cancelled_one_none(
    db: Database, partner: int
) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, noon(BEGINS))
        rates.set_rate(tx, "late_interest", date(2023, 7, 1), Decimal("10"), by="Ola", now=noon(BEGINS))
        whole = {"number": "F-high", "due_date": date(2023, 11, 20), "amount": 3_650_00}
        claim = make_claim(tx, account, noon(BEGINS), **whole)
        interest.name(tx, [claim], today=date(2023, 11, 30), now=noon(date(2023, 11, 30)))
        named = tx.value(_BOOKED, {"claim": claim})

        make_claim(tx, account, noon(date(2023, 11, 30)), **(whole | {"amount": 1_825_00}))
        halved = tx.value(_BOOKED, {"claim": claim})
        make_claim(tx, account, noon(date(2023, 11, 30)), **whole, cancelled=True)

        assert (named, halved, tx.value(_BOOKED, {"claim": claim})) == (10_00, 5_00, 0)
        assert ledger.differences(tx) == []
