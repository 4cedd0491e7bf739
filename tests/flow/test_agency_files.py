"""What agencies leave in their folders: a file that cannot be used stops no other, of nobody."""

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg.types.json import Jsonb

from relight.drivers.agency_file import AgencyFileDriver
from relight.flow.database import Database
from relight.flow.effects.drivers import DriverRoom
from relight.flow.handover import operations
from relight.flow.road import agencies
from relight.flow.road.agencies import ReadLetter, read_letters
from tests.flow import collecting
from tests.flow.collecting import AGENCY, Placed, paid, says
from tests.flow.factories import make_source

OWED = 89900
OTHER = "advokat"

# JSON that a parser takes, and that no database keeps: each is one more field of an otherwise valid line.
POISON = {
    "NUL in a text": r'"note": "\u0000"',
    "NUL deep within": r'"note": {"lines": ["fine", {"text": "a\u0000b"}]}',
    "NUL in a name": r'"no\u0000te": 1',
    "half a character": r'"note": "\ud800"',
    "half a character in a name": r'"\udc00": 1',
    "no number": '"note": NaN',
    "without an end": '"note": [-Infinity]',
    "too large to be a number": '"note": 1e999',
    "deeper than any status": '"note": ' + "[" * 400 + "]" * 400,
    "deeper than can be read": '"note": ' + "[" * 100_000 + "]" * 100_000,
}


class Partner(NamedTuple):
    """A partner with two agencies, each with a folder, and a case that the first one has."""

    id: int
    placed: Placed
    folder: Path
    other: Path


@pytest.fixture
def made(db: Database, owner: psycopg.Connection, now: datetime, tmp_path: Path) -> Callable[[int], Partner]:
    """Gives a partner agencies and a case."""

    def make(partner: int) -> Partner:
        folders = {name: tmp_path / f"{partner}-{name}" for name in (AGENCY, OTHER)}
        for folder in folders.values():
            folder.mkdir()
        settings = {name: {"driver": "agency_file", "folder": str(folder)} for name, folder in folders.items()}
        owner.execute("UPDATE partner SET driver_settings = %s WHERE id = %s", (Jsonb({"handover": settings}), partner))
        with db.transaction(partner) as tx:
            make_source(tx, now)
            collecting.set_up(tx, now)
            operations.add_agency(tx, name=OTHER, title="Advokat Ås", kind="attorney", org_number="923456783", now=now)
            return Partner(partner, collecting.place(tx, now), folders[AGENCY], folders[OTHER])

    return make


@pytest.fixture
def first(made: Callable[[int], Partner], partner: int) -> Partner:
    """The partner whose folders are read first."""
    return made(partner)


@pytest.fixture
def second(made: Callable[[int], Partner], other_partner: int) -> Partner:
    """The partner whose folders are read after them."""
    return made(other_partner)


@pytest.fixture
def room(db: Database) -> DriverRoom:
    """A worker's drivers."""
    return DriverRoom(db)


def spoilt(partner: Partner, now: datetime, more: str, *, name: str = "a-spoilt.jsonl") -> dict[str, Any]:
    """A file whose only line has one field too many; what it says else."""
    said = paid(partner.placed.ref, 100, now)
    path = says(partner.folder, name=name)
    path.write_text(f"{json.dumps(said)[:-1]}, {more}}}\n", "utf-8")
    return said


def owed(db: Database, partner: Partner) -> int:
    with db.transaction(partner.id) as tx:
        return tx.value("SELECT sum(principal + costs + interest)::bigint FROM claim")


def tasks(db: Database, partner: Partner) -> list[tuple[str, dict[str, str]]]:
    with db.transaction(partner.id) as tx:
        return [(row[0], row[1]) for row in tx.rows("SELECT code, params FROM task WHERE state = 'open' ORDER BY id")]


def waiting(folder: Path) -> list[str]:
    """Files that are still to be read."""
    return sorted(path.name for path in (folder / "in").glob("*.json*"))


def hear(db: Database, room: DriverRoom, now: datetime, *partners: Partner) -> list[ReadLetter]:
    return read_letters(db, room, now, {one.id for one in partners})


@pytest.mark.parametrize("more", POISON.values(), ids=POISON.keys())
def test_a_line_that_no_database_keeps_is_refused_and_the_next_file_is_heard(
    first: Partner, db: Database, room: DriverRoom, now: datetime, more: str
) -> None:
    spoilt(first, now, more)
    says(first.folder, paid(first.placed.ref, 30000, now), name="b-fine.jsonl")

    (refused, fine) = hear(db, room, now, first)

    assert (refused.name, refused.heard, len(refused.errors)) == ("a-spoilt.jsonl", [], 1)
    assert refused.errors[0].startswith("line 1: ")
    assert refused.errors[0].isprintable()
    assert ([one.verdict for one in fine.heard], fine.errors) == (["taken"], [])
    assert owed(db, first) == OWED - 30000
    assert [code for code, _ in tasks(db, first)] == ["agency_unreadable"]
    assert waiting(first.folder) == []


def test_the_refusal_names_the_field(first: Partner, db: Database, room: DriverRoom, now: datetime) -> None:
    spoilt(first, now, POISON["NUL deep within"])

    (refused,) = hear(db, room, now, first)

    assert refused.errors == ["line 1: note.lines.1.text: a character that cannot be kept (NUL, or half of one)"]


def test_a_line_separator_within_a_text_ends_no_line(
    first: Partner, db: Database, room: DriverRoom, now: datetime
) -> None:
    path = says(first.folder)
    said = {**paid(first.placed.ref, 30000, now), "note": "first\u2028second\x85third"}
    path.write_text(json.dumps(said, ensure_ascii=False) + "\r\n", "utf-8")

    (read,) = hear(db, room, now, first)

    assert [one.verdict for one in read.heard] == ["taken"]


def test_a_file_with_a_name_that_is_no_text_is_told_all_the_same(
    first: Partner, db: Database, room: DriverRoom, now: datetime
) -> None:
    spoilt(first, now, '"note": NaN', name=os.fsdecode(b"m\xe6ld.jsonl"))

    hear(db, room, now, first)

    assert [(code, params["file"]) for code, params in tasks(db, first)] == [("agency_unreadable", "m?ld.jsonl")]
    assert waiting(first.folder) == []


def test_a_file_that_is_too_long_is_refused_whole_and_not_cut(
    first: Partner, db: Database, room: DriverRoom, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("flow.handover.port", "drivers.agency_file"):
        monkeypatch.setattr(f"relight.{module}.LETTER_BYTES_MAX", 300)
    says(first.folder, *[paid(first.placed.ref, 10, now) for _ in range(3)], name="a-long.jsonl")
    says(first.folder, paid(first.placed.ref, 200, now), name="b.jsonl")

    (long,) = hear(db, room, now, first)
    hear(db, room, now, first)

    assert long.errors == ["a file of at most 300 bytes; send it in parts. Nothing of it was read"]
    assert owed(db, first) == OWED - 200
    assert [code for code, _ in tasks(db, first)] == ["agency_unreadable"]


def test_a_file_that_we_may_not_read_stops_no_other(
    first: Partner, db: Database, room: DriverRoom, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def not_ours(self: Path, *how: Any, **more: Any) -> Any:
        if self.name == "a.jsonl":
            raise PermissionError(13, "Permission denied")
        return opened(self, *how, **more)

    says(first.folder, paid(first.placed.ref, 10, now), name="a.jsonl")
    says(first.folder, paid(first.placed.ref, 200, now), name="b.jsonl")
    monkeypatch.setattr(Path, "open", not_ours)

    hear(db, room, now, first)

    assert owed(db, first) == OWED - 200
    assert waiting(first.folder) == ["a.jsonl"]


def test_a_status_that_fails_when_it_is_taken_in_stops_no_other_of_its_file(
    first: Partner, db: Database, room: DriverRoom, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = agencies.settle

    def fails_for_one(tx: Any, source_id: int, rows: Any, **how: Any) -> Any:
        if rows[0].ref == "NI-7":
            tx.run("SELECT 1 / 0")
        return settle(tx, source_id, rows, **how)

    monkeypatch.setattr(agencies, "settle", fails_for_one)
    lines = [paid(first.placed.ref, amount, now, payment=f"NI-{at}") for at, amount in ((6, 10), (7, 200), (8, 3000))]
    says(first.folder, *lines, name="a.jsonl")

    (read,) = hear(db, room, now, first)

    assert [(one.status.payment, one.verdict) for one in read.heard] == [("NI-6", "taken"), ("NI-8", "taken")]
    assert read.errors == ["line 2: it could not be taken in (DivisionByZero); the log tells more"]
    assert owed(db, first) == OWED - 3010
    assert [code for code, _ in tasks(db, first)] == ["agency_unreadable"]
    assert waiting(first.folder) == []


def test_a_file_that_fails_as_a_whole_is_put_away_for_a_person_and_the_next_is_heard(
    first: Partner, db: Database, room: DriverRoom, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses_in = agencies.statuses_in

    def fails_for_one(letter: Any) -> Any:
        if letter.name == "a.jsonl":
            raise KeyError(letter.name)
        return statuses_in(letter)

    monkeypatch.setattr(agencies, "statuses_in", fails_for_one)
    says(first.folder, paid(first.placed.ref, 10, now), name="a.jsonl")
    says(first.folder, paid(first.placed.ref, 200, now), name="b.jsonl")

    (failed, _) = hear(db, room, now, first)

    assert failed.errors == ["it could not be read (KeyError); the log tells more"]
    assert owed(db, first) == OWED - 200
    assert [code for code, _ in tasks(db, first)] == ["agency_unreadable"]
    assert waiting(first.folder) == []


def test_a_file_that_cannot_be_put_away_stops_no_other_and_counts_once(
    first: Partner, db: Database, room: DriverRoom, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_away = AgencyFileDriver.put_away

    def disk_is_full(self: AgencyFileDriver, letter: Any, errors: Any) -> None:
        if letter.name == "a.jsonl":
            raise OSError(28, "No space left on device")
        put_away(self, letter, errors)

    monkeypatch.setattr(AgencyFileDriver, "put_away", disk_is_full)
    says(first.folder, paid(first.placed.ref, 10, now), name="a.jsonl")
    says(first.folder, paid(first.placed.ref, 200, now), name="b.jsonl")

    hear(db, room, now, first)
    again = hear(db, room, now, first)

    assert [one.verdict for letter in again for one in letter.heard] == ["repeated"]
    assert owed(db, first) == OWED - 210
    assert waiting(first.folder) == ["a.jsonl"]


def test_an_agency_that_cannot_be_heard_stops_no_other_of_any_partner(
    first: Partner, second: Partner, db: Database, room: DriverRoom, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    letters = AgencyFileDriver.letters

    def raises_for_one(self: AgencyFileDriver) -> Any:
        if self is room.get(first.id, "handover", OTHER):
            raise RuntimeError("a driver that somebody else wrote")
        return letters(self)

    monkeypatch.setattr(AgencyFileDriver, "letters", raises_for_one)
    for one in (first, second):
        says(one.folder, paid(one.placed.ref, 200, now))

    hear(db, room, now, first, second)

    assert [owed(db, one) for one in (first, second)] == [OWED - 200] * 2


def test_a_partner_whose_settings_make_no_sense_stops_no_other(
    first: Partner, second: Partner, db: Database, room: DriverRoom, now: datetime, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE partner SET driver_settings = %s WHERE id = %s", (Jsonb({"handover": 7}), first.id))
    says(second.folder, paid(second.placed.ref, 200, now))

    hear(db, room, now, first, second)

    assert owed(db, second) == OWED - 200


def test_while_the_database_has_a_trouble_of_its_own_a_file_stays_where_it_is(
    first: Partner, second: Partner, db: Database, room: DriverRoom, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = agencies.settle

    def in_anothers_way(tx: Any, source_id: int, rows: Any, **how: Any) -> Any:
        if tx.partner_id == first.id:
            raise psycopg.errors.DeadlockDetected("two were in each other's way")
        return settle(tx, source_id, rows, **how)

    for one in (first, second):
        says(one.folder, paid(one.placed.ref, 200, now), name="a.jsonl")

    monkeypatch.setattr(agencies, "settle", in_anothers_way)
    hear(db, room, now, first, second)
    meanwhile = [owed(db, one) for one in (first, second)], waiting(first.folder), tasks(db, first)
    monkeypatch.setattr(agencies, "settle", settle)
    hear(db, room, now, first, second)

    assert meanwhile == ([OWED, OWED - 200], ["a.jsonl"], [])
    assert [owed(db, one) for one in (first, second)] == [OWED - 200] * 2
