"""Locks on files, which the kernel lets go when their holder dies, however it dies."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relight.project.errors import UnableToStartServer

POLL_SECONDS = 0.02


class FileLock:
    """One open lock. It belongs to the open file: a child that inherits the descriptor holds it as well."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_exclusive(self) -> bool:
        """Take the lock alone if nobody else has it."""
        return self._try(fcntl.LOCK_EX)

    def try_shared(self) -> bool:
        """Take the lock together with other sharers, if nobody has it alone."""
        return self._try(fcntl.LOCK_SH)

    def _try(self, kind: int) -> bool:
        try:
            fcntl.flock(self.descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go. A second call does nothing."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


@contextmanager
def exclusive(path: Path, *, wait_seconds: float) -> Iterator[None]:
    """Hold `path` alone, waiting at most `wait_seconds` for the one who has it."""
    lock = FileLock(path)
    deadline = time.monotonic() + wait_seconds
    try:
        while not lock.try_exclusive():
            if time.monotonic() > deadline:
                raise UnableToStartServer(
                    f"Another command has held {path} for {wait_seconds:.0f} s.",
                    remedy=f"See which one with `fuser {path}`, let it finish or end it, and try again.",
                )
            time.sleep(POLL_SECONDS)
        yield
    finally:
        lock.close()
