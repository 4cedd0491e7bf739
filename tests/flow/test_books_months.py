"""Months are closed in order, take no more postings from anybody, and stay as they were."""

import json
import threading
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest

from relight.flow.books import periods
from relight.flow.books.errors import UnableToClose
from relight.flow.books.trial import ageing, trial, trials
from relight.flow.cases.people import UnableToAct
from relight.flow.database import Database
from tests.flow.booking import AGENT, BENTE, Books, add_creditor, add_person, books_of
from tests.flow.factories import Account, make_account, make_claim, pay
from tests.journeys.processes import wait_for

FEBRUARY, MARCH, APRIL = date(2026, 2, 1), date(2026, 3, 1), date(2026, 4, 1)
IN_FEBRUARY = datetime(2026, 2, 10, 12, tzinfo=UTC)
IN_MARCH = datetime(2026, 3, 10, 12, tzinfo=UTC)
IN_APRIL = datetime(2026, 4, 2, 12, tzinfo=UTC)


@pytest.fixture
def account(db: Database, partner: int) -> Account:
    """Somebody who got a bill in February and one in March, and paid a part in March."""
    with db.transaction(partner) as tx:
        made = make_account(tx, IN_FEBRUARY)
        make_claim(tx, made, IN_FEBRUARY, amount=50000, due_date=date(2026, 2, 20))
        make_claim(tx, made, IN_MARCH, amount=30000, due_date=date(2026, 3, 25))
        pay(tx, made, 20000, IN_MARCH)
    return made


@pytest.fixture
def books(owner: psycopg.Connection, database_urls: dict[str, str], partner: int) -> Books:
    """`relight books …`"""
    return books_of(owner, database_urls, partner)


def close(db: Database, partner: int, *months: date) -> None:
    with db.transaction(partner) as tx:
        for month in months:
            periods.close(tx, month, by=BENTE, now=IN_APRIL)


def test_what_is_told_late_goes_into_an_open_month_with_its_old_value_date(
    db: Database, partner: int, account: Account
) -> None:
    close(db, partner, FEBRUARY)

    with db.transaction(partner) as tx:
        make_claim(tx, account, IN_APRIL, amount=700, number="late", issued_date=date(2026, 2, 5))

    with db.transaction(partner) as tx:
        assert tx.rows("SELECT value_date, posted_at FROM transfer ORDER BY id DESC LIMIT 1") == [
            (date(2026, 2, 5), IN_APRIL)
        ]
        assert periods.changes(tx) == []


def test_the_database_refuses_a_posting_into_a_closed_month_from_every_writer(
    db: Database, partner: int, account: Account, owner: psycopg.Connection
) -> None:
    close(db, partner, FEBRUARY)

    with (
        pytest.raises(psycopg.errors.CheckViolation, match="the books of 2026-02 are closed"),
        db.transaction(partner) as tx,
    ):
        make_claim(tx, account, datetime(2026, 2, 28, 22, 59, 59, tzinfo=UTC))
    with pytest.raises(psycopg.errors.CheckViolation, match="2026-02"):
        owner.execute(
            "INSERT INTO transfer (partner_id, kind, debit, credit, amount, currency, value_date, posted_at)"
            " VALUES (%s, 'payment', 'settlement', 'customer', 1, 'NOK', '2026-02-01', '2026-02-01Z')",
            (partner,),
        )
    with db.transaction(partner) as tx:  # March begins at 23:00 UTC in Oslo
        make_claim(tx, account, datetime(2026, 2, 28, 23, tzinfo=UTC))


def test_another_partners_month_is_its_own(db: Database, partner: int, other_partner: int) -> None:
    close(db, partner, FEBRUARY)

    with db.transaction(other_partner) as tx:
        make_claim(tx, make_account(tx, IN_FEBRUARY), IN_FEBRUARY)
        posted = tx.value("SELECT count(*) FROM transfer")

    assert posted == 1


def test_who_posts_while_a_month_is_being_closed_waits_and_then_finds_it_closed(
    db: Database, partner: int, account: Account, owner: psycopg.Connection
) -> None:
    refused: list[str] = []

    def post() -> None:
        try:
            with db.transaction(partner) as tx:
                make_claim(tx, account, IN_MARCH, number="at the same time")
        except psycopg.errors.CheckViolation as wrong:
            refused.append(str(wrong))

    with db.transaction(partner) as tx:
        periods.close(tx, MARCH, by=BENTE, now=IN_APRIL)
        poster = threading.Thread(target=post)
        poster.start()
        waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = %s"
        wait_for(lambda: owner.execute(waiting, (partner,)).fetchone() is not None, "the posting to wait")
    poster.join()

    assert "the books of 2026-03 are closed" in refused[0]
    with db.transaction(partner) as tx:
        assert periods.changes(tx) == []


@pytest.mark.parametrize(
    ("month", "why"),
    [
        (FEBRUARY, "2026-02 is closed already, and stays so"),
        (APRIL, "2026-04 is not over yet"),
        (MARCH, ""),
    ],
)
def test_months_are_closed_in_order_once_and_when_they_are_over(
    db: Database, partner: int, month: date, why: str
) -> None:
    close(db, partner, FEBRUARY)

    if why:
        with pytest.raises(UnableToClose, match=why):
            close(db, partner, month)
    else:
        close(db, partner, month)

    with db.transaction(partner) as tx:
        assert [one.month for one in periods.closed_months(tx)] == ([FEBRUARY] if why else [FEBRUARY, MARCH])


def test_a_month_that_was_skipped_is_closed_first(db: Database, partner: int) -> None:
    close(db, partner, date(2025, 12, 1))

    with pytest.raises(UnableToClose, match="2026-01 is open"):
        close(db, partner, FEBRUARY)


def test_an_agent_closes_no_month(db: Database, partner: int) -> None:
    with pytest.raises(UnableToAct, match="may not keep the books"), db.transaction(partner) as tx:
        periods.close(tx, FEBRUARY, by=AGENT, now=IN_APRIL)


def test_nobody_changes_what_was_kept_of_a_month(db: Database, partner: int, account: Account) -> None:
    close(db, partner, FEBRUARY)

    for table in ("books_period", "books_day", "books_balance", "books_open_claim"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction(partner) as tx:
            tx.run(f"DELETE FROM {table}")  # noqa: S608 (names from the line above)


def test_check_names_the_day_the_ledger_and_the_claim_that_were_changed_behind_its_back(
    db: Database, partner: int, account: Account, owner: psycopg.Connection, books: Books
) -> None:
    close(db, partner, FEBRUARY, MARCH)
    before = books("check")

    owner.execute(
        "UPDATE transfer SET amount = amount + 1 WHERE partner_id = %s AND kind = 'claim' AND amount = 50000",
        (partner,),
    )
    after = books("check", "--json")

    told = json.loads(after.stdout)
    assert (before.exit_code, before.stdout) == (0, "2 closed months, unchanged.\n")
    assert after.exit_code == 1
    assert told["months"] == ["2026-02", "2026-03"]
    assert {one["month"] for one in told["changes"]} == {"2026-02"}
    whats = " ".join(one["what"] for one in told["changes"])
    assert "2026-02-10 held 1 transfers" in whats
    assert "receivable of Nordlys Kraft AS in NOK was kept as 50000, and comes to 50001" in whats
    assert "was kept as owing 50000 NOK, and owed 50001" in whats


def test_a_transfer_that_was_taken_away_or_put_in_is_noticed(
    db: Database, partner: int, account: Account, owner: psycopg.Connection
) -> None:
    close(db, partner, FEBRUARY)

    owner.execute("ALTER TABLE transfer DISABLE TRIGGER closed_months")
    try:
        owner.execute(
            "INSERT INTO transfer (partner_id, kind, debit, credit, amount, currency, value_date, posted_at)"
            " VALUES (%s, 'payment', 'settlement', 'customer', 1, 'NOK', '2026-02-01', '2026-02-11Z')",
            (partner,),
        )
    finally:
        owner.execute("ALTER TABLE transfer ENABLE TRIGGER closed_months")

    with db.transaction(partner) as tx:
        whats = [one.what for one in periods.changes(tx)]
    assert any("2026-02-11 held 0 transfers" in what for what in whats)
    assert any("customer of no creditor" in what for what in whats)


def test_balances_at_the_end_of_each_day_are_the_same_before_and_after_closing(
    db: Database, partner: int, account: Account
) -> None:
    with db.transaction(partner) as tx:
        before = list(trials(tx, FEBRUARY, IN_APRIL.date()))
    close(db, partner, FEBRUARY, MARCH)

    with db.transaction(partner) as tx:
        after = list(trials(tx, FEBRUARY, IN_APRIL.date()))
        at_once = [trial(tx, one.day) for one in after]

    assert after == before == at_once
    assert all(one.is_zero() for one in after)
    ends = {one.day: {line.ledger: line.balance for line in one.balances} for one in after}
    assert ends[date(2026, 2, 9)] == {}
    assert ends[date(2026, 2, 10)] == {"receivable": 50000, "revenue": -50000}
    assert ends[date(2026, 3, 31)] == {"customer": 0, "receivable": 60000, "revenue": -80000, "settlement": 20000}


def test_two_creditors_of_one_account_have_books_that_come_to_zero_by_themselves(
    db: Database, partner: int, owner: psycopg.Connection, account: Account
) -> None:
    add_creditor(owner, partner, "Nett AS")
    with db.transaction(partner) as tx:
        make_claim(tx, account, IN_MARCH, amount=1000, number="N1", creditor="Nett AS")
        pay(tx, account, 61000, IN_MARCH + timedelta(hours=1))

        found = trial(tx, date(2026, 3, 31))

    by = {(one.creditor, one.ledger): one.balance for one in found.balances}
    assert found.totals() == {("Nett AS", "NOK"): 0, ("Nordlys Kraft AS", "NOK"): 0}
    assert by["Nett AS", "between"] == 1000  # paid to the other one, and not handed on yet
    assert by["Nordlys Kraft AS", "between"] == -1000
    assert by["Nordlys Kraft AS", "settlement"] == 81000
    assert by["Nordlys Kraft AS", "customer"] == 0


def test_currencies_are_never_added_together(db: Database, partner: int) -> None:
    currencies = ("NOK", "DKK", "EUR", "SEK", "GBP")
    with db.transaction(partner) as tx:
        for at, currency in enumerate(currencies, start=1):
            account = make_account(tx, IN_MARCH, currency=currency)
            make_claim(tx, account, IN_MARCH, amount=at * 100, currency=currency)

        found, ages = trial(tx, MARCH.replace(day=31)), ageing(tx, MARCH.replace(day=31))

    owed = {one.currency: one.balance for one in found.balances if one.ledger == "receivable"}
    assert owed == {"NOK": 100, "DKK": 200, "EUR": 300, "SEK": 400, "GBP": 500}
    assert {one.currency: one.owed for one in ages} == owed
    assert found.is_zero()


def test_ageing_tells_how_it_stood_that_day_whatever_was_paid_or_changed_since(
    db: Database, partner: int, account: Account
) -> None:
    with db.transaction(partner) as tx:
        before = [ageing(tx, day) for day in (date(2026, 2, 20), date(2026, 3, 31))]
        make_claim(tx, account, IN_APRIL, amount=30000, number="new", due_date=date(2026, 3, 1))
    close(db, partner, FEBRUARY, MARCH)

    with db.transaction(partner) as tx:
        make_claim(tx, account, IN_APRIL, amount=29000, number="new", due_date=date(2026, 5, 1))
        pay(tx, account, 40000, IN_APRIL + timedelta(hours=1))
        after = [ageing(tx, day) for day in (date(2026, 2, 20), date(2026, 3, 31))]
        now = ageing(tx, IN_APRIL.date())

    assert after == before
    [february], [march] = before
    assert (february.owed, february.not_due) == (50000, 50000)
    assert (march.claims, march.owed, march.days_1_30, march.days_31_60) == (2, 60000, 30000, 30000)
    assert (now[0].owed, now[0].not_due, now[0].days_1_30) == (49000, 29000, 20000)


def test_ageing_uses_the_due_date_that_a_claim_had_that_day(db: Database, partner: int, account: Account) -> None:
    with db.transaction(partner) as tx:
        make_claim(tx, account, IN_MARCH, amount=900, number="moved", due_date=date(2026, 1, 1))
        [before] = ageing(tx, date(2026, 3, 31))
        make_claim(tx, account, IN_APRIL, amount=900, number="moved", due_date=date(2026, 6, 1))

        [after], [later] = ageing(tx, date(2026, 3, 31)), ageing(tx, IN_APRIL.date())

    assert after == before
    assert before.days_61_90 == 900
    assert later.not_due == 900


def test_the_commands_close_show_and_export(
    db: Database, partner: int, owner: psycopg.Connection, books: Books, tmp_path
) -> None:
    manager, long_ago = add_person(owner, partner, "manager"), datetime(2024, 2, 10, 12, tzinfo=UTC)
    with db.transaction(partner) as tx:
        make_claim(tx, make_account(tx, long_ago), long_ago, amount=50000, due_date=date(2024, 2, 20))
    (tmp_path / "chart.yaml").write_text("accounts: {receivable: 1500, revenue: 3000}\n")

    closed = books("close", "2024-02", "--as", manager)
    refused = books("close", "2024-02", "--as", manager)
    shown = books("trial", "--as-of", "2024-02-29", "--csv")
    aged = books("ageing", "--as-of", "2024-02-29", "--json")
    open_ = books("export", "--month", "2024-03")
    exported = books("export", "--month", "2024-02", "--accounts", tmp_path / "chart.yaml")

    assert closed.stdout.startswith("2024-02 is closed, with 1 transfers.")
    assert (refused.exit_code, "closed already" in refused.stderr) == (1, True)
    assert shown.stdout.splitlines() == [
        "day,creditor,currency,ledger,debit,credit,balance",
        "2024-02-29,Nordlys Kraft AS,NOK,receivable,500.00,0.00,500.00",
        "2024-02-29,Nordlys Kraft AS,NOK,revenue,0.00,500.00,-500.00",
    ]
    assert json.loads(aged.stdout)["lines"][0]["1-30"] == "500.00"
    assert (open_.exit_code, "is open, and may still change" in open_.stderr) == (1, True)
    assert exported.stdout.splitlines()[1:] == [
        "202402-1,1,2024-02-10,2,2024,claim,Nordlys Kraft AS,1500,500.00,,NOK,1",
        "202402-1,2,2024-02-10,2,2024,claim,Nordlys Kraft AS,3000,,500.00,NOK,1",
    ]


def test_a_day_in_an_open_month_is_found_without_reading_what_was_closed(
    db: Database, partner: int, account: Account, owner: psycopg.Connection
) -> None:
    owner.execute(
        "INSERT INTO transfer (partner_id, account_id, kind, debit, credit, amount, currency, value_date, posted_at)"
        " SELECT %s, %s, 'payment', 'settlement', 'customer', 1, 'NOK', '2026-02-01',"
        " '2026-02-01Z'::timestamptz + n * interval '1 minute' FROM generate_series(1, 30000) n",
        (partner, account.id),
    )
    owner.execute("ANALYZE transfer")
    with db.transaction(partner) as tx:
        open_month = _rows_read(tx, trial, day=date(2026, 3, 31))
    close(db, partner, FEBRUARY)

    with db.transaction(partner) as tx:
        closed_month = _rows_read(tx, trial, day=date(2026, 3, 31))
        at_its_end = _rows_read(tx, trial, day=date(2026, 2, 28))

    assert open_month > 30000
    assert closed_month < 100
    assert at_its_end == 0


def _rows_read(tx, reads, *, day: date) -> int:
    """How many rows of `transfer` the reading's own statement touches."""
    touched = (
        "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0) FROM pg_stat_xact_user_tables WHERE relname = 'transfer'"
    )
    before = int(tx.value(touched))
    reads(tx, day)
    return int(tx.value(touched)) - before
