"""Back-pressure: a driver has so many attempts under way at a time, and rests after failures in a row.

Only bulk work waits. Restores, receipts and recalls go to a resting driver too; when one gets through, it is over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from relight.flow.database import Tx, statements
from relight.flow.effects.port import Outcome, Result

SQL = statements(__package__, "rests.sql")
IN_FLIGHT_MAX = 100  # of one driver of one partner, in one worker's lane
FAILURES_MAX = 8  # in a row, before a driver rests
FIRST_REST = timedelta(seconds=15)  # twice as long each time
LONGEST_REST = timedelta(minutes=10)
PROBE_WITHIN = timedelta(seconds=30)
MESSAGE_CHANNELS = ("sms", "email", "letter")

SUPPLY = "supply"

Driver = tuple[str, str]  # the effects' kind, and the name in the partner's settings
Load = Mapping[Driver, int]  # attempts that a worker has under way


@dataclass(frozen=True, slots=True)
class DriverState:
    """How a driver that failed lately is: `open`, `resting` or `probing`; `code` is of its last failure."""

    kind: str
    name: str
    state: str
    failures: int
    rests: int
    rest_until: datetime | None
    code: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Room:
    """How many effects may leave now, as `due_bulk` asks for it: `named` (kind, channel, count) for drivers that are
    known by their channel; for the others how many in all, and which drivers get none. `probed` get one each."""

    named: tuple[tuple[str, str, int], ...]
    supply_room: int
    no_supply: tuple[str, ...]
    probed: tuple[str, ...]
    handover_room: int
    no_handover: tuple[str, ...]

    @property
    def queues(self) -> list[str]:
        """What may leave and has an order of its own, as `due_bulk` names it: channels; and commands, while none of
        their drivers has to wait, since what waits for one lies among the others'."""
        channels = [f"{kind} {channel}" for kind, channel, count in self.named if count]
        return [*channels, SUPPLY] if self.supply_room and not self.no_supply else channels

    @property
    def params(self) -> dict[str, object]:
        """As parameters of the statement."""
        return {
            "kinds": [kind for kind, _, count in self.named if count],
            "channels": [channel for _, channel, count in self.named if count],
            "rooms": [count for _, _, count in self.named if count],
            "supply_room": self.supply_room,
            "no_supply": list(self.no_supply),
            "probed": list(self.probed),
            "handover_room": self.handover_room,
            "no_handover": list(self.no_handover),
        }


def room(tx: Tx, load: Load, now: datetime, *, limit: int) -> Room:
    """What may leave of at most `limit`, given what is under way and who rests. After a rest one is let through."""
    probing = {(kind, name) for kind, name in tx.rows(SQL.over, {"now": now, "until": now + PROBE_WITHIN})}
    shut = {(kind, name) for kind, name in tx.rows(SQL.rests, {"now": now})} | probing
    messages = [one for channel in MESSAGE_CHANNELS if (one := ("message", channel)) not in shut]
    named = [(*one, max(0, min(limit, IN_FLIGHT_MAX - load.get(one, 0)))) for one in messages]
    named += [(kind, name, 1) for kind, name in sorted(probing) if kind != "supply"]
    probed = tuple(sorted(name for kind, name in probing if kind == "supply"))
    return Room(tuple(named), *_of_kind("supply", load, shut, limit), probed, *_of_kind("handover", load, shut, limit))


def _of_kind(kind: str, load: Load, shut: set[Driver], limit: int) -> tuple[int, tuple[str, ...]]:
    """For kinds whose driver stands in the row: how many in all, so that no driver gets more than it has room for, and
    which drivers get none."""
    counts = {name: count for (of, name), count in load.items() if of == kind}
    full = {name for name, count in counts.items() if count >= IN_FLIGHT_MAX}
    none = full | {name for of, name in shut if of == kind}
    busiest = max((count for name, count in counts.items() if name not in none), default=0)
    return min(limit, IN_FLIGHT_MAX - busiest), tuple(sorted(none))


def note(tx: Tx, ended: Sequence[tuple[Driver, Outcome]], now: datetime) -> None:
    """How attempts ended, in their order, tells how their drivers are. The last thing in its transaction, and driver by
    driver: many wait for the same rows."""
    answered = set[Driver]()
    for driver, outcome in sorted(ended, key=lambda one: one[0]):
        is_answer = outcome.result in (Result.DONE, Result.REFUSED)
        if outcome.result is Result.LATE or (is_answer and driver in answered):
            continue
        given = {"kind": driver[0], "name": driver[1], "now": now}
        if is_answer:
            answered.add(driver)
            tx.run(SQL.answered, given)
        else:
            answered.discard(driver)
            limits = {"most": FAILURES_MAX, "first": FIRST_REST, "longest": LONGEST_REST, "partner": tx.partner_id}
            tx.run(SQL.failed, {**given, **limits, "code": (outcome.code or outcome.result.value)[:100]})


def states(tx: Tx) -> list[DriverState]:
    """The partner's drivers that failed lately, for people and figures."""
    return [DriverState(*row) for row in tx.rows(SQL.how_they_are)]


def in_flight(tx: Tx) -> list[tuple[str, str, int]]:
    """(kind, driver, count) of the partner's attempts under way, in all workers."""
    return [(row[0], row[1], row[2]) for row in tx.rows(SQL.in_flight)]
