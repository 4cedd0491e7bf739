"""The law at run time: each kind of rule asked of one case, with the same objects that prove a policy."""

import dataclasses
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from relight.core.facts import ServiceFacts, StepClaimFacts, StepFacts
from relight.core.guards import check_step
from relight.core.law import Answer
from relight.core.levels import Level
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_text, read_policy
from relight.core.prove.prove import prove
from relight.core.rules.lawbook import LawBook, packaged_law
from relight.core.rules.model import LawPack
from relight.core.rules.reader import read_pack
from relight.core.spans import Span
from relight.core.standing import standing
from relight.flow.messages.elements import Texts
from tests.unit.core.cases import at, day, service
from tests.unit.core.history import History

ASK = "  ask: {after: 1 day, do: [{message: reminder}]}\n"
SAFE = ("danger_life", "danger_health", "danger_significant_property", "severe_cold",
        "objection_not_obviously_groundless", "social_service_written_guarantee")  # fmt: skip


@cache
def packaged(name: str) -> Policy:
    read = read_policy(packaged_text(name))
    assert isinstance(read, Policy)
    return read


def policy(steps: str) -> Policy:
    text = "policy: sample\nfor: {country: NO, service: [broadband], debtor: consumer, actor: network}\n"
    read = read_policy(f"{text}opens: {{overdue: 1 day}}\nsteps:\n{steps}")
    assert isinstance(read, Policy), str(read)
    return read


def book(rules: str) -> LawBook:
    """Rules of a test's own, as the Norwegian pack."""
    pack = read_pack(f'pack: "no"\ncountry: "NO"\ncurrency: NOK\nas_of: 2026-11-21\nrules:\n{rules}')
    assert isinstance(pack, LawPack), str(pack)
    return LawBook([pack])


def rule(kind: str, target: str, **more: str) -> str:
    told = ", ".join(f"{key}: {value}" for key, value in more.items())
    source = "source: {level: primary, confidence: verified}"
    return f"  no.x.{kind}: {{kind: {kind}, target: [{target}], law: a law § 1, {source}, {told}}}\n"


def power(law: LawBook | None = None, **flags: str) -> History:
    """A household with two unpaid bills for power, under the packaged policy and its law."""
    case = {"flags": {**dict.fromkeys(SAFE, "no"), **flags}, "reach": frozenset({"sms", "email", "letter"})}
    made = History(packaged("power-grid-no"), law=law or packaged_law(), case=case)
    made.services[1] = ServiceFacts(
        id=1, kind="electricity_grid", desired=Level.FULL, generation=0, desired_at=None, observed=Level.FULL,
        observed_at=at(0), controllable=True,
    )  # fmt: skip
    made.bill(1, 120000)
    made.bill(2, 120000)
    return made


def until_asked(history: History) -> None:
    """To where the cut waits for a person's yes; the call is made on the way."""
    history.until_step("contact")
    for index, (code, number, task) in enumerate(history.tasks):
        history.tasks[index] = (code, number, dataclasses.replace(task, state="done", done_at=history.now))
    history.wake()
    for _ in range(60):
        if any(one.state == "requested" for one in history.approvals.values()):
            return
        history.days(1)


def refusals(history: History) -> list[tuple[str, str, str]]:
    """(event, reason, section) of what was deferred or refused."""
    return [
        (event.code, why.code, why.law)
        for event in history.log
        if event.code in ("deferred", "refused")
        for why in event.reasons
    ]


def test_the_packaged_road_for_power_comes_to_its_cut_without_a_word_from_the_law() -> None:
    history = power()

    until_asked(history)
    history.approve()
    history.days(7)

    assert "cut" in history.names()
    assert [why for why in refusals(history) if why[1].startswith("law.") and why[1] != "law.forbidden_window"] == []


@pytest.mark.parametrize("flag", SAFE)
def test_a_danger_that_nobody_has_looked_into_keeps_the_power_on(flag: str) -> None:
    history = power(**{flag: "unknown"})

    until_asked(history)
    history.approve()
    history.days(14)

    assert "cut" not in history.names()


def test_a_danger_that_is_learnt_of_between_decision_and_release_stops_the_cut() -> None:
    history = power()
    until_asked(history)
    history.approve()
    decided = None
    for _ in range(400):  # hour by hour to the moment at which the cut is decided and has not left
        history.now += timedelta(hours=1)
        if history.wakes_at is not None and history.wakes_at <= history.now:
            decided = history.turn()
            if any(step.step == "cut" for step in decided.steps):
                break
    assert decided is not None

    history.case["flags"] = {**history.case["flags"], "danger_life": "yes"}
    history.release()

    last = history.released[-1]
    assert last.effect.draft.kind == "supply"
    assert last.leave.exit == "withhold"
    assert ("forbrukerkjøpsloven § 48 a first paragraph a") in {why.law for why in last.leave.reasons}
    assert history.commands() == []


def test_fridays_and_the_days_before_holidays_are_left_to_help() -> None:
    law, sample = packaged_law(), packaged("power-grid-no")
    history = power()
    until_asked(history)
    friday = history.now
    while friday.weekday() != 4:
        friday += timedelta(days=1)

    rulings = law.rule(sample, sample.step("cut"), tuple(history.claims.values()), history.facts(), friday)

    assert [(r.answer, r.reason.code) for r in rulings] == [(Answer.DEFER, "law.forbidden_window")]
    assert rulings[0].until is not None
    assert rulings[0].until.astimezone(history.partner.zone).weekday() == 0


def _asked(law: LawBook, sample: Policy, history: History, step: str) -> list[tuple[Answer, str]]:
    facts = history.facts()
    check = check_step(sample, law, facts, standing(facts, history.now), sample.step(step),
                       tuple(history.claims.values()), history.now)  # fmt: skip
    return [(check.answer, why.code) for why in check.reasons if why.code.startswith("law.")]


def _broadband(sample: Policy, law: LawBook, **case: Any) -> History:
    made = History(sample, law=law, case={"reach": frozenset({"sms", "email", "letter"}), **case})
    made.services[1] = service(1)
    made.bill()
    return made


def test_a_reminder_that_came_back_is_none() -> None:
    sample = policy(ASK + "  limit: {after: 40 days, do: [{supply: limited}]}\n")
    law = book(rule("requires_before", "throttle", needs="[reminder]"))
    history = _broadband(sample, law)
    history.until_step("ask")
    history.run()
    history.days(3)

    arrived = _asked(law, sample, history, "limit")
    history.bounces(1)
    came_back = _asked(law, sample, history, "limit")

    assert arrived == []
    assert came_back == [(Answer.DENY, "law.requires_before")]


def test_a_step_waits_for_the_day_after_the_whole_span() -> None:
    sample = policy(ASK + "  limit: {after: 3 days, do: [{supply: limited}]}\n")
    law = book(rule("min_elapsed", "throttle", since="[{of: reminder, moment: sent}]", span="1 month"))
    history = _broadband(sample, law)

    history.until_step("ask")
    history.days(3)
    sent = next(history.sent()).now.astimezone(history.partner.zone).date()
    history.until_step("limit")
    taken = history.now.astimezone(history.partner.zone).date()

    assert taken == history.partner.calendar.add(sent, Span.parse("1 month")) + timedelta(days=1)


def test_a_notice_that_is_too_old_has_to_be_given_anew() -> None:
    sample = policy(ASK + "  limit: {after: 3 days, do: [{supply: limited}]}\n")
    law = book(rule("min_elapsed", "throttle", since="[{of: reminder, moment: sent}]", at_most="2 months"))
    history = _broadband(sample, law)
    history.until_step("ask")
    history.run()
    history.days(3)

    fresh = _asked(law, sample, history, "limit")
    history.now = at(100)
    stale = _asked(law, sample, history, "limit")

    assert fresh == []
    assert stale == [(Answer.DENY, "law.min_elapsed")]


def test_a_letter_with_too_short_a_term_does_not_go() -> None:
    sample = policy("  warn: {after: 1 day, do: [{message: collection_warning, term: 10 days}]}\n")
    law = book(rule("min_deadline", "collection_warning", term="14 days"))
    history = _broadband(sample, law)
    history.days(10)

    assert "warn" not in history.names()
    assert ("refused", "law.min_deadline", "a law § 1") in refusals(history)


def test_too_little_is_owed_for_an_essential_breach() -> None:
    sample = policy("  limit: {after: 1 day, do: [{supply: limited}]}\n")
    law = book(rule("requires_state", "throttle", any_of="[{arrears_min: 1000}, {claims_min: 2}]"))
    history = _broadband(sample, law)
    history.now = at(30)

    one = _asked(law, sample, history, "limit")
    history.bill(2)
    two = _asked(law, sample, history, "limit")

    assert one == [(Answer.DENY, "law.requires_state")]
    assert two == []


@pytest.mark.parametrize(
    ("value", "unknown", "answer"),
    [("yes", "passes", True), ("yes", "blocks", True), ("no", "blocks", False), ("unknown", "blocks", True),
     ("unknown", "passes", False)],
)  # fmt: skip
def test_unknown_is_not_no(value: str, unknown: str, answer: bool) -> None:
    sample = policy("  limit: {after: 1 day, do: [{supply: limited}]}\n")
    law = book(rule("forbidden_if", "throttle", flags="[minor_in_household]", unknown=unknown))
    history = _broadband(sample, law, flags={"minor_in_household": value})
    history.now = at(30)

    assert bool(_asked(law, sample, history, "limit")) is answer


def test_what_is_forbidden_altogether_is_denied() -> None:
    sample = policy("  limit: {after: 1 day, do: [{supply: limited}]}\n")
    law = book(rule("forbidden_step", "throttle", never="true"))
    history = _broadband(sample, law)
    history.now = at(30)

    assert _asked(law, sample, history, "limit") == [(Answer.DENY, "law.forbidden_step")]


def test_a_fee_above_the_cap_of_its_day_is_not_booked() -> None:
    sample = policy("  ask: {after: 1 day, do: [{message: reminder}, {fee: reminder, amount: 36}]}\n")
    caps = "[{from: 2020-01-01, amount: 35}, {from: 2030-01-01, amount: 40}]"
    law = book(rule("max_amount", "fee.reminder", caps=caps))
    history = _broadband(sample, law)
    history.days(10)
    early = list(history.names())

    rulings = law.rule(sample, sample.first, tuple(history.claims.values()), history.facts(), at(0).replace(year=2031))

    assert early == []
    assert ("refused", "law.max_amount", "a law § 1") in refusals(history)
    assert rulings == ()


def test_a_fee_whose_cap_nobody_knows_is_not_booked() -> None:
    sample = policy("  ask: {after: 1 day, do: [{message: reminder}, {fee: reminder, amount: 1}]}\n")
    law = book(rule("max_amount", "fee.reminder", caps="[{from: 2020-01-01, amount: null}]"))
    history = _broadband(sample, law)
    history.days(10)

    assert ("refused", "law.max_amount", "a law § 1") in refusals(history)


def test_a_third_fee_is_not_booked() -> None:
    ask = "{after: 1 day, do: [{message: reminder}, {fee: reminder, amount: 35}]}"
    sample = policy("".join(f"  ask{number}: {ask}\n" for number in (1, 2, 3)))
    amount = rule("max_amount", "fee.reminder", caps="[{from: 2020-01-01, amount: 35}]")
    law = book(amount + rule("max_count", "fee.reminder", count="2", per="claim"))
    history = _broadband(sample, law)
    history.days(40)

    assert history.names() == ["ask1", "ask2"]
    assert ("refused", "law.max_count", "a law § 1") in refusals(history)


def test_ten_days_lie_between_two_danish_reminder_fees_whichever_bill_they_are_for() -> None:
    text = "policy: fees\nfor: {country: DK, service: [broadband], debtor: consumer, actor: network}\n"
    ask = "{after: 1 day, do: [{message: reminder}, {fee: reminder, amount: 100}]}"
    read = read_policy(f"{text}opens: {{overdue: 1 day}}\ngap: 0 days\nsteps:\n  ask: {ask}\n")
    assert isinstance(read, Policy), str(read)
    history = _broadband(read, packaged_law())
    history.bill(2, 50000, due=4)
    history.days(30)

    first, second = (now.date() for _, now, decision in history.turns if decision.steps)

    assert second - first > timedelta(days=10)
    assert ("deferred", "law.min_elapsed", "renteloven § 9 b stk. 2 (U 2008.1083 V)") in refusals(history)


def test_two_fees_in_one_step_are_two() -> None:
    once = "{after: 1 day, do: [{message: reminder}, {fee: reminder, amount: 35}, {fee: reminder, amount: 35}]}"
    sample = policy(f"  ask: {once}\n")
    law = book(rule("max_count", "fee.reminder", count="1", per="claim"))
    history = _broadband(sample, law)
    history.days(10)

    assert history.names() == []
    assert ("refused", "law.max_count", "a law § 1") in refusals(history)


def test_two_fees_in_one_step_are_summed_up() -> None:
    once = "{after: 1 day, do: [{fee: collection_cost, amount: 80}, {fee: collection_cost, amount: 80}]}"
    sample = policy(f"  cost: {once}\n")
    caps = "[{from: 2020-01-01, amount: 100}]"
    law = book(rule("max_amount", "fee.collection_cost", caps=caps, sum="{max: 140, span: 6 months}"))
    history = _broadband(sample, law)
    history.days(10)

    assert history.names() == []
    assert ("refused", "law.max_amount", "a law § 1") in refusals(history)


INSTALMENTS = """\
policy: instalments
for: {country: NL, service: [water], debtor: consumer, actor: network}
opens: {overdue: 1 day}
gap: 0 days
contact: {weekdays: [mon, tue, wed, thu, fri, sat, sun], hours: [9, 20], max_per_7_days: 7}
steps:
  letter: {after: 1 day, do: [{message: fourteen_day_letter, channel: [email], term: 16 days}]}
  cost: {after: 16 days, do: [{fee: collection_cost, amount: %s}]}
"""


def instalments(*, each: int, cost: str, months: int = 5) -> History:
    """A household that pays none of its monthly bills for water, each the same, under the packaged Dutch law."""
    read = read_policy(INSTALMENTS % cost)
    assert isinstance(read, Policy), str(read)
    assert prove(read, packaged_law(), Texts()).ok
    history = History(read, law=packaged_law(), case={"reach": frozenset({"email"})})
    history.services[1] = dataclasses.replace(service(1), kind="water")
    for month in range(months):
        history.bill(month + 1, each, due=30 * month)
        history.days(30)
    return history


@pytest.mark.parametrize(
    ("each", "cost", "charged"),
    [
        (60_00, "40", 3),  # three make 120 euro; a fourth would make 160, and 140 are the most
        (60_00, "35", 4),  # four make 140
        (60_00, "35.01", 3),
        (266_66, "40", 3),
        (266_67, "40", 5),  # from this instalment on there is no such cap
    ],
)
def test_collection_costs_of_small_instalments_stay_within_140_euro_in_six_months(
    each: int, cost: str, charged: int
) -> None:
    history = instalments(each=each, cost=cost)

    assert history.names().count("cost") == charged
    capped = ("refused", "law.max_amount", "Besluit BIK as amended by Stb. 2024, 44") in refusals(history)
    assert capped == (charged < 5)


def test_after_six_months_the_sum_begins_anew() -> None:
    history = instalments(each=60_00, cost="40", months=9)

    assert history.names().count("cost") > 3


def test_the_law_of_the_day_of_the_act_counts() -> None:
    sample = policy("  limit: {after: 1 day, do: [{supply: limited}]}\n")
    law = book(rule("forbidden_step", "throttle", never="true", valid="{from: 2027-01-01}"))
    history = _broadband(sample, law)
    claims = tuple(history.claims.values())

    before = law.rule(sample, sample.first, claims, history.facts(), at(30))
    after = law.rule(sample, sample.first, claims, history.facts(), at(30).replace(year=2027))

    assert before == ()
    assert [ruling.reason.code for ruling in after] == ["law.forbidden_step"]


def test_a_rule_for_others_says_nothing() -> None:
    sample = policy("  limit: {after: 1 day, do: [{supply: limited}]}\n")
    mine = rule("forbidden_step", "throttle", never="true")
    law = book(mine.replace("law: a law", "for: {debtor: [business]}, law: a law"))
    history = _broadband(sample, law)

    assert law.rule(sample, sample.first, tuple(history.claims.values()), history.facts(), at(30)) == ()


def test_a_decision_keeps_the_hash_of_its_countrys_pack() -> None:
    law, sample = packaged_law(), packaged("broadband-no")
    pack = law.pack("no")

    assert pack is not None
    assert law.hash_for(sample) == pack.hash


def test_a_step_that_was_taken_over_counts_with_its_proof() -> None:
    sample = policy(ASK + "  limit: {after: 3 days, do: [{supply: limited}]}\n")
    law = book(rule("requires_before", "throttle", needs="[reminder]"))
    history = _broadband(sample, law)
    history.steps[1] = StepFacts(1, 1, "ask", at(3), at(3), day(20), (StepClaimFacts(1, 79900, 0),))
    history.now = at(60)

    assert _asked(law, sample, history, "limit") == []
