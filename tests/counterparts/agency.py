"""A collection agency with an API, in a process of its own."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

SECRET = "whsec_" + base64.b64encode(b"what we sign with, long enough").decode()
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"what it signs with, long enough").decode()


@dataclass(frozen=True)
class Agency:
    """Where it listens, and what it took."""

    url: str
    file: Path

    @property
    def settings(self) -> dict[str, Any]:
        """A partner's driver settings for it."""
        return {"driver": "agency_api", "url": self.url, "secret": SECRET, "webhook_secret": WEBHOOK_SECRET}

    def took(self) -> list[dict[str, Any]]:
        """The packages that it kept, oldest first."""
        lines = self.file.read_text("utf-8").splitlines() if self.file.exists() else []
        return [json.loads(line) for line in lines]

    def next_time(self, **odd: Any) -> None:
        """How it is to answer the next request: status, retry_after, hang_up (after it was kept)."""
        httpx.post(self.url.replace("/cases", "/next"), json=odd, trust_env=False).raise_for_status()


@contextmanager
def running(folder: Path) -> Iterator[Agency]:
    """The agency, for as long as the block lasts."""
    script = Path(__file__).with_name("agency_process.py")
    file = folder / "agency.jsonl"
    with subprocess.Popen(
        [sys.executable, str(script), SECRET, str(file)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Agency(process.stdout.readline().strip(), file)
        finally:
            process.terminate()
