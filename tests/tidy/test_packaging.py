"""What is installed is whole: each statement, policy, template and picture is in the wheel, built without a network."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.tidy.tree import PACKAGE, ROOT, tracked

_SOURCES_ONLY = (".md", ".in")
_WITHOUT_NETWORK = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "PIP_NO_INDEX": "1"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of the tracked files, made by what is installed here."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    needed = [path for path in tracked() if path.is_relative_to(ROOT / "src") or path.parent == ROOT
              or path.is_relative_to(ROOT / "requirements")]  # fmt: skip
    for path in needed:
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        out,
        source,
    ]
    done = subprocess.run(command, env={**os.environ, **_WITHOUT_NETWORK}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = out.glob("*.whl")
    return made


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    wanted = {str(path.relative_to(ROOT / "src")) for path in tracked() if path.is_relative_to(PACKAGE)
              and path.suffix not in _SOURCES_ONLY}  # fmt: skip

    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())

    assert {Path(name).suffix for name in wanted} >= {".py", ".sql", ".yaml", ".html", ".css", ".js", ".json", ".typ"}
    assert wanted - packed == set()


def test_the_wheel_runs_where_the_source_is_not(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import relight, relight.core.policy_reader as reader, relight.flow.road.gather as gather\n"
        "from relight.core.calendars import calendar_for\n"
        "names = reader.packaged_names()\n"
        "assert relight.__path__[0].startswith(sys.argv[1]), relight.__path__\n"
        "print(len(names), len(reader.packaged_text(names[0])) > 0, calendar_for('NO').region, len(vars(gather.SQL)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", f"import sys\n{program}", str(tmp_path)]

    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    policies, readable, region, statements = done.stdout.split()
    assert int(policies) >= 2
    assert (readable, region) == ("True", "NO")
    assert int(statements) > 10


def test_every_driver_that_is_offered_can_be_loaded() -> None:
    from importlib.metadata import entry_points

    groups = [f"relight.drivers.{kind}" for kind in ("messages", "supply", "payments")]
    offered = [point for group in groups for point in entry_points(group=group)]

    assert len(offered) >= 9
    assert all(callable(point.load()) for point in offered)
