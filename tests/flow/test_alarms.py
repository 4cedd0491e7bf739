"""Alarms: each is planted as it would come about, is told with what to do, and is gone when its reason is."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from relight.core.policy_reader import packaged_text
from relight.flow.cases.opening import open_cases
from relight.flow.cases.people import operator
from relight.flow.cases.tasks import add_task
from relight.flow.claims.operations import receive_payments
from relight.flow.database import Database, Tx
from relight.flow.road.publishing import publish_at_once
from relight.flow.watch.alarms import KINDS, OF_INSTALLATION, SQL, Alarm, Urgency, answer, question
from relight.flow.watch.audits import note
from tests.flow import factories

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def alarms(db: Database, partner: int, now: datetime) -> Callable[..., dict[str, Alarm]]:
    """The partner's alarms by their code, at a moment or `after` it; an audit was made just now."""
    with db.transaction(partner) as tx:
        publish_at_once(tx, packaged_text("broadband-no"), by=operator("test"), now=now)
        note(tx, [], now, is_full=True)

    def ask(*, after: timedelta = timedelta(0)) -> dict[str, Alarm]:
        with db.transaction(partner) as tx:
            return {one.code: one for one in answer(tx.rows(SQL.alarms, question(partner, now + after)))}

    return ask


def case(tx: Tx, now: datetime) -> tuple[int, int, int]:
    """A case that sleeps: its id, its account's and its service's."""
    account = factories.make_account(tx, now)
    service = factories.make_service(tx, account, now)
    factories.make_claim(tx, account, now, due_date=now.date() + timedelta(days=14))
    open_cases(tx, [account.id], now)
    found = tx.value("SELECT id FROM dunning_case WHERE account_id = %(a)s", {"a": account.id})
    tx.run("UPDATE dunning_case SET wakes_at = %(at)s WHERE id = %(c)s", {"at": now + 3 * DAY, "c": found})
    return found, account.id, service


def effect(tx: Tx, now: datetime, **columns: Any) -> int:
    """An effect of a case that sleeps, with these columns."""
    case_id, account_id, service = case(tx, now)
    given = {
        "partner": tx.partner_id,
        "case": case_id,
        "account": account_id,
        "key": f"{case_id}-1-0",
        "kind": "message",
        "lane": "bulk",
        "service": service if columns.get("kind") == "supply" else None,
        "due_at": now,
        "created_at": now,
        "attempts": 0,
        **columns,
    }
    return tx.value(
        "INSERT INTO effect (partner_id, case_id, account_id, event_number, key, kind, lane, service_id, due_at,"
        " created_at, attempts) VALUES (%(partner)s, %(case)s, %(account)s, 1, %(key)s, %(kind)s, %(lane)s,"
        " %(service)s, %(due_at)s, %(created_at)s, %(attempts)s) RETURNING id",
        given,
    )


def a_restore_that_has_not_come(tx: Tx, now: datetime) -> None:
    effect(tx, now, kind="supply", lane="urgent", due_at=now + HOUR)


def a_restore_that_needs_a_person(tx: Tx, now: datetime) -> None:
    task(tx, now, "not_restored", urgent=True)


def a_case_that_cannot_be_decided(tx: Tx, now: datetime) -> None:
    task(tx, now, "case_stuck", urgent=True)


def a_payment_that_nobody_decides_on(tx: Tx, now: datetime) -> None:
    found, *_ = case(tx, now)
    tx.run("UPDATE dunning_case SET lane = 'urgent', wakes_at = %(now)s WHERE id = %(c)s", {"now": now, "c": found})


def an_event_without_its_position(tx: Tx, now: datetime) -> None:
    tx.run("INSERT INTO feed_pending (partner_id, topic, at) VALUES (%(p)s, 'case.opened', %(now)s)",
           {"p": tx.partner_id, "now": now})  # fmt: skip


def an_audit_with_findings(tx: Tx, now: datetime) -> None:
    note(tx, ["I3", "I3", "I8"], now + MINUTE, is_full=False)


def an_urgent_task_left_lying(tx: Tx, now: datetime) -> None:
    task(tx, now, "payment_mismatch", urgent=True)


def an_attempt_that_nobody_saw_the_end_of(tx: Tx, now: datetime) -> None:
    id_ = effect(tx, now, attempts=1, due_at=now + HOUR)
    tx.run(
        "INSERT INTO attempt (partner_id, effect_id, number, driver, started_at, send_before, finished_at, result)"
        " VALUES (%(p)s, %(e)s, 1, 'sms', %(now)s, %(now)s, %(now)s, 'unknown')",
        {"p": tx.partner_id, "e": id_, "now": now},
    )


def reminders_that_nobody_sends(tx: Tx, now: datetime) -> None:
    effect(tx, now)


def an_import_that_was_killed(tx: Tx, now: datetime) -> None:
    tx.run("INSERT INTO import_run (partner_id, kind, file_name, sha256, started_at)"
           " VALUES (%(p)s, 'invoices', 'march.csv', 'f00d', %(now)s)", {"p": tx.partner_id, "now": now})  # fmt: skip


def a_payment_of_nobody(tx: Tx, now: datetime) -> None:
    source = factories.make_source(tx, now + 9 * DAY)
    receive_payments(tx, source, [factories.payment_row(100, now, state="booked")], now=now)


def a_bank_that_keeps_silent(tx: Tx, now: datetime) -> None:
    tx.run("INSERT INTO source (partner_id, name, kind, complete_until) VALUES (%(p)s, 'bank', 'bank', %(now)s)",
           {"p": tx.partner_id, "now": now})  # fmt: skip


def a_task_left_lying(tx: Tx, now: datetime) -> None:
    task(tx, now, "read_message", urgent=False)


def a_reader_that_comes_no_more(tx: Tx, now: datetime) -> None:
    tx.run("INSERT INTO feed (partner_id, position, topic, at) VALUES (%(p)s, 1, 'case.opened', %(now)s)",
           {"p": tx.partner_id, "now": now})  # fmt: skip
    tx.run("INSERT INTO feed_reader (partner_id, name, position) VALUES (%(p)s, 'billing', 0)", {"p": tx.partner_id})


def no_audit_any_more(_tx: Tx, _now: datetime) -> None:
    """Nothing happens, for too long."""


def everything_stopped(tx: Tx, now: datetime) -> None:
    tx.run("UPDATE partner SET stopped_at = %(now)s, stopped_by = 'Kari' WHERE id = %(p)s",
           {"now": now, "p": tx.partner_id})  # fmt: skip


def task(tx: Tx, now: datetime, code: str, *, urgent: bool) -> None:
    """An open task that is due now."""
    case_id, account_id, _ = case(tx, now)
    add_task(tx, case_id=case_id, account_id=account_id, code=code, due_at=now, dedup=code, now=now, urgent=urgent)


PLANTED = {
    "restore_overdue": (a_restore_that_has_not_come, 2 * MINUTE),
    "restore_failed": (a_restore_that_needs_a_person, MINUTE),
    "case_stuck": (a_case_that_cannot_be_decided, MINUTE),
    "urgent_waits": (a_payment_that_nobody_decides_on, MINUTE),
    "sequencer_stopped": (an_event_without_its_position, 2 * MINUTE),
    "audit_violation": (an_audit_with_findings, 2 * MINUTE),
    "task_urgent_late": (an_urgent_task_left_lying, 2 * HOUR),
    "effect_unknown": (an_attempt_that_nobody_saw_the_end_of, HOUR / 1.5),
    "bulk_waits": (reminders_that_nobody_sends, HOUR),
    "import_unfinished": (an_import_that_was_killed, 2 * HOUR),
    "payments_unmatched": (a_payment_of_nobody, 4 * DAY),
    "source_stale": (a_bank_that_keeps_silent, 3 * DAY),
    "task_late": (a_task_left_lying, 2 * DAY),
    "reader_behind": (a_reader_that_comes_no_more, 2 * DAY),
    "audit_old": (no_audit_any_more, 2 * DAY),
    "stopped": (everything_stopped, 2 * DAY),
}


def test_every_kind_of_alarm_is_planted_below() -> None:
    assert set(PLANTED) == set(KINDS) - OF_INSTALLATION


@pytest.mark.parametrize("code", PLANTED)
def test_an_alarm_comes_with_its_reason_and_says_what_to_do(
    db: Database, partner: int, now: datetime, alarms: Callable[..., dict[str, Alarm]], code: str
) -> None:
    plant, after = PLANTED[code]
    before = alarms(after=after) if code != "audit_old" else alarms()

    with db.transaction(partner) as tx:
        plant(tx, now)
    found = alarms(after=after)

    assert code not in before
    assert code in found
    assert found[code].count >= 1
    assert now - MINUTE <= found[code].since <= now + after
    assert str(found[code].count) in found[code].what or "{count}" not in KINDS[code].what
    assert found[code].to_do.endswith(".")


def test_what_was_just_due_is_no_alarm_yet(
    db: Database, partner: int, now: datetime, alarms: Callable[..., dict[str, Alarm]]
) -> None:
    with db.transaction(partner) as tx:
        a_restore_that_has_not_come(tx, now)
        a_payment_that_nobody_decides_on(tx, now)
        reminders_that_nobody_sends(tx, now)

    assert alarms(after=timedelta(seconds=5)) == {}


def test_an_audit_of_one_night_does_not_end_the_alarm_of_an_earlier_one(
    db: Database, partner: int, now: datetime, alarms: Callable[..., dict[str, Alarm]]
) -> None:
    with db.transaction(partner) as tx:
        note(tx, ["I3"], now + MINUTE, is_full=True)
        note(tx, [], now + HOUR, is_full=False)
    after_a_night = alarms(after=2 * HOUR)
    with db.transaction(partner) as tx:
        note(tx, [], now + 3 * HOUR, is_full=True)
    after_all_was_looked_at = alarms(after=4 * HOUR)

    assert after_a_night["audit_violation"].urgency is Urgency.NOW
    assert "audit_violation" not in after_all_was_looked_at


def test_an_import_that_was_run_again_is_forgotten(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, alarms: Callable[..., dict[str, Alarm]]
) -> None:
    with db.transaction(partner) as tx:
        an_import_that_was_killed(tx, now)
        tx.run("INSERT INTO import_run (partner_id, kind, file_name, sha256, started_at, finished_at)"
               " VALUES (%(p)s, 'invoices', 'march.csv', 'f00d', %(now)s, %(now)s)",
               {"p": partner, "now": now + HOUR})  # fmt: skip

    assert "import_unfinished" not in alarms(after=3 * HOUR)
