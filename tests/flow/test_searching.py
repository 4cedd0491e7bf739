"""Effects are searched for behind those that left, channel by channel; who has due work is asked in the same way."""

from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.database import Database, Tx
from relight.flow.effects.rests import IN_FLIGHT_MAX, Load
from relight.flow.road.claiming import EffectClaimer
from relight.flow.road.due import Lookout
from relight.flow.road.searching import FROM_THE_START, PATIENCE
from tests.flow.paying import make_debtor, with_policy

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SMS = "message sms"
_FULL: Load = {("message", "sms"): IN_FLIGHT_MAX}
_PUT = """
    INSERT INTO effect (partner_id, case_id, account_id, event_number, key, kind, lane, channel, due_at, created_at)
    VALUES (%(partner)s, %(case)s, %(account)s, 1, %(key)s, %(kind)s, %(lane)s, %(channel)s, %(at)s, %(at)s)
    RETURNING id
"""


class Clock:
    """For how long things take. It goes on while it is said to be slow, a second each time it is read."""

    def __init__(self) -> None:
        self.at, self.is_slow = 0.0, False

    def __call__(self, *_: object) -> float:
        self.at += self.is_slow
        return self.at


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(Tx, "seconds", made)
    return made


class Outbox:
    """A partner's pending effects, each of an account of its own."""

    def __init__(self, db: Database, partner: int, now: datetime, clock: Clock):
        self.db, self.partner, self.now, self.clock = db, partner, now, clock
        self.claimer = EffectClaimer()
        with db.transaction(partner) as tx:
            with_policy(tx, now)

    def put(self, *due: timedelta, channel: str = "sms", lane: str = "bulk", kind: str = "message") -> list[int]:
        """Messages, or what else, that fell due so long ago; their ids."""
        with self.db.transaction(self.partner) as tx:
            return [self._one(tx, self.now - ago, channel, lane, kind) for ago in due]

    def _one(self, tx: Tx, due_at: datetime, channel: str, lane: str, kind: str) -> int:
        debtor = make_debtor(tx, self.now)
        about = {"partner": self.partner, "case": debtor.case_id, "account": debtor.account.id, "kind": kind}
        return tx.value(_PUT, {**about, "key": f"{debtor.case_id}-1-0", "lane": lane, "channel": channel, "at": due_at})

    def claim(
        self, limit: int = 2, *, lane: str = "bulk", load: Load | None = None, messages: int | None = None
    ) -> list[int]:
        """What would leave, without letting it."""
        with self.db.transaction(self.partner) as tx:
            return self._claim(tx, limit, lane, load, messages)

    def let_leave(self, limit: int = 2, *, lane: str = "bulk", load: Load | None = None) -> list[int]:
        """A batch that leaves."""
        with self.db.transaction(self.partner) as tx:
            ids = self._claim(tx, limit, lane, load)
            tx.run("UPDATE effect SET state = 'done' WHERE id = ANY (%(ids)s)", {"ids": ids})
        self.claimer.done(self.partner, lane)
        return ids

    def _claim(self, tx: Tx, limit: int, lane: str, load: Load | None, messages: int | None = None) -> list[int]:
        """The first search takes a second, so nobody makes another one from the start soon."""
        self.clock.is_slow = (
            self.claimer.search(self.partner, lane).since(SMS if lane == "bulk" else "message") == FROM_THE_START
        )
        found = self.claimer.claim(tx, lane, self.now, limit, load or {}, messages)
        self.clock.is_slow = False
        return found

    def since(self, queue: str, *, lane: str = "bulk") -> object:
        return self.claimer.search(self.partner, lane).since(queue)


@pytest.fixture
def outbox(db: Database, partner: int, now: datetime, clock: Clock) -> Outbox:
    return Outbox(db, partner, now, clock)


def test_what_leaves_next_is_searched_for_behind_what_left(outbox: Outbox, now: datetime) -> None:
    ids = outbox.put(*[MINUTE] * 5)  # of one moment: by their ids

    batches = [outbox.let_leave(), outbox.let_leave(), outbox.let_leave()]

    assert batches == [ids[:2], ids[2:4], ids[4:]]
    assert outbox.since(SMS) == (now - MINUTE, ids[4])


def test_a_batch_that_did_not_leave_is_found_again(outbox: Outbox) -> None:
    ids = outbox.put(3 * MINUTE, 2 * MINUTE, MINUTE)

    assert [outbox.claim(), outbox.claim(), outbox.let_leave()] == [ids[:2]] * 3
    assert outbox.claim() == ids[2:]


def test_a_channel_that_had_to_wait_goes_on_where_it_was(outbox: Outbox) -> None:
    sms = outbox.put(9 * MINUTE, 8 * MINUTE, 7 * MINUTE)
    email = outbox.put(6 * MINUTE, 5 * MINUTE, channel="email")

    assert outbox.let_leave(1) == sms[:1]
    assert outbox.let_leave(load=_FULL) == email
    outbox.put(4 * MINUTE, channel="email")  # so that the search need not begin anew
    assert outbox.let_leave(2) == sms[1:]


def test_a_channel_that_was_empty_is_looked_at_from_then_on(outbox: Outbox, now: datetime) -> None:
    outbox.put(2 * MINUTE, MINUTE)
    outbox.let_leave(1)

    assert outbox.since("message email") == (now, 0)
    outbox.now = now + MINUTE
    email = outbox.put(timedelta(0), channel="email")
    assert outbox.let_leave()[-1:] == email


def test_a_restore_does_not_stand_behind_the_messages_that_were_due_before_it(outbox: Outbox) -> None:
    told = outbox.put(*[MINUTE] * 5, lane="urgent")
    recall = outbox.put(2 * SECOND, lane="urgent", channel="ara", kind="handover")
    restore = outbox.put(SECOND, lane="urgent", channel="", kind="supply")

    assert outbox.let_leave(2, lane="urgent") == [*restore, *recall]
    assert outbox.claim(9, lane="urgent") == told


def test_of_urgent_messages_only_so_many_leave_together_and_the_others_next(outbox: Outbox) -> None:
    told = outbox.put(*[MINUTE] * 5, lane="urgent")
    restore = outbox.put(SECOND, lane="urgent", channel="", kind="supply")

    assert outbox.claim(9, lane="urgent", messages=2) == [*restore, *told[:2]]
    assert outbox.claim(9, lane="urgent", messages=0) == restore
    assert outbox.let_leave(3, lane="urgent") == [*restore, *told[:2]]
    assert outbox.claim(9, lane="urgent", messages=0) == []
    assert outbox.claim(9, lane="urgent", messages=9) == told[2:]


@pytest.mark.parametrize(("lane", "finds"), [("urgent", True), ("bulk", False)])
def test_what_is_urgent_and_was_committed_a_moment_late_is_found_without_beginning_anew(
    outbox: Outbox, lane: str, finds: bool
) -> None:
    early = outbox.put(3 * SECOND, 2 * SECOND, SECOND, lane=lane)
    outbox.let_leave(2, lane=lane)

    late = outbox.put(3 * SECOND, lane=lane)

    assert outbox.claim(9, lane=lane) == ([*late, early[2]] if finds else early[2:])


@pytest.mark.parametrize("lane", ["urgent", "bulk"])
def test_what_was_committed_much_too_late_is_found_when_patience_ends(outbox: Outbox, clock: Clock, lane: str) -> None:
    early = outbox.put(3 * SECOND, 2 * SECOND, SECOND, lane=lane)
    outbox.let_leave(2, lane=lane)
    late = outbox.put(9 * MINUTE, lane=lane)

    clock.at += 0.9 * PATIENCE[lane].seconds_max
    before = outbox.claim(9, lane=lane)
    clock.at += 0.2 * PATIENCE[lane].seconds_max
    after = outbox.claim(9, lane=lane)

    assert (before, after) == (early[2:], [*late, early[2]])


def test_where_nothing_is_found_the_search_begins_anew(outbox: Outbox) -> None:
    outbox.put(2 * MINUTE, MINUTE)
    outbox.let_leave()
    late = outbox.put(9 * MINUTE)

    assert outbox.let_leave() == late
    assert outbox.let_leave() == []
    assert outbox.since(SMS) == FROM_THE_START


class Asked:
    """A lookout of one partner, at a moment."""

    def __init__(self, db: Database, partner: int, now: datetime, clock: Clock):
        self.now, self.lookout, self.clock = now, Lookout(db, [partner]), clock
        self._asked = set[str]()

    def __call__(self, what: str) -> list[int]:
        """The first question of a kind takes a second."""
        self.clock.is_slow = what not in self._asked
        self._asked.add(what)
        found = self.lookout.partners(what, self.now)
        self.clock.is_slow = False
        return found


@pytest.fixture
def asked(db: Database, partner: int, now: datetime, clock: Clock) -> Asked:
    return Asked(db, partner, now, clock)


@pytest.mark.parametrize("lane", ["urgent", "bulk"])
def test_who_has_due_work_is_asked_behind_what_was_due(outbox: Outbox, asked: Asked, clock: Clock, lane: str) -> None:
    what, mine = f"release {lane}", [outbox.partner]
    outbox.clock = Clock()  # its searches take no time
    outbox.put(MINUTE, lane=lane)
    assert asked(what) == mine
    outbox.let_leave(lane=lane)
    assert asked(what) == []
    outbox.put(timedelta(0), lane=lane)
    assert asked(what) == mine
    outbox.let_leave(lane=lane)

    outbox.put(9 * MINUTE, lane=lane)  # much too late
    clock.at += 0.9 * PATIENCE[lane].seconds_max
    before = asked(what)
    clock.at += 0.2 * PATIENCE[lane].seconds_max
    after = asked(what)

    assert (before, after) == ([], mine)


def test_a_partner_that_had_nothing_is_asked_from_then_on(outbox: Outbox, asked: Asked, now: datetime) -> None:
    assert asked("release bulk") == []
    outbox.put(MINUTE)
    assert asked("release bulk") == []  # an answer from before it was there
    outbox.now = asked.now = now + SECOND
    outbox.put(timedelta(0))
    assert asked("release bulk") == [outbox.partner]


def test_cases_lost_attempts_and_the_feed_are_asked_for_too(
    outbox: Outbox, asked: Asked, owner: psycopg.Connection, now: datetime
) -> None:
    kinds = ("decide bulk", "decide urgent", "lost", "feed")
    (effect,) = outbox.put(-MINUTE)
    owner.execute("UPDATE dunning_case SET wakes_at = %s", [now + MINUTE])
    owner.execute("DELETE FROM feed_pending")
    assert [asked(kind) for kind in kinds] == [[]] * 4

    asked.now = now + 2 * MINUTE
    owner.execute("UPDATE effect SET state = 'in_flight', lease_until = %s WHERE id = %s", [now + MINUTE, effect])
    owner.execute(
        "INSERT INTO feed_pending (partner_id, topic, at) VALUES (%s, 'payment.noted', %s)", [outbox.partner, now]
    )
    assert [asked("decide bulk"), asked("lost"), asked("feed")] == [[outbox.partner]] * 3
    owner.execute("UPDATE dunning_case SET lane = 'urgent'")
    assert asked("decide urgent") == [outbox.partner]
    assert asked("decide bulk") == []
