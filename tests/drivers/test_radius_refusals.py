"""Broadband over RADIUS when the access server says no, or nothing at all."""

from collections.abc import Iterator

import pytest

from relight.core.levels import Level
from relight.flow.effects.port import Result
from tests.counterparts.freeradius import FreeRadius
from tests.drivers.radius_household import (
    END_SESSION,
    GARDEN_FILTER,
    QUICK,
    START_ANOTHER,
    Household,
    household,
    opened,
    running_radius,
    when_heard,
)

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


def test_a_refused_cut_leaves_the_customer_as_they_were(radius: FreeRadius) -> None:
    with household(radius, "prohibited") as home:
        radius.nak_next(501)

        outcome = home.apply(Level.WALLED_GARDEN)

        assert (outcome.result, outcome.code) == (Result.REFUSED, "501")
        assert outcome.facts["put_back"] is True
        assert home.log_in()["Filter-Id"] == home.filter_in_force() == "fiber-100"


def test_a_cut_refused_for_one_of_two_sessions_is_taken_back_for_both(radius: FreeRadius) -> None:
    with household(radius, "half") as home:
        radius.start_session("half")
        radius.execute("INSERT INTO nas_orders (answer) VALUES ('504')")

        outcome = home.apply(Level.LIMITED)

        in_force = [s.attributes["Filter-Id"] for s in radius.sessions if s.username == "half"]
        assert (outcome.result, outcome.code) == (Result.REFUSED, "504")
        assert in_force == ["fiber-100", "fiber-100"]
        assert home.groups() == ["fiber-100"]


def test_a_refusal_after_a_time_out_still_finds_the_way_back(radius: FreeRadius) -> None:
    with household(radius, "late-no", **QUICK) as home:
        radius.nak_next(506)
        busy = home.apply(Level.WALLED_GARDEN)
        radius.nak_next(501)

        refused = home.apply(Level.WALLED_GARDEN)

        assert [busy.result, refused.result] == [Result.BUSY, Result.REFUSED]
        assert home.groups() == ["fiber-100"]


def test_a_refused_restore_keeps_the_better_group_for_the_next_log_in(radius: FreeRadius) -> None:
    with household(radius, "better") as home:
        home.apply(Level.WALLED_GARDEN)
        radius.nak_next(501)

        outcome = home.apply(Level.FULL)

        assert (outcome.result, outcome.code) == (Result.REFUSED, "501")
        assert outcome.facts["put_back"] is False
        assert home.log_in()["Filter-Id"] == "fiber-100"


@pytest.mark.parametrize("cause", [502, 503, 505, 506, 507])
def test_a_passing_no_is_busy_and_the_repeat_succeeds(radius: FreeRadius, cause: int) -> None:
    with household(radius, f"passing-{cause}") as home:
        radius.nak_next(cause)

        busy, repeated = home.apply(Level.WALLED_GARDEN), home.apply(Level.WALLED_GARDEN)

        assert (busy.result, busy.code) == (Result.BUSY, str(cause))
        assert busy.facts["answers"][0]["error_cause"] == cause
        assert repeated.result is Result.DONE
        assert home.filter_in_force() == GARDEN_FILTER


def test_an_access_server_that_cannot_change_a_session_ends_it_instead(radius: FreeRadius) -> None:
    with household(radius, "old-nas") as home:
        radius.nak_next(401)

        outcome = home.apply(Level.WALLED_GARDEN)
        radius.start_session("old-nas")

        assert outcome.result is Result.DONE
        assert radius.heard("old-nas") == [("CoA-Request", "401"), ("Disconnect-Request", "ack")]
        assert home.filter_in_force() == GARDEN_FILTER


def test_a_session_that_ended_while_it_was_asked_is_no_refusal(radius: FreeRadius) -> None:
    with household(radius, "hung-up") as home, when_heard(radius, "hung-up", END_SESSION):
        radius.nak_next(501)

        outcome = home.apply(Level.WALLED_GARDEN)

        assert outcome.facts["answers"][0]["error_cause"] == 501
        assert outcome.result is Result.DONE


def test_a_session_that_shows_up_late_in_accounting_is_ended_too(radius: FreeRadius) -> None:
    with household(radius, "raced") as home, when_heard(radius, "raced", START_ANOTHER):
        outcome = home.apply(Level.OFF)

        assert outcome.result is Result.DONE
        assert radius.heard("raced") == [("Disconnect-Request", "ack")] * 2
        assert home.filter_in_force() is None


def test_a_realm_may_disconnect_instead_of_changing(radius: FreeRadius) -> None:
    with household(radius, "reconnects", methods={"full": "disconnect"}) as home:
        home.apply(Level.WALLED_GARDEN)

        outcome = home.apply(Level.FULL)

        assert outcome.result is Result.DONE
        assert radius.heard("reconnects")[-1] == ("Disconnect-Request", "ack")


def test_a_session_left_open_by_a_restart_does_not_hold_up_the_restore(radius: FreeRadius) -> None:
    with household(radius, "ghost", online=False) as home:
        ghost = radius.start_session("ghost")
        radius.stop_session(ghost, account=False)
        lately_heard = home.apply(Level.FULL)
        radius.execute("UPDATE radacct SET acctupdatetime = now() - interval '2 hours' WHERE username = 'ghost'")

        long_silent = home.apply(Level.FULL)

        assert (lately_heard.result, lately_heard.code) == (Result.BUSY, "503")
        assert long_silent.result is Result.DONE


def test_no_answer_is_unknown_and_the_repeat_is_harmless(radius: FreeRadius) -> None:
    with household(radius, "muted", **QUICK) as home:
        home.apply(Level.WALLED_GARDEN)
        radius.mute(60)
        silent = home.apply(Level.FULL)
        seen = home.read()
        radius.mute(0)

        repeated = home.apply(Level.FULL)

        assert (silent.result, silent.code) == (Result.UNKNOWN, "timeout")
        assert silent.facts["answers"][0]["answer"] == "none"
        assert seen.level is None
        assert repeated.result is Result.DONE
        assert home.read().level is Level.FULL
        assert home.filter_in_force() == "fiber-100"


@pytest.mark.parametrize("secret", ["secret", "coa_secret"])
def test_a_wrong_secret_is_answered_by_nobody_and_never_done(radius: FreeRadius, secret: str) -> None:
    own = {"secret": radius.secret, "coa_secret": radius.secret} | {secret: "another-secret-entirely"}
    with household(radius, f"wrong-{secret}", **QUICK, **own) as home:
        outcome = home.apply(Level.WALLED_GARDEN)

        assert (outcome.result, outcome.code) == (Result.UNKNOWN, "timeout")


def test_rejects_that_freeradius_holds_back_for_a_second_still_prove_off() -> None:
    with running_radius(reject_delay=1) as slow:
        slow.add_user("patient")
        with opened(slow.settings()) as driver:
            outcome = Household(slow, driver, "patient").apply(Level.OFF)

        assert (outcome.result, outcome.facts["proof"]) == (Result.DONE, "re-authentication")
