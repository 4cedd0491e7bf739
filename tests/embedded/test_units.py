"""The units under `ops/systemd`, read by systemd itself; and what the container file copies."""

import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from relight.cli.processes import Processes

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "ops" / "container" / "compose.yaml"
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


def test_whoever_uses_the_database_waits_until_its_unit_has_it_up() -> None:
    users = [text for unit in UNITS if "ExecStart=" in (text := unit.read_text()) and "relight database" not in text]
    database = (ROOT / "ops/systemd/relight-database.service").read_text()

    assert len(users) == 4
    for word in ("Wants", "After"):
        assert all(re.search(rf"^{word}=.*relight-database\.service", text, re.MULTILINE) for text in users)
    assert "\nType=notify\n" in database


def test_a_base_copy_waits_until_the_log_is_being_written_where_both_are_started() -> None:
    assert re.search(r"^After=.*relight-backup\.service", unit_text("backup-base"), re.MULTILINE)
    assert "backup-base" not in unit_text("backup").split("[Service]")[0]
    assert "\nType=notify\n" in unit_text("backup")


def test_the_log_is_ended_by_relight_and_not_in_the_middle_of_a_segment() -> None:
    assert "\nKillMode=mixed\n" in unit_text("backup")


def test_what_is_told_to_end_has_ended_before_its_service_manager_loses_patience() -> None:
    grace_seconds = Processes()._grace_seconds
    stops = [int(told) for told in re.findall(r"TimeoutStopSec=(\d+)", unit_text("web") + unit_text("worker"))]
    (container,) = re.findall(r"stop_grace_period: (\d+)s", COMPOSE.read_text())

    assert len(stops) == 2
    assert min(*stops, int(container)) >= grace_seconds + 10
    for text in (unit_text("web"), unit_text("worker")):
        assert "KillMode=mixed" in text  # the first process tells the others, once
        assert f"{grace_seconds} seconds" in text


def test_web_and_worker_have_each_an_address_for_figures_and_all_that_is_shipped_agrees() -> None:
    ports = {name: figures_port(unit_text(name)) for name in ("web", "worker")}
    containers = {name: container(name) for name in ports}
    prometheus = yaml.safe_load((ROOT / "ops" / "prometheus" / "prometheus.yml").read_text())
    read = {job["job_name"]: job["static_configs"][0]["targets"] for job in prometheus["scrape_configs"]}
    manual = (ROOT / "docs" / "installing.md").read_text()

    assert ports == {"web": "9465", "worker": "9464"}
    assert read == {f"relight-{name}": [f"127.0.0.1:{port}"] for name, port in ports.items()}
    assert {name: told["command"][-1] for name, told in containers.items()} == {
        name: f"0.0.0.0:{port}" for name, port in ports.items()
    }
    assert [told for told in containers.values() for port in told.get("ports", ()) if ":94" in port] == []
    assert all(f"127.0.0.1:{port}" in manual for port in ports.values())
    assert prometheus["rule_files"] == ["relight.rules.yml"]


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_container_asks_itself_whether_it_is_ready(name: str, status: int, code: int) -> None:
    asked: list[str] = []

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    told = container(name)
    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        port = told["command"][-1].rpartition(":")[2]
        kind, *words = [word.replace(port, str(server.server_port)) for word in told["healthcheck"]["test"]]
        done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True)
        server.shutdown()

    assert (kind, words[0]) == ("CMD", "python")
    assert (done.returncode, asked) == (code, ["/ready"]), done.stderr


def unit_text(name: str) -> str:
    return (ROOT / "ops" / "systemd" / f"relight-{name}.service").read_text()


def figures_port(unit: str) -> str:
    (port,) = re.findall(r"^ExecStart=.* --metrics (\d+)$", unit, re.MULTILINE)
    return str(port)


def container(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load(COMPOSE.read_text())["services"][name])


def test_the_units_files_and_folders_that_the_manuals_name_are_there() -> None:
    manuals = {path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")}
    units = set(re.findall(r"\brelight-(?:web|worker|database|backup[a-z-]*)\b(?:\.\w+)?", manuals["installing.md"]))
    places = {place for text in manuals.values() for place in re.findall(r"\b(?:ops|packaging)/[\w./-]*\w", text)}

    assert {"relight-database", "relight-backup-base.timer"} <= units
    assert {name.removesuffix(".timer").removesuffix(".service") for name in units} <= {unit.stem for unit in UNITS}
    assert {"ops/relight", "ops/upgrade.sh", "ops/systemd"} <= places
    assert sorted(place for place in places if not (ROOT / place).exists()) == []


def test_a_folder_of_backups_that_is_not_there_fails_no_unit() -> None:
    told = re.findall(r"^ReadWritePaths=(.*)$", unit_text("backup") + unit_text("backup-base"), re.MULTILINE)

    assert told == ["-/var/backups/relight"] * 2


def test_the_container_file_copies_what_is_there() -> None:
    text = (ROOT / "ops" / "container" / "Containerfile").read_text()
    copied = [word for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for word in line.split()[:-1]]
    read = re.findall(r"-r (\S+)", text)

    let_in = (ROOT / ".dockerignore").read_text().split()

    assert {"src/", "pyproject.toml"} <= set(copied)
    assert [name for name in copied if f"!{name.rstrip('/')}" not in let_in] == []
    assert [name for name in (*copied, *read) if not (ROOT / name).exists()] == []
