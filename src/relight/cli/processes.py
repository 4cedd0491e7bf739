"""Commands of ours run as processes beside this one: `relight serve` is web and workers, and so is the demo."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

from relight.cli.output import news

# An attempt under way is let end. The units of ops/systemd leave their services a minute, compose.yaml its containers.
_GRACE_SECONDS = 45
_LOOK_EVERY_SECONDS = 0.5
_ENDED_AS_TOLD = (0, 130, 143, -2, -15)


class Processes:
    """Commands under way. At the end of the `with` block all are told to end, and waited for: so long together, and no
    longer."""

    def __init__(self, *, grace_seconds: float = _GRACE_SECONDS) -> None:
        self._grace_seconds = grace_seconds
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + self._grace_seconds
        for process in self._running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start `relight` with these words, in this environment (ours, if left out). What it says is news: our own
        standard output keeps the answer alone."""
        words = [sys.executable, "-m", "relight.project.main", *command]
        # In a session of its own: Ctrl-C reaches us, and we end each once. A second signal, on top of the terminal's,
        # made the web server leave before its own workers had. And a bulk worker can be nice to the others.
        self._running.append(subprocess.Popen(words, env=env, stdout=sys.stderr, start_new_session=True))

    @property
    def are_well(self) -> bool:
        """Whether none has ended."""
        return all(process.poll() is None for process in self._running)

    @property
    def failed(self) -> int:
        """The exit code of the first that ended otherwise than as it was told to, or 0."""
        codes = (process.returncode for process in self._running)
        return next((code for code in codes if code not in (None, *_ENDED_AS_TOLD)), 0)

    def wait(self) -> None:
        """Until one ends, or Ctrl-C."""
        try:
            while self.are_well:
                time.sleep(_LOOK_EVERY_SECONDS)
        except KeyboardInterrupt:
            news("ending …")
