"""A payment provider that tells of each payment until it is heard, and sometimes once more: signed, over HTTP."""

import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from relight.drivers.testpay import TestProvider
from tests.chaos.network import Host

_AGAIN_SECONDS = 0.3
_AGAIN_SHARE = 0.1


@dataclass
class Sender:
    """Tells of payments from a host of its own. What was accepted stays in `accepted.txt`, so that it can go on."""

    host: Host
    provider: TestProvider
    urls: list[str]
    folder: Path
    chance: random.Random
    accepted: dict[str, float] = field(default_factory=dict)
    refused: int = 0
    _waiting: list[str] = field(default_factory=list)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _ending: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, threads: int = 4) -> None:
        """Begin to tell; what was accepted before is not told anew."""
        kept = self.folder / "accepted.txt"
        if kept.exists():
            self.accepted = dict.fromkeys(kept.read_text().split(), 0.0)
        for number in range(threads):
            thread = threading.Thread(target=self._run, name=f"sender-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """Stop telling."""
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def pay(self, ref: str) -> None:
        """A customer has paid: the provider will tell until it is heard."""
        self.provider.finish(ref, "pay")
        with self._news:
            self._waiting.append(ref)
            self._news.notify()

    @property
    def unheard(self) -> int:
        """Payments that nobody has accepted yet."""
        with self._news:
            return len(self._waiting)

    def _run(self) -> None:
        self.host.enter()
        while not self._ending.is_set():
            with self._news:
                ref = self._waiting[0] if self._waiting else None
                if ref is None:
                    self._news.wait(0.2)
                    continue
                self._waiting.append(self._waiting.pop(0))  # the others tell of other payments meanwhile
            if self._tell(ref):
                self._heard(ref)
            else:
                self._ending.wait(_AGAIN_SECONDS)

    def _tell(self, ref: str) -> bool:
        headers, body = self.provider.webhook_of(self.provider.payment(ref))
        try:
            with httpx.Client(trust_env=False, timeout=3) as client:
                answer = client.post(self.chance.choice(self.urls), content=body, headers=headers)
        except httpx.HTTPError:
            self.refused += 1
            return False
        self.refused += not answer.is_success
        return answer.is_success

    def _heard(self, ref: str) -> None:
        with self._news:
            if ref not in self.accepted:
                self.accepted[ref] = time.monotonic()
                with (self.folder / "accepted.txt").open("a") as file:
                    file.write(f"{ref}\n")
            if self.chance.random() >= _AGAIN_SHARE and ref in self._waiting:
                self._waiting.remove(ref)
