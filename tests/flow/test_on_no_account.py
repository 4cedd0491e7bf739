"""Money that is nobody's yet stands on the ledger from the day it was booked, until somebody says whose it is."""

from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path

import psycopg
import pytest

from relight.audit.run import audit
from relight.flow.books import trial
from relight.flow.books.periods import close
from relight.flow.claims.placing import Part
from relight.flow.database import Database
from tests.flow import ledger
from tests.flow.booking import BENTE
from tests.flow.queueing import Desk

PAID = 89900


@pytest.fixture
def desk(db: Database, partner: int, now: datetime, tmp_path: Path) -> Desk:
    return Desk(db, partner, now, tmp_path)


def balances(desk: Desk, *, days: int = 0) -> dict[tuple[str, str], int]:
    """What the trial balance has of each creditor and ledger so many days later, in credit; nothing is left out."""
    with desk.db.transaction(desk.partner) as tx:
        told = trial.trial(tx, desk.now.date() + timedelta(days=days)).balances
        assert sum(one.debit - one.credit for one in told) == 0
        return {(one.creditor, one.ledger): one.credit - one.debit for one in told if one.debit != one.credit}


def lying_loose(desk: Desk) -> int:
    with desk.db.transaction(desk.partner) as tx:
        return -ledger.balance(tx, "unmatched")


def test_a_payment_of_nobody_stands_in_the_trial_balance_on_the_day_that_it_came(desk: Desk) -> None:
    desk.comes(PAID, payer="Ola Nordmann")

    assert balances(desk) == {("", "unmatched"): PAID, ("", "settlement"): -PAID}


def test_what_is_only_ordered_stands_there_first_when_it_came(desk: Desk) -> None:
    desk.comes(PAID, ref="giro", state="ordered")
    ordered = balances(desk)
    desk.comes(PAID, ref="giro", state="booked")
    desk.comes(PAID, ref="giro", state="booked")

    assert ordered == {}
    assert lying_loose(desk) == PAID


def test_a_later_file_tells_whose_it_is_and_it_moves_there_and_pays(desk: Desk) -> None:
    kari = desk.customer()
    payment = desk.comes(PAID, ref="giro")
    loose = lying_loose(desk)

    desk.comes(PAID, ref="giro", account=kari)
    desk.comes(PAID, ref="giro", account=kari)

    assert (loose, lying_loose(desk), desk.owes(kari)) == (PAID, 0, 0)
    kinds = desk.rows("SELECT kind FROM transfer WHERE payment_id = %(p)s ORDER BY id", p=payment)
    assert [kind for (kind,) in kinds] == ["payment", "move", "allocation"]
    assert desk.waiting() == []


def test_a_payment_that_moved_and_came_back_leaves_its_bill_open_and_nothing_behind(desk: Desk) -> None:
    kari = desk.customer()
    desk.comes(PAID, ref="giro")
    desk.comes(PAID, ref="giro", account=kari)

    desk.comes(PAID, ref="giro", state="returned")

    assert desk.owes(kari) == PAID
    assert lying_loose(desk) == 0
    with desk.db.transaction(desk.partner) as tx:
        assert ledger.balance(tx, "settlement") == 0


@pytest.mark.parametrize("told", ["nobody's still", "whose, and back"])
def test_a_payment_that_comes_back_before_anybody_knew_whose_it_was_leaves_the_ledger(desk: Desk, told: str) -> None:
    kari = desk.customer()
    desk.comes(PAID, ref="giro")

    desk.comes(PAID, ref="giro", state="returned", account=kari if told == "whose, and back" else None)
    desk.comes(PAID, ref="giro", state="booked", account=kari)

    assert (lying_loose(desk), desk.owes(kari)) == (0, PAID)
    with desk.db.transaction(desk.partner) as tx:
        assert ledger.balance(tx, "settlement") == 0
    assert desk.waiting() == []


def test_what_is_assigned_in_a_later_month_leaves_the_closed_one_as_it_was(desk: Desk) -> None:
    kari = desk.customer()
    payment = desk.comes(PAID)
    month = desk.now.date().replace(day=1)
    next_month = (month + timedelta(days=32)).replace(day=1)
    came = desk.now
    with desk.db.transaction(desk.partner) as tx:
        close(tx, month, by=BENTE, now=desk.now + timedelta(days=32))
    desk.now += (next_month - came.date()) + timedelta(days=5)

    desk.assigns(payment, Part(kari.id, PAID))

    then = trial_at(desk, came)
    assert then[("", "unmatched")] == PAID
    assert ("", "unmatched") not in balances(desk)
    assert desk.owes(kari) == 0


def trial_at(desk: Desk, moment: datetime) -> dict[tuple[str, str], int]:
    with desk.db.transaction(desk.partner) as tx:
        told = trial.trial(tx, moment.date()).balances
    return {(one.creditor, one.ledger): one.credit - one.debit for one in told}


def test_each_creditors_books_come_to_zero_whoever_the_money_belongs_to_in_the_end(desk: Desk) -> None:
    kari = desk.customer()
    payment = desk.comes(PAID + 500)

    desk.assigns(payment, Part(kari.id, PAID))

    by_creditor: dict[str, int] = {}
    for (creditor, _), amount in balances(desk).items():
        by_creditor[creditor] = by_creditor.get(creditor, 0) + amount
    assert set(by_creditor.values()) == {0}
    assert balances(desk)[("", "unmatched")] == 500


def test_the_audit_follows_such_a_payment_wherever_it_went(
    desk: Desk, owner: psycopg.Connection, database_urls: dict[str, str]
) -> None:
    kari = desk.customer()
    desk.comes(PAID, ref="stays")
    desk.comes(PAID, ref="found")
    desk.comes(PAID, ref="found", account=kari)
    desk.comes(PAID, ref="gone")
    desk.comes(PAID, ref="gone", state="returned")
    (slug,) = owner.execute("SELECT slug FROM partner WHERE id = %s", (desk.partner,)).fetchone() or ("",)

    as_it_is = audit(database_urls["app"], partner=slug).violations
    owner.execute("UPDATE payment SET unmatched = 0 WHERE ref = 'stays' AND partner_id = %s", (desk.partner,))
    planted = audit(database_urls["app"], partner=slug).violations

    assert as_it_is == []
    assert [one.code for one in planted] == ["astray"]


def test_payments_that_waited_before_they_stood_on_the_ledger_are_put_there_once(
    desk: Desk, owner: psycopg.Connection
) -> None:
    payment = desk.comes(PAID)
    owner.execute("DELETE FROM transfer WHERE payment_id = %s AND partner_id = %s", (payment, desk.partner))
    owner.execute("UPDATE payment SET unmatched = 0 WHERE id = %s AND partner_id = %s", (payment, desk.partner))
    with desk.db.transaction(desk.partner) as tx:
        close(tx, desk.now.date().replace(day=1), by=BENTE, now=desk.now + timedelta(days=32))

    owner.execute(import_module("relight.flow.claims.migrations.0008_on_no_account").POST)

    desk.adds_up()
    assert lying_loose(desk) == PAID
    in_closed = desk.rows("SELECT t.id FROM transfer t JOIN books_period b ON t.posted_at < b.ends_at")
    assert in_closed == []
