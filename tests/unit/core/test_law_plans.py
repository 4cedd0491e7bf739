"""How long a German household's plan must be able to run (EnWG § 41g), and what a fourteen-day letter announces."""

import pytest

from relight.core.parts import notice_params
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.core.rules.plans import instalment_months
from relight.core.rules.reader import packaged_pack
from tests.unit.core.cases import case

LETTER = """\
policy: sample
for: {country: NL, service: [water], debtor: consumer, actor: network}
opens: {overdue: 1 day}
steps:
  letter:
    after: 3 days
    do: [{message: fourteen_day_letter, channel: [letter], term: 20 days}]
  cost:
    after: 21 days
    do: [{fee: collection_cost, amount: 40}]
"""


@pytest.mark.parametrize(
    ("owed", "months"), [(100_00, (6, 18)), (300_00, (6, 18)), (300_01, (12, 24)), (5_000_00, (12, 24))]
)
def test_above_three_hundred_euro_a_plan_runs_a_year_at_least(owed: int, months: tuple[int, int]) -> None:
    assert instalment_months(packaged_pack("de"), owed) == months


def test_where_no_law_says_how_long_a_plan_runs_nothing_is_said() -> None:
    assert instalment_months(packaged_pack("no"), 1_000_00) is None


def test_a_fourteen_day_letter_announces_the_cost_that_its_policy_charges() -> None:
    policy = read_policy(LETTER)
    assert isinstance(policy, Policy), str(policy)
    letter = policy.step("letter")

    params = notice_params(policy, case(), letter, letter.do[0])  # type: ignore[arg-type]

    assert params["collection_cost"] == 40_00
    assert params["term"] == "21 days"
