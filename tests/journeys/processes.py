"""Real `relight worker` processes, started at a story's moment and killed by their id."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

SECONDS_MAX = 30.0


class Workers:
    """The worker processes of one story; all are ended with it. What they print is in `folder`."""

    def __init__(self, urls: dict[str, str], folder: Path):
        self.folder = folder
        self._environment = {
            **os.environ,
            "RELIGHT_HOME": str(folder),
            "DATABASE_URL": urls["app"],
            "DATABASE_OWNER_URL": urls["owner"],
            "RELIGHT_SECRET_KEY": "only for tests",
        }
        self._ahead: dict[datetime, float] = {}  # workers that are started for one moment share its clock
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *lanes: str, at: datetime, partner: str = "") -> subprocess.Popen[bytes]:
        """A worker of these lanes, for which it is `at` now; returns when it works. With `partner` of that one alone:
        what other tests left due is none of its business."""
        ahead = self._ahead.setdefault(at, (at - datetime.now(UTC)).total_seconds())
        log = self.folder / f"worker-{len(self._running)}.log"
        command = [sys.executable, "-m", "tests.journeys.shifted", str(ahead), "worker"]
        command += [word for lane in lanes for word in ("--lane", lane)]
        command += ["--partner", partner] if partner else []
        with log.open("wb") as output:
            process = subprocess.Popen(command, env=self._environment, stdout=output, stderr=output)
        self._running.append(process)
        wait_for(lambda: b"working" in log.read_bytes() or process.poll() is not None, "the worker works")
        assert process.poll() is None, log.read_text()
        return process

    def clock(self, *, started_at: datetime) -> datetime:
        """What the clock of workers shows by now that were started at a moment."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead[started_at])

    def relight(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a `relight` command to its end, on the story's database."""
        command = [sys.executable, "-m", "relight.project.main", *words]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60)

    def begin(self, *words: str, at: datetime) -> subprocess.Popen[bytes]:
        """Begin a `relight` command for which it is `at` now."""
        return subprocess.Popen(self._shifted(at, *words), env=self._environment)

    def at(self, at: datetime, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a `relight` command for which it is `at` now to its end."""
        command = self._shifted(at, *words)
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=60)

    def _shifted(self, at: datetime, *words: str) -> list[str]:
        ahead = self._ahead.setdefault(at, (at - datetime.now(UTC)).total_seconds())
        return [sys.executable, "-m", "tests.journeys.shifted", str(ahead), *words]

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """kill -9."""
        process.kill()
        process.wait()

    def end(self) -> None:
        """Let all come to rest."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.wait(SECONDS_MAX)

    def complaints(self) -> str:
        """What workers printed that tells of a bug."""
        logs = "".join(path.read_text() for path in sorted(self.folder.glob("worker-*.log")))
        return "\n".join(line for line in logs.splitlines() if "Traceback" in line or '"level": "error"' in line)


def to_its_end(command: Sequence[str], *, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run a command that has processes and folders of its own. One that takes too long is told to end, so that it
    clears them away; AssertionError then."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            said, complained = running.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            running.terminate()
            with suppress(subprocess.TimeoutExpired):
                running.communicate(timeout=60)
            running.kill()
            raise AssertionError(f"{' '.join(command)} did not end in {seconds} seconds") from None
    return subprocess.CompletedProcess(command, running.returncode, said, complained)


def wait_for(condition: Callable[[], Any], what: str, *, seconds: float = SECONDS_MAX) -> Any:
    """Look until something holds, and return it; AssertionError with `what` when it does not come to that."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"in {seconds} seconds it did not come to: {what}"
        time.sleep(0.02)
    return value


@contextmanager
def holding(database_url: str, statement: str, **params: Any) -> Iterator[Callable[[], bool]]:
    """Hold the locks that a statement takes; yields whether somebody waits for us. Let go at the end."""
    with psycopg.connect(database_url) as holder, psycopg.connect(database_url, autocommit=True) as looker:
        holder.execute(statement, params)  # type: ignore[arg-type]
        pid = holder.info.backend_pid

        def is_waited_for() -> bool:
            found = looker.execute(
                "SELECT 1 FROM pg_stat_activity WHERE %(us)s = ANY (pg_blocking_pids(pid)) AND pid <> %(us)s",
                {"us": pid},
            )
            return found.fetchone() is not None

        yield is_waited_for
        holder.rollback()
