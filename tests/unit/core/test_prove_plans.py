"""Offers of instalments: as long as the law wants them for the debts at which they are made."""

import pytest

from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.core.prove.prove import prove
from relight.core.rules.lawbook import packaged_law
from relight.flow.messages.elements import Texts

ROAD = """\
policy: plan
for: {country: DE, service: [electricity], debtor: consumer, actor: supplier}
law: [de]
opens: {overdue: 1 day}
steps:
  offer: {after: 10 days, %sdo: [{plan_offer: avert, months: %s}, {message: plan_offer, channel: [letter]}]}
"""
FINDING = "A plan for a debt of more than EUR 300.00 must run 12 months at the least: here it may run 11"


def told(months: str, when: str = "") -> list[str]:
    policy = read_policy(ROAD % (f"when: {{arrears: {when}}}, " if when else "", months))
    assert isinstance(policy, Policy), str(policy)
    return [one.message for one in prove(policy, packaged_law(), Texts()).findings]


def test_a_year_is_enough_for_any_debt() -> None:
    assert told("[12, 24]") == []


def test_less_than_a_year_is_too_short_above_three_hundred_euro() -> None:
    (message,) = told("[11, 24]")

    assert message == f"{FINDING}. Write months: [12, 24]"


@pytest.mark.parametrize(("when", "lawful"), [("{max: 300}", True), ("{max: 300.01}", False), ("{min: 300.01}", False)])
def test_the_debts_that_a_step_is_for_decide_how_long_its_plan_runs(when: str, *, lawful: bool) -> None:
    assert (told("[11, 24]", when) == []) == lawful


def test_less_than_half_a_year_is_too_short_for_a_small_debt() -> None:
    (message,) = told("[5, 18]", "{max: 300}")

    assert message.startswith("A plan for a debt must run 6 months at the least: here it may run 5")


def test_a_plan_whose_shortest_is_its_longest_turned_round_is_a_mistake() -> None:
    read = read_policy(ROAD % ("", "[24, 12]"))

    assert "24 months are more than 12" in str(read)
    assert "line 6" in str(read)
