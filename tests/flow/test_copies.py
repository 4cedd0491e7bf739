"""The alarm of the installation itself: there should be a base copy each night, and for too long there was none."""

import json
from datetime import datetime, timedelta
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

HOUR = timedelta(hours=1)


@pytest.fixture
def note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the newest copy is noted; there is none yet."""
    path = tmp_path / "last-backup.json"
    monkeypatch.setenv(copies.NOTE, str(path))
    monkeypatch.setenv(copies.SINCE, "")
    return path


def made(note: Path, at: datetime) -> None:
    """A copy was complete then."""
    note.write_text(json.dumps({"folder": "/srv/backup/base/some", "complete": at.isoformat()}))


@pytest.mark.parametrize(("hours", "alarmed"), [(0, False), (35.9, False), (36, True), (400, True)])
def test_a_copy_that_is_too_old_is_an_alarm(note: Path, now: datetime, hours: float, alarmed: bool) -> None:
    made(note, now - hours * HOUR)

    found = of_installation(now)

    assert [(one.code, one.count, one.since) for one in found] == [("backup_old", 1, now - hours * HOUR)] * alarmed
    assert all(one.to_do.endswith(".") and "{" not in one.what for one in found)


def test_a_copy_that_never_came_is_one_where_there_should_be_one(
    note: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody_asked = of_installation(now)
    monkeypatch.setenv(copies.SINCE, (now - 40 * HOUR).isoformat())
    late = of_installation(now)
    monkeypatch.setenv(copies.SINCE, (now - HOUR).isoformat())
    early = of_installation(now)

    assert nobody_asked == early == ()
    assert [one.since for one in late] == [now - 40 * HOUR]


def test_a_new_copy_ends_the_alarm(note: Path, now: datetime) -> None:
    made(note, now - 40 * HOUR)
    before = of_installation(now)
    made(note, now - HOUR)

    assert before
    assert of_installation(now) == ()


def test_nothing_is_said_where_copies_are_made_by_other_means(
    note: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(note, now - 400 * HOUR)
    monkeypatch.setenv(copies.NOTE, "")

    assert of_installation(now) == ()


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
