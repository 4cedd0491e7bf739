"""The front page tells what is late or wrong at the reader's own partner, since when, and what to do about it."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from relight.flow.cases.tasks import add_task
from relight.flow.database import Database
from relight.flow.watch import copies
from relight.flow.watch.audits import note
from tests.web.console_sample import Portfolio
from tests.web.console_visitor import SignIn


def test_an_audit_that_found_nothing_ends_the_alarm_that_asks_for_one(
    seat: SignIn, db: Database, owner: psycopg.Connection, partner: int, now: datetime
) -> None:
    owner.execute("UPDATE partner SET created_at = %s WHERE id = %s", (now - timedelta(days=2), partner))
    visitor = seat("agent")
    before = visitor.opens("")

    with db.transaction(partner) as tx:
        note(tx, [], db.clock(), is_full=True)
    after = visitor.opens("")

    assert before.has("Det som er forsinket", "Ingenting er revidert på halvannet døgn")
    assert not after.has("Det som er forsinket")
    assert not after.has("Det som ikke kan vente")


def test_a_restore_that_failed_leads_to_the_urgent_tasks(
    seat: SignIn, db: Database, partner: int, portfolio: Portfolio
) -> None:
    with db.transaction(partner) as tx:
        now = db.clock()
        case_id, account_id = tx.rows("SELECT id, account_id FROM dunning_case ORDER BY id")[0]
        add_task(tx, case_id=case_id, account_id=account_id, code="not_restored", due_at=now - timedelta(minutes=2),
                 dedup="not-restored", now=now, urgent=True)  # fmt: skip

    seen = seat("agent").opens("")

    assert seen.has("Det som ikke kan vente", "1 kunne ikke kobles til av seg selv", "Siden ")
    assert 'href="/console/tasks/?due=urgent"' in seen.html


def test_another_partners_trouble_is_not_ours(
    seat: SignIn, owner: psycopg.Connection, other_partner: int, portfolio: Portfolio
) -> None:
    owner.execute("UPDATE partner SET stopped_at = now() - interval '3 days' WHERE id = %s", (other_partner,))

    seen = seat("agent").opens("")

    assert not seen.has("Meldinger og stengninger har vært stoppet i et døgn")


def test_a_copy_that_is_missing_is_told_to_whoever_can_tell_those_who_run_it(
    seat: SignIn, db: Database, partner: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_of_copies = tmp_path / "last-backup.json"
    note_of_copies.write_text(json.dumps({"folder": "gone", "complete": (db.clock() - timedelta(days=3)).isoformat()}))
    with db.transaction(partner) as tx:
        note(tx, [], db.clock(), is_full=True)
    visitor = seat("agent")
    before = visitor.opens("")

    monkeypatch.setenv(copies.NOTE, str(note_of_copies))
    after = visitor.opens("")

    assert not before.has("Databasen er ikke kopiert")
    assert after.has("Databasen er ikke kopiert på halvannet døgn", "Det skal tas en kopi hver natt")
    assert after.has("Loggen til databasen er ikke kopiert på et kvarter", "mangler det som har skjedd siden da")
