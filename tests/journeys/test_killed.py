"""A worker is killed with kill -9 at each point between decision and outcome: nothing is lost, nothing done twice.

Each point is reached from outside: by a lock that the test holds in the database, or by a counterpart that keeps quiet.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta

import pytest

from relight.flow.road.release import LEASE
from tests.journeys.processes import Workers, holding, wait_for
from tests.journeys.street import OWED, Home, Street

pytestmark = pytest.mark.counterpart

Reached = Callable[[], object]
Point = Callable[[Street, Home, str], AbstractContextManager[Reached]]


@contextmanager
def decided(street: Street, home: Home, urls: str) -> Iterator[Reached]:
    """The decision is made, and its transaction has begun to write."""
    lock = "SELECT 1 FROM dunning_case WHERE account_id = %(account)s FOR UPDATE"
    with holding(urls, lock, account=home.account.id) as reached:
        yield reached


@contextmanager
def recorded(street: Street, home: Home, urls: str) -> Iterator[Reached]:
    """The decision is on record; its command is about to be released."""
    with holding(urls, "LOCK TABLE attempt IN SHARE MODE") as reached:
        yield reached


@contextmanager
def released(street: Street, home: Home, urls: str) -> Iterator[Reached]:
    """The attempt is on record; the driver has called the device, and the command has not left."""
    if home.meter is not None:
        meter, before = home.meter, home.meter.state()["connections"]
        meter.mute(600)
        yield lambda: meter.state()["connections"] > before
        meter.mute(0)
    else:
        lock = "SELECT 1 FROM radusergroup WHERE username = %(username)s FOR UPDATE"
        with holding(street.town.radius.conninfo, lock, username=home.username) as reached:
            yield reached


@contextmanager
def carried_out(street: Street, home: Home, urls: str) -> Iterator[Reached]:
    """The device has done it, and its answer is on the way."""
    if home.meter is not None:
        before = len(street.actions(home))
        home.meter.answer_late_once(12)  # long enough that the worker dies before; it waits for twenty
        yield lambda: len(street.actions(home)) > before
    else:
        before = len(street.heard(home))
        street.town.radius.mute(600)
        yield lambda: len(street.heard(home)) > before
        street.town.radius.mute(0)


@contextmanager
def answered(street: Street, home: Home, urls: str) -> Iterator[Reached]:
    """The device has answered, and the outcome is half written; the receipt has left, whose outcome needs that lock."""
    street.decide()
    later = "UPDATE effect SET due_at = due_at + interval '1 second' WHERE service_id = %s AND state = 'pending'"
    street.owner.execute(later, (home.power or home.broadband,))
    street.act(street.release())
    street.moment += timedelta(seconds=1)
    lock = "SELECT 1 FROM supply WHERE service_id = %(service)s FOR UPDATE"
    with holding(urls, lock, service=home.power or home.broadband) as reached:
        yield reached


POWER = [decided, recorded, released, carried_out, answered]
BROADBAND = [released, carried_out]
BEFORE_IT_LEFT = (decided, recorded, released)


@pytest.mark.parametrize("point", POWER)
def test_killed_while_power_is_cut_and_the_customer_pays(
    street: Street, workers: Workers, database_urls: dict[str, str], point: Point
) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)

    dies(street, workers, home, point(street, home, database_urls["owner"]))
    a_minute_passes(street)
    street.pays(home.account, 2 * OWED)
    street.until(street.moment + timedelta(minutes=10))

    has_light(street, home)
    assert street.actions(home) == ([] if point in BEFORE_IT_LEFT else ["remote_disconnect", "remote_reconnect"])
    nothing_is_left_over(street, workers, home)


@pytest.mark.parametrize("point", [released, carried_out, answered])
def test_killed_while_power_is_cut_and_the_customer_pays_before_anybody_misses_the_worker(
    street: Street, workers: Workers, database_urls: dict[str, str], point: Point
) -> None:
    home = street.move_in(power=True)
    street.owes(home)
    street.until_power_asks(home)
    street.approve(home.account)

    dies(street, workers, home, point(street, home, database_urls["owner"]))
    street.pays(home.account, 2 * OWED)
    street.run()
    meanwhile = street.commands(home.power)
    a_minute_passes(street)
    street.until(street.moment + timedelta(minutes=10))

    assert meanwhile == [("off", "in_flight"), ("full", "pending")]
    has_light(street, home)
    assert street.actions(home) == ([] if point in BEFORE_IT_LEFT else ["remote_disconnect", "remote_reconnect"])
    nothing_is_left_over(street, workers, home)


@pytest.mark.parametrize("point", POWER)
def test_killed_while_power_is_restored(
    street: Street, workers: Workers, database_urls: dict[str, str], point: Point
) -> None:
    home = street.move_in(power=True)
    street.cut_power(home)
    street.pays(home.account, 2 * OWED)

    dies(street, workers, home, point(street, home, database_urls["owner"]))
    a_minute_passes(street)
    street.until(street.moment + timedelta(minutes=10))

    has_light(street, home)
    assert street.actions(home) == ["remote_disconnect", "remote_reconnect"]
    nothing_is_left_over(street, workers, home)


@pytest.mark.parametrize("point", BROADBAND)
def test_killed_while_a_line_is_limited_and_the_customer_pays(
    street: Street, workers: Workers, database_urls: dict[str, str], point: Point
) -> None:
    home = street.move_in(broadband=True)
    street.smsc.receipts_off()  # heard only now, they would make today the day on which the notice was received
    street.owes(home)
    street.an_hour_before(home, "limit")
    street.moment += timedelta(hours=1)

    dies(street, workers, home, point(street, home, database_urls["owner"]))
    a_minute_passes(street)
    street.pays(home.account, OWED)
    street.until(street.moment + timedelta(minutes=10))

    has_light(street, home)
    nothing_is_left_over(street, workers, home)


@pytest.mark.parametrize("point", BROADBAND)
def test_killed_while_a_line_is_restored(
    street: Street, workers: Workers, database_urls: dict[str, str], point: Point
) -> None:
    home = street.move_in(broadband=True)
    street.limit_broadband(home)
    street.pays(home.account, OWED)

    dies(street, workers, home, point(street, home, database_urls["owner"]))
    a_minute_passes(street)
    street.until(street.moment + timedelta(minutes=10))

    has_light(street, home)
    assert [level for level, _ in street.commands(home.broadband)] == ["walled_garden", "full"]
    nothing_is_left_over(street, workers, home)


def test_killed_while_a_text_message_is_at_the_exchange(
    street: Street, workers: Workers, database_urls: dict[str, str]
) -> None:
    home = street.move_in(broadband=True)
    street.owes(home)
    street.until_true(lambda: street.value("SELECT 1 FROM effect WHERE template = 'friendly_reminder'"), "a reminder")
    street.moment = street.next_due() or street.moment

    with holding(database_urls["owner"], "LOCK TABLE attempt IN SHARE MODE") as reached:
        worker = workers.start("urgent", "bulk", at=street.moment)
        wait_for(lambda: reached() and street.smsc.binds(), "the worker is logged in, and about to send")
        street.smsc.mute(600)
    wait_for(street.smsc.parts, "the message is at the exchange")
    workers.kill(worker)
    street.smsc.mute(0)
    a_minute_passes(street)
    street.days(1)

    assert len(street.sms(home)) == 1
    assert street.rows("SELECT result, code FROM attempt WHERE driver = 'sms'") == [("unknown", "lost")]
    assert street.tasks(home.account) == ["given_up"]
    assert street.mails(home, 1) == ["En liten påminnelse fra Nordlys"]


def dies(street: Street, workers: Workers, home: Home, point: AbstractContextManager[Reached]) -> None:
    """A worker goes on with the case, and is killed when it has come to the point."""
    street.patient()
    with point as reached:
        worker = workers.start("urgent", "bulk", at=street.moment)
        wait_for(lambda: reached() and not sending(street), "the worker comes to the point")
        workers.kill(worker)
    street.moment = workers.clock(started_at=street.moment)
    if home.meter is not None:
        meter = home.meter
        wait_for(lambda: not meter.state()["open"], "the meter hangs up")


def a_minute_passes(street: Street) -> None:
    """Nobody has renewed the dead worker's leases: its attempts are known to be lost."""
    ends = street.value("SELECT max(lease_until) FROM effect WHERE state = 'in_flight'")
    street.moment = max(street.moment + LEASE, ends or street.moment) + timedelta(seconds=1)


def sending(street: Street) -> bool:
    """Whether a message is under way: nobody could tell whether it had left."""
    return bool(street.rows("SELECT 1 FROM effect WHERE kind = 'message' AND state = 'in_flight'"))


def has_light(street: Street, home: Home) -> None:
    """At home everything is on, or waits for no more than the button, and Relight knows."""
    if home.meter is not None:
        wanted = {"connected": "full", "ready_for_reconnection": "ready"}
        assert street.observed(home.power) == wanted[street.breaker(home)]
    else:
        assert street.has_internet(home)
        assert street.observed(home.broadband) == "full"


def nothing_is_left_over(street: Street, workers: Workers, home: Home) -> None:
    """Every effect and attempt came to an end, no message twice, nothing for a person to do, no bug in a log."""
    account = home.account.id
    open_effects = street.rows("SELECT id FROM effect WHERE state IN ('pending', 'in_flight')")
    unended = street.rows("SELECT id FROM attempt WHERE finished_at IS NULL")
    unrecorded = street.rows(
        "SELECT id FROM effect e WHERE attempts <> (SELECT count(*) FROM attempt a WHERE a.effect_id = e.id)"
    )
    assert (open_effects, unended, unrecorded) == ([], [], [])
    assert street.tasks(home.account) == []
    assert len(street.sms(home)) == len(set(street.sms(home)))
    assert street.rows("SELECT credit FROM account WHERE id = %(a)s", a=account) == [(0,)]
    assert workers.complaints() == ""
