"""Where home lies, and how it is made."""

import os
import stat
from pathlib import Path

import pytest

from relight.project import paths


def test_home_is_where_the_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELIGHT_HOME", str(tmp_path / "chosen"))

    assert paths.home() == tmp_path / "chosen"
    assert stat.S_IMODE((tmp_path / "chosen").stat().st_mode) == 0o700
    assert paths.was_made_by_relight(tmp_path / "chosen")


def test_roots_home_is_the_systems_place_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELIGHT_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    assert paths.home_path() == Path("/var/lib/relight")


@pytest.mark.parametrize(
    ("data_home", "expected"),
    [("/srv/mine", "/srv/mine/relight"), ("relative", "/h/.local/share/relight"), ("", "/h/.local/share/relight")],
)
def test_a_users_home_is_in_the_users_data_folder(
    monkeypatch: pytest.MonkeyPatch, data_home: str, expected: str
) -> None:
    monkeypatch.delenv("RELIGHT_HOME", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/h")
    monkeypatch.setenv("XDG_DATA_HOME", data_home)

    assert paths.home_path() == Path(expected)


def test_a_folder_that_was_there_keeps_its_mode_and_is_not_called_ours(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o750)

    assert paths.made(theirs) == theirs
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o750
    assert not paths.was_made_by_relight(theirs)


def test_the_socket_lies_in_home_unless_its_path_would_be_too_long_or_need_quoting() -> None:
    assert paths.socket_folder(Path("/var/lib/relight")) == Path("/var/lib/relight/run")
    for awkward in (Path("/" + "a" * 90), Path("/srv/a,b"), Path("/srv/å")):
        elsewhere = paths.socket_folder(awkward)
        assert elsewhere.parent == Path("/tmp")
        assert paths.is_fit_for_socket(elsewhere)


def test_two_deep_homes_have_two_socket_folders() -> None:
    assert paths.socket_folder(Path("/" + "a" * 90)) != paths.socket_folder(Path("/" + "b" * 90))
