"""Commands of Relight as processes of their own, so that they can be killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_COMMAND = """
import sys
from pathlib import Path
from relight.project import embedded

with embedded.server(Path(sys.argv[1])) as server:
    print("ready", flush=True)
    sys.stdin.read()
"""


def relight_there(home: Path, *words: str, **given: str) -> subprocess.CompletedProcess[str]:
    """`relight` with its home there, and only these settings, in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RELIGHT_", "DATABASE_"))}
    return subprocess.run(
        [sys.executable, "-m", "relight.project.main", *words],
        env={**kept, "RELIGHT_HOME": str(home), **given},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def using(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that uses the server until its input is closed. Not yet ready: `wait_until_ready`."""
    words = [sys.executable, "-c", _COMMAND, str(home)]
    command = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield command
    finally:
        if command.poll() is None:
            command.kill()
        command.communicate()


def wait_until_ready(command: subprocess.Popen[str]) -> None:
    assert command.stdout is not None
    assert command.stdout.readline() == "ready\n"


def end(command: subprocess.Popen[str]) -> int:
    """Close the command's input and wait for it; its exit code."""
    command.communicate(timeout=60)
    return command.returncode


def wait_until(is_so: Callable[[], bool], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)
