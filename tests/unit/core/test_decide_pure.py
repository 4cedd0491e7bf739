"""`decide` is pure: same input, same answer, years later, in another process, whatever the clock says."""

import json
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import time_machine

from relight.core.decide import decide
from relight.core.facts import CaseFacts, ClaimFacts
from relight.core.facts_record import as_json, digest
from relight.core.law import Answer, Law, NoLaw, Reason, Ruling
from relight.core.policy import Policy, Step
from tests.unit.core.cases import NET, at, case, noticed, policy
from tests.unit.core.history import History
from tests.unit.core.watched import impurities

LIMIT_DUE = at(30)  # for the claim of `noticed`


def a_whole_life() -> History:
    """A bill that is noticed, cut and paid, with a hold and a second bill in between: every part of `decide` speaks."""
    life = History(policy())
    life.services = {NET: case().services[0]}
    life.bill()
    life.days(5)
    life.bill(2, due=6)
    life.holds_from_now("manual", days=3)
    life.until_step("limit")
    life.until_code("approval_requested")
    life.approve()
    life.until_step("cut")
    life.days(1)
    life.pays(1)
    life.pays(2)
    life.days(10)
    return life


def decided_again(life: History) -> list[object]:
    """Every turn's decision, made once more from its facts."""
    return [decide(life.policy, life.law, facts, now) for facts, now, _ in life.turns]


def test_a_whole_life_is_decided_without_clock_chance_or_the_world_outside() -> None:
    life = a_whole_life()

    again, calls = impurities(lambda: decided_again(life))

    assert "cut" in life.names()
    assert "restored" in life.codes()
    assert again == [decision for _, _, decision in life.turns]
    assert calls == []


@pytest.mark.parametrize("year", [1970, 2001, 2039])
def test_the_hosts_clock_changes_nothing(year: int) -> None:
    life = a_whole_life()

    with time_machine.travel(datetime(year, 6, 5, 4, 3, 2, tzinfo=UTC), tick=False):
        again = decided_again(life)

    assert again == [decision for _, _, decision in life.turns]


def test_deciding_leaves_the_facts_as_they_were() -> None:
    life = a_whole_life()
    before = [(repr(facts), digest(as_json(facts), now)) for facts, now, _ in life.turns]

    decided_again(life)

    assert [(repr(facts), digest(as_json(facts), now)) for facts, now, _ in life.turns] == before


class Peeks:
    """A law that does what it must not."""

    def __init__(self, peek: Callable[[], object]):
        self.peek = peek

    def hash_for(self, policy: Policy) -> str:
        return "peeks"

    def rule(
        self, policy: Policy, step: Step, claims: tuple[ClaimFacts, ...], facts: CaseFacts, now: datetime
    ) -> tuple[Ruling, ...]:
        return (Ruling(Answer.DEFER, Reason("planted", (("saw", str(self.peek())),)), now),)


def calls_at_a_step(law: Law) -> list[str]:
    """The forbidden calls of a turn that asks the law about a step."""
    rules, facts, now = policy(), case(steps=noticed()), LIMIT_DUE
    decide(rules, NoLaw(), facts, now)  # calendars and time zones are read from their files once
    return impurities(lambda: decide(rules, law, facts, now))[1]


@pytest.mark.parametrize(
    "peek",
    [
        lambda: datetime.now(UTC),
        date.today,
        time.time,
        time.monotonic,
        random.random,
        lambda: random.choice("ab"),
        uuid.uuid4,
        lambda: os.urandom(1),
        lambda: Path(__file__).read_text()[:1],
    ],
    ids=["now", "today", "time", "monotonic", "random", "choice", "uuid4", "urandom", "a_file"],
)
def test_a_planted_look_outside_is_seen(peek: Callable[[], object]) -> None:
    assert calls_at_a_step(NoLaw()) == []
    assert calls_at_a_step(Peeks(peek)) != []


def test_a_planted_look_at_the_clock_changes_the_decision() -> None:
    facts = case(steps=noticed())

    def on(year: int) -> object:
        with time_machine.travel(datetime(year, 1, 1, tzinfo=UTC), tick=False):
            return decide(policy(), Peeks(lambda: datetime.now(UTC)), facts, LIMIT_DUE)

    assert on(2020) != on(2021)


_IN_ANOTHER_PROCESS = """
import json, sys
from relight.core.decide import decide
from relight.core.facts_record import as_json, digest
from relight.core.law import NoLaw
from tests.unit.core.test_decide_pure import a_whole_life
life = a_whole_life()
seen = [(digest(as_json(facts), now), repr(decision), as_json(facts)) for facts, now, decision in life.turns]
sys.stdout.write(json.dumps(seen))
"""


def test_other_processes_decide_and_hash_alike() -> None:
    """Each walks its sets in an order of its own."""
    answers = [
        subprocess.run(
            [sys.executable, "-c", _IN_ANOTHER_PROCESS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]

    assert len(json.loads(answers[0])) > 10
    assert answers[1:] == answers[:1] * 2


def test_what_a_decision_says_is_ready_for_the_log() -> None:
    for facts, _, decision in a_whole_life().turns:
        events = [asdict(event) for event in decision.events]

        assert json.loads(json.dumps([event["params"] for event in events])) == [
            dict(e.params) for e in decision.events
        ]
        json.dumps(events)
        json.dumps([dict(one.params) for one in (*decision.effects, *decision.tasks)])
        as_json(facts)


@pytest.mark.parametrize(
    "changed",
    [
        {"profile": "vip"},
        {"credit": 1},
        {"reach": frozenset({"sms"})},
        {"flags": {"life_support": "unknown"}},
        {"waits_for": "approval"},
        {"claims": ()},
        {"steps": noticed()[:1]},
    ],
)
def test_other_facts_have_another_hash(changed: dict[str, object]) -> None:
    facts = case(steps=noticed())

    assert digest(as_json(case(**{"steps": noticed(), **changed})), at(24)) != digest(as_json(facts), at(24))
    assert digest(as_json(facts), at(25)) != digest(as_json(facts), at(24))
    assert digest(as_json(case(steps=noticed())), at(24)) == digest(as_json(facts), at(24))
