"""The units under `ops/systemd`, read by systemd itself; and what the container file copies."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "ops" / "systemd").iterdir())


def analysed(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """systemd-analyze, with our units among the host's."""
    environment = {"SYSTEMD_UNIT_PATH": f"{folder}:", "PATH": "/usr/bin:/bin"}
    return subprocess.run(["systemd-analyze", *words], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our units as they are put on a host, with its own program in the place of /opt/relight's."""
    folder = tmp_path_factory.mktemp("units")
    relight = str(Path(sys.executable).with_name("relight"))
    for unit in UNITS:
        (folder / unit.name).write_text(unit.read_text().replace("/opt/relight/bin/relight", relight))
    return folder


def test_systemd_has_nothing_to_say_about_our_units(units: Path) -> None:
    found = analysed("verify", "--man=no", *(str(units / unit.name) for unit in UNITS), folder=units)

    ours = [line for line in found.stderr.splitlines() if "relight" in line]
    assert (found.returncode, ours) == (0, [])


@pytest.mark.parametrize("name", [unit.name for unit in UNITS if unit.suffix == ".service"])
def test_a_service_can_do_little_beside_its_work(units: Path, name: str) -> None:
    found = analysed("security", "--offline=yes", "--threshold=40", str(units / name), folder=units)

    assert found.returncode == 0, found.stdout[-300:]


def test_all_that_the_target_wants_is_there() -> None:
    wanted = re.findall(r"relight-[a-z-]+\.(?:service|timer)", (ROOT / "ops/systemd/relight.target").read_text())

    assert wanted
    assert set(wanted) <= {unit.name for unit in UNITS}


def test_the_container_file_copies_what_is_there() -> None:
    text = (ROOT / "ops" / "container" / "Containerfile").read_text()
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for word in line.split()[:-1]]
    read = re.findall(r"-r (\S+)", text)

    assert {"src/", "pyproject.toml"} <= set(copied)
    assert [name for name in (*copied, *read) if not (ROOT / name).exists()] == []
