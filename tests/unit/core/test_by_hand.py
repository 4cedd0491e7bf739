"""Cuts by hand in a turn: only what a task asked for is taken back, whatever part of this version has its number."""

import dataclasses

import pytest

from relight.core.decide import decide
from relight.core.facts import TaskFacts
from relight.core.law import NoLaw
from tests.unit.core.cases import at, case, noticed, policy, step


@pytest.mark.parametrize("state", ["open", "done"])
def test_who_pays_after_a_task_of_another_version_bears_the_number_of_a_drivers_cut(state: str) -> None:
    told = TaskFacts(0, "work_order", state, at(40) if state == "done" else None)
    cut = dataclasses.replace(step("cut", 3, 30), tasks=(told,))

    decision = decide(policy(), NoLaw(), case(claims=(), steps=(*noticed(), cut)), at(42))

    assert decision.tasks == ()
    assert decision.voided_steps == ()
    assert decision.state == "closed"


BY_HAND = """
  notice:
    after: 1 day
    do: [{message: disconnect_notice, channel: [sms, email, letter], term: 2 weeks}]
  cut:
    after: 2 weeks
    do: [{request_to_grid: disconnect}]
"""


@pytest.mark.parametrize(("asked", "back"), [("request_to_grid", ["ask_to_reconnect"]), ("visit", [])])
def test_who_pays_is_given_back_by_hand_only_where_somebody_cut(asked: str, back: list[str]) -> None:
    told = TaskFacts(0, asked, "done", at(40))
    cut = dataclasses.replace(step("cut", 3, 30), tasks=(told,))

    decision = decide(policy(BY_HAND), NoLaw(), case(claims=(), steps=(*noticed(), cut)), at(42))

    assert [task.code for task in decision.tasks] == back
