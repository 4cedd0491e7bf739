"""The simulator: a meter with a button, a line with every level, faults that repeat, files that two processes share."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from relight.core.levels import Level
from relight.drivers.simulated_devices import DevicesInFolder, press_button
from relight.drivers.simulator import SimulatorDriver
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.supply.port import Observation, Target, WrongSettings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
POWER = Target("electricity_grid", {"device": "meter/1"}, serial="6970631401")
LINE = Target("broadband", {"device": "line-1"})


def attempt(*, key: str = "case-1", number: int = 1, send_before: datetime = NOON + timedelta(seconds=2)) -> Attempt:
    return Attempt(key, number, send_before)


def driver(**settings: object) -> SimulatorDriver:
    return SimulatorDriver(settings, clock=lambda: NOON)


def apply(on: SimulatorDriver, target: Target, level: Level, how: Attempt | None = None) -> Outcome:
    return asyncio.run(on.apply(target, level, how or attempt()))


def read(on: SimulatorDriver, target: Target) -> Observation:
    return asyncio.run(on.read(target))


def test_a_meter_that_is_cut_and_restored_waits_for_its_button() -> None:
    simulator = driver()

    cut = apply(simulator, POWER, Level.OFF)
    restored = apply(simulator, POWER, Level.FULL)
    waiting = read(simulator, POWER).level
    pressed = press_button(simulator.devices, "meter/1", NOON)

    assert (cut.result, cut.facts["observed"]) == (Result.DONE, Level.OFF)
    assert (restored.result, restored.facts["observed"]) == (Result.DONE, Level.READY)
    assert waiting is Level.READY
    assert pressed
    assert read(simulator, POWER).level is Level.FULL


def test_a_button_does_nothing_while_the_meter_is_off_or_on() -> None:
    simulator = driver()
    apply(simulator, POWER, Level.OFF)

    pressed_while_off = press_button(simulator.devices, "meter/1", NOON)
    pressed_on_nothing = press_button(simulator.devices, "meter/2", NOON)

    assert not pressed_while_off
    assert not pressed_on_nothing
    assert read(simulator, POWER).level is Level.OFF
    assert [device.key for device in simulator.devices.all()] == ["meter/1"]


def test_restoring_who_has_light_takes_no_light_away() -> None:
    simulator = driver()
    apply(simulator, POWER, Level.OFF)
    apply(simulator, POWER, Level.FULL)
    press_button(simulator.devices, "meter/1", NOON)

    again = apply(simulator, POWER, Level.FULL)

    assert again.facts["observed"] is Level.FULL
    assert read(simulator, POWER).level is Level.FULL


def test_without_buttons_power_is_back_at_once() -> None:
    simulator = driver(button=False)
    apply(simulator, POWER, Level.OFF)

    restored = apply(simulator, POWER, Level.FULL)

    assert restored.facts["observed"] is Level.FULL


@pytest.mark.parametrize("level", [Level.LIMITED, Level.WALLED_GARDEN, Level.OFF, Level.FULL])
def test_a_broadband_line_takes_every_level(level: Level) -> None:
    simulator = driver()
    apply(simulator, LINE, Level.LIMITED)

    outcome = apply(simulator, LINE, level)

    assert outcome.facts["observed"] is level
    assert read(simulator, LINE).level is level


@pytest.mark.parametrize(("target", "level"), [(POWER, Level.LIMITED), (POWER, Level.READY), (LINE, Level.READY)])
def test_a_level_that_the_service_does_not_have_is_refused(target: Target, level: Level) -> None:
    simulator = driver()

    outcome = apply(simulator, target, level)

    assert (outcome.result, outcome.code) == (Result.REFUSED, "level_not_supported")
    assert simulator.devices.all() == []


def test_another_meter_at_the_access_point_is_left_alone() -> None:
    simulator = driver()
    apply(simulator, POWER, Level.FULL)
    expected_another = Target(POWER.kind, POWER.address, serial="6970631499")

    cut = apply(simulator, expected_another, Level.OFF)

    assert (cut.result, cut.code) == (Result.REFUSED, "wrong_device")
    assert read(simulator, POWER).level is Level.FULL
    assert read(simulator, expected_another).level is None


def test_a_release_that_is_too_old_changes_nothing() -> None:
    simulator = driver()

    outcome = apply(simulator, LINE, Level.OFF, attempt(send_before=NOON))

    assert outcome.result is Result.LATE
    assert read(simulator, LINE).level is Level.FULL


@pytest.mark.parametrize("address", [{}, {"device": ""}, {"device": 7}, {"device": "x" * 61}, {"device": "målér"}])
def test_an_address_that_names_no_device_is_refused(address: dict[str, object]) -> None:
    simulator = driver()
    nowhere = Target("broadband", address)

    outcome = apply(simulator, nowhere, Level.OFF)

    assert (outcome.result, outcome.code) == (Result.REFUSED, "wrong_address")
    assert read(simulator, nowhere).level is None


def test_faults_are_the_same_for_the_same_seed_and_never_last() -> None:
    def faults(seed: int) -> list[bool]:
        simulator = driver(fail_share=0.3, seed=seed)
        outcomes = [apply(simulator, LINE, Level.OFF, attempt(key=f"case-{n}")) for n in range(200)]
        return [outcome.result is Result.BUSY for outcome in outcomes]

    always = driver(fail_share=1.0)
    results = [apply(always, LINE, Level.OFF, attempt(number=number)).result for number in (1, 2, 3)]

    assert faults(7) == faults(7)
    assert faults(7) != faults(8)
    assert 30 <= sum(faults(7)) <= 90
    assert results == [Result.BUSY, Result.BUSY, Result.DONE]


def test_a_simulated_fault_touches_nothing() -> None:
    simulator = driver(fail_share=1.0)

    outcome = apply(simulator, LINE, Level.OFF)

    assert outcome.result is Result.BUSY
    assert outcome.retry_after_seconds
    assert read(simulator, LINE).level is Level.FULL


def test_worker_and_web_see_the_same_devices(tmp_path: Path) -> None:
    worker = driver(folder=str(tmp_path / "devices"))
    web = DevicesInFolder(tmp_path / "devices")
    apply(worker, POWER, Level.OFF)
    apply(worker, LINE, Level.LIMITED)
    apply(worker, POWER, Level.FULL)

    shown = web.all()
    pressed = press_button(web, "meter/1", NOON + timedelta(minutes=5))

    assert [(device.key, device.level, device.waits_for_button) for device in shown] == [
        ("line-1", Level.LIMITED, False),
        ("meter/1", Level.READY, True),
    ]
    assert pressed
    assert read(worker, POWER).level is Level.FULL
    assert web.get("meter/1").since == "2026-03-02T12:05:00+00:00"  # type: ignore[union-attr]


def test_two_processes_that_press_one_button_reconnect_once(tmp_path: Path) -> None:
    folder = tmp_path / "devices"
    worker = driver(folder=str(folder))
    apply(worker, POWER, Level.OFF)
    apply(worker, POWER, Level.FULL)
    script = (
        "import sys; from datetime import UTC, datetime;"
        "from relight.drivers.simulated_devices import DevicesInFolder, press_button;"
        "print(press_button(DevicesInFolder(sys.argv[1]), 'meter/1', datetime.now(UTC)))"
    )
    command = [sys.executable, "-c", script, str(folder)]

    pressing = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    answers = sorted(process.communicate()[0].strip() for process in pressing)

    assert answers == ["False", "False", "False", "True"]
    assert read(worker, POWER).level is Level.FULL


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"foldr": "x"}, "foldr"),
        ({"folder": 7}, "folder"),
        ({"button": "yes"}, "button"),
        ({"fail_share": 1.5}, "fail_share"),
        ({"fail_share": True}, "fail_share"),
        ({"seed": "seven"}, "seed"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, object], named: str) -> None:
    with pytest.raises(WrongSettings, match=named):
        SimulatorDriver(settings)
