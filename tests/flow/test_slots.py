"""Fair shares of a worker's lane: nobody's slow drivers take it all, and everybody's turn comes."""

from datetime import UTC, datetime

from relight.core.levels import Level
from relight.flow.effects.port import Attempt
from relight.flow.messages.port import Message
from relight.flow.road.release import Job
from relight.flow.road.slots import BATCH_MAX, Slots

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def job(partner: int, number: int) -> Job:
    """An attempt at a command by one of a partner's drivers."""
    return Job(partner, 1, number, number, Attempt(str(number), 1, NOON), driver="radius", level=Level.OFF)


def receipt(partner: int, number: int) -> Job:
    """An attempt at a text message."""
    message = Message("sms", "+4790000400", "Nordlys", "nb", "", "Takk.")
    return Job(partner, 1, number, number, Attempt(str(number), 1, NOON), driver="sms", message=message)


def filled(slots: Slots, partner: int, count: int) -> list[Job]:
    begun = [job(partner, 1000 * partner + number) for number in range(count)]
    for one in begun:
        slots.take(one)
    return begun


def test_alone_a_partner_leaves_a_quarter_for_whoever_comes() -> None:
    slots = Slots(200)
    filled(slots, 1, 150)

    assert slots.room(1, waiting=1, begun=0) == 0
    assert slots.room(2, waiting=2, begun=0) == BATCH_MAX


def test_with_others_waiting_each_gets_an_equal_part() -> None:
    slots = Slots(200)
    filled(slots, 1, 45)

    rooms = [slots.room(partner, waiting=4, begun=0) for partner in (1, 2, 3, 4)]

    assert rooms == [5, 50, 50, 50]


def test_never_more_than_there_are() -> None:
    slots = Slots(200)
    filled(slots, 1, 150)

    assert slots.room(2, waiting=2, begun=40) == 10
    assert slots.room(2, waiting=2, begun=50) == 0


def test_what_ends_makes_room_again() -> None:
    slots = Slots(200)
    begun = filled(slots, 1, 150)
    before = slots.load(1)

    for one in begun:
        slots.give_back(one)

    assert before == {("supply", "radius"): 150}
    assert (slots.load(1), slots.room(1, waiting=1, begun=0)) == ({}, BATCH_MAX)


def test_whoever_comes_after_the_last_one_served_begins() -> None:
    slots = Slots(200)

    first = slots.in_turn({3, 1, 2})
    slots.room(2, waiting=3, begun=0)
    then = slots.in_turn({3, 1, 2})

    assert (first, then) == ([1, 2, 3], [3, 1, 2])


def test_messages_of_all_partners_together_leave_half_of_the_lane_to_restores() -> None:
    slots = Slots(200)
    told = [receipt(1 + number % 3, number) for number in range(96)]
    for one in told:
        slots.take(one)
    filled(slots, 1, 30)

    assert slots.messages_left([receipt(1, 100), job(1, 101)]) == 3
    assert slots.messages_left([receipt(2, number) for number in range(9)]) == 0
    slots.give_back(told[0])
    assert slots.messages_left([]) == 5
