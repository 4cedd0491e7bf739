"""What is written after a wait bears a moment from after it: who decided meanwhile could not see it."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import psycopg
import pytest

from relight.flow.cases import plans, promises
from relight.flow.cases.operations import add_note, lock_accounts, locked_at, place_hold
from relight.flow.claims.operations import receive_payments
from relight.flow.claims.rows import PaymentRow
from relight.flow.database import Database, Tx
from relight.flow.payments.operations import ask_for_time, not_me
from relight.flow.road import runs
from relight.flow.road.intake import import_payments
from tests.flow.factories import make_account, make_claim, make_source
from tests.flow.importing import write_csv
from tests.flow.paying import Debtor, make_debtor, with_policy
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


def _agrees(tx: Tx, debtor: Debtor, now: datetime) -> None:
    plans.agree(tx, case_id=debtor.case_id, months=3, actor="bente", now=now, source="desk")


def _promises(tx: Tx, debtor: Debtor, now: datetime) -> None:
    promises.promise_last(tx, case_id=debtor.case_id, actor="bente", now=now, source="desk")


def _notes(tx: Tx, debtor: Debtor, now: datetime) -> None:
    add_note(tx, case_id=debtor.case_id, actor="bente", now=now, text="called")


def _asks_for_time(tx: Tx, debtor: Debtor, now: datetime) -> None:
    ask_for_time(tx, case_id=debtor.case_id, account_id=debtor.account.id, now=now)


def _is_somebody_else(tx: Tx, debtor: Debtor, now: datetime) -> None:
    not_me(tx, case_id=debtor.case_id, account_id=debtor.account.id, now=now)


@pytest.mark.parametrize("act", [_agrees, _promises, _notes, _asks_for_time, _is_somebody_else])
def test_whatever_people_do_bears_the_moment_at_which_it_held_the_account(
    db: Database, partner: int, act: Callable[[Tx, Debtor, datetime], None]
) -> None:
    """A cut may have left since they came: it would look as if it had left during their hold."""
    read = db.clock() - timedelta(seconds=20)
    with db.transaction(partner) as tx:
        with_policy(tx, read)
        debtor = make_debtor(tx, read)

    before = db.clock()
    with db.by_its_own_clock().transaction(partner) as tx:
        act(tx, debtor, read)

    with db.transaction(partner) as tx:
        written = tx.rows(
            "SELECT at FROM case_event WHERE actor IN ('bente', 'customer') UNION SELECT starts_at FROM hold"
            " UNION SELECT agreed_at FROM instalment_plan"
        )
        after = db.clock()
    assert written
    assert all(before <= moment <= after for (moment,) in written)


def test_what_was_waited_is_added_once_however_often_it_is_asked(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime
) -> None:
    """A hold that begins later than now does not count yet."""
    with db.transaction(partner) as tx:
        account = make_account(tx, now)
    found = list[datetime]()

    def ask() -> None:
        with db.transaction(partner) as tx:
            first = locked_at(tx, [account.id], now)
            found.extend((first, locked_at(tx, [account.id], first), tx.after_waiting(now)))

    _held_up(db, owner, partner, account.id, ask)

    assert found == [found[0]] * 3
    assert found[0] >= now + HELD


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
