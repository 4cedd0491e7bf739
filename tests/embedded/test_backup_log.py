"""The log of commits, when it breaks off: it is told, it goes on where it can, and nobody's commit waits for nobody."""

import os
from pathlib import Path

import psycopg
import pytest

from relight.project import embedded, roles
from relight.project.backup.places import BackupFolder
from relight.project.errors import UnableToBackUp
from tests.embedded.backing_up import (
    answer,
    command,
    fill_segments,
    rows,
    run,
    said_by_stream,
    segments_of,
    streaming,
)
from tests.embedded.commands import wait_until

WAITS_FOR = "SHOW synchronous_standby_names"
SLOT = "SELECT wal_status, active FROM pg_replication_slots WHERE slot_name = 'relight_backup'"


def lose_the_slot(server: embedded.Server) -> None:
    """The server keeps little log for whoever does not fetch it (the unit's limit is 8 GB), and does much meanwhile."""
    for setting in ("max_slot_wal_keep_size = '16MB'", "max_wal_size = '32MB'", "min_wal_size = '32MB'"):
        run(server, f"ALTER SYSTEM SET {setting}")
    run(server, "SELECT pg_reload_conf()")
    fill_segments(server, 8)
    assert rows(server, SLOT) == [("lost", False)]


def commits(server: embedded.Server, line: str) -> None:
    """A commit that matters, and that ends by itself where it would wait for good."""
    with psycopg.connect(server.url(roles.OWNER), autocommit=True) as connection:
        connection.execute("SET statement_timeout = '60s'")
        connection.execute(line)  # type: ignore[arg-type]


def partial_of(folder: Path) -> Path:
    """The segment that is being written: a stream that was just asked for has none yet."""
    wait_until(lambda: any((folder / "wal").glob("*.partial")))
    (partial,) = (folder / "wal").glob("*.partial")
    return partial


def test_a_log_that_ended_before_the_newest_copy_is_told(home: Path, folder: Path, installed: embedded.Server) -> None:
    with streaming(home, folder):
        fill_segments(installed, 2)
    whole = command(home, "backup", "check", str(folder))
    fill_segments(installed, 3)
    answer(home, "backup", "base", str(folder))

    found = command(home, "backup", "check", str(folder))

    assert whole.returncode == 0, whole.stdout
    assert found.returncode == 1
    assert "The log ended at" in found.stdout
    assert "before the newest copy" in found.stdout


def test_a_slot_that_was_too_far_behind_is_made_anew_and_a_new_copy_makes_all_well(
    ground: Path, home: Path, folder: Path, installed: embedded.Server
) -> None:
    with streaming(home, folder):
        fill_segments(installed, 1)
    lose_the_slot(installed)

    with streaming(home, folder):
        said = said_by_stream(folder).read_text()
        missing = command(home, "backup", "check", str(folder))
        answer(home, "backup", "base", str(folder))
        commits(installed, "CREATE TABLE later AS SELECT 1 AS number")
        slot = rows(installed, SLOT)
    checked = answer(home, "backup", "check", str(folder))
    restored = answer(home, "backup", "restore", str(folder), "--into", str(ground / "new"))
    with embedded.server(ground / "new") as server:
        later = rows(server, "SELECT number FROM later")

    assert "A new base copy is needed" in said
    assert missing.returncode == 1
    assert "The log has a hole between" in missing.stdout
    assert slot == [("reserved", True)]
    assert checked["ok"]
    assert checked["bases"] == 2
    assert Path(restored["base"]).name == max(path.name for path in (folder / "base").iterdir())
    assert later == [(1,)]


def test_a_server_without_the_slot_that_still_has_the_log_goes_on_without_a_hole(
    home: Path, folder: Path, installed: embedded.Server
) -> None:
    with streaming(home, folder):
        commits(installed, "CREATE TABLE first ()")
    wait_until(lambda: rows(installed, SLOT) == [("reserved", False)])  # a server sees an ended reader a moment later
    run(installed, "SELECT pg_drop_replication_slot('relight_backup')")

    with streaming(home, folder):
        commits(installed, "CREATE TABLE second ()")
        slot = rows(installed, SLOT)
        said = said_by_stream(folder).read_text()

    assert slot == [("reserved", True)]
    assert "base copy" not in said
    assert answer(home, "backup", "check", str(folder))["ok"]


def test_commits_go_on_once_a_lost_slot_was_made_anew_where_nothing_may_be_lost(
    home: Path, folder: Path, installed: embedded.Server
) -> None:
    with streaming(home, folder):
        fill_segments(installed, 1)
    lose_the_slot(installed)

    with streaming(home, folder, "--nothing-lost"):
        waits_for = rows(installed, WAITS_FOR)
        commits(installed, "CREATE TABLE kept (number int)")

    assert waits_for == [("relight_backup",)]


def test_a_stream_that_cannot_go_on_says_so_and_lets_commits_go_on(
    home: Path, folder: Path, installed: embedded.Server
) -> None:
    with streaming(home, folder, "--nothing-lost") as stream:
        commits(installed, "CREATE TABLE kept (number int)")
        partial = partial_of(folder)
        behind = f"{int(partial.stem, 16) + 1:024X}.partial"
        (folder / "wal" / behind).mkdir()  # nothing can be written there, as on a disk that is full
        run(installed, "SET synchronous_commit = local", "SELECT txid_current()", "SELECT pg_switch_wal()")
        commits(installed, "INSERT INTO kept VALUES (1)")
        code = stream.wait(60)

    assert code == 1
    assert "pg_receivewal ended with 1. Read what it said above." in said_by_stream(folder).read_text()
    assert "Traceback" not in said_by_stream(folder).read_text()
    assert rows(installed, WAITS_FOR) == [("",)]
    commits(installed, "INSERT INTO kept VALUES (2)")


def test_a_server_that_is_away_is_waited_for(home: Path, folder: Path, installed: embedded.Server) -> None:
    with streaming(home, folder) as stream:
        before = segments_of(folder)
        installed.stop()
        installed.ensure_running()
        wait_until(lambda: rows(installed, SLOT) == [("reserved", True)], seconds=60)
        fill_segments(installed, 2)
        wait_until(lambda: len(segments_of(folder)) > len(before) + 1)
        ended = stream.poll()

    assert ended is None
    assert answer(home, "backup", "check", str(folder))["ok"]


def test_a_segment_whose_making_was_interrupted_is_made_anew(
    home: Path, folder: Path, installed: embedded.Server
) -> None:
    with streaming(home, folder):
        commits(installed, "CREATE TABLE kept ()")
        partial = partial_of(folder)
    os.truncate(partial, 655_360)  # whoever makes one writes zeros first: 16 MB of them

    with streaming(home, folder):
        commits(installed, "DROP TABLE kept")

    assert answer(home, "backup", "check", str(folder))["ok"]


@pytest.mark.parametrize(
    ("follows", "timeline", "is_taken"),
    [(True, 2, True), (False, 2, False), (True, 0, False)],
    ids=["a replica took over", "it was restored", "it came back from before"],
)
def test_a_folder_goes_on_with_a_server_that_took_over(
    tmp_path: Path, follows: bool, timeline: int, is_taken: bool
) -> None:
    folder = BackupFolder(tmp_path)
    folder.claim(7, 1, follows=follows)

    if is_taken:
        folder.claim(7, timeline, follows=follows)
        with pytest.raises(UnableToBackUp):
            folder.claim(7, 1, follows=follows)
    else:
        with pytest.raises(UnableToBackUp, match="another server"):
            folder.claim(7, timeline, follows=follows)
    with pytest.raises(UnableToBackUp, match="another server"):
        folder.claim(8, 3, follows=follows)
