"""What root tries: running as somebody else, and PostgreSQL where namespaces are forbidden, as in many containers."""

import os
import pwd
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from relight.project import binaries, embedded, paths
from relight.project.errors import UnableToProvideDatabase, UnableToStartServer


@pytest.fixture
def without_namespaces(ground: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An `unshare` that is refused, as the kernel refuses it under a container's usual rules."""
    programs = ground / "programs"
    programs.mkdir()
    refused = programs / "unshare"
    refused.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    refused.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")


def _said(home: Path, statement: str) -> str:
    with embedded.server(home) as server, psycopg.connect(server.url()) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return str(row[0])


def _as_somebody(uid: int, act: Callable[[], str]) -> str:
    """What `act` returns, or the refusal's words, when a forked child does it as `uid`."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            words = act()
        except UnableToProvideDatabase as refused:
            words = str(refused)
        except BaseException as broken:  # noqa: BLE001  the child must not run on into pytest
            words = repr(broken)
        os.write(writing, words.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        return answer.read()


def _folder_of(ground: Path, uid: int) -> Path:
    folder = ground / "theirs"
    folder.mkdir()
    os.chown(folder, uid, uid)
    return folder


def test_root_runs_the_server_in_a_namespace_and_stays_the_owner_of_the_files(home: Path) -> None:
    said = _said(home, "SELECT 'reached'")

    assert said == "reached"
    assert (home / "postgres18").stat().st_uid == 0
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_without_namespaces_the_server_runs_as_an_ordinary_account(home: Path, without_namespaces: None) -> None:
    said = _said(home, "SELECT 'reached'")

    assert said == "reached"
    assert (home / "postgres18").stat().st_uid != 0
    assert stat.S_IMODE((home / "postgres18").stat().st_mode) == 0o700
    assert stat.S_IMODE(home.stat().st_mode) == 0o711


def test_data_made_in_a_namespace_is_handed_over_where_namespaces_are_forbidden(
    home: Path, request: pytest.FixtureRequest
) -> None:
    with embedded.server(home) as server, psycopg.connect(server.url("relight_owner")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'paid' AS word")
    request.getfixturevalue("without_namespaces")

    with embedded.server(home) as server, psycopg.connect(server.url("relight_owner")) as connection:
        kept = connection.execute("SELECT word FROM kept").fetchone()

    assert kept == ("paid",)


def test_programs_that_the_account_cannot_reach_are_copied_into_home(
    ground: Path, home: Path, without_namespaces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = ground / "closed"
    closed.mkdir(mode=0o700)
    (closed / "wheel").symlink_to(binaries.preferred().folder.parents[1])
    spec = type("Spec", (), {"submodule_search_locations": [str(closed / "wheel")]})
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)

    said = [_said(home, "SELECT 'reached'") for _ in range(2)]

    assert said == ["reached", "reached"]
    assert len(list(home.glob("programs-*"))) == 1


def test_a_home_relight_did_not_make_is_never_opened_to_others(home: Path, without_namespaces: None) -> None:
    home.mkdir(mode=0o700)

    with pytest.raises(UnableToStartServer, match="cannot reach"), embedded.server(home):
        pass

    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_an_ordinary_user_runs_the_server_as_himself(ground: Path) -> None:
    uid = pwd.getpwnam("nobody").pw_uid
    home = _folder_of(ground, uid) / "home"

    said = _as_somebody(uid, lambda: _said(home, "SELECT current_setting('fsync')"))

    assert said == "on"
    assert (home / "postgres18").stat().st_uid == uid


def test_a_user_without_an_account_runs_the_server_in_a_namespace(ground: Path) -> None:
    uid = 1_234_567
    home = _folder_of(ground, uid) / "home"

    said = _as_somebody(uid, lambda: _said(home, "SELECT 'reached'"))

    assert said == "reached"
    assert (home / "postgres18").stat().st_uid == uid


def test_somebody_elses_home_is_refused(home: Path) -> None:
    _said(home, "SELECT 'mine'")

    said = _as_somebody(pwd.getpwnam("nobody").pw_uid, lambda: _said(home, "SELECT 'yours'"))

    assert "cannot be written to" in said
    assert paths.HOME_VARIABLE in said
