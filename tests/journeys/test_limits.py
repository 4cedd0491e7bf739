"""No step is many: cuts an hour and a day, two people's yes, the switch that stops, and shadow."""

from datetime import timedelta

import pytest

from relight.flow.cases.errors import UnableToApprove
from tests.journeys.processes import Workers
from tests.journeys.street import OWED, Home, Street, live

pytestmark = pytest.mark.counterpart


def test_no_more_lines_are_limited_an_hour_and_a_day_than_allowed_and_all_are_back_at_once(street: Street) -> None:
    live(street.owner, street.partner, cuts_per_hour=2, cuts_per_day=3)
    homes = [street.move_in(broadband=True) for _ in range(5)]
    for home in homes:
        street.owes(home)
    street.an_hour_before(homes[0], "limit")
    opens = street.moment + timedelta(hours=1)

    limited: list[int] = []
    for later in (timedelta(minutes=1), timedelta(minutes=50), timedelta(hours=4), timedelta(days=6)):
        street.until(opens + later)
        limited.append(_limited(street, homes))
    for home in homes:
        street.pays(home.account, OWED)
    street.run()

    assert limited == [2, 2, 3, 5]
    assert _limited(street, homes) == 0
    assert [street.sms(home)[-1][:23] for home in homes] == ["Bredbåndet er tilbake. "] * 5


def test_two_people_have_to_agree_to_a_cut(street: Street) -> None:
    street.policy("power-grid-no", ("approval: person", "approval: two_people"))
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)

    street.approve(home.account, by="bente")
    street.days(7)
    after_one = street.actions(home)
    with pytest.raises(UnableToApprove):
        street.approve(home.account, by="bente")
    street.approve(home.account, by="arne")
    street.until_step(home.account, "cut")
    street.run()

    assert after_one == []
    assert street.actions(home) == ["remote_disconnect"]
    assert street.value("SELECT decided_by FROM approval") == ["bente", "arne"]


def test_a_no_keeps_the_power_on_for_a_month(street: Street) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)

    street.approve(home.account, granted=False)
    street.days(29)
    meanwhile = street.asked(home.account)
    street.days(7)

    assert not meanwhile
    assert street.asked(home.account)
    assert street.actions(home) == []


@pytest.mark.parametrize("whose", ["the partner's", "the installation's"])
def test_the_stop_switch_stops_warnings_and_cuts_and_lets_restores_and_receipts_go(
    street: Street, workers: Workers, whose: str
) -> None:
    slug = street.value("SELECT slug FROM partner WHERE id = %(id)s", id=street.partner)
    reach = ["--partner", slug] if whose == "the partner's" else ["--all"]
    dark, asked, forgetful = (street.move_in(power=power, broadband=not power) for power in (True, True, False))
    street.cut_power(dark)
    street.owes(asked)
    street.until_power_asks(asked)
    street.approve(asked.account)
    street.owes(forgetful, due=street.moment.date() - timedelta(days=1))
    street.decide()

    stopped = workers.relight("stop", *reach, "--by", "Kari, on call")
    try:
        street.pays(dark.account, 2 * OWED)
        street.days(9)
        meanwhile = street.actions(asked), street.sms(forgetful), street.sms(dark)[-2:], street.breaker(dark)
    finally:
        resumed = workers.relight("resume", *reach, "--by", "Kari, on call")
    street.days(7)

    assert (stopped.returncode, resumed.returncode) == (0, 0), stopped.stderr + resumed.stderr
    assert meanwhile[:2] == ([], [])
    assert [text.partition("!")[0] for text in meanwhile[2]] == ["Takk", "Strømmen er klar"]
    assert meanwhile[3] == "ready_for_reconnection"
    assert street.actions(asked) == ["remote_disconnect"]
    assert len(street.sms(forgetful)) >= 1


def test_in_shadow_everything_is_decided_and_nothing_leaves(street: Street) -> None:
    live(street.owner, street.partner, mode="shadow")
    home = street.move_in(broadband=True, power=True)

    street.owes(home)
    street.until_step(home.account, "contact")
    street.do_tasks(home.account, "contact_attempt")
    street.until_asked(home.account)
    street.approve(home.account)
    street.until_step(home.account, "cut")
    street.run()
    would_have = street.rows("SELECT coalesce(nullif(template, ''), level), state, why FROM effect ORDER BY id")
    street.pays_everything(home)
    street.days(3)

    assert {"friendly_reminder", "reminder", "disconnect_notice", "walled_garden", "service_limited"} <= {
        what for what, _, _ in would_have
    }
    assert {(state, why) for _, state, why in would_have} == {("withheld", "shadow")}
    assert street.smsc.messages() == []
    assert street.posted(home) == []
    assert (street.heard(home), street.actions(home)) == ([], [])
    assert (street.has_internet(home), street.breaker(home)) == (True, "connected")
    assert street.rows("SELECT state FROM dunning_case") == [("closed",), ("closed",)]


def _limited(street: Street, homes: list[Home]) -> int:
    return sum(not street.has_internet(home) for home in homes)
