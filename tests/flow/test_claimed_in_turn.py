"""A worker goes on where it was, and passes nobody by."""

from datetime import datetime, timedelta

import psycopg
import pytest

from relight.flow.cases.operations import wake
from relight.flow.database import Database, Tx
from relight.flow.road.claiming import Claimer
from relight.flow.road.searching import FROM_THE_START, PATIENCE
from relight.flow.road.turn import Turner
from tests.flow.paying import Debtor, make_debtor, with_policy

_WAITED = [timedelta(minutes=minutes) for minutes in (50, 40, 30, 20)]


@pytest.fixture
def debtors(db: Database, owner: psycopg.Connection, partner: int, now: datetime) -> list[Debtor]:
    """Four whose cases are due, the longest waiting first."""
    with db.transaction(partner) as tx:
        with_policy(tx, now)
        made = [make_debtor(tx, now) for _ in _WAITED]
    for debtor, waited in zip(made, _WAITED, strict=True):
        put_off(owner, debtor, now - waited)
    return made


def put_off(owner: psycopg.Connection, debtor: Debtor, until: datetime) -> None:
    owner.execute("UPDATE dunning_case SET wakes_at = %s WHERE id = %s", [until, debtor.case_id])


def claimed(db: Database, partner: int, claimer: Claimer, now: datetime, *, limit: int = 10) -> list[int]:
    with db.transaction(partner) as tx:
        return [case_id for case_id, _ in claimer.claim(tx, "bulk", now, limit)]


def test_the_search_goes_on_where_it_was(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, debtors: list[Debtor]
) -> None:
    claimer = Claimer()
    cases = [debtor.case_id for debtor in debtors]

    first = claimed(db, partner, claimer, now, limit=2)
    for debtor in debtors[:2]:
        put_off(owner, debtor, now + timedelta(days=1))
    second = claimed(db, partner, claimer, now, limit=2)

    assert (first, second) == (cases[:2], cases[2:])
    assert claimer.search(partner, "bulk").since() == (now - _WAITED[2], cases[2])
    assert claimer.search(partner, "urgent").since() == FROM_THE_START


def test_it_goes_on_behind_a_batch_that_is_committed_and_before_one_that_is_not(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, debtors: list[Debtor]
) -> None:
    turner, cases = Turner(db), [debtor.case_id for debtor in debtors]

    claimed(db, partner, turner.claimer, now, limit=2)
    before = turner.claimer.search(partner, "bulk").since()
    turned = turner.turn(partner, "bulk", now, limit=2)

    assert before == (now - _WAITED[0], cases[0])
    assert turned == 2
    assert turner.claimer.search(partner, "bulk").since() == (now - _WAITED[1], cases[1])


def test_what_another_worker_left_behind_is_found_when_nothing_else_is(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, debtors: list[Debtor]
) -> None:
    claimer = Claimer()
    with db.transaction(partner) as other:
        held = Claimer().claim(other, "bulk", now, 2)
        passed = claimed(db, partner, claimer, now)
        for debtor in debtors[2:]:
            put_off(owner, debtor, now + timedelta(days=1))

    left = claimed(db, partner, claimer, now)

    assert [case_id for case_id, _ in held] == left == [debtor.case_id for debtor in debtors[:2]]
    assert passed == [debtor.case_id for debtor in debtors[2:]]


def test_who_is_woken_meanwhile_is_found_without_starting_again(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, debtors: list[Debtor]
) -> None:
    claimer, woken = Claimer(), debtors[0]
    put_off(owner, woken, now + timedelta(days=1))
    claimed(db, partner, claimer, now)

    with db.transaction(partner) as tx:
        wake(tx, [woken.account.id], now, urgent=False)
    found = claimed(db, partner, claimer, now)

    assert found[-1] == woken.case_id
    assert claimer.search(partner, "bulk").since()[0] == now - _WAITED[1]


def test_those_of_one_moment_are_in_order_too(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, debtors: list[Debtor]
) -> None:
    claimer = Claimer()
    cases = sorted(debtor.case_id for debtor in debtors)
    for debtor in debtors:
        put_off(owner, debtor, now)

    found = [claimed(db, partner, claimer, now, limit=3)]
    for debtor in debtors:
        if debtor.case_id in found[0]:
            put_off(owner, debtor, now + timedelta(days=1))
    found.append(claimed(db, partner, claimer, now, limit=3))

    assert found == [cases[:3], cases[3:]]
    assert claimer.search(partner, "bulk").since() == (now, cases[3])


@pytest.mark.parametrize("lane", ["urgent", "bulk"])
@pytest.mark.parametrize("took", [0.001, 10.0])
def test_who_was_woken_by_a_slow_transaction_is_found_though_others_are_due_all_the_time(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, debtors: list[Debtor], lane: str, took: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    claimer, late, clock = Claimer(), debtors[0], Clock(took)
    owner.execute("UPDATE dunning_case SET lane = %s WHERE partner_id = %s", [lane, partner])
    put_off(owner, late, now + timedelta(days=1))
    monkeypatch.setattr(Tx, "seconds", clock)

    def claim() -> bool:
        """Whether the late one is among them."""
        with db.transaction(partner) as tx:
            return late.case_id in [case_id for case_id, _ in claimer.claim(tx, lane, now, 2)]

    claim()
    put_off(owner, late, now - timedelta(minutes=50))  # its clock was read before the others' batch, and it commits now
    pause = PATIENCE[lane].ends_at(0, took) - took
    clock.step = 0.0

    clock.at += 0.9 * pause
    before = claim()
    clock.at += 0.2 * pause
    after = claim()

    assert (before, after) == (False, True)


def test_who_waited_long_in_the_bulk_lane_and_pays_is_found_at_once(
    db: Database, owner: psycopg.Connection, partner: int, now: datetime, debtors: list[Debtor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    claimer, (waiting, *others) = Claimer(), debtors
    monkeypatch.setattr(Tx, "seconds", Clock(0.1))  # searches from the start take long, so that there is none soon

    def found() -> list[int]:
        with db.transaction(partner) as tx:
            return [case_id for case_id, _ in claimer.claim(tx, "urgent", now, 2)]

    with db.transaction(partner) as tx:
        wake(tx, [debtor.account.id for debtor in others], now - timedelta(seconds=5), urgent=True)
    owner.execute("UPDATE dunning_case SET wakes_at = %s WHERE lane = 'urgent'", [now - timedelta(seconds=5)])
    found()
    with db.transaction(partner) as tx:
        wake(tx, [waiting.account.id], now, urgent=True)
    for debtor in others:
        put_off(owner, debtor, now + timedelta(days=1))

    claimer.done(partner, "urgent")
    assert found() == [waiting.case_id]
    assert claimer.search(partner, "urgent").since()[0] > now - timedelta(minutes=1)


class Clock:
    """A clock that goes on by a step whenever it is read."""

    def __init__(self, step: float):
        self.at, self.step = 0.0, step

    def __call__(self, *_: object) -> float:
        self.at += self.step
        return self.at
