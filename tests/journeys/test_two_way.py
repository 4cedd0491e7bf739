"""Messages go both ways: answers, delivery reports and bounces become facts, and the road goes on by them."""

from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tests.journeys.processes import Workers, holding, wait_for
from tests.journeys.street import Home, Street

pytestmark = pytest.mark.counterpart

OSLO = ZoneInfo("Europe/Oslo")


def test_stop_ends_text_messages_and_the_next_notice_goes_by_mail(street: Street) -> None:
    home = street.move_in(broadband=True)
    _reminded(street, home)

    _answers(street, home, "STOPP")
    street.until_step(home.account, "reminder")
    street.days(3)

    assert street.rows("SELECT ended_because FROM contact_point WHERE channel = 'sms'") == [("opted_out",)]
    assert len(street.sms(home)) == 1
    assert set(street.messages(home.account)[1:]) == {("reminder", "email"), ("disconnect_notice", "email")}
    assert len(street.mails(home, 2)) == 2


def test_who_writes_that_it_is_paid_is_left_in_peace_until_the_money_must_have_come(street: Street) -> None:
    home = street.move_in(broadband=True)
    _reminded(street, home)

    street.days(3)
    _answers(street, home, "Betalt i går!")
    ends = street.value("SELECT ends_at FROM hold WHERE reason = 'says_paid'")
    street.until(ends - timedelta(minutes=1))
    meanwhile = street.steps(home.account), len(street.sms(home))
    street.days(4)

    assert meanwhile == (["friendly"], 1)
    assert street.steps(home.account) == ["friendly", "reminder"]
    assert street.value("SELECT decided_at FROM step_taken WHERE step = 'reminder'") >= ends


def test_who_answers_with_a_day_has_promised_it_and_is_left_in_peace_until_then(street: Street) -> None:
    home = street.move_in(broadband=True)
    _reminded(street, home)
    day = street.moment.astimezone(OSLO).date() + timedelta(days=6)

    _answers(street, home, f"Betaler {day:%d.%m}")
    holds = street.rows("SELECT reason, source, placed_by FROM hold")
    ends = street.value("SELECT ends_at FROM hold")
    street.until(ends - timedelta(minutes=1))
    meanwhile = street.steps(home.account), len(street.sms(home))

    assert holds == [("promise", "sms", "customer")]
    assert ends.astimezone(OSLO).date() == day + timedelta(days=1)
    assert meanwhile == (["friendly"], 1)
    assert "promise_made" in street.log(home.account)
    assert street.tasks(home.account) == []


def test_a_day_further_ahead_than_may_be_promised_is_for_a_person(street: Street) -> None:
    home = street.move_in(broadband=True)
    _reminded(street, home)
    day = street.moment.astimezone(OSLO).date() + timedelta(days=60)

    _answers(street, home, f"{day:%d.%m.%Y}")

    assert street.rows("SELECT reason FROM hold") == []
    assert street.tasks(home.account) == ["read_message"]


def test_a_sentence_is_read_by_a_person_once_however_often_it_comes(
    street: Street, database_urls: dict[str, str]
) -> None:
    home = street.move_in(broadband=True)
    _reminded(street, home)
    smsc, delivered = street.smsc, street.smsc.delivering()

    with holding(database_urls["owner"], "LOCK TABLE received_message IN SHARE MODE") as is_waited_for:
        smsc.mo(home.phone, "Nordlys", "Hvorfor er regningen så høy denne gangen, og hva er linje tre?")
        street.listen_until(is_waited_for, "the message is being written, and the link breaks")
    smsc.drop_connections()
    wait_for(lambda: street.rows("SELECT 1 FROM received_message"), "the message is on record")
    answered = len(smsc.acknowledged())
    street.moment += timedelta(seconds=9)
    street.listen_until(lambda: len(smsc.acknowledged()) > answered, "it came again, and is answered")
    street.run()

    assert smsc.delivering() >= delivered + 2
    assert street.tasks(home.account) == ["read_message"]
    assert street.rows("SELECT meaning FROM received_message") == [("unknown",)]


def test_a_worker_of_the_urgent_lane_hears_too_since_answers_come_by_any_link(street: Street, workers: Workers) -> None:
    home = street.move_in(broadband=True)
    street.owes(home)

    slug, before = street.value("SELECT slug FROM partner WHERE id = %(id)s", id=street.partner), street.smsc.binds()
    workers.start("urgent", at=street.moment, partner=slug)
    wait_for(lambda: street.smsc.binds() > before, "it has logged in")
    street.smsc.mo(home.phone, "Nordlys", "Hva gjelder dette?")

    wait_for(lambda: street.rows("SELECT 1 FROM received_message"), "the message is on record")


def test_the_same_words_half_an_hour_later_are_another_message(street: Street) -> None:
    home = street.move_in(broadband=True)
    _reminded(street, home)

    _answers(street, home, "Hva gjelder dette?")
    street.moment += timedelta(minutes=21)
    _answers(street, home, "Hva gjelder dette?")

    assert street.rows("SELECT text FROM received_message") == [("Hva gjelder dette?",)] * 2


def test_delivery_reports_become_facts(street: Street) -> None:
    home = street.move_in(broadband=True)
    street.owes(home)

    street.until_step(home.account, "reminder")
    street.days(1)
    answered = street.smsc.acknowledged
    street.listen_until(
        lambda: _reported(street) == 3 and len(answered()) >= street.smsc.parts(), "three reports, each part answered"
    )

    assert [channel for _, channel in street.messages(home.account)].count("sms") == 3
    assert answered() == [0] * street.smsc.parts()


def test_a_number_that_nobody_has_makes_the_next_channel_go(street: Street) -> None:
    home = street.move_in(broadband=True)
    street.smsc.undeliverable(home.phone)
    _reminded(street, home)

    street.listen_until(
        lambda: street.value("SELECT ended_because FROM contact_point WHERE channel = 'sms'"), "a report"
    )
    street.days(3)

    assert street.value("SELECT ended_because FROM contact_point WHERE channel = 'sms'") == "undeliverable"
    assert street.messages(home.account) == [("friendly_reminder", "sms"), ("friendly_reminder", "email")]
    assert street.steps(home.account) == ["friendly"]
    assert "step_withdrawn" in street.log(home.account)
    assert street.mails(home, 1) == ["En liten påminnelse fra Nordlys"]


def test_a_mail_that_bounces_ends_the_address(street: Street) -> None:
    email = f"unknown-{street.partner}@kunde.example"
    contacts = {"email": email, "letter": "Kari Nordmann\nStorgata 1\n9008 Tromsø"}
    home = street.move_in(broadband=True, contacts=contacts)
    _reminded(street, home)

    street.listen_until(
        lambda: street.value("SELECT ended_because FROM contact_point WHERE channel = 'email'"), "a bounce"
    )
    street.days(3)

    assert street.value("SELECT ended_because FROM contact_point WHERE channel = 'email'") == "undeliverable"
    assert street.messages(home.account) == [("friendly_reminder", "email"), ("friendly_reminder", "letter")]


def test_no_message_in_quiet_hours_and_none_over_the_cap_on_the_whole_road(street: Street) -> None:
    street.policy("broadband-no", ("max_per_7_days: 5", "max_per_7_days: 1"))
    home = street.move_in(broadband=True, contacts={"sms": "+4790999999"})
    for late in (0, 5, 11, 17, 23):
        street.owes(home, due=street.moment.date() + timedelta(days=late))
    street.log_messages = True

    street.days(75)

    sent = [moment.astimezone(OSLO) for moment, sms in street.smsc_log if "+" + sms.to == home.phone]
    assert len(sent) >= 5
    assert {moment.weekday() for moment in sent} <= {0, 1, 2, 3, 4}
    assert all(9 <= moment.hour < 20 for moment in sent)
    assert all(after - before >= timedelta(days=7) for before, after in pairwise(sent))


def _reminded(street: Street, home: Home) -> None:
    """The household has had its first reminder."""
    street.owes(home)
    street.until_true(lambda: street.messages(home.account), "a friendly reminder")


def _answers(street: Street, home: Home, text: str) -> None:
    """The household answers, and Relight has heard it."""
    before = street.value("SELECT count(*) FROM received_message")
    street.smsc.mo(home.phone, "Nordlys", text)
    street.listen_until(lambda: street.value("SELECT count(*) FROM received_message") > before, text)


def _reported(street: Street) -> int:
    return int(street.value("SELECT count(*) FROM sent_message WHERE delivered_at IS NOT NULL AND channel = 'sms'"))
