"""A policy's text becomes frozen data, with every default filled in."""

import pickle
from datetime import date
from pathlib import Path

import pytest

from relight.core.actions import (
    ContactAttemptAction,
    ContractTerminateAction,
    FeeAction,
    HandoverAction,
    MessageAction,
    PlanOfferAction,
    RequestToGridAction,
    SecurityDemandAction,
    SignalAction,
    SupplyAction,
    TaskAction,
    WorkOrderAction,
)
from relight.core.calendars import calendar_for, due_date
from relight.core.conditions import ALWAYS, AllOf, AnyOf, Between, Flags, MonthIn, Not, Reach
from relight.core.levels import Level
from relight.core.policy import Branch, Policy, Step
from relight.core.policy_reader import packaged_names, packaged_text, read_policy
from relight.core.spans import Span
from relight.core.windows import Window

DESIGN_EXAMPLE = """
policy: broadband-consumer
for: {country: NO, service: [broadband], debtor: consumer, actor: network}   # actor: grid_company | supplier | network | agency
law: [no]
opens: {overdue: 1 day, arrears: {min: 100}}
restore_when: zero            # zero: nothing overdue, fees included | past_due: no principal overdue | latest_claim: only the newest remains
close_when: zero
steps:
  friendly:
    after: 3 days             # of the due date; later steps: after the completion of the step before
    do: [{message: friendly_reminder, channel: best, tone: warm}]
  reminder:
    after: 11 days
    do: [{message: reminder, channel: [sms, email]}, {message: disconnect_notice, channel: {all: [sms, letter]}}]
  limit:
    after: 1 month
    when: {arrears: {min: 300}, flags: {none: [vulnerable, life_support]}}
    do: [{supply: walled_garden}, {message: service_limited}]
  cut:
    after: 5 working days
    window: {weekdays: [mon, tue, wed, thu], hours: [9, 14]}
    approval: person          # none | person | two_people
    do: [{supply: off}, {message: disconnected}]
  agency:
    after: 60 days
    do: [{handover: agency}]
holds: {dispute: claim, plan: case, debt_help: case, deceased: case}
profiles:
  vip: {skip: [limit, cut, agency], tone: warm}
"""  # noqa: E501 - as the design has it, to the letter

HEAD = """
policy: sample
for: {country: NO, service: [broadband, telephony], debtor: business, actor: supplier}
opens: {overdue: 1 day}
"""


def compiled(text: str) -> Policy:
    policy = read_policy(text)
    assert isinstance(policy, Policy), str(policy)
    return policy


def with_step(lines: str) -> Step:
    indented = "\n".join(f"    {line}" for line in lines.strip().splitlines())
    return compiled(f"{HEAD}profiles: {{vip: {{}}}}\nsteps:\n  only:\n    after: 1 day\n{indented}\n").first


def test_the_designs_own_example_compiles_as_written() -> None:
    policy = compiled(DESIGN_EXAMPLE)

    assert (policy.name, policy.country, policy.currency) == ("broadband-consumer", "NO", "NOK")
    assert (policy.services, policy.debtor, policy.actor, policy.laws) == (
        {"broadband"},
        "consumer",
        "network",
        ("no",),
    )
    assert (policy.opens.overdue, policy.opens.arrears_min) == (Span.parse("1 day"), 10_000)
    assert [step.name for step in policy.steps] == ["friendly", "reminder", "limit", "cut", "agency"]
    assert policy.holds == {"dispute": "claim", "plan": "case", "debt_help": "case", "deceased": "case"}
    assert policy.profile("vip").skip == {"limit", "cut", "agency"}


def test_the_first_step_counts_from_the_due_date_and_the_others_from_the_one_before() -> None:
    policy = compiled(DESIGN_EXAMPLE)

    assert [step.base for step in policy.steps] == ["due", "previous", "previous", "previous", "previous"]
    assert policy.step("limit").after == Span.parse("1 month")


def test_reads_channels_in_all_their_forms() -> None:
    policy = compiled(DESIGN_EXAMPLE)

    friendly = MessageAction("friendly_reminder", ("sms", "email", "letter"), "best", "warm")
    reminder = MessageAction("reminder", ("sms", "email"), "first")
    notice = MessageAction("disconnect_notice", ("sms", "letter"), "all")
    assert policy.step("friendly").do == (friendly,)
    assert policy.step("reminder").do == (reminder, notice)
    assert with_step("do: [{message: a, channel: letter}]").do == (MessageAction("a", ("letter",), "first"),)
    assert with_step("do: [{message: a, channel: {best: [sms]}}]").do == (MessageAction("a", ("sms",), "best"),)


def test_off_and_no_are_words() -> None:
    policy = compiled(DESIGN_EXAMPLE)

    assert policy.laws == ("no",)
    assert policy.step("cut").do[0] == SupplyAction(Level.OFF)


def test_reads_windows_and_conditions() -> None:
    policy = compiled(DESIGN_EXAMPLE)

    assert policy.step("cut").window == Window(frozenset({0, 1, 2, 3}), 540, 840)
    unasked = Flags("none", ("vulnerable", "life_support"))
    assert policy.step("limit").when == AllOf((Between("arrears", min=30_000), unasked))
    assert policy.step("friendly").when == ALWAYS


def test_fills_in_what_the_file_leaves_out() -> None:
    policy = compiled(HEAD + "steps: {only: {after: 1 day, do: [{message: reminder}]}}")

    assert policy.laws == ("no",)
    assert policy.opens.arrears_min is None
    assert (policy.restore_when, policy.close_when) == ("zero", "zero")
    assert (str(policy.settle), str(policy.gap)) == ("3 working days", "3 days")
    assert policy.contact.window == Window(frozenset(range(5)), 540, 1200)
    assert policy.contact.max_per_7_days == 4
    assert policy.profile("anything").skip == frozenset()
    assert policy.hold_scope("anything") == "case"


def test_all_twelve_actions_compile() -> None:
    step = with_step("""
do:
  - {message: reminder, term: 14 days}
  - {fee: reminder, amount: 37.50}
  - {supply: limited}
  - {contract_terminate: service}
  - {request_to_grid: disconnect}
  - {plan_offer: standard}
  - {contact_attempt: phone, within: 2 days}
  - {signal: municipality}
  - {security_demand: deposit, term: 15 working days}
  - {task: look_into_it}
  - {work_order: fitter, within: 1 week}
  - {handover: agency}
""")

    assert step.do == (
        MessageAction("reminder", ("sms", "email", "letter"), term=Span.parse("14 days")),
        FeeAction("reminder", 3_750),
        SupplyAction(Level.LIMITED),
        ContractTerminateAction("service"),
        RequestToGridAction("disconnect"),
        PlanOfferAction("standard"),
        ContactAttemptAction("phone", Span.parse("2 days")),
        SignalAction("municipality"),
        SecurityDemandAction("deposit", Span.parse("15 working days")),
        TaskAction("look_into_it", Span.parse("3 working days")),
        WorkOrderAction("fitter", Span.parse("1 week")),
        HandoverAction("agency"),
    )
    assert len({action.kind for action in step.do}) == 12


@pytest.mark.parametrize(
    ("action", "cuts", "burdens"),
    [
        ("supply: off", True, True),
        ("supply: limited", True, True),
        ("supply: full", False, False),
        ("request_to_grid: end_of_supply", True, True),
        ("request_to_grid: reconnect", False, False),
        ("contract_terminate: account", True, True),
        ("handover: agency", False, True),
        ("fee: reminder, amount: 35", False, True),
        ("message: disconnect_notice", False, False),
        ("plan_offer: standard", False, False),
    ],
)
def test_knows_what_takes_a_service_away_and_what_weighs_on_the_customer(
    action: str, cuts: bool, burdens: bool
) -> None:
    step = with_step(f"do: [{{message: reminder}}, {{{action}}}]")

    assert (step.cuts, step.burdens) == (cuts, burdens)


def test_compiles_conditions_within_conditions() -> None:
    step = with_step("""
do: [{message: reminder}]
when:
  any:
    - {season: {in: [winter]}, not: {claims: {max: 1}}}
    - {month: {in: [4]}, reach: {any: [sms], none: [letter]}}
""")

    winter = AllOf((MonthIn(frozenset({12, 1, 2})), Not(Between("claims", max=1))))
    april = AllOf((Reach("any", ("sms",)), Reach("none", ("letter",)), MonthIn(frozenset({4}))))
    assert step.when == AnyOf((winter, april))


def test_takes_times_of_day() -> None:
    step = with_step('window: {weekdays: [sat], hours: [9:30, "14:00"], holidays: true, before_holidays: false}\n'
                     "do: [{supply: limited}]")  # fmt: skip

    assert step.window == Window(frozenset({5}), 570, 840, on_holidays=True, before_holidays=False)


BRANCHES = (
    HEAD
    + """
steps:
  first:
    after: 1 day
    do: [{message: reminder}]
    next: [{when: {claims: {min: 2}}, step: cut}, {step: letter}]
  letter: {after: 1 day, do: [{message: reminder, channel: letter}]}
  cut: {after: 1 month, do: [{supply: off}], next: []}
  last: {after: 1 day, do: [{handover: agency}]}
"""
)


def test_follows_branches_else_the_file_and_ends_where_next_is_empty() -> None:
    policy = compiled(BRANCHES.replace("{supply: off}], next: []", "{supply: off}]"))

    assert policy.successors(policy.first) == (Branch(Between("claims", min=2), "cut"), Branch(ALWAYS, "letter"))
    assert policy.successors(policy.step("letter")) == (Branch(ALWAYS, "cut"),)
    assert policy.successors(policy.step("last")) == ()
    assert policy.index("cut") == 2
    with pytest.raises(KeyError):
        policy.step("nowhere")


def test_a_road_that_ends_early_leaves_the_rest_unreached() -> None:
    assert "no road leads to step 'last'" in str(read_policy(BRANCHES))


def test_the_hash_is_of_what_is_said_and_not_of_how() -> None:
    said_otherwise = DESIGN_EXAMPLE.replace("after: 3 days             #", "after: '3 days' #").replace(
        "min: 100}", "min: 100.00}"
    )
    one, two = "one: {after: 1 day, do: [{message: reminder}]}", "two: {after: 1 day, do: [{message: reminder}]}"

    assert compiled(said_otherwise).hash == compiled(DESIGN_EXAMPLE).hash
    assert compiled(DESIGN_EXAMPLE.replace("11 days", "12 days")).hash != compiled(DESIGN_EXAMPLE).hash
    assert compiled(f"{HEAD}steps:\n  {one}\n  {two}\n").hash != compiled(f"{HEAD}steps:\n  {two}\n  {one}\n").hash


def test_a_policy_travels_between_processes_and_into_sets() -> None:
    policy = compiled(DESIGN_EXAMPLE)

    assert pickle.loads(pickle.dumps(policy)) == policy  # noqa: S301 - our own bytes
    assert policy in {compiled(DESIGN_EXAMPLE)}


def test_the_manuals_example_compiles() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "policy.md").read_text("utf-8")

    example = manual.split("```yaml\n")[1].split("```")[0]

    assert compiled(example).name == "broadband-consumer"


@pytest.mark.parametrize("name", packaged_names())
def test_the_policies_that_come_with_relight_compile(name: str) -> None:
    assert compiled(packaged_text(name)).name == name


def longest_wait(policy: Policy, since: str, to: str, start: date) -> date:
    """The first day on which `to` may be taken when `since` was completed on `start` and nothing is ever late."""
    day = start
    for step in policy.steps[policy.index(since) + 1 : policy.index(to) + 1]:
        day = due_date(calendar_for(policy.country), day, step.after)
    return day


@pytest.mark.parametrize("start", [date(2026, 1, 31), date(2026, 2, 10), date(2026, 12, 14), date(2027, 2, 28)])
def test_broadband_is_limited_after_more_than_a_month_and_within_sixty_days(start: date) -> None:
    policy = compiled(packaged_text("broadband-no"))

    limited = longest_wait(policy, "reminder", "limit", start)

    assert limited > calendar_for("NO").add(start, Span.parse("1 month"))
    assert (longest_wait(policy, "reminder", "cut", start) - start).days < 50


@pytest.mark.parametrize("start", [date(2026, 1, 31), date(2026, 2, 10), date(2026, 12, 14)])
def test_power_is_cut_after_more_than_four_weeks(start: date) -> None:
    policy = compiled(packaged_text("power-grid-no"))

    cut = longest_wait(policy, "notice", "cut", start)

    assert 28 < (cut - start).days < 40


def test_power_is_cut_only_by_a_person_who_knows_that_nobody_is_in_danger() -> None:
    policy = compiled(packaged_text("power-grid-no"))
    cut = policy.step("cut")

    assert cut.approval == "person"
    assert cut.window is not None
    assert cut.window.weekdays == {0, 1, 2, 3}
    assert not cut.window.before_holidays
    assert isinstance(cut.when, AllOf)
    gates = next(part.names for part in cut.when.parts if isinstance(part, Flags) and part.quantifier == "none")
    assert {"danger_life", "danger_health", "danger_significant_property", "severe_cold"} <= set(gates)
    assert Between("claims", min=2) in cut.when.parts


def test_power_has_a_personal_contact_attempt_before_the_cut() -> None:
    policy = compiled(packaged_text("power-grid-no"))
    before = policy.steps[: policy.index("cut")]

    assert any(isinstance(action, ContactAttemptAction) for step in before for action in step.do)


def test_only_limit_and_cut_take_broadband_away() -> None:
    policy = compiled(packaged_text("broadband-no"))

    assert [step.name for step in policy.steps if step.cuts] == ["limit", "cut"]
