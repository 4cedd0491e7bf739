"""Whether a running case may come under another version of its policy: nothing that was done may be lost."""

from dataclasses import replace
from datetime import date

import pytest

from relight.core.actions import FeeAction, MessageAction
from relight.core.calendars import calendar_for
from relight.core.moving import Hindrance, Taken, Underway, hindrance, in_order, promised, versions_differ
from relight.core.policy import Policy
from relight.core.policy_reader import packaged_text, read_policy

TEXT = packaged_text("broadband-no")


def changed(*changes: tuple[str, str]) -> Policy:
    text = TEXT
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    found = read_policy(text)
    assert isinstance(found, Policy), found
    return found


OLD = changed()
SLOWER = changed(("after: 1 month", "after: 2 months"))
WITHOUT_FRIENDLY = changed(
    ("  friendly:\n    after: 1 day\n    do: [{message: friendly_reminder, channel: best, tone: warm}]\n\n", ""),
)
FRIENDLY = Taken("friendly", completed=True)
REMINDER = Taken("reminder", completed=True)


@pytest.mark.parametrize("case", [Underway([]), Underway([FRIENDLY]), Underway([FRIENDLY, REMINDER], ["cut"])])
def test_where_what_was_done_means_the_same_a_case_may_move(case: Underway) -> None:
    assert hindrance(OLD, SLOWER, case) is None
    assert hindrance(SLOWER, OLD, case) is None


def test_a_step_that_the_other_version_does_not_have_would_be_lost() -> None:
    found = hindrance(OLD, WITHOUT_FRIENDLY, Underway([FRIENDLY, REMINDER]))

    assert found == Hindrance("step_gone", "friendly")
    assert hindrance(OLD, WITHOUT_FRIENDLY, Underway([REMINDER])) is None


def test_a_notice_that_was_never_sent_is_not_proved_by_a_steps_name() -> None:
    older = changed(("      - {message: disconnect_notice, channel: {all: [sms, email]}}\n", ""))

    assert hindrance(older, OLD, Underway([REMINDER])) == Hindrance("step_differs", "reminder")


def test_a_fee_that_was_charged_keeps_its_amount() -> None:
    cheap = changed(
        ("friendly_reminder, channel: best, tone: warm}", "friendly_reminder}, {fee: reminder, amount: 35}")
    )
    dear = changed(("friendly_reminder, channel: best, tone: warm}", "friendly_reminder}, {fee: reminder, amount: 70}"))

    assert hindrance(cheap, dear, Underway([FRIENDLY])) == Hindrance("step_differs", "friendly")


def test_tone_and_channels_of_what_has_arrived_do_not_matter_any_more() -> None:
    firmer = changed(
        ("channel: best, tone: warm}]\n\n  reminder", "channel: [sms, letter], tone: firm}]\n\n  reminder")
    )

    assert hindrance(OLD, firmer, Underway([FRIENDLY])) is None
    assert hindrance(OLD, firmer, Underway([Taken("friendly", completed=False)])) == Hindrance(
        "step_under_way", "friendly"
    )


def announcing(cents: int) -> Policy:
    """The first letter is the fourteen days' letter, and the second step charges what it named."""
    friendly, reminder, *others = OLD.steps
    letter = replace(friendly, do=(MessageAction("fourteen_day_letter", ("letter",)),))
    charge = replace(reminder, do=(*reminder.do, FeeAction("collection_cost", cents)))
    return replace(OLD, steps=(letter, charge, *others))


def test_a_cost_that_a_letter_announced_must_still_be_that_cost() -> None:
    found = hindrance(announcing(4000), announcing(4840), Underway([FRIENDLY]))

    assert found == Hindrance("step_differs", "friendly")
    assert hindrance(announcing(4000), announcing(4000), Underway([FRIENDLY])) is None


def test_a_step_under_way_whose_letter_gives_another_time_stays() -> None:
    assert hindrance(OLD, SLOWER, Underway([Taken("reminder", completed=False)])) == Hindrance(
        "step_under_way", "reminder"
    )


def test_a_letter_that_left_later_gives_its_whole_time() -> None:
    calendar = calendar_for("NO")

    assert promised(OLD, calendar, "reminder", date(2026, 3, 9), date(2026, 4, 8)) == date(2026, 4, 9)
    assert promised(OLD, calendar, "reminder", date(2026, 3, 8), date(2026, 4, 8)) == date(2026, 4, 8)


def test_a_yes_is_to_what_was_asked() -> None:
    two = changed(("approval: person", "approval: two_people"))

    assert hindrance(OLD, two, Underway([REMINDER], ["cut"])) == Hindrance("asked_about", "cut")
    assert hindrance(OLD, two, Underway([REMINDER])) is None


def test_what_is_on_its_way_arrives_first() -> None:
    assert hindrance(OLD, SLOWER, Underway([FRIENDLY], leaving=True)) == Hindrance("leaving")


def test_giving_back_is_the_engines_own_step_in_every_version() -> None:
    assert hindrance(OLD, SLOWER, Underway([REMINDER, Taken("restore", completed=False)])) is None


def test_versions_for_other_customers_are_another_policy() -> None:
    both = changed(("service: [broadband]", "service: [broadband, telephony]"))

    assert versions_differ(OLD, both) == "services"
    assert versions_differ(OLD, SLOWER) == ""


def test_the_most_lasting_reasons_are_told_first() -> None:
    told = [Hindrance("leaving"), Hindrance("step_gone", "limit"), Hindrance("step_gone", "cut"), Hindrance("cap")]

    assert [one.code + one.step for one in in_order(told)] == ["step_gonecut", "step_gonelimit", "leaving", "cap"]
