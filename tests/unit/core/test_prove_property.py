"""The property that makes a proof worth having: what passes on every path is never denied at run time for what must
come before, for the time that a letter gives, or for the time that must have passed. Only flags, sums and windows may
still stop it (law README).

Policies are put together at random, lawful and not; those that pass go through histories with any day as the due date.
"""

import dataclasses
from datetime import timedelta
from random import Random

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from relight.core.policy import Policy
from relight.core.policy_reader import read_policy
from relight.core.prove.prove import prove
from relight.core.rules.lawbook import packaged_law
from relight.flow.messages.elements import Texts
from tests.unit.core.cases import service
from tests.unit.core.history import History

NEVER = {"law.requires_before", "law.min_deadline", "law.min_elapsed"}
LAW = packaged_law()
HEAD = {
    "broadband": "for: {country: NO, service: [broadband], debtor: consumer, actor: network}",
    "electricity_grid": "for: {country: NO, service: [electricity_grid], debtor: consumer, actor: grid_company}",
}
GATE = "when: {arrears: {min: 500}, claims: {min: 2}}, approval: person, "
SPANS = ("1 day", "10 days", "2 weeks", "4 weeks", "1 month", "31 days", "5 working days", "3 weeks")
ASKS = (
    "{message: reminder}",
    "{message: disconnect_notice, channel: {all: [email, letter]}}",
    "{contact_attempt: phone}",
    "{message: collection_warning, channel: [letter], term: 14 days}",
    "{message: friendly_reminder}",
)
LAST = ("{supply: off}", "{supply: limited}", "{handover: agency}")


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A policy of two to five steps that ends in a burden."""
    kind = draw(st.sampled_from(sorted(HEAD)))
    asks = draw(st.lists(st.lists(st.sampled_from(ASKS), min_size=1, max_size=3, unique=True), min_size=1, max_size=4))
    lines = [
        f"  ask{at}: {{after: {draw(st.sampled_from(SPANS))}, do: [{', '.join(actions)}]}}"
        for at, actions in enumerate(asks)
    ]
    gate = GATE if kind == "electricity_grid" else ""
    last = draw(st.sampled_from(LAST))
    lines.append(f"  last: {{after: {draw(st.sampled_from(SPANS))}, {gate}do: [{last}]}}")
    skipped = draw(st.sampled_from(("", "ask0")))
    profiles = f"profiles: {{spared: {{skip: [{skipped}]}}}}\n" if skipped else ""
    return f"policy: sample\n{HEAD[kind]}\nopens: {{overdue: 1 day}}\n{profiles}steps:\n" + "\n".join(lines) + "\n"


def _policy(text: str) -> Policy:
    read = read_policy(text)
    assert isinstance(read, Policy), str(read)
    return read


def _lives(sample: Policy, profile: str, seed: int) -> History:
    """A customer who never pays, from any day of the year; people do their work, sooner or later."""
    dice = Random(seed)
    history = History(sample, law=LAW, case={
        "profile": profile, "reach": frozenset({"sms", "email", "letter"}),
        "flags": dict.fromkeys(("danger_life", "danger_health", "danger_significant_property", "severe_cold",
                                "objection_not_obviously_groundless", "social_service_written_guarantee"), "no"),
    })  # fmt: skip
    (kind,) = sample.services
    history.services[1] = dataclasses.replace(service(1), kind=kind)
    due = dice.randrange(365)
    history.bill(1, 120000, due=due)
    history.bill(2, 120000, due=due)
    for _ in range(due + 150):
        history.days(1)
        for at, (code, number, task) in enumerate(history.tasks):
            if task.state == "open" and dice.random() < 0.5:
                history.tasks[at] = (code, number, dataclasses.replace(task, state="done", done_at=history.now))
                history.wake()
        if dice.random() < 0.5:
            history.approve()
        if dice.random() < 0.01:
            history.holds_from_now("manual", days=dice.randrange(1, 20))
    return history


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(texts(), st.integers(0, 2**32), st.sampled_from(("", "spared")))
def test_what_is_proved_is_never_denied_for_what_the_file_could_know(text: str, seed: int, profile: str) -> None:
    sample = _policy(text)
    assume(prove(sample, LAW, Texts()).ok)

    history = _lives(sample, profile, seed)

    reasons = {why.code for event in history.log for why in event.reasons}
    assert not reasons & NEVER, (reasons, history.codes())
    assert history.names()


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(texts(), st.integers(0, 2**32))
def test_what_is_not_proved_never_cuts_against_the_rule_that_it_breaks(text: str, seed: int) -> None:
    sample = _policy(text)
    proof = prove(sample, LAW, Texts())
    assume(not proof.ok)

    history = _lives(sample, "", seed)

    broken = {(one.rule, one.step) for one in proof.findings if not one.rule.startswith("relight.")}
    unlawful = [
        taken for taken in history.steps.values()
        if any(step == taken.step for _, step in broken) and _breaks(sample, history, taken.number)
    ]  # fmt: skip
    assert unlawful == []


def _breaks(sample: Policy, history: History, number: int) -> bool:
    """Whether the law, asked of the step as it was taken, would have said no."""
    for facts, now, decision in history.turns:
        for step in decision.steps:
            if decision.version + 1 + step.event == number and step.step in {s.name for s in sample.steps}:
                covered = {claim_id for claim_id, _, _ in step.claims}
                claims = tuple(claim for claim in facts.claims if claim.id in covered)
                rulings = LAW.rule(sample, sample.step(step.step), claims, facts, now)
                return any(ruling.reason.code in NEVER for ruling in rulings)
    return False


def test_time_is_the_only_thing_between_the_earliest_day_and_the_step() -> None:
    text = f"policy: sample\n{HEAD['broadband']}\nopens: {{overdue: 1 day}}\nsteps:\n"
    notice = "{message: disconnect_notice, channel: {all: [sms, email]}}"
    text += f"  ask: {{after: 1 day, do: [{{message: reminder}}, {notice}]}}\n"
    text += "  limit: {after: 1 month, do: [{supply: limited}]}\n"
    history = _lives(_policy(text), "", 1)

    taken = [step for step in history.steps.values() if step.step == "limit"]

    assert len(taken) == 1
    assert taken[0].decided_at - next(history.sent()).now > timedelta(days=28)
