"""Who is told of a collection, by whom, and what that does to its day; and files that leave by the calendar."""

import threading
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from relight.cli.main import relight
from relight.core.policy_reader import packaged_text
from relight.flow.cases.opening import open_cases
from relight.flow.cases.people import operator
from relight.flow.database import Database
from relight.flow.partners import stopping
from relight.flow.payments.mandates import calendar, noting, running
from relight.flow.payments.mandates.planning import Planned
from relight.flow.road.publishing import publish_at_once
from tests.flow.booking import Connected
from tests.flow.mandating import KARI, Customer, Till

DUE = date(2026, 4, 13)


@pytest.fixture
def till(db: Database, owner: psycopg.Connection, partner: int, now: datetime, tmp_path: Path) -> Till:
    """A Norwegian partner whose customers are told by a message of ours, where the bank does not."""
    made = Till(db, owner, partner, now, tmp_path, "avtalegiro")
    with db.transaction(partner) as tx:
        publish_at_once(tx, packaged_text("broadband-no"), by=operator("test"), now=now)
        noting.keep_creditor(
            tx, creditor="Duinwater & Søn", scheme="avtalegiro", number="55555555", group_number="", by=KARI, now=now,
            announced_by="message",
        )  # fmt: skip
    return made


def customer(till: Till, **told: bool) -> Customer:
    """Somebody whose case is open."""
    made = till.customer(due=DUE, **told)
    with till.db.transaction(till.partner) as tx:
        open_cases(tx, [made.account.id], till.now)
    return made


def keep_calendar(till: Till, place: Path) -> Path:
    """The workers write the partner's files; where to."""
    folder = place / "nets"
    folder.mkdir()
    with till.db.transaction(till.partner) as tx:
        calendar.keep(tx, scheme="avtalegiro", folder=folder, from_hour=8, receipt_days=0, by=KARI, now=till.now)
    return folder


def told(till: Till) -> list[tuple[str, str]]:
    """The messages that wait, or left."""
    return till.rows("SELECT template, state FROM effect ORDER BY id")


def arrives(till: Till, at: datetime) -> None:
    """The messages have left."""
    with till.db.transaction(till.partner) as tx:
        tx.run("UPDATE effect SET state = 'done', finished_at = %(at)s", {"at": at})


def test_where_the_bank_tells_we_do_not(till: Till) -> None:
    customer(till, bank_notifies=True)

    planned, written = till.plan().planned, till.order()

    assert planned == 1
    assert told(till) == []
    assert written is not None


def test_where_the_bank_does_not_we_tell_and_order_only_what_was_told(till: Till) -> None:
    customer(till, bank_notifies=False)
    till.plan()

    early = till.order()
    before = told(till)
    arrives(till, till.now + timedelta(hours=1))
    written = till.order()

    assert early is None
    assert before == [("collection_notice", "pending")]
    assert written is not None
    assert b"NY210230" in written.content  # the creditor tells


def test_what_was_told_too_late_gets_another_day_and_another_message(till: Till) -> None:
    one = customer(till, bank_notifies=False)
    till.plan()
    arrives(till, datetime(2026, 4, 7, 9, tzinfo=till.now.tzinfo))
    till.now = datetime(2026, 4, 7, 10, tzinfo=till.now.tzinfo)

    written = till.order()
    till.plan()

    assert written is None
    (first, again) = till.collected(one)
    assert first == ("called_back", "2026-04-13", "not_announced")
    assert again[0] == "planned"
    assert again[1] > "2026-04-16"
    assert told(till)[-1] == ("collection_notice", "pending")


def test_two_bills_of_one_day_are_told_of_in_one_message(till: Till) -> None:
    one = customer(till, bank_notifies=False)
    till.bills(one, due=DUE)

    planned = till.plan().planned

    assert planned == 2
    assert told(till) == [("collection_notice", "pending")]
    assert till.value("SELECT jsonb_array_length(params -> 'bills') FROM effect") == 2
    assert till.value("SELECT count(*) FROM collection_notice") == 2


def test_a_bill_that_is_put_on_hold_is_not_collected_and_its_message_does_not_leave(till: Till) -> None:
    one = customer(till, bank_notifies=False)
    till.plan()
    with till.db.transaction(till.partner) as tx:
        tx.run(
            "INSERT INTO hold (partner_id, account_id, reason, note, starts_at, source, placed_by, protective)"
            " VALUES (%(p)s, %(a)s, 'deceased', '', %(now)s, 'test', 'kari', true)",
            {"p": till.partner, "a": one.account.id, "now": till.now},
        )

    back = till.plan().called_back

    assert back == 1
    assert told(till) == [("collection_notice", "cancelled")]
    assert till.order() is None


def test_two_workers_at_once_write_each_file_once_and_leave_no_number_out(till: Till, tmp_path: Path) -> None:
    folder = keep_calendar(till, tmp_path)
    for _ in range(3):
        customer(till, bank_notifies=True)
    till.plan()
    day = datetime(2026, 3, 25, 10, tzinfo=till.now.tzinfo)
    begin = threading.Barrier(3)

    def works() -> None:
        begin.wait()
        running.run(till.db, till.partner, now=day)

    workers = [threading.Thread(target=works) for _ in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    running.run(till.db, till.partner, now=day)

    assert till.rows("SELECT number, kind, count, written_by FROM collection_file") == [(1, "order", 3, "worker")]
    assert till.value("SELECT count(*) FROM collection_delivery") == 1
    assert len(list((folder / "out").iterdir())) == 1


def test_a_pass_on_a_day_without_a_file_waits_for_no_customer(
    till: Till, database_urls: dict[str, str], tmp_path: Path
) -> None:
    keep_calendar(till, tmp_path)
    one = customer(till, bank_notifies=True)
    running.run(till.db, till.partner, now=till.now)
    passing = threading.Thread(target=running.run, args=(till.db, till.partner), kwargs={"now": till.now})

    with psycopg.connect(database_urls["owner"]) as other:
        other.execute("SELECT FROM account WHERE id = %s FOR UPDATE", [one.account.id])
        passing.start()
        passing.join(20)
        waits = passing.is_alive()
    passing.join()

    assert not waits
    assert till.collected(one)[0][0] == "planned"


def test_a_stop_that_comes_while_a_pass_goes_on_lets_no_file_leave(
    till: Till, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = keep_calendar(till, tmp_path)
    customer(till, bank_notifies=True)
    till.plan()
    plan = running.planning.plan

    def stopped_meanwhile(db: Database, partner_id: int, *, now: datetime) -> Planned:
        with db.transaction(partner_id) as tx:
            stopping.stop(tx, now, "bente")
        return plan(db, partner_id, now=now)

    monkeypatch.setattr(running.planning, "plan", stopped_meanwhile)
    running.run(till.db, till.partner, now=datetime(2026, 3, 25, 10, tzinfo=till.now.tzinfo))

    assert till.rows("SELECT kind FROM collection_file") == []
    assert not (folder / "out").exists()


def test_one_partners_trouble_keeps_no_others_collections_from_running(
    till: Till, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other_partner: int
) -> None:
    keep_calendar(till, tmp_path)
    one = customer(till, bank_notifies=True)
    ran = running.run

    def fails_for_the_other(db: Database, partner_id: int, *, now: datetime) -> running.Ran:
        if partner_id == other_partner:
            raise KeyError("of this partner alone")
        return ran(db, partner_id, now=now)

    monkeypatch.setattr(running, "run", fails_for_the_other)
    with till.db.transaction(other_partner) as tx:
        calendar.keep(
            tx, scheme="avtalegiro", folder=tmp_path, from_hour=8, receipt_days=0, by=KARI, now=till.now
        )  # fmt: skip

    running.run_all(till.db, till.now, {till.partner, other_partner})

    assert till.collected(one)[0][0] == "planned"


def test_an_answer_that_nobody_understands_is_put_away_with_a_task(
    till: Till, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = keep_calendar(till, tmp_path)
    (folder / "in").mkdir()
    (folder / "in" / "strange.txt").write_text("x")

    def does_not(*_: object, **__: object) -> None:
        raise KeyError("a field that is not there")

    monkeypatch.setattr(running.agreeing, "import_agreements", does_not)
    running.run(till.db, till.partner, now=till.now)

    assert till.rows("SELECT code, params ->> 'file' FROM task") == [("collection_answer_unread", "strange.txt")]
    assert [path.name for path in (folder / "in").iterdir()] == ["read"]


def test_the_calendar_is_set_shown_and_turned_off_by_command(
    till: Till, owner: psycopg.Connection, database_urls: dict[str, str], tmp_path: Path
) -> None:
    (slug,) = owner.execute("SELECT slug FROM partner WHERE id = %s", (till.partner,)).fetchone() or ("",)
    folder = tmp_path / "nets"
    folder.mkdir()
    customer(till, bank_notifies=True)
    till.plan()
    written = till.order()
    assert written is not None

    def run(*words: str) -> Result:
        return CliRunner().invoke(relight, [*words, "--partner", slug], obj=Connected(database_urls["app"]))

    nowhere = run("collect", "calendar", "--scheme", "avtalegiro", "--folder", str(tmp_path / "none"))
    kept = run("collect", "calendar", "--scheme", "avtalegiro", "--folder", str(folder), "--receipt-within", "1")
    heard = [run("collect", "receipt", written.message, "--refused", "sender unknown") for _ in range(2)]
    unknown = run("collect", "receipt", "RL0")
    off = run("collect", "calendar", "--scheme", "avtalegiro", "--off")

    assert "is no folder" in nowhere.output
    assert f"into {folder} from 08:00, asked after when nothing is heard in 1 working days" in kept.output
    assert [one.output.strip() for one in heard] == ["Noted.", "That was known."]
    assert "No file was written under 'RL0'" in unknown.output
    assert "off: nothing is written by itself" in off.output
    assert till.rows("SELECT outcome, told FROM collection_receipt") == [("refused", "sender unknown")]
