"""A cap: no more cases run under a version than somebody allowed; nobody is forgotten, and a person is told."""

from datetime import timedelta
from threading import Thread

import psycopg
import pytest

from relight.core.policy_reader import packaged_text
from relight.flow.cases.opening import let_in, open_cases, open_waiting
from relight.flow.cases.people import operator
from relight.flow.cases.policies import versions
from relight.flow.database import Database
from relight.flow.road.caps import UnableToExceed
from relight.flow.road.publishing import publish_at_once
from relight.flow.road.rollout import share_out
from tests.flow import factories
from tests.journeys.processes import holding, wait_for

BENTE = operator("root", "Bente")
FIRST = packaged_text("broadband-no")
SECOND = FIRST.replace("max_per_7_days: 5", "max_per_7_days: 4")
NAME = "broadband-no"


def put(db: Database, partner: int, text: str, *, share: int = 100, cap: int | None = None) -> None:
    with db.transaction(partner) as tx:
        assert publish_at_once(tx, text, by=BENTE, now=db.clock(), share=share, cap=cap)


def owing(db: Database, partner: int, count: int) -> list[int]:
    """So many accounts with an open bill, and no case yet."""
    now = db.clock()
    with db.transaction(partner) as tx:
        accounts = [factories.make_account(tx, now) for _ in range(count)]
        for account in accounts:
            factories.make_claim(tx, account, now)
    return [account.id for account in accounts]


def come(db: Database, partner: int, count: int) -> int:
    """So many new customers with an open bill; how many of them got a case."""
    accounts = owing(db, partner, count)
    with db.transaction(partner) as tx:
        return len(open_cases(tx, accounts, db.clock()))


def running(db: Database, partner: int) -> dict[int, int]:
    """Cases by version."""
    with db.transaction(partner) as tx:
        return {one.version: one.cases for one in versions(tx, NAME)}


def tasks(db: Database, partner: int, state: str = "open") -> list[dict[str, object]]:
    asked = "SELECT params FROM task WHERE code = 'policy_cap' AND state = %(state)s ORDER BY id"
    with db.transaction(partner) as tx:
        return [row[0] for row in tx.rows(asked, {"state": state})]


def close(owner: psycopg.Connection, partner: int, count: int) -> None:
    owner.execute(
        "UPDATE dunning_case SET state = 'closed', wakes_at = NULL, closed_at = turned_at WHERE partner_id = %s"
        " AND id IN (SELECT id FROM dunning_case WHERE partner_id = %s AND state <> 'closed' ORDER BY id LIMIT %s)",
        (partner, partner, count),
    )
    owner.execute(
        "UPDATE claim c SET state = 'settled', principal = 0, costs = 0 FROM dunning_case k WHERE k.partner_id = %s"
        " AND k.state = 'closed' AND c.partner_id = k.partner_id AND c.account_id = k.account_id",
        (partner,),
    )


def test_publishing_for_more_customers_than_the_cap_is_refused_with_figures(db: Database, partner: int) -> None:
    put(db, partner, FIRST)
    come(db, partner, 40)

    with pytest.raises(UnableToExceed) as refused:
        put(db, partner, SECOND, share=50, cap=10)

    assert "50 of 100 of the 40 customers" in str(refused.value)
    assert "come to 20 cases, and the cap is 10. Give it a share of at most 25, or a cap of 20" in str(refused.value)
    assert running(db, partner) == {1: 40}


def test_on_the_cap_it_passes(db: Database, partner: int) -> None:
    put(db, partner, FIRST)
    come(db, partner, 40)

    put(db, partner, SECOND, share=25, cap=10)

    assert set(running(db, partner)) == {1, 2}


def test_a_greater_share_is_refused_when_it_would_come_over_the_cap(db: Database, partner: int) -> None:
    put(db, partner, FIRST)
    come(db, partner, 40)
    put(db, partner, SECOND, share=25, cap=10)

    with pytest.raises(UnableToExceed, match="the cap is 10"), db.transaction(partner) as tx:
        share_out(tx, NAME, 100, by=BENTE, now=db.clock())
    with db.transaction(partner) as tx:
        without = share_out(tx, NAME, 100, by=BENTE, now=db.clock(), cap=None, keep_cap=False)

    assert (without.share, without.cap) == (100, None)


def test_a_cap_below_what_runs_already_is_refused(db: Database, partner: int) -> None:
    put(db, partner, FIRST)
    come(db, partner, 12)

    with pytest.raises(UnableToExceed, match=r"12 cases run|come to 12"), db.transaction(partner) as tx:
        share_out(tx, NAME, 50, by=BENTE, now=db.clock(), cap=11, keep_cap=False)


def test_when_a_trial_is_full_new_cases_go_to_the_version_before_and_a_person_is_told(
    db: Database, partner: int
) -> None:
    put(db, partner, FIRST)
    put(db, partner, SECOND, share=50, cap=7)

    opened = come(db, partner, 60)

    assert opened == 60
    assert running(db, partner) == {1: 53, 2: 7}
    assert [(told["policy"], told["version"], told["cap"]) for told in tasks(db, partner)] == [(NAME, 2, 7)]


def test_without_a_version_before_they_wait_and_nobody_is_told_twice(db: Database, partner: int) -> None:
    put(db, partner, FIRST, cap=5)

    first, second = come(db, partner, 8), come(db, partner, 2)

    assert (first, second) == (5, 0)
    assert running(db, partner) == {1: 5}
    assert len(tasks(db, partner)) == 1


def test_who_waited_is_let_in_as_soon_as_a_case_ends(db: Database, owner: psycopg.Connection, partner: int) -> None:
    put(db, partner, FIRST, cap=5)
    come(db, partner, 8)
    with db.transaction(partner) as tx:
        while_full = let_in(tx, db.clock())
    close(owner, partner, 2)

    with db.transaction(partner) as tx:
        opened = let_in(tx, db.clock())
    close(owner, partner, 4)
    with db.transaction(partner) as tx:
        last = [let_in(tx, db.clock()), let_in(tx, db.clock())]

    assert (while_full, opened, last) == (0, 2, [1, 0])
    assert running(db, partner) == {1: 2}
    assert tasks(db, partner) == []
    assert len(tasks(db, partner, "done")) == 2


def test_who_raises_the_cap_lets_them_in_and_has_done_the_task(db: Database, partner: int) -> None:
    put(db, partner, FIRST, cap=5)
    come(db, partner, 8)

    with db.transaction(partner) as tx:
        share_out(tx, NAME, 100, by=BENTE, now=db.clock(), cap=20, keep_cap=False)
    with db.transaction(partner) as tx:
        opened = [open_waiting(tx, db.clock(), limit=2), open_waiting(tx, db.clock(), limit=2)]
        after = open_waiting(tx, db.clock())

    assert (opened, after) == ([2, 1], 0)
    assert running(db, partner) == {1: 8}
    with db.transaction(partner) as tx:
        assert tx.rows("SELECT state, done_by FROM task WHERE code = 'policy_cap'") == [("done", BENTE.name)]


def test_customers_whom_no_policy_is_for_do_not_keep_others_waiting(db: Database, partner: int) -> None:
    now = db.clock()
    with db.transaction(partner) as tx:
        for _ in range(3):
            factories.make_claim(tx, factories.make_account(tx, now, debtor="business"), now)
    put(db, partner, FIRST, cap=2)
    come(db, partner, 4)
    with db.transaction(partner) as tx:
        share_out(tx, NAME, 100, by=BENTE, now=now, cap=9, keep_cap=False)

    with db.transaction(partner) as tx:
        opened = open_waiting(tx, db.clock(), limit=2)

    assert opened == 2


def test_two_imports_at_once_share_the_last_room(db: Database, partner: int, database_urls: dict[str, str]) -> None:
    put(db, partner, FIRST, cap=5)
    batches = [owing(db, partner, 4), owing(db, partner, 4)]

    def bring(accounts: list[int]) -> None:
        with db.transaction(partner) as tx:
            open_cases(tx, accounts, db.clock())

    threads = [Thread(target=bring, args=(batch,)) for batch in batches]
    with holding(database_urls["owner"], "LOCK TABLE dunning_case IN SHARE MODE") as is_waited_for:
        for thread in threads:
            thread.start()
        wait_for(is_waited_for, "the first has come to open its cases")
    for thread in threads:
        thread.join(60)

    assert running(db, partner) == {1: 5}


def test_a_partner_without_a_cap_is_asked_nothing(db: Database, partner: int) -> None:
    put(db, partner, FIRST)
    now = db.clock() + timedelta(days=1)

    opened = come(db, partner, 12)
    with db.transaction(partner) as tx:
        waited = let_in(tx, now)

    assert (opened, waited, tasks(db, partner)) == (12, 0, [])
