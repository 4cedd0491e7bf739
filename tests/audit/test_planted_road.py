"""Planted on the road (I4, I5, I6): restores, attempts and the feed; each is found, and nothing else is."""

from datetime import timedelta

import pytest

from tests.audit.story import Copy, Left


@pytest.fixture
def cut(copy: Copy) -> Left:
    """The command that cut the power."""
    return copy.cut_of(copy.story.dark)


@pytest.fixture
def back(copy: Copy) -> Left:
    """The command that gave the line back."""
    return Left(*copy.row(
        "SELECT e.case_id, e.event_number, e.id, e.service_id, a.started_at, 0, e.created_at, e.key FROM effect e"
        " JOIN attempt a ON a.partner_id = e.partner_id AND a.effect_id = e.id"
        " WHERE e.account_id = %(a)s AND e.kind = 'supply' AND e.level = 'full'", a=copy.story.back.id))  # fmt: skip


# -- I4


def test_who_has_paid_is_not_back_and_nobody_knows(copy: Copy, back: Left) -> None:
    copy.plant("UPDATE supply SET observed = 'off' WHERE service_id = %(s)s", s=back.service)

    assert copy.found() == [("I4", back.case, back.event, "not_back")]


def test_a_task_for_a_person_is_enough(copy: Copy, back: Left) -> None:
    copy.plant("UPDATE supply SET observed = 'off' WHERE service_id = %(s)s", s=back.service)
    copy.plant(
        "INSERT INTO task (partner_id, case_id, code, created_at, due_at, dedup)"
        " VALUES (%(partner)s, %(case)s, 'not_restored', %(at)s, %(at)s, %(dedup)s)",
        case=back.case, at=back.at, dedup=f"not_restored-{back.service}",
    )  # fmt: skip

    assert copy.found() == []


def test_a_meter_that_waits_for_its_button_is_back(copy: Copy, back: Left) -> None:
    copy.plant("UPDATE supply SET observed = 'ready' WHERE service_id = %(s)s", s=back.service)

    assert copy.found() == []


def test_a_service_is_to_stay_dark_and_nothing_says_why(copy: Copy, cut: Left) -> None:
    copy.plant("UPDATE block SET ends_at = starts_at + interval '1 second' WHERE service_id = %(s)s", s=cut.service)

    assert ("I4", cut.case, cut.event, "unfounded") in copy.found()


def test_a_restore_was_decided_and_never_commanded(copy: Copy, back: Left) -> None:
    copy.plant("DELETE FROM attempt WHERE effect_id = %(e)s", e=back.effect)
    copy.plant("DELETE FROM effect WHERE id = %(e)s", e=back.effect)

    assert copy.found() == [("I4", back.case, back.event, "unanswered")]


def test_a_restore_left_late(copy: Copy, back: Left) -> None:
    late = back.at + timedelta(seconds=90)
    copy.plant(
        "UPDATE attempt SET started_at = %(at)s, finished_at = %(at)s WHERE effect_id = %(e)s", e=back.effect, at=late
    )
    copy.plant("UPDATE effect SET finished_at = %(at)s WHERE id = %(e)s", e=back.effect, at=late)

    report = copy.report()

    assert [(one.case, one.event, one.code) for one in report.violations] == [(back.case, back.event, "late")]
    assert "left 90.00 seconds after it could have" in report.violations[0].why


def test_a_restore_waits_in_the_outbox(copy: Copy, back: Left) -> None:
    copy.plant("DELETE FROM attempt WHERE effect_id = %(e)s", e=back.effect)
    copy.plant("UPDATE effect SET state = 'pending', attempts = 0, finished_at = NULL WHERE id = %(e)s", e=back.effect)

    assert copy.found() == [("I4", back.case, back.event, "never_left")]


def test_nothing_is_owed_and_the_block_stands(copy: Copy, back: Left) -> None:
    copy.plant("UPDATE block SET ends_at = NULL WHERE case_id = %(case)s AND level = 'off'", case=back.case)
    event = copy.value("SELECT step_number FROM block WHERE case_id = %(case)s AND ends_at IS NULL", case=back.case)

    assert copy.found() == [("I4", back.case, event, "still_blocked")]


# -- I5


def test_an_effect_comes_from_no_event(copy: Copy, cut: Left) -> None:
    copy.plant(
        "INSERT INTO effect (partner_id, case_id, account_id, event_number, key, kind, channel, template, state,"
        " due_at, created_at, finished_at) VALUES (%(partner)s, %(case)s, %(a)s, 999, %(key)s, 'message', 'sms',"
        " 'reminder', 'withheld', %(at)s, %(at)s, %(at)s)",
        case=cut.case, a=copy.story.dark.id, key=f"{copy.story.partner}-{cut.case}-999-0", at=cut.at,
    )  # fmt: skip

    assert copy.found() == [("I5", cut.case, 999, "undecided")]


def test_a_person_wrote_an_effect(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE case_event SET actor = 'bente' WHERE case_id = %(case)s AND number = %(event)s",
        case=cut.case, event=cut.event,
    )  # fmt: skip

    found = copy.found()

    assert found == [("I5", cut.case, cut.event, "undecided")]


def test_a_key_belongs_to_another_event(copy: Copy, cut: Left) -> None:
    copy.plant("UPDATE effect SET key = 'somebody-elses' WHERE id = %(e)s", e=cut.effect)

    assert copy.found() == [("I5", cut.case, cut.event, "foreign_key")]


def test_an_attempt_is_missing(copy: Copy, cut: Left) -> None:
    copy.plant("UPDATE attempt SET number = 2 WHERE effect_id = %(e)s", e=cut.effect)
    copy.plant("UPDATE effect SET attempts = 2 WHERE id = %(e)s", e=cut.effect)

    assert copy.found() == [("I5", cut.case, cut.event, "misnumbered")]


def test_it_was_done_and_left_again(copy: Copy, cut: Left) -> None:
    copy.plant(
        "INSERT INTO attempt (partner_id, effect_id, number, driver, started_at, send_before, finished_at, result)"
        " SELECT partner_id, effect_id, 2, driver, started_at, send_before, finished_at, result FROM attempt"
        " WHERE effect_id = %(e)s",
        e=cut.effect,
    )
    copy.plant("UPDATE effect SET attempts = 2 WHERE id = %(e)s", e=cut.effect)

    assert copy.found() == [("I5", cut.case, cut.event, "after_the_end")]


def test_it_is_done_though_the_device_refused(copy: Copy, back: Left) -> None:
    copy.plant("UPDATE attempt SET result = 'refused' WHERE effect_id = %(e)s", e=back.effect)

    assert copy.found() == [("I5", back.case, back.event, "disagrees")]


def test_two_commands_were_on_their_way_to_one_service(copy: Copy, back: Left) -> None:
    cut = copy.cut_of(copy.story.back)
    long = back.at + timedelta(seconds=10)
    copy.plant("UPDATE attempt SET finished_at = %(at)s WHERE effect_id = %(e)s", e=cut.effect, at=long)
    copy.plant("UPDATE effect SET finished_at = %(at)s WHERE id = %(e)s", e=cut.effect, at=long)

    assert copy.found() == [("I5", back.case, back.event, "two_commands")]


def test_an_older_command_left_after_a_newer_decision(copy: Copy) -> None:
    cut = copy.cut_of(copy.story.back)
    copy.plant(
        "INSERT INTO effect (partner_id, case_id, account_id, event_number, key, kind, service_id, level, generation,"
        " state, due_at, created_at, finished_at) VALUES (%(partner)s, %(case)s, %(a)s, %(event)s, %(key)s, 'supply',"
        " %(service)s, 'full', 99, 'cancelled', %(at)s, %(at)s, %(at)s)",
        case=cut.case, a=copy.story.back.id, event=cut.event, key=f"{copy.story.partner}-{cut.case}-{cut.event}-9",
        service=cut.service, at=cut.before(minutes=1),
    )  # fmt: skip

    report = copy.report()

    assert {(one.invariant, one.case, one.code) for one in report.violations} == {("I5", cut.case, "superseded")}
    assert ("off", cut.event) in [(one.why.split(" to ")[1].split()[0], one.event) for one in report.violations]


def test_a_cut_was_given_up_in_silence(copy: Copy, cut: Left) -> None:
    copy.plant("UPDATE attempt SET result = 'unknown' WHERE effect_id = %(e)s", e=cut.effect)
    copy.plant("UPDATE effect SET state = 'given_up', why = 'no_answer' WHERE id = %(e)s", e=cut.effect)

    assert copy.found() == [("I5", cut.case, cut.event, "silent")]


def test_a_message_left_without_a_record(copy: Copy, cut: Left) -> None:
    effect, event = copy.row(
        "SELECT e.id, e.event_number FROM effect e WHERE e.case_id = %(case)s AND e.template = 'disconnected'",
        case=cut.case,
    )
    copy.plant(
        "DELETE FROM message_body WHERE message_id = (SELECT id FROM sent_message WHERE effect_id = %(e)s)", e=effect
    )
    copy.plant("DELETE FROM sent_message WHERE effect_id = %(e)s", e=effect)

    assert copy.found() == [("I5", cut.case, event, "unwritten")]


def test_two_effects_have_one_key(copy: Copy, cut: Left) -> None:
    copy.plant("ALTER TABLE effect DROP CONSTRAINT effect_key", rows=None)
    other = copy.value(
        "SELECT max(id) FROM effect WHERE case_id = %(case)s AND id <> %(e)s", case=cut.case, e=cut.effect
    )
    copy.plant("UPDATE effect SET key = %(key)s WHERE id = %(e)s", key=cut.key, e=other)

    found = copy.found()

    assert {(one[0], one[3]) for one in found} == {("I5", "key_twice"), ("I5", "foreign_key")}


def test_a_step_is_kept_that_no_event_took(copy: Copy, cut: Left) -> None:
    copy.plant(
        "INSERT INTO step_taken (partner_id, case_id, number, step, decided_at, completed_at)"
        " VALUES (%(partner)s, %(case)s, 99, 'friendly', %(at)s, %(at)s)",
        case=cut.case, at=cut.at,
    )  # fmt: skip

    assert copy.found() == [("I5", cut.case, 99, "unlogged_step")]


# -- I6


def test_an_entry_of_the_feed_is_gone(copy: Copy, cut: Left) -> None:
    copy.plant("DELETE FROM feed WHERE case_id = %(case)s AND event_number = %(event)s", case=cut.case, event=cut.event)

    assert copy.found() == [("I6", None, None, "gap"), ("I6", cut.case, cut.event, "missing")]


def test_an_event_never_entered_the_feed(copy: Copy, cut: Left) -> None:
    copy.plant(
        "INSERT INTO case_event (partner_id, case_id, number, code, actor, at)"
        " SELECT partner_id, id, version + 1, 'note', 'bente', %(at)s FROM dunning_case WHERE id = %(case)s",
        case=cut.case, at=cut.at,
    )  # fmt: skip
    copy.plant("UPDATE dunning_case SET version = version + 1 WHERE id = %(case)s", case=cut.case)
    version = copy.value("SELECT version FROM dunning_case WHERE id = %(case)s", case=cut.case)

    assert copy.found() == [("I6", cut.case, version, "missing")]


def test_an_event_is_in_the_feed_twice(copy: Copy, cut: Left) -> None:
    copy.plant(
        "INSERT INTO feed_pending (partner_id, topic, case_id, event_number, at) SELECT partner_id, topic, case_id,"
        " event_number, at FROM feed WHERE case_id = %(case)s AND event_number = %(event)s",
        case=cut.case, event=cut.event,
    )  # fmt: skip

    assert copy.found() == [("I6", cut.case, cut.event, "twice")]


def test_a_later_event_comes_first(copy: Copy, cut: Left) -> None:
    copy.plant(
        "UPDATE feed f SET event_number = 1 + 2 - event_number, topic = 'case.' || (SELECT code FROM case_event v"
        " WHERE v.case_id = f.case_id AND v.number = 3 - f.event_number)"
        " WHERE case_id = %(case)s AND event_number IN (1, 2)",
        case=cut.case, rows=2,
    )  # fmt: skip

    assert copy.found() == [("I6", cut.case, 1, "disorder")]


def test_a_reader_is_ahead_of_the_feed(copy: Copy) -> None:
    copy.plant("UPDATE feed_reader SET position = position + 1 WHERE name = 'accounting'")

    assert copy.found() == [("I6", None, None, "ahead")]


def test_the_feeds_head_is_wrong(copy: Copy) -> None:
    copy.plant("UPDATE feed_head SET position = position + 5 WHERE partner_id = %(partner)s")

    assert copy.found() == [("I6", None, None, "head")]


def test_the_feed_was_never_told_of_a_payment(copy: Copy) -> None:
    copy.plant("UPDATE payment SET state = 'booked' WHERE account_id = %(a)s", a=copy.story.back.id)

    assert copy.found() == [("I6", copy.case_of(copy.story.back), None, "payment_untold")]


def test_an_event_is_gone_from_the_log(copy: Copy, cut: Left) -> None:
    copy.plant("DELETE FROM case_event WHERE case_id = %(case)s AND number = 1", case=cut.case)
    version = copy.value("SELECT version FROM dunning_case WHERE id = %(case)s", case=cut.case)

    assert copy.found() == [("I6", cut.case, 1, "of_nothing"), ("I6", cut.case, version, "log_gap")]
