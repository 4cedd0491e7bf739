"""Relight's processes as a host's service manager keeps them: one that ends is started again, and nobody is asked."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.logs import complaints
from tests.chaos.network import Host
from tests.chaos.outages import Outage

_LOOK_SECONDS = 0.1
_END_SECONDS = 15


@dataclass(slots=True)
class Unit:
    """One service: `relight` with these words, on a host."""

    name: str
    host: Host
    words: Sequence[str]
    skew: int = 0
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0

    def tree(self) -> list[int]:
        """Ids of its processes, the first one's first."""
        found = [self.process.pid] if self.process and self.process.poll() is None else []
        for pid in found:
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    found += map(int, (task / "children").read_text().split())
        return found

    def send(self, number: int) -> None:
        """A signal to all of its processes."""
        for pid in self.tree():
            self.send_one(pid, number)

    @staticmethod
    def send_one(pid: int, number: int) -> None:
        """A signal to one process, which may be gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@dataclass
class Units:
    """All services, watched by a thread until `end`."""

    folder: Path
    environment: Mapping[str, str]
    all: list[Unit] = field(default_factory=list)
    _ending: threading.Event = field(default_factory=threading.Event)
    _watcher: threading.Thread | None = None

    def add(self, name: str, host: Host, *words: str, skew: int = 0) -> None:
        """One more, started with the others."""
        self.all.append(Unit(name, host, words, skew))

    def begin(self) -> None:
        """Start all, and keep them."""
        self._watcher = threading.Thread(target=self._watch, name="units", daemon=True)
        self._watcher.start()

    def end(self) -> None:
        """Let all come to rest."""
        self._ending.set()
        if self._watcher:
            self._watcher.join()
        for number in (signal.SIGCONT, signal.SIGTERM):
            for unit in self.all:
                unit.send(number)
        for unit in self.all:
            if unit.process:
                try:
                    unit.process.wait(_END_SECONDS)
                except subprocess.TimeoutExpired:
                    unit.send(signal.SIGKILL)

    def complaints(self, outages: Sequence[Outage]) -> list[str]:
        """What the services' logs tell of a bug."""
        return [line for unit in self.all for line in complaints(self._log(unit), unit.skew, outages)]

    def _log(self, unit: Unit) -> Path:
        return self.folder / f"{unit.name}.log"

    def _watch(self) -> None:
        while not self._ending.is_set():
            for unit in self.all:
                if unit.process is None or unit.process.poll() is not None:
                    self._start(unit)
            self._ending.wait(_LOOK_SECONDS)

    def _start(self, unit: Unit) -> None:
        with self._log(unit).open("ab") as log:
            command = [*unit.host.prefix, sys.executable, "-m", "tests.chaos.hosted", str(unit.skew), str(self.folder)]
            unit.process = subprocess.Popen(
                [*command, *unit.words], env=dict(self.environment), stdout=log, stderr=log, process_group=0
            )
        unit.starts += 1
