"""A version is rolled out by share of new cases, to all and back again; running cases stay where they are."""

from collections import Counter
from dataclasses import replace

import psycopg
import pytest

from relight.core.policy_reader import packaged_text
from relight.core.prove.result import Breach
from relight.flow.cases.drafts import acts
from relight.flow.cases.opening import open_cases
from relight.flow.cases.people import UnableToAct, member, operator
from relight.flow.cases.policies import compile_policy, in_force, versions
from relight.flow.database import Database
from relight.flow.road import publishing
from relight.flow.road.publishing import UnableToChoose, UnableToPublish, publish_at_once
from relight.flow.road.rollout import Shared, UnableToGoBack, share_out
from tests.flow import factories
from tests.web.console_sample import add_user

BENTE = operator("root", "Bente")
FIRST = packaged_text("broadband-no")
SECOND = FIRST.replace("max_per_7_days: 5", "max_per_7_days: 4")
THIRD = FIRST.replace("max_per_7_days: 5", "max_per_7_days: 3")
NAME = "broadband-no"


def put(db: Database, partner: int, *texts: str, share: int = 100, priority: int = 0) -> None:
    for text in texts:
        with db.transaction(partner) as tx:
            assert publish_at_once(tx, text, by=BENTE, now=db.clock(), share=share, priority=priority)


def share(db: Database, partner: int, percent: int) -> Shared:
    with db.transaction(partner) as tx:
        return share_out(tx, NAME, percent, by=BENTE, now=db.clock())


def live(db: Database, partner: int) -> list[int]:
    with db.transaction(partner) as tx:
        return [one.version for one in in_force(tx, db.clock()) if one.name == NAME]


def newcomers(db: Database, partner: int, count: int) -> Counter[int]:
    """The versions that so many new customers' cases got."""
    now = db.clock()
    with db.transaction(partner) as tx:
        accounts = [factories.make_account(tx, now) for _ in range(count)]
        for account in accounts:
            factories.make_claim(tx, account, now)
        opened = open_cases(tx, [account.id for account in accounts], now)
        rows = tx.rows(
            "SELECT v.version FROM dunning_case c JOIN policy_version v ON v.id = c.policy_version_id"
            " WHERE c.id = ANY (%(ids)s)",
            {"ids": opened},
        )
    return Counter(row[0] for row in rows)


def test_a_version_that_had_all_goes_back_to_a_share_and_the_version_before_gets_the_others(
    db: Database, partner: int
) -> None:
    put(db, partner, FIRST, SECOND)
    alone = live(db, partner)

    shared = share(db, partner, 30)
    came = newcomers(db, partner, 120)

    assert alone == [2]
    assert (shared.version, shared.share, shared.rest) == (2, 30, 1)
    assert live(db, partner) == [1, 2]
    assert came[1] + came[2] == 120
    assert 15 <= came[2] <= 60


def test_nobody_leaves_the_version_that_opened_the_case(db: Database, partner: int) -> None:
    put(db, partner, FIRST)
    newcomers(db, partner, 5)
    put(db, partner, SECOND)
    share(db, partner, 30)
    share(db, partner, 100)
    share(db, partner, 0)

    with db.transaction(partner) as tx:
        found = {one.version: one.cases for one in versions(tx, NAME)}

    assert found == {1: 5, 2: 0}


def test_at_nothing_the_version_before_gets_all_again(db: Database, partner: int) -> None:
    put(db, partner, FIRST, SECOND)

    shared = share(db, partner, 0)
    came = newcomers(db, partner, 20)

    assert shared.rest == 1
    assert live(db, partner) == [1]
    assert came == {1: 20}


def test_a_version_that_was_only_ever_tried_does_not_come_back(db: Database, partner: int) -> None:
    put(db, partner, FIRST)
    put(db, partner, SECOND, share=20)
    put(db, partner, THIRD)

    shared = share(db, partner, 50)

    assert shared.rest == 1
    assert live(db, partner) == [1, 3]


def test_what_was_taken_back_can_be_published_anew(db: Database, partner: int) -> None:
    put(db, partner, FIRST, SECOND)
    share(db, partner, 0)

    put(db, partner, SECOND)

    assert live(db, partner) == [3]


def test_without_a_version_before_there_is_no_way_back_to_nothing(db: Database, partner: int) -> None:
    put(db, partner, FIRST)

    with pytest.raises(UnableToGoBack, match="relight stop"):
        share(db, partner, 0)

    assert live(db, partner) == [1]
    assert share(db, partner, 40).rest is None


def test_a_version_that_todays_law_refuses_is_not_taken_up_again(
    db: Database, partner: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(db, partner, FIRST, SECOND)
    policy = compile_policy(FIRST)
    found = Breach("no.new", "the new section", "limit", "comes too soon", "")
    refused = replace(publishing.proof_of(policy), findings=(found,))
    monkeypatch.setitem(publishing._PROOFS, policy.hash, refused)

    with pytest.raises(UnableToPublish, match="the new section"):
        share(db, partner, 50)

    assert live(db, partner) == [2]


def test_a_version_that_has_a_rival_by_now_is_not_taken_up_again(db: Database, partner: int) -> None:
    put(db, partner, FIRST, priority=0)
    put(db, partner, SECOND, priority=1)
    put(db, partner, FIRST.replace(f"policy: {NAME}", "policy: pilot"), priority=0)

    with pytest.raises(UnableToChoose, match="pilot"):
        share(db, partner, 50)

    assert live(db, partner) == [2]


def test_every_share_is_on_record_with_who_gave_it(db: Database, owner: psycopg.Connection, partner: int) -> None:
    manager = add_user(owner, partner, "manager")
    put(db, partner, FIRST, SECOND)

    with db.transaction(partner) as tx:
        share_out(tx, NAME, 30, by=member(tx, manager), now=db.clock(), cap=70, keep_cap=False)
        newest = acts(tx, NAME)[0]

    assert (newest.code, newest.actor, newest.version) == ("shared", manager, 2)
    assert newest.params == {"from": 100, "to": 30, "cap_from": None, "cap": 70, "rest": 1}


def test_an_agent_cannot_share_out(db: Database, owner: psycopg.Connection, partner: int) -> None:
    agent = add_user(owner, partner, "agent")
    put(db, partner, FIRST, SECOND)

    with db.transaction(partner) as tx, pytest.raises(UnableToAct, match="Ask a manager"):
        share_out(tx, NAME, 30, by=member(tx, agent), now=db.clock())

    assert live(db, partner) == [2]


def test_another_partners_policy_of_the_same_name_is_not_touched(
    db: Database, partner: int, other_partner: int
) -> None:
    for one in (partner, other_partner):
        put(db, one, FIRST, SECOND)

    share(db, partner, 0)

    assert (live(db, partner), live(db, other_partner)) == ([1], [2])
