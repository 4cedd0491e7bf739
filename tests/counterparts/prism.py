"""Prism (Stoplight, Apache-2.0) between our drivers and a back office: a process of its own that holds every request
and every answer against the descriptions in `specs`, and refuses what does not fit (422 and 500)."""

import json
import re
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import yaml

_PRISM = Path(__file__).parent / "npm" / "node_modules" / ".bin" / "prism"
_SPECS = Path(__file__).parent / "specs"
_LISTENING = re.compile(r"listening on (http://127\.0\.0\.1:\d+)")
_SECONDS_MAX = 60.0


class Prism:
    """A running proxy to `upstream`. `complaints` is all that it has said so far."""

    def __init__(self, upstream: str, *specs: Path) -> None:
        self._upstream = upstream
        self._specs = specs or tuple(sorted(_SPECS.glob("*.yaml")))
        self._lines: list[str] = []
        self._heard = threading.Condition()
        self.url = ""

    def __enter__(self) -> Self:
        if not _PRISM.exists():
            raise RuntimeError("prism is missing: run `make counterparts` (needs node and npm)")
        self._folder = tempfile.TemporaryDirectory(prefix="prism-")
        document = Path(self._folder.name) / "api.json"
        document.write_text(json.dumps(merged(self._specs)), "utf-8")
        # -p 0: a port that the system picks and Prism tells
        self._process = subprocess.Popen(
            [str(_PRISM), "proxy", str(document), self._upstream, "-h", "127.0.0.1", "-p", "0", "--errors"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._listen, name="prism's words", daemon=True).start()
        with self._heard:
            if not self._heard.wait_for(lambda: self.url, timeout=_SECONDS_MAX):
                raise RuntimeError("prism did not start: " + "".join(self._lines))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(timeout=_SECONDS_MAX)
        self._folder.cleanup()

    @property
    def complaints(self) -> str:
        """Its words, for a test that wonders."""
        with self._heard:
            return "".join(self._lines)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._heard:
                self._lines.append(line)
                if found := _LISTENING.search(line):
                    self.url = found[1]
                self._heard.notify_all()


def merged(specs: tuple[Path, ...]) -> dict[str, object]:
    """Several descriptions as one: their paths do not overlap."""
    paths: dict[str, object] = {}
    for spec in specs:
        paths |= yaml.safe_load(spec.read_text("utf-8"))["paths"]
    return {"openapi": "3.0.3", "info": {"title": "payment providers", "version": "1"}, "paths": paths}
