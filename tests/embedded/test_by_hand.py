"""Commands by hand on a host where Relight runs as services: the installation that is meant, or a refusal."""

import os
import stat
from pathlib import Path

import pytest

from relight.project import embedded
from tests.embedded.commands import relight_there as command
from tests.embedded.wrapper import ME, WRAPPER, by_hand


def test_the_services_settings_are_read_as_systemd_reads_them(ground: Path, program: Path) -> None:
    settings = (
        "# how customers come in\n\n"
        "RELIGHT_BASE_URL=https://pay.example \n"
        "DATABASE_URL='postgresql://relight_app@db1,db2/relight?target_session_attrs=read-write&connect_timeout=2'\n"
        '  RELIGHT_BACKUP="/mnt/other disk"'
    )

    done = by_hand(ground, "stop", "--by", "Kari, on call", settings=settings)

    assert done.stdout.splitlines() == [
        f"user {ME}",
        f"home /var/lib/relight, {os.environ['HOME']}",
        "backup /mnt/other disk",
        "database postgresql://relight_app@db1,db2/relight?target_session_attrs=read-write&connect_timeout=2",
        "site https://pay.example",
        "word stop",
        "word --by",
        "word Kari, on call",
    ]
    assert done.returncode == 7


def test_what_is_set_in_the_shell_wins_over_the_file(ground: Path, program: Path) -> None:
    settings = "RELIGHT_HOME=/var/lib/relight\nDATABASE_URL=postgresql://db/relight\n"

    done = by_hand(ground, settings=settings, RELIGHT_HOME="/restored", DATABASE_URL="")

    assert "home /restored" in done.stdout
    assert "database \n" in done.stdout


def test_without_a_file_it_is_as_the_units_have_it(ground: Path, program: Path) -> None:
    done = by_hand(ground)

    assert "home /var/lib/relight" in done.stdout
    assert "backup /var/backups/relight" in done.stdout
    assert "database none" in done.stdout


@pytest.mark.parametrize("line", ["no setting", "export DATABASE_URL=x", "9=nine", "DATABASE_URL=a\\\\b", "=x"])
def test_a_line_that_cannot_be_read_is_refused_without_repeating_it(ground: Path, program: Path, line: str) -> None:
    done = by_hand(ground, settings=f"RELIGHT_BASE_URL=https://pay.example\n{line}\n")

    assert done.returncode == 1
    assert "line 2 of" in done.stderr
    assert line not in done.stderr
    assert done.stdout == ""


def test_the_wrapper_can_be_run() -> None:
    assert WRAPPER.stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize(
    "words",
    [
        ("stop", "--all", "--by", "Kari"),
        ("resume", "--all", "--by", "Kari"),
        ("live", "--yes"),
        ("audit",),
        ("run",),
        ("payments", "queue"),
        ("backup", "base", "copies"),
    ],
    ids=lambda words: words[0],
)
def test_what_acts_on_an_installation_makes_none(ground: Path, home: Path, words: tuple[str, ...]) -> None:
    done = command(home, *words)

    assert done.returncode == 1
    assert f"There is no installation of Relight in {home}." in done.stderr
    assert "docs/installing.md" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not home.exists()


def test_watch_asks_for_a_look_at_once(home: Path) -> None:
    done = command(home, "watch")

    assert done.returncode == 2
    assert "There is no installation of Relight" in done.stdout
    assert not home.exists()


def test_the_command_that_begins_an_installation_says_where(home: Path) -> None:
    begun = command(home, "migrate")
    again = command(home, "migrate")
    stopped = command(home, "stop", "--all", "--by", "Kari")

    assert f"A new installation, with a database of its own, is in {home}." in begun.stderr
    assert again.stderr == ""
    assert (stopped.returncode, stopped.stdout.partition(".")[0]) == (0, "Stopped")


def test_a_home_whose_database_is_elsewhere_gets_none_of_its_own(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "secret").write_text("of the installation")

    done = [command(home, *words) for words in (("import", "payments", __file__), ("migrate",), ("doctor",))]

    assert [one.returncode for one in done] == [1, 1, 1]
    assert all("no DATABASE_URL is set" in one.stdout + one.stderr for one in done)
    assert not list(home.glob("postgres*"))
    assert not embedded.is_running(home)
