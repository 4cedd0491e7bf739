"""Notices as `decide` follows them: channels that fail, terms that count from arrival, what is built on a notice."""

from datetime import timedelta

import pytest

from relight.core.levels import Level
from relight.core.rules.lawbook import packaged_law
from tests.unit.core.cases import NET, OSLO, SHORT_ROAD, at, day, policy, service
from tests.unit.core.history import Effect, History

ALL = """
  notice:
    after: 1 day
    do: [{message: disconnect_notice, channel: {all: [sms, letter]}, term: 2 weeks}]
  cut:
    after: 2 weeks
    do: [{supply: off}, {message: disconnected, channel: best}]
"""
ON_DAYS = """
  notice:
    after: 1 month
    do: [{message: disconnect_notice, channel: [letter]}]
  cut:
    after: 3 working days
    do: [{supply: off}]
"""
OFFER = """
  offer:
    after: 1 day
    do: [{plan_offer: standard, months: [12, 18]}, {message: plan_offer, channel: [letter]}]
  cut:
    after: 2 weeks
    do: [{supply: off}]
"""
WARNING = """
  warning:
    after: 1 day
    do: [{message: collection_warning, channel: [email], term: 14 days}]
  agency:
    after: 1 day
    do: [{handover: agency}]
  cut:
    after: 9 months
    do: [{supply: off}]
"""
BRANCHES = """
  notice:
    after: 1 day
    do: [{message: disconnect_notice, channel: [sms]}]
    next:
      - {when: {arrears: {min: 1000}}, step: cut}
      - {step: reminder}
  reminder:
    after: 1 week
    do: [{message: reminder, channel: [sms]}]
    next: []
  cut:
    after: 2 weeks
    do: [{supply: off}]
"""


def a_life(steps: str = SHORT_ROAD, *, reach: tuple[str, ...] = ("sms", "email"), **more: object) -> History:
    life = History(policy(steps), **more)  # type: ignore[arg-type]
    life.services = {NET: service(NET)}
    life.case["reach"] = frozenset(reach)
    life.bill()
    return life


def refuses(*channels: str) -> object:
    """The outside, where these channels deliver nothing."""

    def answer(effect: Effect) -> str:
        return "refused" if effect.facts.channel in channels else "done"

    return answer


def test_channels_that_fail_are_tried_one_by_one_until_one_reaches_the_customer() -> None:
    life = a_life(reach=("sms", "email", "letter"), answers=refuses("sms", "email"))

    life.days(6)

    assert life.messages() == [("disconnect_notice", channel) for channel in ("sms", "email", "letter")]
    assert life.names() == ["notice"]
    assert life.codes().count("channel_failed") == 2


def test_a_customer_whom_nothing_reaches_is_a_persons_task_and_is_never_cut() -> None:
    life = a_life(answers=refuses("sms", "email", "letter"))

    life.days(90)

    assert [code for code, _, _ in life.tasks] == ["cannot_reach"]
    assert life.names() == ["notice"]
    assert life.commands() == []


def test_the_term_counts_from_the_day_a_late_letter_arrives() -> None:
    prompt, late = a_life(reach=("letter",)), a_life(reach=("letter",), answers=lambda effect: "hangs")

    prompt.until_step("cut")
    late.days(12)
    (letter,) = late.effects
    late.answer(letter, "done")
    late.until_step("cut")

    first, second = prompt.turns[-1][1], late.turns[-1][1]
    assert (second - first).days >= 8


def test_a_letter_that_leaves_after_the_weekend_gives_its_whole_term_from_then() -> None:
    life = a_life(WARNING, law=packaged_law())
    life.bill(1, due=3)  # the warning is decided on the first minute of a Saturday

    life.until_step("agency")

    (warning,) = [one for one in life.sent() if one.effect.draft.template == "collection_warning"]
    left = warning.now.astimezone(OSLO).date()
    decided = life.steps[warning.effect.step_number or 0].decided_at.astimezone(OSLO).date()
    assert (decided.weekday(), left.weekday()) == (5, 0)
    assert life.now.astimezone(OSLO).date() == left + timedelta(days=15)


@pytest.mark.parametrize("missing", ["sms", "letter"])
def test_a_notice_on_all_channels_is_complete_when_the_last_has_come(missing: str) -> None:
    life = a_life(ALL, reach=("sms", "letter"), answers=lambda e: "hangs" if e.facts.channel == missing else "done")

    life.days(40)
    cut_before = life.commands()
    life.answer(next(id_ for id_, one in life.effects.items() if one.facts.channel == missing), "done")
    life.until_step("cut")

    assert cut_before == []
    assert (life.now.date() - day(40)).days >= 14


def test_of_all_channels_one_that_reaches_is_enough_when_the_other_has_failed_for_good() -> None:
    life = a_life(ALL, reach=("sms", "letter"), answers=refuses("sms"))

    life.until_step("cut")

    assert life.messages()[:2] == [("disconnect_notice", "sms"), ("disconnect_notice", "letter")]


def test_a_notice_that_turns_out_never_to_have_arrived_is_given_anew() -> None:
    life = a_life()
    life.until_step("notice")
    life.days(8)

    life.bounces(1)
    life.days(2)

    assert "step_withdrawn" in life.codes()
    assert life.messages() == [("disconnect_notice", "sms"), ("disconnect_notice", "email")]
    assert life.names() == ["notice"]


def test_a_notice_is_given_anew_when_the_second_channel_bounces_after_the_first_was_given_up() -> None:
    life = a_life(answers=refuses("sms"))  # type: ignore[arg-type]
    life.until_step("notice")
    life.days(2)
    (email,) = [one for one in life.sent() if one.effect.draft.channel == "email"]

    life.bounces(email.effect.facts.id)
    life.days(1)

    assert "withdrawn.undeliverable" in {why.code for event in life.log for why in event.reasons}


CALLED = """
  notice:
    after: 1 day
    do: [{message: disconnect_notice, channel: [sms, email], term: 2 weeks}]
  call:
    after: 1 week
    do: [{message: contact_attempt, channel: [letter]}]
  cut:
    after: 2 weeks
    do: [{supply: off}]
"""


@pytest.mark.parametrize(("template", "asked"), [("disconnect_notice", 1), ("friendly_reminder", 0)])
def test_a_notice_on_which_more_was_built_before_it_came_back_is_a_persons_once(template: str, asked: int) -> None:
    life = a_life(CALLED.replace("disconnect_notice", template), reach=("sms", "letter"))
    life.until_step("call")
    life.days(5)

    life.bounces(1)
    life.wake()
    life.days(5)

    assert "step_withdrawn" not in life.codes()
    assert [code for code, _, _ in life.tasks] == ["cannot_reach"] * asked


def test_a_notice_that_was_given_again_later_and_arrived_is_nobodys_work() -> None:
    life = a_life(CALLED.replace("contact_attempt", "disconnect_notice"), reach=("sms", "letter"))
    life.until_step("call")
    life.days(5)

    life.bounces(1)
    life.days(5)

    assert life.tasks == []


def test_nothing_is_built_in_the_same_turn_on_a_notice_that_is_just_withdrawn() -> None:
    """A person takes the cut back; at that moment the notice beneath it is known never to have arrived."""
    life = a_life()
    life.until_step("cut")
    life.bounces(1)
    (cut,) = [number for number, step in life.steps.items() if step.step == "cut"]

    life.voided[cut] = life.steps.pop(cut)
    life.wake()
    life.days(1)

    withdrawing = next(decision for _, _, decision in life.turns if decision.voided_steps)
    assert withdrawing.steps == () or all(step.step == "restore" for step in withdrawing.steps)
    assert life.commands() == [(NET, Level.OFF), (NET, Level.FULL)]
    assert "cut" not in life.names()


def test_a_cut_that_has_not_left_falls_with_its_notice() -> None:
    life = a_life(answers=lambda effect: "again" if effect.facts.kind == "supply" else "done")
    life.until_step("cut")

    life.bounces(1)
    life.answers = lambda effect: "done"
    life.days(1)

    assert "cut" not in life.names()
    assert life.facts().services[0].desired is Level.FULL
    assert life.facts().services[0].observed is Level.FULL


@pytest.mark.parametrize("due_day", [28, 29, 30], ids=["30_March", "31_March", "1_April"])
def test_a_month_ends_on_the_same_day_or_on_the_last_there_is(due_day: int) -> None:
    life = a_life(ON_DAYS, reach=("letter",))
    life.bill(due=due_day)

    life.until_step("notice")

    assert life.now == at({28: 60, 29: 60, 30: 61}[due_day], 0)


def test_holy_days_are_no_working_days_between_the_term_and_the_cut() -> None:
    """Maundy Thursday, Good Friday and Easter Monday of 2026 lie between the notice's arrival and the cut."""
    life = a_life(ON_DAYS.replace("1 month", "4 weeks"), reach=("letter",))
    life.bill(due=0)

    life.until_step("notice")
    told = life.now
    life.until_step("cut")

    assert told == at(29, 0)  # Tuesday, 31 March
    # Wednesday; Tuesday and Wednesday after Easter are the wait; Thursday, Friday and Monday are the banks'.
    assert life.now == at(43, 0)


def test_the_day_begins_at_local_midnight_on_both_sides_of_the_clocks_change() -> None:
    winter, summer = a_life(), a_life()
    winter.bill(due=20)
    summer.bill(due=27)

    winter.until_step("notice")
    summer.until_step("notice")

    assert winter.now == at(22, 0)
    assert summer.now == at(29, 0)
    assert (winter.now.hour, summer.now.hour) == (23, 22)


@pytest.mark.parametrize(("owed", "road"), [(79900, ["notice", "reminder"]), (149900, ["notice", "cut"])])
def test_the_road_branches_by_what_is_owed(owed: int, road: list[str]) -> None:
    life = a_life(BRANCHES)
    life.bill(principal=owed)

    life.days(60)

    assert [name for name in life.names() if name != "restore"] == road


def test_a_profile_skips_its_steps_and_another_is_given_time() -> None:
    plain, vip, careful = a_life(), a_life(), a_life()
    vip.case["profile"], careful.case["profile"] = "vip", "careful"

    plain.until_step("notice")
    careful.until_step("notice")
    vip.days(90)

    assert vip.names() == ["notice"]
    assert (careful.now.date() - plain.now.date()).days == 7


def test_an_offer_carries_how_long_its_plan_may_run() -> None:
    life = a_life(OFFER, reach=("letter",))

    life.until_step("offer")

    (letter,) = [one.draft for one in life.effects.values() if one.draft.template == "plan_offer"]
    assert letter.params["months"] == (12, 18)
