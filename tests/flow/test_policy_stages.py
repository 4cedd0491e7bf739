"""A policy's life before it is in force: draft, checked, simulated, published; by a person who may, and on record."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import pytest

from relight.core.policy_reader import packaged_text
from relight.flow.cases.drafts import acts, drafts, stages
from relight.flow.cases.errors import UnableTo, UnableToFind
from relight.flow.cases.people import Person, UnableToAct, member, operator
from relight.flow.cases.policies import compile_policy, in_force, versions
from relight.flow.database import Database
from relight.flow.road import publishing
from relight.flow.road.publishing import (
    Published,
    UnableToChoose,
    UnableToSkip,
    keep_check,
    keep_what_if,
    packs_of,
    publish,
    publish_at_once,
)
from relight.flow.road.rehearsal import SMALL, rehearse
from tests.journeys.processes import holding, wait_for
from tests.web.console_sample import add_user

WRONG = Path(__file__).parents[1] / "policies" / "wrong"
BENTE = operator("root", "Bente")
TEXT = packaged_text("broadband-no")
OTHER = TEXT.replace("max_per_7_days: 5", "max_per_7_days: 4")


def check(db: Database, partner: int, text: str = TEXT) -> None:
    with db.transaction(partner) as tx:
        assert keep_check(tx, text, by=BENTE, now=db.clock()).ok


def simulate(db: Database, partner: int, text: str = TEXT) -> None:
    policy = compile_policy(text)
    with db.transaction(partner) as tx:
        keep_what_if(tx, text, rehearse(policy, text, SMALL), by=BENTE, now=db.clock())


def put(db: Database, partner: int, text: str = TEXT, *, by: Person = BENTE, **options: Any) -> Published | None:
    with db.transaction(partner) as tx:
        return publish(tx, text, by=by, now=db.clock(), **options)


def test_what_was_never_checked_or_never_simulated_is_refused_with_the_command_that_does_it(
    db: Database, partner: int
) -> None:
    with pytest.raises(UnableToSkip, match=r"never checked under today's law packs \(no \w{8}\).*check FILE --keep"):
        put(db, partner)
    check(db, partner)
    with pytest.raises(UnableToSkip, match=r"never simulated .*simulate FILE --keep"):
        put(db, partner)
    simulate(db, partner)

    published = put(db, partner)

    assert published is not None
    assert published.version == 1


def test_both_stages_are_of_this_very_content(db: Database, partner: int) -> None:
    check(db, partner)
    simulate(db, partner)

    with pytest.raises(UnableToSkip, match="never checked"):
        put(db, partner, OTHER)


def test_a_comment_more_is_still_the_same_content(db: Database, partner: int) -> None:
    check(db, partner)
    simulate(db, partner)

    assert put(db, partner, TEXT + "\n# agreed with the board\n")


def test_stages_under_last_years_law_packs_count_no_more(
    db: Database, partner: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(db, partner)
    simulate(db, partner)
    policy = compile_policy(TEXT)
    newer = dict.fromkeys(packs_of(policy), "f" * 64)
    proof = replace(publishing.proof_of(policy), hashes=newer)
    monkeypatch.setitem(publishing._PROOFS, policy.hash, proof)

    with pytest.raises(UnableToSkip, match="never checked"):
        put(db, partner)


def test_an_unproved_text_stays_a_draft(db: Database, partner: int) -> None:
    wrong = (WRONG / "no-broadband-thirty-days.yaml").read_text("utf-8")
    name = compile_policy(wrong).name

    with db.transaction(partner) as tx:
        proof = keep_check(tx, wrong, by=BENTE, now=db.clock())
        found = stages(tx, compile_policy(wrong), proof.hashes)
        kept = [(one.name, one.checked_at) for one in drafts(tx)]

    assert not proof.ok
    assert found.checked is None
    assert kept == [(name, None)]


def test_the_history_tells_each_stage_with_its_packs_figures_and_person(db: Database, partner: int) -> None:
    check(db, partner)
    simulate(db, partner)
    put(db, partner, share=20, cap=500)

    with db.transaction(partner) as tx:
        published, simulated, checked = acts(tx, "broadband-no")
        kept = drafts(tx)

    assert [one.code for one in (checked, simulated, published)] == ["checked", "simulated", "published"]
    assert {one.actor for one in (checked, simulated, published)} == {"Bente (operator root)"}
    packs = packs_of(compile_policy(TEXT))
    assert checked.params["packs"] == simulated.params["packs"] == published.params["packs"] == packs
    assert (simulated.params["seed"], simulated.params["accounts"]) == (SMALL.seed, SMALL.accounts)
    assert simulated.params["measures"]["cases_opened"]["mean"] > 0
    assert (published.version, published.params["share"], published.params["cap"]) == (1, 20, 500)
    assert kept == []


@pytest.mark.parametrize("role", ["reader", "agent"])
def test_who_may_not_decide_about_policies_cannot_publish(
    db: Database, owner: psycopg.Connection, partner: int, role: str
) -> None:
    name = add_user(owner, partner, role)
    check(db, partner)
    simulate(db, partner)

    with db.transaction(partner) as tx:
        person = member(tx, name)
    with pytest.raises(UnableToAct, match=f"{name} is {role} here"):
        put(db, partner, by=person)

    with db.transaction(partner) as tx:
        assert in_force(tx, db.clock()) == []


@pytest.mark.parametrize("role", ["manager", "admin"])
def test_a_manager_publishes_and_is_named(db: Database, owner: psycopg.Connection, partner: int, role: str) -> None:
    name = add_user(owner, partner, role)
    check(db, partner)
    simulate(db, partner)

    with db.transaction(partner) as tx:
        person = member(tx, name)
    put(db, partner, by=person)

    with db.transaction(partner) as tx:
        assert versions(tx, "broadband-no")[0].published_by == name
        assert acts(tx, "broadband-no")[0].actor == name


def test_a_manager_of_another_partner_is_nobody_here(
    db: Database, owner: psycopg.Connection, partner: int, other_partner: int
) -> None:
    name = add_user(owner, other_partner, "manager")
    gone = add_user(owner, partner, "manager")
    owner.execute("UPDATE auth_user SET is_active = false WHERE username = %s", (gone,))

    for stranger in (name, gone, "nobody"):
        with db.transaction(partner) as tx, pytest.raises(UnableToFind, match="relight user add"):
            member(tx, stranger)


def both(*acts: Callable[[], object]) -> list[object]:
    """What came of two acts at the same time: what each returned, or the refusal that it raised."""
    results: list[object] = [None] * len(acts)

    def run(place: int, act: Callable[[], object]) -> None:
        try:
            results[place] = act()
        except UnableTo as refused:
            results[place] = refused

    threads = [Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_of_two_who_publish_rivals_at_once_one_is_told(
    db: Database, partner: int, database_urls: dict[str, str]
) -> None:
    rival = TEXT.replace("policy: broadband-no", "policy: pilot")
    for text in (TEXT, rival):
        check(db, partner, text)
        simulate(db, partner, text)

    with holding(database_urls["owner"], "LOCK TABLE policy_version IN SHARE MODE") as is_waited_for:
        results: list[object] = []
        thread = Thread(target=lambda: results.extend(both(lambda: put(db, partner), lambda: put(db, partner, rival))))
        thread.start()
        wait_for(is_waited_for, "the first has come to write")
    thread.join(60)

    assert sorted(type(one).__name__ for one in results) == ["Published", "UnableToChoose"]
    with db.transaction(partner) as tx:
        assert len(in_force(tx, db.clock())) == 1
    assert any(isinstance(one, UnableToChoose) for one in results)


def test_a_rival_is_seen_by_who_read_the_clock_first_and_came_to_write_last(db: Database, partner: int) -> None:
    rival = TEXT.replace("policy: broadband-no", "policy: pilot")
    for text in (TEXT, rival):
        check(db, partner, text)
        simulate(db, partner, text)
    before = db.clock()
    put(db, partner)

    with db.transaction(partner) as tx, pytest.raises(UnableToChoose):
        publish(tx, rival, by=BENTE, now=before)


def test_of_two_who_publish_the_same_at_once_one_has_nothing_to_do(db: Database, partner: int) -> None:
    check(db, partner)
    simulate(db, partner)

    results = both(lambda: put(db, partner), lambda: put(db, partner))

    assert sorted(one.version if isinstance(one, Published) else 0 for one in results) == [0, 1]
    with db.transaction(partner) as tx:
        assert [one.version for one in versions(tx, "broadband-no")] == [1]


def test_a_partner_sees_no_draft_and_no_history_of_anothers(db: Database, partner: int, other_partner: int) -> None:
    check(db, partner)
    simulate(db, partner)

    with db.transaction(other_partner) as tx:
        found = (drafts(tx), acts(tx, "broadband-no"))
        come = stages(tx, compile_policy(TEXT), packs_of(compile_policy(TEXT)))
    with pytest.raises(UnableToSkip):
        put(db, other_partner)

    assert found == ([], [])
    assert (come.checked, come.simulated) == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE policy_version SET text = 'policy: other'",
        "UPDATE policy_version SET proof = '{}'",
        "UPDATE policy_version SET hash = repeat('0', 64)",
        "UPDATE policy_version SET published_by = 'nobody'",
        "DELETE FROM policy_version",
        "TRUNCATE policy_version CASCADE",
        "UPDATE policy_act SET actor = 'nobody'",
        "DELETE FROM policy_draft",
    ],
)
def test_what_was_published_or_put_on_record_is_never_changed(db: Database, partner: int, change: str) -> None:
    with db.transaction(partner) as tx:
        publish_at_once(tx, TEXT, by=BENTE, now=db.clock())

    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction(partner) as tx:
        tx.run(change)


def test_a_set_up_that_asks_nobody_still_puts_every_stage_on_record(db: Database, partner: int) -> None:
    now = db.clock() - timedelta(days=3)
    with db.transaction(partner) as tx:
        publish_at_once(tx, TEXT, by=operator("demo"), now=now)
        found = acts(tx, "broadband-no")

    assert [(one.code, one.actor, one.at) for one in reversed(found)] == [
        (code, "operator demo", now) for code in ("checked", "simulated", "published")
    ]
