"""Commands as processes beside one: told to end, they get their time once, all together."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from relight.cli.processes import Processes

_STUBBORN = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); sys.stdin.read()"
_GRACE_SECONDS = 2.0


@pytest.fixture
def stubborn() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Three processes that do not end when they are told to."""
    words = [sys.executable, "-c", _STUBBORN]
    started = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(3)]
    for process in started:
        assert process.stdout is not None
        process.stdout.readline()
    yield started
    for process in started:
        process.kill()
        process.communicate()


def test_those_that_do_not_end_are_waited_for_once_and_not_one_after_another(
    stubborn: list[subprocess.Popen[bytes]],
) -> None:
    with Processes(grace_seconds=_GRACE_SECONDS) as running:
        running._running += stubborn
        began = time.monotonic()
    took_seconds = time.monotonic() - began

    assert [process.returncode for process in stubborn] == [-signal.SIGKILL] * 3
    assert _GRACE_SECONDS <= took_seconds < 2 * _GRACE_SECONDS
