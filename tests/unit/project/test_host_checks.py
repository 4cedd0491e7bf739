"""What `relight doctor` says of the host, without a database."""

from pathlib import Path

import pytest

from relight.cli.compiled import State
from relight.project import checks


@pytest.mark.parametrize(("version", "ok"), [((3, 10, 14), False), ((3, 11, 0), True), ((3, 13, 1), True)])
def test_python_must_be_new_enough(version: tuple[int, ...], ok: bool) -> None:
    found = checks.python_version(version)

    assert found.ok is ok
    assert bool(found.remedy) is not ok


@pytest.mark.parametrize(("mode", "ok"), [(0o700, True), (0o711, True), (0o750, False), (0o701, True), (0o777, False)])
def test_home_must_be_closed_to_others(tmp_path: Path, mode: int, ok: bool) -> None:
    tmp_path.chmod(mode)

    found = checks.home_is_private(tmp_path)
    tmp_path.chmod(0o700)

    assert found.ok is ok
    assert ("chmod 0700" in found.remedy) is not ok


@pytest.mark.parametrize(("free_bytes", "ok"), [(1024**3 - 1, False), (1024**3, True)])
def test_the_disk_must_have_room(free_bytes: int, ok: bool) -> None:
    assert checks.disk_has_room(free_bytes, Path("/home")).ok is ok


@pytest.mark.parametrize(("state", "said"), [
    ("ready", "compiled, from these very sources"), ("stale", "of other sources and not used"),
    ("none", "relight compile"),
])  # fmt: skip
def test_doctor_tells_which_core_what_ifs_run_on_and_finds_all_of_them_well(state: State, said: str) -> None:
    found = checks.compiled_core(state)

    assert said in found.found
    assert found.ok
