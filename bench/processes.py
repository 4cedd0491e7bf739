"""Relight's processes, started as an operator would, and others beside them, each with its own log; ended by their own
ids."""

import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.home import Home

CHECKOUT = Path(__file__).resolve().parents[1]  # where `python -m bench.…` is found
_END_SECONDS = 20
_POLL_SECONDS = 0.05


@contextmanager
def running(home: Home, *words: str, cores: Collection[int] = ()) -> Iterator[Path]:
    """`relight …` for the length of the block, on these cores only if any are named; gives the log's path."""
    with started(home, home.command(*words), f"relight {' '.join(words)}", cores=cores) as log:
        yield log


@contextmanager
def started(
    home: Home, command: Sequence[str], name: str, *, cores: Collection[int] = (), **more: str
) -> Iterator[Path]:
    """A command for the length of the block, in the installation's environment and `more`; gives the log's path."""
    log = home.folder / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())[:60]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**home.environment, **more}, stdout=output, stderr=output, cwd=CHECKOUT
        )
    try:
        if cores:
            os.sched_setaffinity(process.pid, cores)  # before it has threads or children, which inherit it
        yield log
        if process.poll() is not None:
            raise RuntimeError(f"`{name}` ended by itself.")
    except Exception as failed:
        failed.add_note(f"The last words of `{name}`:\n{log.read_text(errors='replace')[-2000:]}")
        raise
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(found: Callable[[], bool], what: str, *, seconds: float = 60) -> None:
    """Until it is so; raises TimeoutError, which says what did not come."""
    deadline = time.monotonic() + seconds
    while not found():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(_POLL_SECONDS)


def wait_for_port(port: int) -> None:
    """Until something listens there."""
    wait_until(lambda: _answers(port), f"somebody listening on port {port}")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
