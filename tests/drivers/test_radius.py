"""Broadband over RADIUS against a real FreeRADIUS; the driver's claims are checked with FreeRADIUS's own radclient."""

from collections.abc import Iterator

import pytest

from relight.core.levels import Level
from relight.flow.effects.port import Result
from tests.counterparts.freeradius import FreeRadius
from tests.drivers.radius_household import GARDEN_FILTER, QUICK, Household, household, opened, running_radius

pytestmark = pytest.mark.counterpart


@pytest.fixture(scope="module")
def radius() -> Iterator[FreeRadius]:
    with running_radius() as running:
        yield running


@pytest.fixture(autouse=True)
def _access_server_behaves(radius: FreeRadius) -> Iterator[None]:
    yield
    radius.mute(0)
    radius.mute_accounting(False)
    radius.execute("DELETE FROM nas_orders")


def test_from_full_to_garden_to_off_and_back_to_light(radius: FreeRadius) -> None:
    with household(radius, "road") as home:
        garden = home.apply(Level.WALLED_GARDEN)
        in_garden = (home.log_in()["Filter-Id"], home.filter_in_force())
        off = home.apply(Level.OFF)
        when_off = (home.log_in()["code"], home.filter_in_force())
        full = home.apply(Level.FULL)
        radius.start_session("road")

        assert [garden.result, off.result, full.result] == [Result.DONE] * 3
        assert [o.facts["observed"] for o in (garden, off, full)] == [Level.WALLED_GARDEN, Level.OFF, Level.FULL]
        assert in_garden == (GARDEN_FILTER, GARDEN_FILTER)
        assert when_off == ("Access-Reject", None)
        assert home.log_in()["Filter-Id"] == home.filter_in_force() == "fiber-100"


def test_the_garden_leads_to_the_pay_page_at_a_low_rate(radius: FreeRadius) -> None:
    with household(radius, "garden") as home:
        home.apply(Level.WALLED_GARDEN)

        assert radius.enforced("garden") == {
            "Filter-Id": GARDEN_FILTER,
            "Mikrotik-Rate-Limit": "512k/512k",
            "WISPr-Redirection-URL": "http://pay.example.no/?from=garden",
        }


def test_attributes_of_the_settings_go_before_those_of_the_group(radius: FreeRadius) -> None:
    attributes = {"limited": {"Filter-Id": "limited", "Mikrotik-Rate-Limit": "1M/1M"}}
    with household(radius, "slower", attributes=attributes) as home:
        outcome = home.apply(Level.LIMITED)

        assert outcome.result is Result.DONE
        assert radius.enforced("slower") == attributes["limited"]


def test_off_waits_for_the_accounting_that_says_the_session_ended(radius: FreeRadius) -> None:
    with household(radius, "stopped") as home:
        outcome = home.apply(Level.OFF)

        assert outcome.facts["proof"] == "re-authentication, accounting"
        (still_open,) = radius.execute(
            "SELECT count(*) FROM radacct WHERE username = 'stopped' AND acctstoptime IS NULL"
        )[0]
        assert still_open == 0


def test_two_sessions_of_one_customer_are_both_changed(radius: FreeRadius) -> None:
    with household(radius, "twice") as home:
        radius.start_session("twice")

        outcome = home.apply(Level.WALLED_GARDEN)

        assert outcome.result is Result.DONE
        in_force = [s.attributes["Filter-Id"] for s in radius.sessions if s.username == "twice"]
        assert in_force == [GARDEN_FILTER, GARDEN_FILTER]


def test_a_customer_who_is_offline_gets_the_level_at_the_next_log_in(radius: FreeRadius) -> None:
    with household(radius, "offline", online=False) as home:
        outcome = home.apply(Level.WALLED_GARDEN)

        assert outcome.result is Result.DONE
        assert outcome.facts["answers"] == []
        assert home.log_in()["Filter-Id"] == GARDEN_FILTER


def test_a_customer_without_a_group_row_gets_one(radius: FreeRadius) -> None:
    radius.add_user("rowless", profile=None)
    with opened(radius.settings()) as driver:
        home = Household(radius, driver, "rowless")

        outcome = home.apply(Level.LIMITED)

        assert outcome.result is Result.DONE
        assert home.groups() == ["limited"]


def test_groups_that_are_no_level_are_left_alone(radius: FreeRadius) -> None:
    with household(radius, "static") as home:
        radius.add_to_group("static", "static-address", priority=5)

        home.apply(Level.OFF)
        while_off = home.groups()
        home.apply(Level.FULL)

        assert while_off == ["off", "static-address"]
        assert home.groups() == ["fiber-100", "static-address"]


def test_a_second_row_for_a_level_does_not_survive_the_next_command(radius: FreeRadius) -> None:
    with household(radius, "doubled") as home:
        radius.add_to_group("doubled", "off", priority=2)

        home.apply(Level.LIMITED)

        assert home.groups() == ["limited"]


def test_asked_twice_does_no_harm(radius: FreeRadius) -> None:
    with household(radius, "again") as home:
        first, second = home.apply(Level.WALLED_GARDEN), home.apply(Level.WALLED_GARDEN)

        assert [first.result, second.result] == [Result.DONE, Result.DONE]
        assert home.groups() == [GARDEN_FILTER]


# An ACK is a promise, not a proof.


def test_an_ack_is_not_believed_when_another_group_answers_the_log_in(radius: FreeRadius) -> None:
    with household(radius, "staff") as home:
        radius.execute("INSERT INTO radgroupreply (groupname, attribute, value) VALUES ('staff', 'Filter-Id', 'staff')")
        radius.add_to_group("staff", "staff", priority=0)

        outcome = home.apply(Level.WALLED_GARDEN)

        assert ("CoA-Request", "ack") in radius.heard("staff")
        assert (outcome.result, outcome.code) == (Result.UNKNOWN, "not_enforced")
        assert "observed" not in outcome.facts


def test_an_acknowledged_disconnect_that_ends_nothing_is_not_off(radius: FreeRadius) -> None:
    with household(radius, "clinging", **QUICK) as home:
        radius.ignore_next()
        ignored = home.apply(Level.OFF)
        seen_meanwhile = home.read()

        repeated = home.apply(Level.OFF)

        assert (ignored.result, ignored.code) == (Result.UNKNOWN, "no_accounting")
        assert seen_meanwhile.level is None
        assert repeated.result is Result.DONE
        assert home.filter_in_force() is None


def test_without_a_password_the_group_and_a_new_accounting_record_are_the_proof(radius: FreeRadius) -> None:
    with household(radius, "nopass") as home:
        outcome = home.apply(Level.WALLED_GARDEN, password="")

        assert (outcome.result, outcome.facts["proof"]) == (Result.DONE, "group, accounting")
        assert home.read(password="").proof == "group"
        assert home.filter_in_force() == GARDEN_FILTER


def test_without_a_password_an_ack_alone_is_not_enough(radius: FreeRadius) -> None:
    with household(radius, "silent", **QUICK) as home:
        radius.mute_accounting()

        outcome = home.apply(Level.WALLED_GARDEN, password="")

        assert (outcome.result, outcome.code) == (Result.UNKNOWN, "no_accounting")


def test_a_wrong_password_does_not_look_like_off(radius: FreeRadius) -> None:
    with household(radius, "typo") as home:
        seen = home.read(password="not-this-one")
        outcome = home.apply(Level.FULL, password="not-this-one")

        assert seen.level is None
        assert (outcome.result, outcome.code) == (Result.UNKNOWN, "not_enforced")


def test_a_wrong_password_does_not_look_like_off_even_where_off_says_nothing(radius: FreeRadius) -> None:
    with household(radius, "typist", groups=radius.groups | {"off": "closed-in-silence"}) as home:
        seen = home.read(password="not-this-one")

        assert seen.level is None
