"""Whether there should be a base copy, as settings say it; the alarm follows from it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from relight.flow.watch import copies
from relight.project.backup import places

BEGUN = datetime(2026, 3, 2, 9, tzinfo=UTC)
OWN_SERVER = {"DATABASE_URL": "postgresql://db/relight"}


@pytest.mark.parametrize(
    ("settings", "is_asked_for"),
    [
        ({"RELIGHT_BACKUP": "/srv/backup"}, True),
        ({}, False),
        ({"RELIGHT_BACKUP": "/srv/backup", **OWN_SERVER}, False),
        ({"RELIGHT_BACKUP": "/srv/backup", **OWN_SERVER, "RELIGHT_BACKUP_URL": "postgresql://copier@db/"}, True),
        ({"RELIGHT_BACKUP": ""}, False),
    ],
    ids=["a folder", "nothing said", "nobody may replicate", "somebody may replicate", "by other means"],
)
def test_a_copy_is_missed_where_a_folder_is_named_and_one_can_be_made(
    tmp_path: Path, settings: dict[str, str], is_asked_for: bool
) -> None:
    told = places.for_alarms(tmp_path, BEGUN, settings)

    assert copies.none_since(told) == (BEGUN if is_asked_for else None)


@pytest.mark.parametrize(("folder", "is_heard"), [("/srv/backup", True), (None, True), ("", False)])
def test_a_copy_that_was_made_is_known_unless_others_make_them(
    tmp_path: Path, folder: str | None, is_heard: bool
) -> None:
    base = places.Base(tmp_path / "base", BEGUN, BEGUN, 18, "0" * 24)
    places.note_last(tmp_path, base)

    told = places.for_alarms(tmp_path, BEGUN, {} if folder is None else {"RELIGHT_BACKUP": folder})

    assert copies.none_since(told) == (BEGUN if is_heard else None)
    assert [path.name for path in tmp_path.iterdir()] == ["last-backup.json"]
