"""Running cases are moved to another version by a person: they go on from their step, and nothing done is lost."""

import subprocess
import sys
from collections import Counter
from collections.abc import Collection
from datetime import date, timedelta
from random import Random
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from relight.audit.run import audit
from relight.cli.moving import as_fields, in_words
from relight.core.moving import Hindrance
from relight.core.policy_reader import packaged_text
from relight.flow.cases.drafts import acts
from relight.flow.cases.errors import UnableToFind
from relight.flow.cases.people import Person, UnableToAct, operator
from relight.flow.cases.policies import versions
from relight.flow.database import Database
from relight.flow.road import moving
from relight.flow.road.caps import UnableToExceed
from relight.flow.road.moving import Moved, Plan, UnableToMove, foresee, move, plan, plan_back
from relight.flow.road.publishing import publish_at_once
from tests.flow.conftest import other_partner
from tests.flow.factories import Account
from tests.journeys.processes import SECONDS_MAX, holding, wait_for
from tests.journeys.world import World

__all__ = ["other_partner"]

NAME = "broadband-no"
BENTE = Person("bente", "manager")
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"
SLOWER = ("after: 1 month", "after: 2 months")
FRIENDLY = "  friendly:\n    after: 1 day\n    do: [{message: friendly_reminder, channel: best, tone: warm}]\n\n"


def owing(world: World) -> Account:
    account = world.customer()
    world.service(account)
    world.invoice(account, due=world.moment.date() - timedelta(days=1))
    return account


def case_of(world: World, account: Account) -> int:
    return world.value("SELECT id FROM dunning_case WHERE account_id = %(a)s", a=account.id)


def cases(world: World) -> list[int]:
    return [row[0] for row in world.rows("SELECT id FROM dunning_case ORDER BY id")]


def under(world: World) -> dict[int, int]:
    """Running cases by version."""
    with world.db.transaction(world.partner) as tx:
        return {one.version: one.cases for one in versions(tx, NAME)}


def moves(
    world: World, *, old: int | None = None, new: int | None = None, cases: Collection[int] | None = None,
    by: Person = BENTE, batch: int = 500,
) -> Moved:  # fmt: skip
    with world.db.transaction(world.partner) as tx:
        wanted = plan(tx, NAME, old=old, new=new, cases=cases)
    return move(world.db, world.partner, wanted, by=by, clock=lambda: world.moment, batch=batch)


def moves_back(world: World, bulk: int | None) -> Moved:
    assert bulk is not None
    with world.db.transaction(world.partner) as tx:
        wanted = plan_back(tx, bulk)
    return move(world.db, world.partner, wanted, by=BENTE, clock=lambda: world.moment)


def taken_at(world: World, account: Account, step: str) -> Any:
    return world.value(
        "SELECT s.decided_at FROM step_taken s JOIN dunning_case c ON c.id = s.case_id"
        " WHERE c.account_id = %(a)s AND s.step = %(step)s",
        a=account.id,
        step=step,
    )


def violations(world: World, urls: dict[str, str]) -> list[Any]:
    slug = str(world.value("SELECT slug FROM partner WHERE id = %(id)s", id=world.partner))
    return audit(urls["app"], partner=slug, as_of=world.moment).violations


def test_a_moved_case_goes_on_from_its_step_under_the_new_versions_waits(
    world: World, database_urls: dict[str, str]
) -> None:
    stays, goes = owing(world), owing(world)
    for account in (stays, goes):
        world.until_step(account, "reminder")
    world.days(4)
    world.policy(NAME, SLOWER)

    moved = moves(world, cases=[case_of(world, goes)])
    world.until_step(goes, "limit")

    assert (moved.moved, moved.stayed) == (1, 0)
    assert world.steps(goes) == ["friendly", "reminder", "limit"]
    assert timedelta(days=25) < taken_at(world, goes, "limit") - taken_at(world, stays, "limit") < timedelta(days=40)
    assert [template for template, _ in world.messages(goes)].count("reminder") == 1
    assert violations(world, database_urls) == []


def test_each_moved_case_says_who_moved_it_from_where_to_where_and_in_which_bulk(world: World) -> None:
    accounts = [owing(world) for _ in range(3)]
    world.run()
    world.policy(NAME, SLOWER)

    moved = moves(world)

    events = world.rows(
        "SELECT e.actor, e.params, e.bulk_id, e.policy_hash = v.hash, e.number = c.version FROM case_event e"
        " JOIN dunning_case c ON c.id = e.case_id JOIN policy_version v ON v.id = c.policy_version_id"
        " WHERE e.code = 'policy_moved'"
    )
    assert len(events) == len(accounts)
    told = ("bente", {"policy": NAME, "from": 1, "to": 2}, moved.bulk, True, True)
    assert all(event == told for event in events)
    with world.db.transaction(world.partner) as tx:
        ended, began, *_ = acts(tx, NAME)
    assert (began.code, began.id, began.actor) == ("moving", moved.bulk, "bente")
    assert (ended.code, ended.params) == ("moved", {"bulk": moved.bulk, "from": 1, "moved": 3, "stayed": 0})


def test_a_move_is_taken_back_by_its_number(world: World, database_urls: dict[str, str]) -> None:
    first, second = owing(world), owing(world)
    for account in (first, second):
        world.until_step(account, "reminder")
    world.days(4)
    world.policy(NAME, SLOWER)
    moved = moves(world, cases=[case_of(world, first)])
    world.run()

    back = moves_back(world, moved.bulk)
    again = moves_back(world, moved.bulk)
    world.until_step(first, "limit")
    world.until_step(second, "limit")

    assert (back.moved, again.moved) == (1, 0)
    assert under(world) == {2: 0, 1: 2}
    assert taken_at(world, first, "limit") == taken_at(world, second, "limit")
    assert violations(world, database_urls) == []


def test_what_was_moved_since_is_not_taken_back(world: World) -> None:
    account = owing(world)
    world.run()
    world.policy(NAME, SLOWER)
    first = moves(world)
    moves(world, old=2, new=1)
    moves(world, old=1, new=2)

    back = moves_back(world, first.bulk)

    assert (back.moved, under(world)[2]) == (0, 1)
    assert world.log(account).count("policy_moved") == 3


def test_a_case_stays_whose_step_the_new_version_does_not_have(world: World) -> None:
    asked, new = owing(world), world.customer()
    world.until_step(asked, "friendly")
    world.days(1)
    world.service(new)
    world.invoice(new)
    world.policy(NAME, (FRIENDLY, ""))

    moved = moves(world)

    assert moved.first_moved == [case_of(world, new)]
    assert moved.first_stayed == {Hindrance("step_gone", "friendly"): [case_of(world, asked)]}
    assert under(world) == {2: 1, 1: 1}


def test_a_case_stays_while_its_message_is_on_its_way_and_may_move_when_it_has_left(world: World) -> None:
    account = owing(world)
    world.until(world.moment + timedelta(days=1))
    world.until_step(account, "friendly")
    case = case_of(world, account)
    world.policy(NAME, SLOWER)
    world.owner.execute("UPDATE effect SET state = 'pending' WHERE case_id = %s", (case,))

    first = moves(world)
    world.owner.execute("UPDATE effect SET state = 'done' WHERE case_id = %s", (case,))
    second = moves(world)

    assert (first.moved, first.first_stayed) == (0, {Hindrance("leaving"): [case]})
    assert second.first_moved == [case]


def test_a_case_stays_when_a_person_was_asked_for_what_is_different_now(world: World) -> None:
    account = owing(world)
    world.until_asked(account)
    world.policy(NAME, ("approval: person", "approval: two_people"))

    moved = moves(world)

    assert moved.first_stayed == {Hindrance("asked_about", "cut"): [case_of(world, account)]}
    assert under(world) == {2: 0, 1: 1}


def test_looking_first_changes_nothing_and_foresees_the_same(world: World) -> None:
    asked, new = owing(world), world.customer()
    world.until_step(asked, "friendly")
    world.days(1)
    world.service(new)
    world.invoice(new)
    world.policy(NAME, (FRIENDLY, ""))
    before = world.rows("SELECT id, version, policy_version_id, wakes_at FROM dunning_case ORDER BY id")

    with world.db.transaction(world.partner) as tx:
        foreseen = foresee(tx, plan(tx, NAME))
    after = world.rows("SELECT id, version, policy_version_id, wakes_at FROM dunning_case ORDER BY id")
    moved = moves(world)

    assert before == after
    assert foreseen.bulk is None
    assert (foreseen.first_moved, foreseen.first_stayed) == (moved.first_moved, moved.first_stayed)
    assert (foreseen.moved, foreseen.stayed) == (moved.moved, moved.stayed) == (1, 1)


def test_of_many_cases_the_first_are_named_and_all_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "SHOWN_MAX", 2)
    asked = [owing(world) for _ in range(3)]
    world.until_step(asked[-1], "friendly")
    world.days(1)
    new = [world.customer() for _ in range(4)]
    for account in new:
        world.service(account)
        world.invoice(account)
    world.policy(NAME, (FRIENDLY, ""))
    gone = Hindrance("step_gone", "friendly")

    with world.db.transaction(world.partner) as tx:
        foreseen = foresee(tx, plan(tx, NAME))
    moved = moves(world, cases=[*cases(world), 999_999], batch=2)

    assert (foreseen.moved, foreseen.stayed, foreseen.reasons) == (4, 3, {gone: 3})
    assert (moved.moved, moved.stayed, moved.reasons) == (4, 4, {gone: 3, Hindrance("not_there"): 1})
    assert moved.first_moved == foreseen.first_moved == [case_of(world, account) for account in new[:2]]
    assert foreseen.first_stayed == {gone: [case_of(world, account) for account in asked[:2]]}
    assert moved.first_stayed == {**foreseen.first_stayed, Hindrance("not_there"): [999_999]}
    assert world.value("SELECT count(*) FROM case_event WHERE bulk_id = %(bulk)s", bulk=moved.bulk) == 4
    told = as_fields(plan_of(world), moved)
    assert (told["moved"], told["stayed_count"], len(told["stayed"])) == (4, 4, 3)
    assert "3 × took friendly, which the other version does not have" in in_words(plan_of(world), moved)


def plan_of(world: World) -> Plan:
    """What is still to be moved."""
    with world.db.transaction(world.partner) as tx:
        return plan(tx, NAME)


def test_an_agent_moves_nothing(world: World) -> None:
    owing(world)
    world.policy(NAME, SLOWER)

    with pytest.raises(UnableToAct, match="Ask a manager"):
        moves(world, by=Person("kari", "agent"))

    assert under(world) == {2: 0, 1: 1}


def test_more_cases_than_the_cap_are_refused_before_any_is_moved(world: World) -> None:
    for _ in range(3):
        owing(world)
    text = packaged_text(NAME).replace(*SLOWER)
    with world.db.transaction(world.partner) as tx:
        publish_at_once(tx, text, by=operator("test"), now=world.moment, share=50, cap=2)

    with pytest.raises(UnableToExceed, match="3 more would be 3: the cap is 2"):
        moves(world)
    moved = moves(world, cases=cases(world)[:2])

    assert moved.moved == 2
    assert under(world) == {2: 2, 1: 1}


def test_another_partners_cases_are_not_there(world: World, other_partner: int) -> None:
    account = owing(world)
    world.policy(NAME, SLOWER)
    text = packaged_text(NAME)
    for one in (text, text.replace(*SLOWER)):
        with world.db.transaction(other_partner) as tx:
            publish_at_once(tx, one, by=operator("test"), now=world.moment)
    case = case_of(world, account)

    with world.db.transaction(other_partner) as tx:
        wanted = plan(tx, NAME, old=1, cases=[case])
    moved = move(world.db, other_partner, wanted, by=BENTE, clock=lambda: world.moment)
    mine = moves(world)

    assert (moved.moved, moved.first_stayed) == (0, {Hindrance("not_there"): [case]})
    with world.db.transaction(other_partner) as tx, pytest.raises(UnableToFind):
        plan_back(tx, mine.bulk or 0)


def test_versions_for_other_services_are_no_place_to_move_to(world: World) -> None:
    owing(world)
    world.policy(NAME, ("service: [broadband]", "service: [broadband, telephony]"))

    with pytest.raises(UnableToMove, match="different customers"):
        moves(world)
    with pytest.raises(UnableToMove, match="is where the cases are"):
        moves(world, old=1, new=1)
    with pytest.raises(UnableToFind, match="has no version 9"):
        moves(world, new=9)


def test_two_who_move_at_once_move_each_case_once(world: World, database_urls: dict[str, str]) -> None:
    for _ in range(5):
        owing(world)
    world.policy(NAME, SLOWER)
    results: list[Moved] = []
    threads = [Thread(target=lambda: results.append(moves(world, old=1, new=2, batch=2))) for _ in range(2)]

    with holding(database_urls["owner"], "LOCK TABLE case_event IN SHARE MODE") as is_waited_for:
        for thread in threads:
            thread.start()
        wait_for(is_waited_for, "the first has come to write")
    for thread in threads:
        thread.join(SECONDS_MAX)

    assert sorted(case for one in results for case in one.first_moved) == cases(world)
    assert world.value("SELECT count(*) FROM case_event WHERE code = 'policy_moved'") == 5


def test_two_who_move_at_once_share_the_last_room(
    world: World, owner: psycopg.Connection, database_urls: dict[str, str]
) -> None:
    for _ in range(4):
        owing(world)
    ids, text = cases(world), packaged_text(NAME).replace(*SLOWER)
    with world.db.transaction(world.partner) as tx:
        publish_at_once(tx, text, by=operator("test"), now=world.moment, share=50, cap=3)
    results: list[Moved] = []
    threads = [
        Thread(target=lambda some=some: results.append(moves(world, old=1, new=2, cases=some)))
        for some in (ids[:2], ids[2:])
    ]

    with holding(database_urls["owner"], "LOCK TABLE case_event IN SHARE MODE"):
        for thread in threads:
            thread.start()
        wait_for(lambda: owner.execute(_WAITING).fetchone() == (2,), "one writes, and one waits for its room")
    for thread in threads:
        thread.join(SECONDS_MAX)

    assert under(world)[2] == 3
    assert sorted(one.moved for one in results) == [1, 2]
    assert sum((one.reasons for one in results), Counter()) == {Hindrance("cap"): 1}


def test_the_time_to_pay_that_a_letter_gave_goes_along_to_a_faster_version(
    world: World, database_urls: dict[str, str]
) -> None:
    world.policy(NAME, SLOWER)
    account = owing(world)
    world.until_step(account, "reminder")  # on a Saturday; it leaves on Monday, the 9th
    world.days(4)
    decided = taken_at(world, account, "reminder")
    before = pay_by(world)
    world.policy(NAME)

    moves(world, old=2, new=3)
    after = pay_by(world)
    world.until_step(account, "limit")

    assert decided.astimezone(ZoneInfo("Europe/Oslo")).date() == date(2026, 3, 8)
    assert (before, after) == (date(2026, 5, 8), date(2026, 5, 9))
    assert taken_at(world, account, "limit").date() > after
    assert violations(world, database_urls) == []


def pay_by(world: World) -> date:
    return world.value("SELECT pay_by_date FROM step_taken WHERE step = 'reminder'")


def test_moved_to_and_fro_on_any_day_no_step_is_lost_taken_twice_or_taken_too_early(
    world: World, database_urls: dict[str, str]
) -> None:
    dice = Random(20260302)
    accounts = [owing(world) for _ in range(6)]
    world.policy(NAME, SLOWER)
    moved = 0

    for _ in range(34):
        world.days(dice.choice([2, 3, 4]))
        for account in accounts:
            world.approve(account)
        for version in dice.sample([1, 2], 2):
            chosen = [case for case in running(world, version) if dice.random() < 0.3]
            moved += moves(world, old=version, new=3 - version, cases=chosen).moved if chosen else 0

    assert moved > 30
    assert [world.steps(account) for account in accounts] == [["friendly", "reminder", "limit", "cut"]] * 6
    assert violations(world, database_urls) == []


def running(world: World, version: int) -> list[int]:
    return [row[0] for row in world.rows(
        "SELECT c.id FROM dunning_case c JOIN policy_version v ON v.id = c.policy_version_id"
        " WHERE v.version = %(version)s AND c.state <> 'closed' ORDER BY c.id", version=version)]  # fmt: skip


KILLED = """
import sys
from datetime import UTC, datetime
from relight.flow.cases.people import Person
from relight.flow.database import Database
from relight.flow.road.moving import move, plan
with Database(sys.argv[1]) as db:
    with db.transaction(int(sys.argv[2])) as tx:
        wanted = plan(tx, "broadband-no", old=1, new=2)
    move(db, int(sys.argv[2]), wanted, by=Person("bente", "manager"), clock=lambda: datetime.now(UTC), batch=2)
"""


def test_killed_in_the_middle_it_has_moved_whole_batches_and_the_rest_is_moved_by_asking_again(
    world: World, database_urls: dict[str, str]
) -> None:
    for _ in range(5):
        owing(world)
    world.policy(NAME, SLOWER)
    third = cases(world)[2]

    lock = "SELECT 1 FROM dunning_case WHERE id = %(third)s FOR UPDATE"
    with holding(database_urls["owner"], lock, third=third) as is_waited_for:
        command = [sys.executable, "-c", KILLED, database_urls["app"], str(world.partner)]
        process = subprocess.Popen(command)
        wait_for(is_waited_for, "the second batch is being written")
        process.kill()
        process.wait()
    in_the_middle = under(world)
    wait_for(lambda: _nobody_holds(world.db, world.partner), "the server has noticed")
    rest = moves(world)

    assert in_the_middle == {2: 2, 1: 3}
    assert rest.moved == 3
    assert world.value("SELECT count(*) FROM case_event WHERE code = 'policy_moved'") == 5
    with world.db.transaction(world.partner) as tx:
        told = [(one.code, one.params.get("moved")) for one in acts(tx, NAME) if one.code in ("moving", "moved")]
    assert told == [("moved", 3), ("moving", None), ("moving", None)]
    assert moves_back(world, rest.bulk).moved == 3


def _nobody_holds(db: Database, partner: int) -> bool:
    """Whether all accounts can be locked: the killed process's transaction is over."""
    with db.transaction(partner) as tx:
        return tx.value("SELECT count(*) FROM account") == len(
            tx.rows("SELECT id FROM account FOR NO KEY UPDATE SKIP LOCKED")
        )
