"""The alarm of the installation itself: there should be a base copy each night, and for too long there was none."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry

from relight.cli.main import relight
from relight.flow.database import Database
from relight.flow.watch import copies
from relight.flow.watch.alarms import KINDS, OF_INSTALLATION, all_alarms, of_installation
from relight.flow.watch.pulse import Pulse
from tests.flow.test_watch_command import Connected

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
FETCHED = [(True, datetime(2026, 1, 1, tzinfo=UTC))]  # the log's slot is in use, whatever was before


@pytest.fixture
def note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the newest copy is noted; there is none yet."""
    path = tmp_path / "last-backup.json"
    monkeypatch.setenv(copies.NOTE, str(path))
    monkeypatch.setenv(copies.SINCE, "")
    return path


@pytest.fixture
def replication_slot(database_urls: dict[str, str]) -> Iterator[None]:
    """The slot that `relight backup stream` made, with nobody there."""
    with psycopg.connect(database_urls["admin"], autocommit=True) as connection:
        connection.execute("SELECT pg_create_physical_replication_slot(%s, true)", [copies.SLOT])
        try:
            yield
        finally:
            connection.execute("SELECT pg_drop_replication_slot(%s)", [copies.SLOT])


def made(note: Path, at: datetime) -> None:
    """A copy was complete then."""
    note.write_text(json.dumps({"folder": "/srv/backup/base/some", "complete": at.isoformat()}))


@pytest.mark.parametrize(("hours", "alarmed"), [(0, False), (35.9, False), (36, True), (400, True)])
def test_a_copy_that_is_too_old_is_an_alarm(note: Path, now: datetime, hours: float, alarmed: bool) -> None:
    made(note, now - hours * HOUR)

    found = of_installation(FETCHED, now)

    assert [(one.code, one.count, one.since) for one in found] == [("backup_old", 1, now - hours * HOUR)] * alarmed
    assert all(one.to_do.endswith(".") and "{" not in one.what for one in found)


def test_a_copy_that_never_came_is_one_where_there_should_be_one(
    note: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_asked = of_installation(FETCHED, now)
    monkeypatch.setenv(copies.SINCE, (now - 40 * HOUR).isoformat())
    late = of_installation(FETCHED, now)
    monkeypatch.setenv(copies.SINCE, (now - HOUR).isoformat())
    early = of_installation(FETCHED, now)

    assert nobody_asked == early == ()
    assert [one.since for one in late] == [now - 40 * HOUR]


def test_a_new_copy_ends_the_alarm(note: Path, now: datetime) -> None:
    made(note, now - 40 * HOUR)
    before = of_installation(FETCHED, now)
    made(note, now - HOUR)

    assert before
    assert of_installation(FETCHED, now) == ()


def test_nothing_is_said_where_copies_are_made_by_other_means(
    note: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(note, now - 400 * HOUR)
    monkeypatch.setenv(copies.NOTE, "")

    assert of_installation(FETCHED, now) == ()


@pytest.mark.parametrize(("minutes", "alarmed"), [(0, False), (14.9, False), (15, True), (4000, True)])
def test_a_log_that_nobody_fetches_any_more_is_an_alarm(
    note: Path, now: datetime, minutes: float, alarmed: bool
) -> None:
    made(note, now - HOUR)

    found = of_installation([(False, now - minutes * MINUTE)], now)

    assert [(one.code, one.since) for one in found] == [("backup_log_old", now - minutes * MINUTE)] * alarmed
    assert all(one.to_do.endswith(".") and "{" not in one.what for one in found)


def test_a_log_without_its_slot_is_one_only_where_copies_are_made_or_asked_for(
    note: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_asked = of_installation([], now)
    monkeypatch.setenv(copies.SINCE, (now - HOUR).isoformat())
    asked_for = of_installation([], now)
    made(note, now - 14 * MINUTE)
    just_copied = of_installation([], now)
    monkeypatch.setenv(copies.NOTE, "")
    by_others = of_installation([], now) + of_installation([(False, now - HOUR)], now)

    assert nobody_asked == just_copied == by_others == ()
    assert [(one.code, one.since) for one in asked_for] == [("backup_log_old", now - HOUR)]


def test_watch_tells_of_a_slot_that_nobody_uses(
    note: Path, db: Database, partner: int, replication_slot: None, now: datetime
) -> None:
    def told(at: datetime) -> list[str]:
        return [alarm.code for of in all_alarms(db, at) if not of.partner for alarm in of.alarms]

    made(note, db.clock())
    fresh = told(db.clock())
    old = told(db.clock() + 16 * MINUTE)

    assert fresh == []
    assert old == ["backup_log_old"]


def test_watch_tells_it_once_and_of_no_partner(
    note: Path, db: Database, owner: psycopg.Connection, partner: int, database_urls: dict[str, str]
) -> None:
    made(note, db.clock() - 72 * HOUR)
    slug = owner.execute("SELECT slug FROM partner WHERE id = %s", (partner,)).fetchall()[0][0]

    seen = CliRunner().invoke(relight, ["watch", "--json"], obj=Connected(database_urls["app"]))
    of_one = CliRunner().invoke(relight, ["watch", "--json", "--partner", slug], obj=Connected(database_urls["app"]))

    told = [one for one in json.loads(seen.stdout.splitlines()[-1])["alarms"] if one["alarm"] == "backup_old"]
    assert [(one["partner"], one["urgency"], one["count"]) for one in told] == [("", "soon", 1)]
    assert "backup_old" not in of_one.stdout
    assert [one.partner for one in all_alarms(db, db.clock())].count("") == 1


def test_figures_tell_it_without_a_partner_and_that_all_is_well_too(
    note: Path, db: Database, partner: int, now: datetime
) -> None:
    def told() -> dict[tuple[str, str], float]:
        registry = CollectorRegistry()
        registry.register(Pulse(db, db.clock))
        samples = [one for family in registry.collect() for one in family.samples if one.name == "relight_alarm"]
        return {(one.labels["partner"], one.labels["alarm"]): one.value for one in samples}

    before = told()
    made(note, db.clock() - 72 * HOUR)
    after = told()

    assert (before["", "backup_old"], after["", "backup_old"]) == (0, 1)
    assert {code for slug, code in after if not slug} == OF_INSTALLATION
    assert {code for slug, code in after if slug} == set(KINDS) - OF_INSTALLATION
