"""Backups: the host is gone, and the home that is made from its backup has every commit that was answered."""

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from relight.cli.main import relight
from relight.project import cluster, embedded, postmaster, roles
from relight.project.checks import backup_is_fresh
from relight.project.installation import Installed
from tests.embedded.backing_up import answer, command, rows, segments_of, streaming
from tests.embedded.commands import relight_there, wait_until

# What a killed writer had been told is there must be there; each line is said after its commit.
_WRITER = """
import sys, itertools, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    for number in itertools.count(1):
        connection.execute("INSERT INTO kept VALUES (%s)", [number])
        print(number, flush=True)
"""


def lose_the_host(home: Path, stream: subprocess.Popen[bytes]) -> None:
    """The server and the receiver die without a word, and the disk is gone."""
    data = cluster.data_folder(home)
    assert data is not None
    running = postmaster.read(data)
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    os.killpg(stream.pid, signal.SIGKILL)
    wait_until(lambda: not any(postmaster.processes(data)))
    shutil.rmtree(data)
    (home / "secret").unlink()


def test_what_a_killed_host_had_answered_is_there_and_nothing_leaves_until_somebody_lets_it(
    ground: Path, home: Path, folder: Path, installed: embedded.Server
) -> None:
    with psycopg.connect(installed.url(roles.OWNER)) as connection:
        connection.execute("CREATE TABLE kept (number int)")
    secret = (home / "secret").read_text()
    with streaming(home, folder, "--nothing-lost") as stream:
        words = [sys.executable, "-c", _WRITER, installed.url(roles.OWNER)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as writer:
            assert writer.stdout is not None
            said = [next(writer.stdout) for _ in range(200)]
            lose_the_host(home, stream)
            said += list(writer.stdout)

    restored = answer(ground / "other", "backup", "restore", str(folder), "--into", str(ground / "new"))
    looked_at = command(ground / "new", "doctor", "--json")
    with embedded.server(ground / "new") as server:
        kept = [number for (number,) in rows(server, "SELECT number FROM kept ORDER BY 1")]
        switch = rows(server, "SELECT stopped_by FROM installation WHERE stopped_at IS NOT NULL")
        waits = rows(server, "SHOW synchronous_standby_names")

    assert int(said[-1]) >= 200
    assert kept[: len(said)] == [int(number) for number in said]
    assert len(kept) <= len(said) + 1  # one may have been committed and not yet answered
    assert switch == [("relight backup restore",)]
    assert waits == [("",)]
    assert (ground / "new" / "secret").read_text() == secret
    assert restored["last_commit"] is not None
    assert looked_at.returncode == 0, looked_at.stdout


def test_a_moment_between_two_commits_can_be_gone_back_to(
    ground: Path, home: Path, folder: Path, installed: embedded.Server
) -> None:
    def add(slug: str) -> None:
        done = command(home, "partner", "add", slug, "--name", slug.title())
        assert done.returncode == 0, done.stderr

    with streaming(home, folder):
        add("before")
        between = rows(installed, "SELECT clock_timestamp()")[0][0]
        assert isinstance(between, datetime)
        add("after")
    checked = answer(home, "backup", "check", str(folder))
    looked = {check["name"]: check["found"] for check in answer(home, "doctor")["checks"]}

    new = str(ground / "new")
    answer(home, "backup", "restore", str(folder), "--into", new, "--until", between.isoformat())
    again = command(home, "backup", "restore", str(folder), "--into", new)
    too_late = (between + timedelta(days=1)).isoformat()
    late = command(home, "backup", "restore", str(folder), "--into", f"{ground}/late", "--until", too_late)
    early = command(home, "backup", "restore", str(folder), "--into", f"{ground}/early", "--until", "2020-01-01")
    with embedded.server(Path(new)) as server:
        partners = rows(server, "SELECT slug FROM partner ORDER BY slug")
    own = command(Path(new), "backup", "base", str(folder))

    assert checked["ok"]
    assert looked["backup"].startswith("0 h old")
    assert partners == [("before",), ("default",)]
    assert "is not empty" in again.stderr
    assert "does not reach" in late.stderr
    assert "No copy" in early.stderr
    assert "another server, or of this one before it was restored" in own.stderr
    assert "Traceback" not in again.stderr + late.stderr + early.stderr + own.stderr


def test_commits_do_not_wait_for_a_stream_that_was_killed_once_another_runs_without_the_promise(
    home: Path, folder: Path, installed: embedded.Server
) -> None:
    with streaming(home, folder, "--nothing-lost") as stream:
        wait_until(lambda: rows(installed, "SHOW synchronous_standby_names") == [("relight_backup",)])
        os.killpg(stream.pid, signal.SIGKILL)

    with streaming(home, folder):
        wait_until(lambda: rows(installed, "SHOW synchronous_standby_names") == [("",)])
        done = command(home, "partner", "add", "after", "--name", "After")

    assert done.returncode == 0, done.stderr


def test_only_the_newest_copies_stay_and_damage_to_them_or_a_hole_in_the_log_is_told(
    home: Path, folder: Path, installed: embedded.Server
) -> None:
    with streaming(home, folder):
        for _ in range(3):
            with psycopg.connect(installed.url(cluster.SUPERUSER, "postgres"), autocommit=True) as connection:
                connection.execute("SELECT pg_switch_wal()")
            answer(home, "backup", "base", str(folder), "--keep", "2")
        for _ in range(3):
            with psycopg.connect(installed.url(cluster.SUPERUSER, "postgres"), autocommit=True) as connection:
                connection.execute("SELECT txid_current(), pg_switch_wal()")
        wait_until(lambda: len(segments_of(folder)) > 3)
    copies = sorted((folder / "base").iterdir())
    whole = answer(home, "backup", "check", str(folder))

    segments_of(folder)[-2].unlink()
    damaged = copies[-1] / "data" / "PG_VERSION"
    damaged.write_text("17\n")
    found = command(home, "backup", "check", str(folder))

    assert len(copies) == 2
    assert whole["ok"]
    assert found.returncode == 1
    assert "PG_VERSION is not what was copied" in found.stdout
    assert "The log has a hole between" in found.stdout


def test_watch_misses_a_copy_of_the_night_unless_others_make_them(
    home: Path, folder: Path, installed: embedded.Server
) -> None:
    fresh = command(home, "watch")
    note = home / "last-backup.json"
    told = json.loads(note.read_text())
    note.write_text(json.dumps({**told, "complete": (datetime.now(UTC) - timedelta(days=2)).isoformat()}))
    old = command(home, "watch")
    by_others = relight_there(home, "watch", RELIGHT_BACKUP="")
    note.unlink()
    os.utime(home / "secret", (0, 0))
    never = relight_there(home, "watch", RELIGHT_BACKUP=str(folder))
    not_asked = command(home, "watch")

    assert [one.returncode for one in (fresh, old, by_others, never, not_asked)] == [0, 1, 0, 1, 0]
    assert "SOON  no base copy of the database has been made for a day and a half; 2 days by now" in old.stdout
    assert "no base copy" in never.stdout


def test_a_folder_without_backups_is_refused_with_the_remedy(ground: Path) -> None:
    (ground / "empty").mkdir()

    done = command(ground / "home", "backup", "check", str(ground / "empty"))

    assert done.returncode == 1
    assert "holds no backups" in done.stderr
    assert "relight backup base" in done.stderr


@pytest.mark.parametrize(
    ("hours", "ok", "found"),
    [(1, True, "1 h old"), (36, True, "36 h old"), (37, False, "37 h old"), (None, True, "none by Relight")],
)
def test_doctor_says_how_old_the_newest_copy_is(tmp_path: Path, hours: int | None, ok: bool, found: str) -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    newest = None if hours is None else (tmp_path, now - timedelta(hours=hours))

    check = backup_is_fresh(newest, now)

    assert (check.ok, check.found.startswith(found), bool(check.remedy)) == (ok, True, not ok)


def test_doctor_misses_a_copy_that_is_gone(tmp_path: Path) -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)

    check = backup_is_fresh((tmp_path / "gone", now), now)

    assert not check.ok
    assert "is gone" in check.found


def test_every_command_says_how_it_is_used() -> None:
    said = [
        CliRunner().invoke(relight, ["backup", name, "--help"], obj=Installed()).output
        for name in ("base", "stream", "check", "restore")
    ]

    assert all("Example:" in one for one in said)
