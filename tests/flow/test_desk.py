"""Ends of attempts are written together, and one that cannot be written takes none of the others along."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from relight.flow.effects.port import Outcome, Repeat, Result
from relight.flow.road import desk as desks
from relight.flow.road.desk import AT_ONCE, Desk
from relight.flow.road.ends import Ended

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


class Writing:
    """What is written, batch by batch; `wrong` says what a batch raises."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.wrong: Any = lambda attempts: None

    def finish(self, _: object, partner_id: int, ended: Sequence[Ended], now: datetime, *, moment: object) -> None:
        attempts = [one.attempt_id for one in ended]
        if wrong := self.wrong(attempts):
            raise wrong
        self.batches.append(attempts)


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Writing:
    made = Writing()
    monkeypatch.setattr(desks, "finish", made.finish)
    monkeypatch.setattr(desks, "_TRY_AGAIN_SECONDS", 0)
    return made


def end(attempt: int, account: int | None = None) -> Ended:
    return Ended(account or attempt, attempt, attempt, "sms", Outcome(Result.DONE), Repeat.SAFE)


def hand_in(*ends: Ended, is_message: bool = True) -> list[BaseException | None]:
    """All at once, at one desk; what each was told."""

    async def all_of_them() -> list[Any]:
        desk = Desk(None, lambda: NOW)  # type: ignore[arg-type]  # nobody opens it: the writing is ours
        handing = [desk.hand_in(1, one, is_message=is_message) for one in ends]
        return await asyncio.gather(*handing, return_exceptions=True)

    return asyncio.run(all_of_them())


def test_what_comes_at_once_is_written_together(writing: Writing) -> None:
    told = hand_in(*(end(number) for number in range(1, AT_ONCE + 11)))

    assert told == [None] * (AT_ONCE + 10)
    assert [len(batch) for batch in writing.batches] == [AT_ONCE, 10]


def test_two_ends_of_one_account_are_written_one_after_the_other(writing: Writing) -> None:
    hand_in(end(1, account=7), end(2, account=7), end(3, account=8))

    assert writing.batches == [[1, 3], [2]]


def test_an_end_that_cannot_be_written_takes_no_other_along(writing: Writing) -> None:
    bug = ValueError("no such thing")
    writing.wrong = lambda attempts: bug if 2 in attempts else None

    told = hand_in(end(1), end(2), end(3))

    assert told == [None, bug, None]
    assert writing.batches == [[1], [3]]


def test_ends_are_kept_while_the_database_is_away(writing: Writing) -> None:
    away = [psycopg.OperationalError("gone"), psycopg.errors.IdleInTransactionSessionTimeout("stood still")]
    writing.wrong = lambda attempts: away.pop() if away else None

    told = hand_in(end(1), end(2))

    assert told == [None, None]
    assert writing.batches == [[1, 2]]


def test_ends_are_given_up_when_the_database_stays_away(writing: Writing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desks, "WRITE_WITHIN", -1.0)
    gone = psycopg.OperationalError("gone")
    writing.wrong = lambda attempts: gone

    assert hand_in(end(1), end(2)) == [gone, gone]
    assert writing.batches == []
