"""An upgrade while customers pay: `ops/upgrade.sh` with a release that really differs, and a provider that goes on.

The two releases are wheels built from this tree; the next one has another number and a migration more.
"""

import os
import pwd
import re
import shutil
import subprocess
import sys
import sysconfig
import threading
import time
import venv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from bench.processes import free_port
from relight.drivers.testpay import TestProvider
from relight.flow.database import Database
from relight.project import embedded, roles
from tests.embedded.commands import wait_until
from tests.flow.conftest import make_partner
from tests.flow.paying import checked_out, make_debtor, with_policy, with_testpay

ROOT = Path(__file__).parents[2]
BY_HAND = ROOT / "ops" / "relight"
UPGRADE = ROOT / "ops" / "upgrade.sh"
Rehearse = Callable[..., tuple[subprocess.CompletedProcess[str], list[str]]]
PAYMENTS = 40
_MIGRATION = """
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("relight_partners", "{latest}")]
    operations = [migrations.RunSQL("ALTER TABLE partner ADD COLUMN from_the_next_release text NOT NULL DEFAULT 'yes'")]
"""


def wheels(folder: Path) -> tuple[Path, Path]:
    """This release and the next one."""
    source = folder / "source"
    source.mkdir()
    for name in ("src", "requirements"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source)
    this = _built(source, folder / "this")
    project = source / "pyproject.toml"
    project.write_text(re.sub(r'^version = ".*"', 'version = "99.0"', project.read_text(), flags=re.MULTILINE))
    migrations = source / "src" / "relight" / "flow" / "partners" / "migrations"
    latest = max(path.stem for path in migrations.glob("0*.py"))
    (migrations / "9000_from_the_next_release.py").write_text(_MIGRATION.format(latest=latest))
    return this, _built(source, folder / "next")


def _built(source: Path, into: Path) -> Path:
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(into), str(source)]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, capture_output=True)
    return next(into.glob("*.whl"))


@dataclass
class Host:
    """A host with an environment of its own, which takes everything but Relight itself from ours."""

    folder: Path
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.home = self.folder / "home"
        venv.create(self.folder / "venv", with_pip=False, symlinks=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = self.folder / "venv" / "lib" / version / "site-packages"
        (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("RELIGHT_", "DATABASE_"))}
        settings = self.folder / "relight.env"  # where home is stands nowhere else, as on a host with units
        settings.write_text(f"RELIGHT_HOME={self.home}\n")
        self.environment = {
            **kept, "PYTHON": f"{self.folder}/venv/bin/python", "RELIGHT_PROGRAM": f"{self.folder}/venv/bin/relight",
            "RELIGHT_ENV": str(settings), "RELIGHT_USER": pwd.getpwuid(os.geteuid()).pw_name,
            "PIP_WORDS": "--no-deps --no-index", "STOP": self._script("stop", _STOP),
            "START": self._script("start", _START), "COMPILE": self._script("compile", _COMPILE),
            "AGAIN": "false", "READY": self._script("ready", _READY), "PORT": str(self.port),
            "FOLDER": str(self.folder), "RELIGHT_BY_HAND": str(BY_HAND),
        }  # fmt: skip

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """A command of this host to its end."""
        return subprocess.run([str(word) for word in words], env=self.environment, capture_output=True, text=True)

    def install(self, wheel: Path) -> None:
        """Put a release in, as the upgrade does."""
        words = (self.environment["PYTHON"], "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel)
        done = self.run(*words)
        assert done.returncode == 0, done.stderr

    def _script(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)
        return str(path)


_START = """#!/bin/sh
for part in web worker; do
    words="worker"; [ "$part" = web ] && words="web --port $PORT"
    "$RELIGHT_BY_HAND" $words > "$FOLDER/$part.log" 2>&1 < /dev/null &
    echo $! > "$FOLDER/$part.pid"
done
"""
_READY = """#!/bin/sh
exec "$PYTHON" -c "import http.client as http; asked = http.HTTPConnection('127.0.0.1', $PORT, timeout=5)
asked.request('GET', '/ready'); raise SystemExit(asked.getresponse().status != 200)" 2> /dev/null
"""
_STOP = """#!/bin/sh
for part in web worker; do
    pid=$(cat "$FOLDER/$part.pid")
    kill "$pid"
    while kill -0 "$pid" 2> /dev/null; do sleep 0.1; done
done
touch "$FOLDER/stopped"
"""
_COMPILE = """#!/bin/sh
echo "there is no C compiler (cc)" >&2
exit 1
"""


class Provider:
    """Sends each webhook until it is accepted, as providers do: half of them before `begun`, the others after it."""

    def __init__(self, url: str, till: TestProvider, refs: Sequence[str], begun: Callable[[], bool]):
        self.url, self.till, self.refs, self.begun = url, till, refs, begun
        self.accepted: list[str] = []
        self.refused = 0

    def send_all(self) -> None:
        """The whole queue."""
        with httpx.Client(trust_env=False, timeout=30) as client:
            for number, ref in enumerate(self.refs):
                if number == len(self.refs) // 2:
                    wait_until(self.begun, seconds=120)
                headers, body = self.till.webhook_of(self.till.finish(ref, "pay"))
                while not self._is_accepted(client, headers, body):
                    self.refused += 1
                    time.sleep(0.1)
                self.accepted.append(ref)

    def _is_accepted(self, client: httpx.Client, headers: dict[str, str], body: bytes) -> bool:
        try:
            return client.post(self.url, content=body, headers=headers).is_success
        except httpx.TransportError:
            return False


@contextmanager
def running(host: Host) -> Iterator[None]:
    """Web and worker, whichever release they are of by the end."""
    assert host.run(host.environment["START"]).returncode == 0
    try:
        wait_until(lambda: _answers(host.port), seconds=60)
        yield
    finally:
        host.run(host.environment["STOP"])


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", trust_env=False).status_code < 500
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Both wheels."""
    return wheels(tmp_path_factory.mktemp("releases"))


@pytest.fixture
def host(ground: Path) -> Host:
    """A host with this release."""
    return Host(ground)


def test_an_upgrade_loses_no_payment_that_comes_meanwhile(
    ground: Path, host: Host, releases: tuple[Path, Path]
) -> None:
    now = datetime.now(UTC)
    this, following = releases
    host.install(this)
    assert host.run(BY_HAND, "migrate").returncode == 0
    with embedded.server(host.home) as server, Database(server.url(roles.APP), name="test") as db:
        with psycopg.connect(server.url(roles.OWNER), autocommit=True) as owner:
            partner = make_partner(owner, now)
            (slug,) = owner.execute("SELECT slug FROM partner WHERE id = %s", [partner]).fetchone() or ("",)
            till = with_testpay(owner, partner, ground / "testpay")
        with db.transaction(partner) as tx:
            with_policy(tx, now)
            debtors = [make_debtor(tx, now, reference=f"{1000000 + one}") for one in range(PAYMENTS)]
        refs = [checked_out(db, partner, debtor, till, now) for debtor in debtors]
        provider = Provider(
            f"http://127.0.0.1:{host.port}/webhooks/{slug}/testpay", till, refs, (ground / "stopped").exists
        )

        with running(host):
            sending = threading.Thread(target=provider.send_all)
            sending.start()
            upgraded = host.run(UPGRADE, following, ground / "backup")
            sending.join(120)
            wait_until(lambda: _booked(server, partner) == PAYMENTS, seconds=60)
        looked = host.run(BY_HAND, "audit", "--json")
        with psycopg.connect(server.url(roles.OWNER)) as owner:
            column = owner.execute("SELECT DISTINCT from_the_next_release FROM partner").fetchall()
            twice = owner.execute("SELECT ref FROM payment GROUP BY 1 HAVING count(*) > 1").fetchall()

    assert upgraded.returncode == 0, upgraded.stdout + upgraded.stderr
    assert "to 99.0." in upgraded.stdout
    assert "Night runs decide in plain Python" in upgraded.stdout, "there was no compiler, which fails no upgrade"
    assert provider.refused > 0, "it was sent while nobody answered"
    assert provider.accepted == refs
    assert twice == []
    assert column == [("yes",)]
    assert looked.returncode == 0, looked.stdout + looked.stderr


def test_a_wheel_that_does_not_install_starts_nothing_and_says_the_way_back(
    ground: Path, host: Host, releases: tuple[Path, Path]
) -> None:
    host.install(releases[0])
    broken = ground / "relight-98.0-py3-none-any.whl"
    broken.write_bytes(b"no wheel")
    with embedded.server(host.home), running(host):
        done = host.run(UPGRADE, broken, ground / "backup")
        is_up = _answers(host.port)
        host.run(host.environment["START"])

    assert done.returncode != 0
    assert "installing failed; nothing was started" in done.stderr
    assert "No table was touched" in done.stderr
    assert "backup restore" not in done.stderr
    assert host.environment["START"] in done.stderr
    assert not is_up


_COMMAND = """#!/bin/sh
echo "relight $*" >> "$FOLDER/run"
[ "$1" = --version ] && echo "relight, version 1.0"
[ "$1" != "$FAILS" ]
"""


@pytest.fixture
def rehearse(ground: Path) -> Rehearse:
    """The upgrade with nothing behind it: what it runs is written down, and the one that is named fails."""
    scripts = {name: ground / name for name in ("relight", "python", "stop", "start", "ready", "compile", "again")}
    for name, path in scripts.items():
        path.write_text(
            _COMMAND if name == "relight" else f'#!/bin/sh\necho {name} >> "$FOLDER/run"; [ {name} != "$FAILS" ]\n'
        )
        path.chmod(0o755)
    (ground / "some.whl").touch()
    (ground / "bin").mkdir()
    (ground / "bin" / "sleep").symlink_to("/bin/true")  # whoever waits for a minute has waited

    def run(fails: str, backups: str = "copies") -> tuple[subprocess.CompletedProcess[str], list[str]]:
        (ground / "run").write_text("")
        environment = {
            "PATH": f"{ground}/bin:{os.environ['PATH']}", "FOLDER": str(ground), "FAILS": fails,
            **{name.upper(): str(path) for name, path in scripts.items()},
        }  # fmt: skip
        words = [str(UPGRADE), str(ground / "some.whl"), backups]
        done = subprocess.run(words, env=environment, capture_output=True, text=True)
        return done, (ground / "run").read_text().splitlines()

    return run


@pytest.mark.parametrize(
    ("fails", "last", "said", "restores"),
    [
        ("backup", "relight backup base copies", "version 1.0 still runs", False),
        ("stop", "stop", "Nothing was changed either", False),
        ("python", "python", "No table was touched", False),
        ("migrate", "relight migrate", "install the wheel of 1.0", True),
        ("doctor", "relight doctor", "install the wheel of 1.0", True),
        ("start", "start", "there is nothing to go back from", False),
        ("ready", "ready", "They are not ready after a minute", False),
        ("again", "again", "starting again with the compiled core failed", False),
    ],
)
def test_the_way_back_is_that_of_the_step_that_failed(
    rehearse: Rehearse, fails: str, last: str, said: str, restores: bool
) -> None:
    done, run = rehearse(fails)

    assert done.returncode != 0
    assert run[-1] == last
    assert said in " ".join(done.stderr.split())
    assert ("relight backup restore copies --into A_NEW_HOME --until 20" in done.stderr) is restores


def test_whoever_makes_backups_by_other_means_upgrades_without_a_copy(rehearse: Rehearse) -> None:
    done, run = rehearse("nothing", "own")
    broken, _ = rehearse("migrate", "own")

    assert done.returncode == 0
    assert not [line for line in run if "backup" in line]
    assert "with your own backup" in broken.stderr
    assert "relight backup" not in broken.stderr


@pytest.mark.parametrize(("fails", "runs_on"), [("nothing", "the compiled core"), ("compile", "plain Python")])
def test_the_core_is_compiled_after_the_start_and_workers_take_it(rehearse: Rehearse, fails: str, runs_on: str) -> None:
    done, run = rehearse(fails)

    assert done.returncode == 0
    assert runs_on in done.stdout
    assert run[run.index("start") :] == (
        ["start", "ready", "relight --version", "compile", *(["again", "ready"] if fails == "nothing" else [])]
    )


def _booked(server: embedded.Server, partner: int) -> int:
    with psycopg.connect(server.url(roles.OWNER)) as owner:
        found = owner.execute(
            "SELECT count(*) FROM payment WHERE partner_id = %s AND state IN ('confirmed', 'booked')", [partner]
        ).fetchone()
    return found[0] if found else 0
