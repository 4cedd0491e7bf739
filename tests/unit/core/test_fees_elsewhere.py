"""What a customer was charged in an earlier case counts where the law counts it (Besluit BIK: 140 in six months)."""

import pytest

from relight.core.facts import ChargedFacts
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.core.rules.lawbook import packaged_law
from tests.unit.core.cases import day, service
from tests.unit.core.history import History

INSTALMENTS = """\
policy: instalments
for: {country: NL, service: [water], debtor: consumer, actor: network}
opens: {overdue: 1 day}
gap: 0 days
contact: {weekdays: [mon, tue, wed, thu, fri, sat, sun], hours: [9, 20], max_per_7_days: 7}
steps:
  letter: {after: 1 day, do: [{message: fourteen_day_letter, channel: [email], term: 16 days}]}
  cost: {after: 16 days, do: [{fee: collection_cost, amount: 40}]}
"""


@pytest.mark.parametrize(
    ("charged", "elsewhere", "days_ago", "is_charged"),
    [
        (100_00, True, 30, True),  # with these 40 it makes 140, and 140 may be
        (101_00, True, 30, False),
        (101_00, True, 250, True),  # more than six months ago
        (101_00, False, 30, True),  # the case's own fees are counted by its steps
    ],
)
def test_fees_of_earlier_cases_count_towards_the_dutch_cap(
    charged: int, elsewhere: bool, days_ago: int, is_charged: bool
) -> None:
    read = read_policy(INSTALMENTS)
    assert isinstance(read, Policy), str(read)
    earlier = ChargedFacts("collection_cost", "F-0", day(-days_ago), charged, elsewhere)
    history = History(read, law=packaged_law(), case={"reach": frozenset({"email"}), "charged": (earlier,)})
    history.services[1] = service(1)
    history.bill(1, 60_00, due=0)

    history.days(40)

    assert ("cost" in history.names()) is is_charged
