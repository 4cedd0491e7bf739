"""Cuts by hand in a turn: a driver's part is none, whatever task of another version bears its number."""

import dataclasses

import pytest

from relight.core.decide import decide
from relight.core.facts import TaskFacts
from relight.core.law import NoLaw
from tests.unit.core.cases import at, case, noticed, policy, step


@pytest.mark.parametrize("state", ["open", "done"])
def test_who_pays_after_a_task_of_another_version_bears_the_number_of_a_drivers_cut(state: str) -> None:
    told = TaskFacts(0, state, at(40) if state == "done" else None)
    cut = dataclasses.replace(step("cut", 3, 30), tasks=(told,))

    decision = decide(policy(), NoLaw(), case(claims=(), steps=(*noticed(), cut)), at(42))

    assert decision.tasks == ()
    assert decision.voided_steps == ()
    assert decision.state == "closed"
