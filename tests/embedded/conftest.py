"""Homes for embedded servers, and other people to run as."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from relight.project import embedded, postmaster
from tests.embedded.backing_up import command
from tests.embedded.wrapper import TELLS

# What only root can try (becoming somebody else) is collected only for root.
if os.geteuid() != 0:
    collect_ignore = ["test_as_root.py", "test_by_hand_as_root.py"]


@pytest.fixture
def ground() -> Iterator[Path]:
    """A short, empty folder that others may pass through. No server may be left in it when the test ends."""
    folder = Path(tempfile.mkdtemp(prefix="relight-"))
    folder.chmod(0o711)
    yield folder
    left = [pid for data in folder.rglob("postgres[0-9][0-9]") for pid in postmaster.processes(data)]
    for data in folder.rglob("postgres[0-9][0-9]"):
        postmaster.end_orphans(data)
    shutil.rmtree(folder)
    assert not left, f"PostgreSQL processes left running: {left}"


@pytest.fixture
def home(ground: Path) -> Path:
    """Where a home will be; nothing is there yet."""
    return ground / "home"


@pytest.fixture
def folder(ground: Path) -> Path:
    """Where backups go."""
    return ground / "backup"


@pytest.fixture
def installed(home: Path, folder: Path) -> Iterator[embedded.Server]:
    """A running installation with a first base copy."""
    with embedded.server(home) as server:
        assert command(home, "migrate").returncode == 0
        assert command(home, "backup", "base", str(folder)).returncode == 0
        yield server


@pytest.fixture
def program(ground: Path) -> Path:
    """Something in the place of /opt/relight/bin/relight, which tells how it was run, and ends with 7."""
    path = ground / "program"
    path.write_text(TELLS)
    path.chmod(0o755)
    return path
