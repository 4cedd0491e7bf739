"""What is known of a running PostgreSQL from its data folder, and what to clear away after a violent death."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from relight.project import paths

_PID_FILE = "postmaster.pid"


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The server named in `postmaster.pid`; `status` is `starting`, `ready`, `standby` or `stopping`."""

    pid: int
    socket_folder: Path
    status: str


def read(data: Path) -> Postmaster | None:
    """The server of this data folder if it lives. The file alone proves nothing: ids are given out again."""
    try:
        lines = (data / _PID_FILE).read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    # PostgreSQL writes the file line by line while it starts.
    if not lines or not lines[0].strip().isdigit() or not _is_postgres_of(int(lines[0]), data):
        return None
    lines += [""] * (8 - len(lines))
    return Postmaster(pid=int(lines[0]), socket_folder=Path(lines[4].strip()), status=lines[7].strip())


def processes(data: Path) -> Iterator[int]:
    """Ids of all PostgreSQL processes that work in this data folder, orphans of a killed server included."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _is_postgres_of(int(entry.name), data):
            yield int(entry.name)


def end_orphans(data: Path) -> None:
    """End the processes a killed server left behind. Its memory is lost already; recovery starts from the log."""
    for pid in processes(data):
        os.kill(pid, signal.SIGKILL)


def clear_stale_files(data: Path, socket_folder: Path) -> None:
    """Remove what a killed server left. Call it only when no process of the server lives.

    PostgreSQL clears these itself only while the id in them is free, and refuses to start once another process has it.
    """
    stale = (data / _PID_FILE, socket_folder / paths.SOCKET_NAME, socket_folder / f"{paths.SOCKET_NAME}.lock")
    for path in stale:
        path.unlink(missing_ok=True)


def _is_postgres_of(pid: int, data: Path) -> bool:
    process = Path("/proc", str(pid))
    try:
        return (process / "comm").read_text().strip() == "postgres" and (process / "cwd").samefile(data)
    except OSError:
        return False
