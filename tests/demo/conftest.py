"""The demo as people start it: the command in a process of its own, with a home of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

SECONDS_MAX = 240
YOUR_TURN = "Ctrl-C ends the demo."


@dataclass
class Playing:
    """A demo under way. `said` is what it has told on standard error, so far."""

    process: subprocess.Popen[str]
    home: Path
    said: list[str] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)

    def listen(self) -> None:
        """Keep reading what it says."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self.said.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_until_it_says(self, text: str) -> str:
        """The first line with this text in it."""
        with self._news:
            heard = self._news.wait_for(lambda: self._line(text) or self.process.poll() is not None, SECONDS_MAX)
            line = self._line(text)
        assert heard and line, f"it never said {text!r}:\n" + "\n".join(self.said[-30:])  # noqa: PT018
        return line

    def _line(self, text: str) -> str:
        return next((line for line in self.said if text in line), "")

    @property
    def site(self) -> str:
        """Where its pages are."""
        return self.wait_until_it_says("Watch it in the browser").split()[-1].removesuffix("/demo/")

    def press_ctrl_c(self) -> int:
        """What a terminal does: the signal reaches the whole group. The command's exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(SECONDS_MAX)

    def left_behind(self) -> list[str]:
        """The command lines of all processes that were started with this home, PostgreSQL's among them."""
        mark = f"RELIGHT_HOME={self.home}".encode()
        return [line for line in map(partial(_command_of, mark), Path("/proc").glob("[0-9]*")) if line]


def _command_of(mark: bytes, process: Path) -> str:
    try:
        if mark not in (process / "environ").read_bytes().split(b"\0"):
            return ""
        return (process / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""  # gone meanwhile, or not ours


def new_home() -> Path:
    """A folder with a path short enough for PostgreSQL's socket."""
    return Path(tempfile.mkdtemp(prefix="rd"))


def relight(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `relight` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "relight.project.main", *words],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
    )


def told(home: Path, *words: str) -> dict[str, Any]:
    """The JSON that `relight demo … --exit --json` ends with."""
    done = relight(home, "demo", *words, "--exit", "--json")
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def environment(home: Path) -> dict[str, str]:
    """Ours, with that home, and without what would lead to another database."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RELIGHT_", "DATABASE_"))}
    return {**kept, "RELIGHT_HOME": str(home)}


@pytest.fixture(scope="session")
def play() -> Iterator[Any]:
    """Start a demo; all are ended at the end."""
    started: list[Playing] = []

    def start(*words: str) -> Playing:
        home = new_home()
        process = subprocess.Popen(
            [sys.executable, "-m", "relight.project.main", "demo", *words],
            env=environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        playing = Playing(process, home)
        threading.Thread(target=playing.listen, daemon=True).start()
        started.append(playing)
        return playing

    yield start
    for playing in started:
        if playing.process.poll() is None:
            playing.press_ctrl_c()
        shutil.rmtree(playing.home, ignore_errors=True)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home for one test."""
    made = new_home()
    yield made
    shutil.rmtree(made, ignore_errors=True)
