"""Power over DLMS/COSEM, against meters in another process: cut, restore, the button, and all that goes wrong."""

import asyncio
import logging
import select
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relight.core.levels import Level
from relight.drivers.dlms import DlmsDriver
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.supply.port import Observation, Target, WrongSettings
from tests.counterparts.meter import Meter, MeterControls, MeterPark

pytestmark = pytest.mark.counterpart

QUICK = {"answer_timeout_seconds": 0.5, "connect_timeout_seconds": 2, "settle_seconds": 1}
BUTTON_MODES = [1, 3, 5, 6]
DIRECT_MODES = [2, 4]


@pytest.fixture
def meter() -> Iterator[Meter]:
    with Meter(control_mode=3) as running:
        yield running


def attempt(*, seconds: float = 30.0) -> Attempt:
    return Attempt("case-1:7:supply", 1, datetime.now(UTC) + timedelta(seconds=seconds))


def target(meter: MeterControls, **changed: Any) -> Target:
    return Target(
        "electricity_grid", {**meter.address, **changed.pop("address", {})}, **{"serial": meter.serial, **changed}
    )


def apply(where: Target, level: Level, how: Attempt | None = None, **settings: object) -> Outcome:
    async def once() -> Outcome:
        driver = DlmsDriver({**QUICK, **settings})
        try:
            return await driver.apply(where, level, how or attempt())
        finally:
            await driver.aclose()

    return asyncio.run(once())


def read(where: Target, **settings: object) -> Observation:
    async def once() -> Observation:
        driver = DlmsDriver({**QUICK, **settings})
        try:
            return await driver.read(where)
        finally:
            await driver.aclose()

    return asyncio.run(once())


def eventually(holds: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
    return False


@pytest.mark.parametrize("mode", BUTTON_MODES)
def test_a_cut_customer_pays_and_presses_the_button(mode: int) -> None:
    with Meter(control_mode=mode) as meter:
        where = target(meter)

        cut = apply(where, Level.OFF)
        dark = meter.state()
        restored = apply(where, Level.FULL)
        waiting = read(where)
        pressed = meter.press_button()
        lit = read(where)

        assert (cut.result, cut.facts["observed"], cut.facts["proof"]) == (Result.DONE, Level.OFF, "control_state")
        assert (dark["control_state"], dark["output"]) == ("disconnected", False)
        assert (restored.result, restored.facts["observed"]) == (Result.DONE, Level.READY)
        assert (waiting.level, waiting.serial) == (Level.READY, meter.serial)
        assert pressed
        assert lit.level is Level.FULL
        assert meter.actions() == ["remote_disconnect", "remote_reconnect"]


@pytest.mark.parametrize("mode", DIRECT_MODES)
def test_a_meter_without_a_button_gives_light_at_once(mode: int) -> None:
    with Meter(control_mode=mode, state="disconnected") as meter:
        restored = apply(target(meter), Level.FULL)

        assert (restored.result, restored.facts["observed"]) == (Result.DONE, Level.FULL)
        assert meter.state()["output"] is True


def test_another_meter_at_the_access_point_is_neither_cut_nor_restored(meter: Meter) -> None:
    meter.change_serial("6970631499999999")

    cut = apply(target(meter), Level.OFF)
    restore = apply(target(meter), Level.FULL)
    seen = read(target(meter))

    assert (cut.result, cut.code) == (Result.REFUSED, "wrong_device")
    assert (restore.result, restore.code) == (Result.REFUSED, "wrong_device")
    assert cut.facts["serial"] == "6970631499999999"
    assert (seen.level, seen.proof, seen.serial) == (None, "wrong_device", "6970631499999999")
    assert meter.actions() == []


def test_a_meter_is_known_by_its_logical_device_name_where_the_register_has_that(meter: Meter) -> None:
    by_name = target(meter, serial=f"GRX{meter.serial}")

    refused = apply(target(meter), Level.OFF, serial_object="logical_device_name")
    cut = apply(by_name, Level.OFF, serial_object="logical_device_name")

    assert refused.code == "wrong_device"
    assert cut.result is Result.DONE


def test_nothing_is_sent_to_a_service_without_a_registered_meter(meter: Meter) -> None:
    outcome = apply(target(meter, serial=""), Level.OFF)

    assert (outcome.result, outcome.code) == (Result.REFUSED, "no_serial")
    assert meter.state()["connections"] == 0


@pytest.mark.parametrize(("state", "level", "observed"), [
    ("disconnected", Level.OFF, Level.OFF),
    ("connected", Level.FULL, Level.FULL),
    ("ready_for_reconnection", Level.FULL, Level.READY),
])  # fmt: skip
def test_a_meter_that_is_there_already_is_left_in_peace(state: str, level: Level, observed: Level) -> None:
    with Meter(state=state) as meter:
        outcome = apply(target(meter), level)

        assert (outcome.result, outcome.facts["observed"]) == (Result.DONE, observed)
        assert outcome.facts["sent"] is False
        assert meter.actions() == []


def test_a_meter_that_waits_for_its_button_can_be_cut_again() -> None:
    with Meter(state="ready_for_reconnection") as meter:
        outcome = apply(target(meter), Level.OFF)

        assert (outcome.result, outcome.facts["observed"]) == (Result.DONE, Level.OFF)
        assert not meter.press_button()


def test_a_meter_whose_breaker_is_not_remote_refuses() -> None:
    with Meter(control_mode=0) as fixed:
        outcome = apply(target(fixed), Level.OFF)

        assert (outcome.result, outcome.code) == (Result.REFUSED, "control_mode_0")
        assert fixed.actions() == []


@pytest.mark.parametrize("level", [Level.LIMITED, Level.WALLED_GARDEN, Level.READY])
def test_a_level_that_meters_do_not_have_is_refused(meter: Meter, level: Level) -> None:
    outcome = apply(target(meter), level)

    assert (outcome.result, outcome.code) == (Result.REFUSED, "level_not_supported")
    assert meter.state()["connections"] == 0


def test_a_meter_out_of_reach_is_tried_again_later(meter: Meter) -> None:
    meter.unreachable(seconds=60)

    outcome = apply(target(meter), Level.OFF, retry_after_seconds=90)
    seen = read(target(meter))

    assert (outcome.result, outcome.code, outcome.retry_after_seconds) == (Result.BUSY, "unreachable", 90)
    assert (seen.level, seen.proof) == (None, "unreachable")
    assert meter.actions() == []


def test_a_meter_that_is_silent_before_the_action_is_tried_again_later(meter: Meter) -> None:
    meter.mute(seconds=60)

    outcome = apply(target(meter), Level.FULL)

    assert (outcome.result, outcome.code) == (Result.BUSY, "unreachable")
    assert meter.state()["connections"] == 1
    assert meter.actions() == []


def test_a_meter_that_does_not_answer_for_a_while_is_cut_when_it_is_back(meter: Meter) -> None:
    meter.unreachable(seconds=0.5)
    where = target(meter)

    first = apply(where, Level.OFF)
    done = eventually(lambda: apply(where, Level.OFF).result is Result.DONE)

    assert first.result is Result.BUSY
    assert done
    assert meter.actions() == ["remote_disconnect"]


def test_an_answer_that_comes_too_late_leaves_the_attempt_unknown_and_the_next_one_knows(meter: Meter) -> None:
    meter.answer_late_once(seconds=1)
    where = target(meter)

    cut = apply(where, Level.OFF)
    again = apply(where, Level.OFF, answer_timeout_seconds=10)

    assert (cut.result, cut.code) == (Result.UNKNOWN, "no_answer")
    assert again.result is Result.DONE
    assert again.facts["sent"] is False
    assert meter.actions() == ["remote_disconnect"]


def test_a_restore_follows_a_cut_that_the_meter_carries_out_late(meter: Meter) -> None:
    meter.act_late_once(seconds=1)
    where = target(meter)

    cut = apply(where, Level.OFF)
    restored = apply(where, Level.FULL, answer_timeout_seconds=10)

    assert cut.result is Result.UNKNOWN
    assert (restored.result, restored.facts["observed"]) == (Result.DONE, Level.READY)
    assert meter.actions() == ["remote_disconnect", "remote_reconnect"]
    assert meter.state()["control_state"] == "ready_for_reconnection"


def test_a_meter_that_restarts_in_the_middle_is_not_told_twice(meter: Meter) -> None:
    meter.reboot_on_next_action(seconds=0.5)
    where = target(meter)

    cut = apply(where, Level.OFF)
    while_starting = apply(where, Level.OFF)
    ended: list[Outcome] = []
    back = eventually(lambda: not ended.append(apply(where, Level.OFF)) and ended[-1].result is Result.DONE)

    assert (cut.result, cut.code) == (Result.UNKNOWN, "line_closed")
    assert while_starting.result is Result.BUSY
    assert back
    assert ended[-1].facts["sent"] is False
    assert meter.actions() == ["remote_disconnect"]


@pytest.mark.parametrize(("code", "name"), [(1, "hardware_fault"), (3, "read_write_denied"), (250, "other_reason")])
def test_a_refusal_carries_the_meters_own_code(meter: Meter, code: int, name: str) -> None:
    meter.refuse_next(code)

    outcome = apply(target(meter), Level.OFF)

    assert (outcome.result, outcome.code) == (Result.REFUSED, name)
    assert meter.state()["control_state"] == "connected"
    assert meter.actions() == ["remote_disconnect"]


def test_a_meter_that_cannot_just_now_is_tried_again(meter: Meter) -> None:
    meter.refuse_next(2)

    first = apply(target(meter), Level.OFF)
    second = apply(target(meter), Level.OFF)

    assert (first.result, first.code) == (Result.BUSY, "temporary_failure")
    assert first.retry_after_seconds
    assert second.result is Result.DONE


def test_a_meter_that_says_yes_and_does_nothing_is_not_believed(meter: Meter) -> None:
    meter.ignore_next()

    outcome = apply(target(meter), Level.OFF, settle_seconds=0)

    assert (outcome.result, outcome.code) == (Result.UNKNOWN, "state_disagrees")
    assert outcome.facts["observed"] is Level.FULL


def test_a_relay_may_take_its_time(meter: Meter) -> None:
    meter.slow_relay(seconds=0.3)

    outcome = apply(target(meter), Level.OFF, settle_seconds=10)

    assert (outcome.result, outcome.facts["observed"]) == (Result.DONE, Level.OFF)


def test_nonsense_before_the_action_is_tried_again_later(meter: Meter) -> None:
    meter.garble_next()

    outcome = apply(target(meter), Level.OFF)

    assert (outcome.result, outcome.code) == (Result.BUSY, "malformed_answer")
    assert meter.actions() == []


def test_a_server_that_hangs_up_does_not_hold_a_thread_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as other:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.close()

        hung_up = other.submit(hang_up)
        where = Target("electricity_grid", {"host": "127.0.0.1", "port": listener.getsockname()[1]}, serial="1")

        outcome = apply(where, Level.OFF)

        assert hung_up.done()
        assert (outcome.result, outcome.code) == (Result.BUSY, "unreachable")


def test_a_release_that_is_too_old_does_not_even_connect(meter: Meter) -> None:
    outcome = apply(target(meter), Level.OFF, attempt(seconds=0))

    assert outcome.result is Result.LATE
    assert meter.state()["connections"] == 0


def test_a_release_that_grows_old_while_the_meter_is_read_is_not_acted_on(meter: Meter) -> None:
    meter.delay(seconds=0.3)

    outcome = apply(target(meter), Level.OFF, attempt(seconds=0.5), answer_timeout_seconds=10)

    assert outcome.result is Result.LATE
    assert meter.state()["connections"] == 1
    assert meter.actions() == []


def test_low_level_security_opens_the_meter_and_keeps_its_password_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with Meter(password="lys-i-stua") as meter:
        without = apply(target(meter), Level.OFF)
        wrong = apply(target(meter), Level.OFF, authentication="low", password="feil")
        right = apply(target(meter), Level.OFF, authentication="low", password="lys-i-stua")

    assert (without.result, without.code) == (Result.REFUSED, "authentication_failed")
    assert (wrong.result, wrong.code) == (Result.REFUSED, "authentication_failed")
    assert right.result is Result.DONE
    assert "lys-i-stua" not in caplog.text


def test_a_read_costs_an_association_and_one_request_where_the_meter_can_list(meter: Meter) -> None:
    with Meter(lists=False) as plain:
        listed, one_by_one = read(target(meter)), read(target(plain))

        assert listed.level is one_by_one.level is Level.FULL
        assert meter.state()["requests"] == 2
        assert plain.state()["requests"] == 5
        assert apply(target(plain), Level.OFF).result is Result.DONE


def test_twenty_meters_are_cut_and_restored_side_by_side() -> None:
    async def all_at_once(level: Level, park: MeterPark) -> list[Outcome]:
        driver = DlmsDriver({})
        try:
            return await asyncio.gather(*(driver.apply(target(m), level, attempt()) for m in park.meters))
        finally:
            await driver.aclose()

    with MeterPark(20) as park:
        cut = asyncio.run(all_at_once(Level.OFF, park))
        restored = asyncio.run(all_at_once(Level.FULL, park))

        assert {outcome.facts["observed"] for outcome in cut} == {Level.OFF}
        assert {outcome.facts["observed"] for outcome in restored} == {Level.READY}
        assert {outcome.facts["serial"] for outcome in restored} == {meter.serial for meter in park.meters}
        assert all(meter.actions() == ["remote_disconnect", "remote_reconnect"] for meter in park.meters)


def test_a_slow_meter_holds_up_nobody_else() -> None:
    async def reads(park: MeterPark) -> list[str]:
        driver = DlmsDriver({"answer_timeout_seconds": 30})
        order: list[str] = []

        async def one(meter: MeterControls) -> None:
            seen = await driver.read(target(meter))
            order.append(seen.serial)

        await asyncio.gather(*(one(meter) for meter in park.meters))
        await driver.aclose()
        return order

    with MeterPark(5) as park:
        slow = park.meters[0]
        slow.delay(seconds=0.5)

        order = asyncio.run(reads(park))

        assert sorted(order) == [meter.serial for meter in park.meters]
        assert order[-1] == slow.serial


def test_a_restore_leaves_at_once_beside_looks_at_more_meters_than_there_are_threads() -> None:
    silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(20)]  # they answer a connection, and nothing else

    async def restore(meter: Meter) -> tuple[Outcome, int]:
        driver = DlmsDriver({"answer_timeout_seconds": 30, "meters_max": 8})
        places = [{"host": "127.0.0.1", "port": one.getsockname()[1]} for one in silent]
        looks = [asyncio.create_task(driver.read(Target("electricity_grid", where, serial="1"))) for where in places]
        try:
            await asyncio.sleep(0)  # all of them have begun
            restored = await driver.apply(target(meter), Level.FULL, attempt(seconds=2))
            return restored, len(select.select(silent, [], [], 0)[0])
        finally:
            for look in looks:
                look.cancel()
            await asyncio.gather(*looks, return_exceptions=True)
            await driver.aclose()

    with Meter(state="disconnected") as meter:
        restored, looked_at = asyncio.run(restore(meter))
    for one in silent:
        one.close()

    assert (restored.result, restored.facts.get("observed")) == (Result.DONE, Level.READY)
    assert looked_at == 2  # a quarter of the eight


def test_a_meter_is_asked_one_thing_at_a_time(meter: Meter) -> None:
    async def reads() -> list[Observation]:
        driver = DlmsDriver({})
        try:
            return await asyncio.gather(*(driver.read(target(meter)) for _ in range(8)))
        finally:
            await driver.aclose()

    seen = asyncio.run(reads())

    assert [observation.level for observation in seen] == [Level.FULL] * 8
    assert (meter.state()["connections"], meter.state()["open_max"]) == (8, 1)


def test_a_worker_that_is_stopped_lets_go_of_the_meter(meter: Meter) -> None:
    async def stopped() -> Observation:
        driver = DlmsDriver({"answer_timeout_seconds": 60})
        waiting = asyncio.create_task(driver.read(target(meter)))
        while meter.state()["requests"] == 0:
            await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        meter.mute(seconds=0)
        seen = await driver.read(target(meter))
        await driver.aclose()
        return seen

    meter.mute(seconds=60)

    seen = asyncio.run(stopped())

    assert seen.level is Level.FULL
    assert meter.state()["open_max"] == 1


@pytest.mark.parametrize("address", [
    {}, {"host": "127.0.0.1"}, {"host": "", "port": 4059}, {"host": "127.0.0.1", "port": "4059"},
    {"host": "127.0.0.1", "port": 0}, {"host": "127.0.0.1", "port": 4059, "server_address": 0},
])  # fmt: skip
def test_an_address_that_cannot_be_reached_by_anyone_is_refused(address: dict[str, object]) -> None:
    nowhere = Target("electricity_grid", address, serial="1")

    outcome = apply(nowhere, Level.OFF)

    assert (outcome.result, outcome.code) == (Result.REFUSED, "wrong_address")
    assert read(nowhere).proof == "wrong_address"


@pytest.mark.parametrize(("settings", "named"), [
    ({"pasword": "x"}, "pasword"),
    ({"authentication": "gmac"}, "authentication"),
    ({"authentication": "low"}, "password"),
    ({"password": "x"}, "password"),
    ({"authentication": "low", "password": "blåbær"}, "password"),
    ({"serial_object": "0.0.96.1.0.255"}, "serial_object"),
    ({"client_address": 0}, "client_address"),
    ({"server_address": True}, "server_address"),
    ({"meters_max": 2.5}, "meters_max"),
    ({"retry_after_seconds": -1}, "retry_after_seconds"),
    ({"connect_timeout_seconds": 0}, "connect_timeout_seconds"),
    ({"answer_timeout_seconds": "10"}, "answer_timeout_seconds"),
    ({"settle_seconds": 601}, "settle_seconds"),
])  # fmt: skip
def test_a_wrong_setting_is_named(settings: dict[str, object], named: str) -> None:
    with pytest.raises(WrongSettings, match=named):
        DlmsDriver(settings)
