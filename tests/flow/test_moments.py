"""What is written after a wait bears a moment from after it: who decided meanwhile could not see it."""

import threading
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest

from relight.flow.cases.operations import lock_accounts, place_hold
from relight.flow.claims.operations import receive_payments
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Database
from relight.flow.road import runs
from relight.flow.road.intake import import_payments
from tests.flow.factories import make_account, make_claim, make_source
from tests.flow.importing import write_csv
from tests.flow.paying import make_debtor, with_policy
from tests.journeys.processes import wait_for

HELD = timedelta(seconds=1.2)
WAITS = "SELECT 1 FROM pg_locks WHERE NOT granted"


def test_money_that_waited_for_a_decision_is_posted_after_it(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        make_claim(tx, account, now, amount=50000)
        source = make_source(tx, now)
    row = PaymentRow("p1", 50000, "NOK", "confirmed", now.date(), account.ref, "", "")

    def pay() -> None:
        with db.transaction(partner) as paying:
            receive_payments(paying, source, [row], now=now)

    _held_up(db, owner, partner, account.id, pay)

    with db.transaction(partner) as tx:
        moments = [moment for (moment,) in tx.rows("SELECT posted_at FROM transfer WHERE payment_id IS NOT NULL")]
    assert len(moments) > 1
    assert all(moment >= now + HELD for moment in moments)


def test_a_hold_that_waited_for_a_decision_begins_after_it(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime
) -> None:
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        debtor = make_debtor(tx, now)

    def hold() -> None:
        with db.transaction(partner) as holding:
            place_hold(
                holding, case_id=debtor.case_id, account_id=debtor.account.id, reason="manual", actor="kari", now=now
            )

    _held_up(db, owner, partner, debtor.account.id, hold)

    with db.transaction(partner) as tx:
        assert tx.value("SELECT starts_at FROM hold") >= now + HELD


def test_who_did_not_wait_writes_its_own_moment(db: Database, partner: int, now: datetime) -> None:
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
        lock_accounts(tx, [account.id])

        assert tx.after_waiting(now) == now


def test_who_stood_still_before_the_locks_writes_the_moment_at_which_it_holds_them(db: Database, partner: int) -> None:
    read = db.clock() - timedelta(seconds=70)
    with db.transaction(partner) as tx:
        account, source = make_account(tx, read), make_source(tx, read)
        make_claim(tx, account, read, amount=50000)
    row = PaymentRow("p1", 50000, "NOK", "confirmed", read.date(), account.ref, "", "")

    before = db.clock()
    with db.by_its_own_clock().transaction(partner) as paying:
        receive_payments(paying, source, [row], now=read)

    with db.transaction(partner) as tx:
        posted = tx.value("SELECT min(posted_at) FROM transfer WHERE payment_id IS NOT NULL")
        assert before <= posted <= db.clock()
        assert tx.after_waiting(read) == read, "others on the same connections go by what they were told"


def test_each_batch_of_a_file_bears_its_own_moment(
    db: Database, partner: int, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "BATCH_ROWS", 2)
    rows = [(f"P{at}", "10.00", now.date(), "") for at in range(5)]
    path = write_csv(tmp_path / "payments.csv", ("ref", "amount", "value_date", "reference"), rows)
    minutes = count(1)

    report = import_payments(db, partner, path, now=now, clock=lambda: now + timedelta(minutes=next(minutes)))

    with db.transaction(partner) as tx:
        posted = tx.rows("SELECT p.ref, t.posted_at FROM transfer t JOIN payment p ON p.id = t.payment_id ORDER BY 1")
    first, again, second, again_too, third = [at for _, at in posted]
    assert now + timedelta(minutes=1) < first == again < second == again_too < third
    assert report.complete_until == now.isoformat(), "what came while the file was read is not in it"


def _held_up(db: Database, owner: psycopg.Connection, partner: int, account_id: int, work: object) -> None:
    """Do it in a thread of its own while somebody holds the account's lock for a while."""
    assert callable(work)
    waiting = threading.Thread(target=work)
    with db.transaction(partner) as holder:
        lock_accounts(holder, [account_id])
        waiting.start()
        wait_for(lambda: owner.execute(WAITS).fetchone(), "the lock is waited for")
        holder.rows("SELECT pg_sleep_for(%(span)s)", {"span": HELD})
    waiting.join()
