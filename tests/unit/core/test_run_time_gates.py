"""What a policy forgets to ask, run time asks: flags and seasons that the law names, at the decision and once more when
the effect leaves. Each policy here says nothing of them, passes its proof, and would cut on the next open day.
"""

import dataclasses
from datetime import date, datetime, timedelta
from functools import cache

import pytest

from relight.core.decision import Decision
from relight.core.law import Reason
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_text, read_policy
from relight.core.prove.prove import prove
from relight.core.rules.lawbook import packaged_law
from relight.flow.messages.elements import Texts
from tests.agreement.lives import Life, Plot, spoken_of

WATER = ("water-nl", ", flags: {none: [minor_in_household, very_serious_health_risk]}")
POWER_GB = ("power-gb", ", flags: {none: [genuinely_in_dispute]}")
POWER_DE = ("power-de", "      flags: {none: [danger_life_or_limb, disproportionate, good_prospect_of_payment]}\n")
POWER_DK = ("power-supplier-dk", "")
SPRING, AUTUMN = date(2027, 2, 1), date(2027, 7, 5)
CUTS = frozenset({"cut", "end"})


@cache
def forgetful(name: str, gate: str) -> Policy:
    """A policy that comes with Relight, without its gate."""
    text = packaged_text(name)
    assert gate in text
    read = read_policy(text.replace(gate, ""))
    assert isinstance(read, Policy), str(read)
    return read


def household(of: tuple[str, str], start: date = SPRING, **flags: str) -> Life:
    """Two unpaid bills, everybody at their desks every day, and all flags as in a household that may be cut but for
    those that are given."""
    policy, law = forgetful(*of), packaged_law()
    protecting, demanded = spoken_of(policy, law)
    told = dict.fromkeys(protecting, "no") | dict.fromkeys(demanded, "yes") | flags
    plot = Plot(
        start, (60_000, 60_000), 0, "", ("email", "letter", "sms"), tuple(sorted(told.items())), 100, 0, 0, 1, ()
    )
    return Life.begin(policy, law, plot)


def lives_on(life: Life, days: int) -> None:
    """Days on which people do what waits for them."""
    for _ in range(days):
        life.people_work()
        life.days(1)


def until_cut_is_decided(life: Life) -> Decision:
    """To the turn that takes the cut, before it has left; hour by hour."""
    for _ in range(24 * 400):
        life.people_work()
        while life.wakes_at is not None and life.wakes_at <= life.now:
            decision = life.turn()
            if any(step.step in CUTS for step in decision.steps):
                return decision
        life.release()
        life.now += timedelta(hours=1)
    raise AssertionError(f"nothing was ever cut: {life.codes()}")


def refusals(life: Life) -> set[tuple[str, str]]:
    """(rule, section) of what the law refused or put off."""
    return {_of(why) for event in life.log if event.code in ("refused", "deferred") for why in event.reasons}


def _of(why: Reason) -> tuple[str, str]:
    return str(dict(why.params).get("rule", why.code)), why.law


def left(life: Life) -> list[datetime]:
    """When something was taken away."""
    return [one.now for one in life.sent("supply")]


@pytest.mark.parametrize("of", [WATER, POWER_GB, POWER_DE, POWER_DK], ids=lambda of: of[0])
def test_a_policy_that_forgets_to_ask_passes_its_proof_and_cuts_who_may_be_cut(of: tuple[str, str]) -> None:
    life = household(of)

    lives_on(life, 200)

    assert prove(forgetful(*of), packaged_law(), Texts()).ok
    assert CUTS & set(life.names())


@pytest.mark.parametrize("answer", ["unknown", "yes"])
def test_no_dutch_water_is_cut_while_the_household_is_unknown_or_has_children(answer: str) -> None:
    life = household(WATER, minor_in_household=answer)

    lives_on(life, 200)

    assert left(life) == []
    assert ("nl.water.children", "Gerechtshof Den Haag 2024-03-19, ECLI:NL:GHDHA:2024:363") in refusals(life)


def test_dutch_water_of_a_household_that_nobody_ever_asked_about_stays_on() -> None:
    life = household(WATER)
    del life.case["flags"]["minor_in_household"]

    lives_on(life, 200)

    assert left(life) == []
    assert "nl.water.children" in {rule for rule, _ in refusals(life)}


@pytest.mark.parametrize("answer", ["unknown", "yes"])
def test_dutch_water_whose_cut_is_decided_and_has_not_left_stays_on_when_children_turn_out(answer: str) -> None:
    life = household(WATER)
    until_cut_is_decided(life)

    life.case["flags"] = {**life.case["flags"], "minor_in_household": answer}
    lives_on(life, 3)

    assert left(life) == []
    (why,) = {why for one in life.released if one.leave.exit == "withhold" for why in one.leave.reasons}
    assert _of(why)[0] == "nl.water.children"


@pytest.mark.parametrize("answer", ["unknown", "yes"])
def test_a_british_pensioner_and_whoever_may_be_one_keeps_the_power_until_april(answer: str) -> None:
    life = household(POWER_GB, AUTUMN, pensioner_alone=answer)

    lives_on(life, 330)

    (cut,) = left(life)[:1]
    assert (cut.year, cut.month) == (2028, 4)
    assert ("gb.slc27.winter_absolute", "SLC 27.10") in refusals(life)


def test_a_british_cut_that_is_decided_in_summer_does_not_leave_in_october() -> None:
    life = household(POWER_GB, date(2027, 5, 3), pensioner_alone="unknown")
    until_cut_is_decided(life)
    decided = life.now

    life.now = datetime(2027, 10, 5, 9, 30, tzinfo=decided.tzinfo)
    life.release()

    last = next(one for one in life.released if one.effect.draft.kind == "supply")
    assert decided < datetime(2027, 9, 30, tzinfo=decided.tzinfo)
    assert (last.leave.exit, last.leave.why) == ("later", "law.forbidden_window")
    assert last.leave.until is not None
    assert last.leave.until.astimezone(life.partner.zone).date() >= date(2028, 4, 1)


def test_in_breathing_space_a_british_household_is_neither_asked_nor_cut() -> None:
    life = household(POWER_GB, breathing_space_active="yes")

    lives_on(life, 90)

    assert life.names() == []
    assert life.messages() == []
    assert ("gb.breathing_space", "Debt Respite Scheme Regulations 2020") in refusals(life)


def test_when_breathing_space_ends_the_road_begins_where_it_stopped() -> None:
    life = household(POWER_GB, breathing_space_active="yes")
    lives_on(life, 60)

    life.case["flags"] = {**life.case["flags"], "breathing_space_active": "no"}
    lives_on(life, 2)

    assert life.names() == ["friendly"]


def test_a_reminder_that_is_decided_and_has_not_left_stays_when_breathing_space_begins() -> None:
    life = household(POWER_GB)
    life.until_step("friendly")

    life.case["flags"] = {**life.case["flags"], "breathing_space_active": "yes"}
    lives_on(life, 5)

    assert life.messages() == []
    assert "law.forbidden_if" in {one.leave.why for one in life.released}


def test_a_british_cut_that_is_decided_and_has_not_left_stays_when_breathing_space_begins() -> None:
    life = household(POWER_GB)
    until_cut_is_decided(life)

    life.case["flags"] = {**life.case["flags"], "breathing_space_active": "yes"}
    lives_on(life, 3)

    assert left(life) == []
    assert "cut" not in life.names()


@pytest.mark.parametrize(("of", "rule"), [(POWER_DE, "de.eu.complaint"), (POWER_DK, "dk.eu.complaint")])
def test_an_open_complaint_keeps_the_power_on(of: tuple[str, str], rule: str) -> None:
    life = household(of, complaint_open="yes")

    lives_on(life, 200)

    assert not CUTS & set(life.names())
    assert (rule, "Directive (EU) 2019/944 art. 28a") in refusals(life)


def test_a_complaint_that_is_opened_while_the_cut_waits_for_its_yes_keeps_the_power_on() -> None:
    life = household(POWER_DE)
    while not any(one.state == "requested" for one in life.approvals.values()):
        for at, (code, number, task) in enumerate(life.tasks):
            life.tasks[at] = (code, number, dataclasses.replace(task, state="done", done_at=life.now))
        life.wake()
        life.days(1)

    life.case["flags"] = {**life.case["flags"], "complaint_open": "yes"}
    lives_on(life, 60)

    assert not CUTS & set(life.names())
    assert "de.eu.complaint" in {rule for rule, _ in refusals(life)}


def test_a_complaint_that_is_a_hold_as_well_stops_a_cut_that_is_decided_and_has_not_left() -> None:
    life = household(WATER)
    until_cut_is_decided(life)

    life.pause("complaint", 30)
    lives_on(life, 3)

    assert left(life) == []
    assert "guard.hold" in {one.leave.why for one in life.released}
