"""Facts are read by later statements than the one that takes the cases: tried with a payment in between.

The claiming statement is held up after its snapshot; a payment commits; it goes on and locks the account. Whatever that
same statement read is from before the payment, though the lock is from after it.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest

from relight.core.decide import decide
from relight.core.decision import Decision
from relight.core.facts import CaseFacts
from relight.core.law import Law
from relight.core.policy import Policy
from relight.flow.database import Database, Tx, statements
from relight.flow.payments.settle import settle
from relight.flow.road.turn import Turner
from tests.flow.factories import make_source, payment_row
from tests.flow.paying import OWED, Debtor, make_debtor, with_policy
from tests.tidy.paused import HELD_UP, gate

FACTS_WHILE_CLAIMING = """
SELECT c.id, a.credit, k.principal FROM dunning_case c
JOIN account a ON a.partner_id = c.partner_id AND a.id = c.account_id
JOIN claim k ON k.partner_id = c.partner_id AND k.account_id = c.account_id
WHERE c.lane = 'bulk' AND c.wakes_at <= %(now)s ORDER BY c.wakes_at LIMIT 10
FOR NO KEY UPDATE OF a SKIP LOCKED
"""
CLAIMING = [
    ("relight.flow.road", "facts.sql", "claim_due_bulk"),
    ("relight.flow.road", "facts.sql", "claim_due_urgent"),
    ("relight.flow.effects", "release.sql", "due_bulk"),
    ("relight.flow.effects", "release.sql", "due_urgent"),
]


@pytest.fixture
def held_up(database_urls: dict[str, str]) -> Iterator[Database]:
    """The database, through sessions that wait at the gate."""
    with Database(database_urls["app"], name=HELD_UP) as database:
        yield database


@pytest.fixture
def debtor(db: Database, partner: int, now: datetime) -> Debtor:
    """Somebody whose case is due now."""
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        return make_debtor(tx, now)


def pays_all(db: Database, partner: int, debtor: Debtor, now: datetime) -> None:
    """The whole bill and some more is paid, and committed."""
    with db.transaction(partner) as tx:
        settle(tx, make_source(tx, now), [payment_row(OWED + 700, now, account=debtor.account)], now=now)


def principal(tx: Tx, debtor: Debtor) -> int:
    return tx.value("SELECT principal FROM claim WHERE id = %(id)s", {"id": debtor.claim_id})


def test_facts_read_while_claiming_pair_a_new_account_with_an_old_balance(
    db: Database, held_up: Database, owner: psycopg.Connection, partner: int, debtor: Debtor, now: datetime
) -> None:
    """The fault itself, planted: the account is as after the payment, the claim as before it."""

    def claim() -> list[tuple[Any, ...]]:
        with held_up.transaction(partner) as tx:
            return tx.rows(FACTS_WHILE_CLAIMING, {"now": now})

    with gate(owner) as shut:
        claimed = shut.send(claim)
        pays_all(db, partner, debtor, now)
        shut.open()
        (seen,) = claimed.result(timeout=60)

    with db.transaction(partner) as tx:
        owed = principal(tx, debtor)
    assert owed == 0
    assert seen == (debtor.case_id, 700, OWED)


def test_a_payment_that_commits_while_cases_are_claimed_is_seen_by_the_decision(
    db: Database, held_up: Database, owner: psycopg.Connection, partner: int, debtor: Debtor, now: datetime
) -> None:
    """Production's own turn, held up at the same point."""
    seen: list[CaseFacts] = []

    def decider(policy: Policy, law: Law, facts: CaseFacts, at: datetime) -> Decision:
        seen.append(facts)
        return decide(policy, law, facts, at)

    with gate(owner) as shut:
        turn = shut.send(lambda: Turner(held_up, decider=decider).turn(partner, "bulk", now))
        pays_all(db, partner, debtor, now)
        shut.open()
        turn.result(timeout=60)

    (facts,) = seen
    assert facts.claims == ()
    assert facts.credit == 700
    assert [payment.amount for payment in facts.payments] == [OWED + 700]


@pytest.mark.parametrize(("package", "file", "name"), CLAIMING, ids=[name for _, _, name in CLAIMING])
def test_a_claiming_statement_reads_nothing_but_ids(package: str, file: str, name: str) -> None:
    text = re.sub(r"(?m)^--.*\n", "", getattr(statements(package, file), name))

    selected = re.split(r"\bFROM\b", text, maxsplit=1)[0].removeprefix("SELECT").split(",")

    # When, and in which queue: only where the next search begins; whether it is due is asked again under its lock.
    where = {"c.wakes_at", "e.due_at", "e.queue"}
    assert {column.strip() for column in selected} <= {"c.id", "c.account_id", "e.id"} | where


def test_every_statement_that_skips_what_is_locked_is_known_here() -> None:
    """A new claiming statement has to come into the list above (the feed's takes one head, and reads it later)."""
    from importlib.resources import files

    root = files("relight.flow")
    stages = [stage for stage in root.iterdir() if stage.is_dir()]
    found = {
        name
        for stage in stages
        for file in stage.iterdir()
        if file.name.endswith(".sql")
        for name, text in vars(statements(f"relight.flow.{stage.name}", file.name)).items()
        if "SKIP LOCKED" in text
    }

    assert found == {name for _, _, name in CLAIMING} | {"take_head"}
