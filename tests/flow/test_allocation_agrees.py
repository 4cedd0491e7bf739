"""What the database shares out, batch by batch, is what the pure function shares out, by whatever rule a country has:
what a payment names first, then costs, interest and principal in any order, claim by claim or kind by kind."""

import random
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import permutations

import psycopg
import pytest

from relight.core.allocation.allocate import Line, Money, Naming, OpenClaim, allocate
from relight.core.allocation.rule import KINDEST, AllocationRule, First, Kind
from relight.flow.claims import allocation, fees
from relight.flow.claims.operations import receive_payments
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Database, Tx
from tests.flow import ledger
from tests.flow.factories import Account, make_account, make_claim, make_source, pay

Paid = Counter[tuple[str, int, str]]
KINDS: tuple[Kind, ...] = ("costs", "interest", "principal")
FIRSTS: tuple[First, ...] = ("claim", "kind")
RULES = [AllocationRule(order, first) for order in permutations(KINDS) for first in FIRSTS]
SEEDS_OF_A_RULE = 4
_BEAR = """
WITH owed AS (UPDATE claim SET interest = %(amount)s WHERE id = %(claim)s RETURNING *)
INSERT INTO transfer (partner_id, account_id, claim_id, kind, debit, credit, part, amount, currency, value_date,
    posted_at)
SELECT partner_id, account_id, id, 'interest', 'receivable', 'interest_income', 'interest', %(amount)s, currency,
    due_date, %(now)s
FROM owed
"""


def bills(tx: Tx, account: Account, now: datetime, dice: random.Random) -> list[OpenClaim]:
    """Some open claims of an account, due on days that may coincide; two may share a reference."""
    claims: list[OpenClaim] = []
    for n in range(dice.randint(1, 5)):
        due, number, reference = (
            date(2026, 1, dice.randint(1, 4)),
            f"{account.ref}-{n}",
            f"{account.ref}{dice.choice('AB')}",
        )
        principal, costs = dice.randint(1, 500), dice.choice([0, 0, 35, 70])
        id_ = make_claim(tx, account, now, amount=principal, due_date=due, number=number, reference=reference)
        if costs:
            fees.post(tx, [(id_, costs)], now)
        interest = dice.choice([0, 0, 7, 60])
        if interest:
            tx.run(_BEAR, {"claim": id_, "amount": interest, "now": now})
        lines = (Line("principal", principal), Line("costs", costs), Line("interest", interest))
        claims.append(OpenClaim(id_, due, lines, frozenset({number, reference})))
    return claims


def told(account: Account, claims: list[OpenClaim], dice: random.Random) -> list[PaymentRow]:
    """Payments of one batch, which may call a claim by its number here and by its reference there."""
    names = ["", *(f"{account.ref}{name}" for name in ("A", "B", "-0", "-1", "-2"))]
    return [
        PaymentRow(
            ref=f"P-{account.ref}-{n}",
            amount=dice.randint(1, 900),
            currency="NOK",
            value_date=date(2026, 3, 2),
            account_ref=account.ref,
            reference=dice.choice(names),
            state="booked",
        )
        for n in range(dice.randint(1, 6))
    ]


def posted(tx: Tx, account: Account) -> Paid:
    """What the database shared out: payment, claim and kind, with the sum."""
    found = tx.rows(
        "SELECT p.ref, t.claim_id, t.part, sum(t.amount)::bigint FROM transfer t JOIN payment p ON p.id = t.payment_id"
        " WHERE t.account_id = %(account)s AND t.kind = 'allocation' GROUP BY 1, 2, 3",
        {"account": account.id},
    )
    return Counter({(ref, claim, part): amount for ref, claim, part, amount in found})


def shared_out(claims: list[OpenClaim], rows: list[PaymentRow], rule: AllocationRule) -> tuple[Paid, int]:
    """What the pure function shares out by a rule, and what it leaves over."""
    money = [
        Money(n, row.amount, (Naming(row.reference),) if row.reference else ()) for n, row in enumerate(rows, start=1)
    ]
    result = allocate(money, claims, rule)
    paid: Paid = Counter()
    for share in result.shares:
        paid[rows[share.money - 1].ref, share.claim, share.kind] += share.amount
    return paid, sum(result.over.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{'-'.join(rule.order)} by {rule.first}")
def test_the_database_and_the_pure_function_share_out_alike(
    db: Database, partner: int, now: datetime, rule: AllocationRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allocation, "country_rules", lambda: {"NO": rule})
    for seed in range(SEEDS_OF_A_RULE):
        dice = random.Random(f"{rule}{seed}")
        with db.transaction(partner) as tx:
            account = make_account(tx, now - timedelta(days=90))
            claims = bills(tx, account, now, dice)
            rows = told(account, claims, dice)

            receive_payments(tx, make_source(tx, now), rows, now=now)

            credit = tx.value("SELECT credit FROM account WHERE id = %(id)s", {"id": account.id})
            assert (posted(tx, account), credit) == shared_out(claims, rows, rule)
            assert ledger.differences(tx) == []


@pytest.mark.parametrize(
    ("country", "pays"),
    [("NL", ["costs", "interest", "principal"]), ("DE", ["costs", "interest", "principal"]),
     ("NO", ["principal", "interest", "costs"]), ("FI", list(KINDEST.order))],
)  # fmt: skip
def test_the_partners_country_says_what_is_paid_first(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, country: str, pays: list[str]
) -> None:
    owner.execute("UPDATE partner SET country = %s WHERE id = %s", (country, partner))
    with db.transaction(partner) as tx:
        account = make_account(tx, now - timedelta(days=90))
        claim = make_claim(tx, account, now, amount=100)
        fees.post(tx, [(claim, 100)], now)
        tx.run(_BEAR, {"claim": claim, "amount": 100, "now": now})

        paid = [part for part in pays if pay(tx, account, 100, now).moved and _last_part(tx) == part]

    assert paid == pays


def _last_part(tx: Tx) -> str:
    return tx.value("SELECT part FROM transfer WHERE kind = 'allocation' ORDER BY id DESC LIMIT 1")
