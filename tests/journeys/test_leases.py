"""Whoever acts on an attempt keeps it: no other worker's beat, and none that was held up, ends its lease early."""

from datetime import timedelta

from relight.flow.effects.port import Repeat
from relight.flow.road.ends import lost
from relight.flow.road.release import LEASE, Job, renew
from relight.telemetry import metrics
from tests.journeys.world import World

SECOND = timedelta(seconds=1)
_DUE = "SELECT min(due_at) FROM effect WHERE state = 'pending'"
_LEASE = "SELECT lease_until FROM effect WHERE state = 'in_flight'"


def decided(world: World) -> None:
    """A customer is to be asked for a bill."""
    world.policy("broadband-no")
    account = world.customer(contacts={"sms": "+4790000200"})
    world.invoice(account, due=world.moment.date() - timedelta(days=5))
    world.decide()


def leaves(world: World) -> Job:
    """The message leaves; nobody has answered yet."""
    world.moment = max(world.moment, world.value(_DUE))
    (job,) = world.release()
    return job


def test_a_beat_makes_the_lease_longer(world: World) -> None:
    decided(world)
    job = leaves(world)

    renew(world.db, world.partner, [job], world.moment + 30 * SECOND)

    assert world.value(_LEASE) == world.moment + 30 * SECOND + LEASE


def test_a_beat_that_was_held_up_does_not_make_it_shorter(world: World) -> None:
    decided(world)
    job = leaves(world)

    renew(world.db, world.partner, [job], world.moment - 30 * SECOND)

    assert world.value(_LEASE) == world.moment + LEASE


def test_whose_attempt_was_given_up_has_no_say_about_the_next_one(world: World) -> None:
    decided(world)
    lost = leaves(world)
    world.moment += LEASE + SECOND
    world.machine.find_lost()
    again = leaves(world)

    renew(world.db, world.partner, [lost], world.moment + 30 * SECOND)

    assert (lost.effect_id, lost.attempt.number, again.attempt.number) == (again.effect_id, 1, 2)
    assert world.value(_LEASE) == world.moment + LEASE


def test_a_driver_that_cannot_be_made_ends_the_search_for_nobody_else(world: World) -> None:
    world.policy("broadband-no")
    for contacts in ({"sms": "+4790000201"}, {"email": "kari@example.com"}):
        world.invoice(world.customer(contacts=contacts), due=world.moment.date() - timedelta(days=5))
    world.decide()
    world.moment = max(world.moment, world.value("SELECT max(due_at) FROM effect WHERE state = 'pending'"))
    assert len(world.release()) == 2
    world.moment += LEASE + SECOND
    failures = metrics.LOOP_FAILURES.labels("lost", "KeyError")
    before = failures._value.get()

    def repeat_of(driver: str) -> Repeat:
        if driver == "sms":
            raise KeyError("its settings lack something that its constructor takes for granted")
        return Repeat.NEVER

    ended = lost(world.db, world.partner, repeat_of, world.moment)

    assert ended == 1
    assert world.rows("SELECT driver, result FROM attempt ORDER BY driver") == [("email", "unknown"), ("sms", "")]
    assert failures._value.get() == before + 1
