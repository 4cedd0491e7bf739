"""A fee that no rule but a table limits: the step goes on with what the table gives, and is refused with more."""

import pytest

from relight.core.facts import ChargedFacts
from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.core.prove.prove import prove
from relight.core.rules.lawbook import packaged_law
from relight.flow.messages.elements import Texts
from tests.unit.core.cases import day
from tests.unit.core.history import History

POLICY = """\
policy: collector
for: {country: NO, service: [broadband], debtor: %(debtor)s, actor: agency}
opens: {overdue: 1 day}
gap: 0 days
contact: {weekdays: [mon, tue, wed, thu, fri, sat, sun], hours: [9, 20], max_per_7_days: 7}
steps:
  demand: {after: 1 day, do: [{message: %(letter)s, channel: [email], term: 14 days}]}
  cost: {after: 16 days, do: [{fee: %(fee)s, amount: %(amount)s}]}
"""
REASON = ("refused", "law.max_amount", "inkassoforskriften §§ 2-2 and 2-3")


def lived(
    *, fee: str, amount: str, debtor: str = "consumer", letter: str = "payment_demand", charged: tuple[object, ...] = ()
) -> History:
    """A bill of 900 that nobody pays, under a policy that charges this fee after that letter."""
    read = read_policy(POLICY % {"fee": fee, "amount": amount, "debtor": debtor, "letter": letter})
    assert isinstance(read, Policy), str(read)
    facts = {"reach": frozenset({"email"}), "debtor": debtor, "charged": charged}
    history = History(read, law=packaged_law(), case=facts)
    history.bill(1, 900_00, due=0)
    history.days(30)
    return history


def refusals(history: History) -> list[tuple[str, str, str]]:
    return [
        (event.code, why.code, why.law)
        for event in history.log
        if event.code == "refused"
        for why in event.reasons
        if why.code == "law.max_amount"
    ]


@pytest.mark.parametrize(("amount", "is_charged"), [("262.50", True), ("262.51", False)])
def test_a_collector_charges_what_the_table_gives_for_the_principal_and_no_more(amount: str, is_charged: bool) -> None:
    history = lived(fee="collector", amount=amount)

    assert ("cost" in history.names()) is is_charged
    assert (REASON in refusals(history)) is not is_charged


def test_a_collector_charges_nothing_before_its_demand_was_sent() -> None:
    history = lived(fee="collector", amount="100", letter="reminder")

    assert "cost" not in history.names()
    assert REASON in refusals(history)


def test_what_a_collector_charged_before_counts() -> None:
    before = ChargedFacts("collector", "F1", day(0), 200_00, elsewhere=True)

    assert "cost" not in lived(fee="collector", amount="100", charged=(before,)).names()


@pytest.mark.parametrize(
    ("debtor", "amount", "is_charged"),
    [("business", "460", True), ("business", "461", False), ("consumer", "1", False)],
)
def test_only_a_business_owes_the_standard_compensation(debtor: str, amount: str, is_charged: bool) -> None:
    history = lived(fee="compensation", amount=amount, debtor=debtor)

    assert ("cost" in history.names()) is is_charged


def test_what_a_business_paid_for_reminders_is_taken_off_its_compensation() -> None:
    reminder = ChargedFacts("reminder", "F1", day(0), 37_50, elsewhere=True)

    assert "cost" not in lived(fee="compensation", amount="460", debtor="business", charged=(reminder,)).names()
    assert "cost" in lived(fee="compensation", amount="422.50", debtor="business", charged=(reminder,)).names()


@pytest.mark.parametrize("country", ["DE", "GB", "NL", "SE"])
@pytest.mark.parametrize("fee", ["plan", "reminder"])
def test_a_fee_that_nobody_has_read_a_law_for_is_refused_and_so_is_one_from_memory(country: str, fee: str) -> None:
    if (country, fee) == ("SE", "reminder"):
        fee = "collection_warning"  # a reminder has a figure there

    text = POLICY.replace("country: NO", f"country: {country}").replace("actor: agency", "actor: network")
    read = read_policy(text % {"fee": fee, "amount": "2", "debtor": "consumer", "letter": "friendly_reminder"})
    assert isinstance(read, Policy), str(read)
    history = History(read, law=packaged_law(), case={"reach": frozenset({"email"})})
    history.bill(1, 900_00, due=0)
    history.days(30)

    assert "cost" not in history.names()
    assert any(why.code == "law.max_amount" for event in history.log for why in event.reasons)


@pytest.mark.parametrize(
    ("after", "amount", "lawful"),
    [("16 days", "262.50", True), ("16 days", "262.51", False), ("44 days", "525", True), ("44 days", "525.01", False)],
)
def test_the_proof_holds_a_collector_to_its_table_for_the_smallest_debt_that_gets_there(
    after: str, amount: str, lawful: bool
) -> None:
    wanted = {"fee": "collector", "amount": amount, "debtor": "consumer", "letter": "payment_demand"}
    text = POLICY.replace("cost: {after: 16 days, do", f"cost: {{after: {after}, when: {{arrears: {{min: 900}}}}, do")
    read = read_policy(text.replace("opens:", "law: [no]\nopens:") % wanted)
    assert isinstance(read, Policy), str(read)

    proof = prove(read, packaged_law(), Texts())

    assert ("relight.fee" not in {one.rule for one in proof.findings}) is lawful
