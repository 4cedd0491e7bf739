"""Steady load: threads that each do one thing at a pace, and say how much they did."""

import csv
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType

import httpx

from bench.home import Home
from bench.town import SQL
from relight.drivers.testpay import TestProvider

_HEADER = ("account", "number", "amount", "currency", "issued_date", "due_date", "reference", "service_kind")


class Fault(RuntimeError):
    """Something that was asked for was refused; the run is worth nothing."""


class Pace(ABC):
    """Does `once` each so many seconds in a thread while the block lasts; late rounds are not made up for."""

    name = ""

    def __init__(self, seconds: float):
        self.seconds, self.done = seconds, 0
        self._ending = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._go, name=self.name, daemon=True)

    @abstractmethod
    def once(self) -> int:
        """One round; how much it did."""

    def check(self) -> None:
        """Raises what ended the thread, if anything did."""
        if self._failed is not None:
            raise self._failed

    def __enter__(self) -> "Pace":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join()
        if error is None:
            self.check()

    def _go(self) -> None:
        due = time.monotonic()
        try:
            while not self._ending.wait(max(0.0, due - time.monotonic())):
                self.done += self.once()
                due = max(due + self.seconds, time.monotonic())
        except BaseException as failed:  # noqa: BLE001 - raised again in the thread that samples
            self._failed = failed


class Payer(Pace):
    """One customer after another pays: the provider's signed webhook, over HTTP."""

    name = "payments"

    def __init__(self, seconds: float, provider: TestProvider, refs: Sequence[str], url: str):
        super().__init__(seconds)
        self._provider, self._refs, self._url = provider, iter(refs), url
        self._client = httpx.Client(trust_env=False, timeout=60)

    def once(self) -> int:
        """One payment; none when everybody has paid."""
        ref = next(self._refs, None)
        if ref is None:
            return 0
        headers, body = self._provider.webhook_of(self._provider.finish(ref, "pay"))
        self._client.post(self._url, content=body, headers=headers).raise_for_status()
        return 1


class Waker(Pace):
    """A slice of the sleeping cases falls due, round and round."""

    name = "cases due"

    def __init__(self, seconds: float, home: Home, partner: int, first: int, count: int, at_once: int):
        super().__init__(seconds)
        self._home, self._partner, self._first, self._count, self._at_once = home, partner, first, count, at_once
        self._at = 0

    def once(self) -> int:
        """The next slice; how many of it slept."""
        first = self._first + self._at
        last = min(first + self._at_once, self._first + self._count) - 1
        self._at = (self._at + self._at_once) % self._count
        with self._home.owner() as owner:
            return owner.execute(SQL.wake_again, {"partner": self._partner, "first": first, "last": last}).rowcount


class Importer(Pace):
    """A file of fresh invoices, by the command."""

    name = "invoices"

    def __init__(self, seconds: float, home: Home, first: int, customers: int, at_once: int):
        super().__init__(seconds)
        self._home, self._first, self._customers, self._at_once = home, first, customers, at_once
        self._written = 0

    def once(self) -> int:
        """One file, imported."""
        file = self._home.folder / "invoices.csv"
        due = datetime.now(UTC).date() + timedelta(days=14)
        with file.open("w", newline="", encoding="utf-8") as output:
            writer = csv.writer(output)
            writer.writerow(_HEADER)
            for number in range(self._written, self._written + self._at_once):
                account = f"A{self._first + number % self._customers}"
                issued = due - timedelta(days=14)
                writer.writerow((account, f"F{number}", "499.00", "NOK", issued, due, f"{number:012}", "broadband"))
        self._written += self._at_once
        command = self._home.command("import", "invoices", str(file), "--partner", "nordlys")
        done = subprocess.run(command, env=dict(self._home.environment), capture_output=True, text=True)
        if done.returncode:
            raise Fault(f"the import ended with {done.returncode}: {done.stderr}")
        return self._at_once


class Reader(Pace):
    """A system that follows the feed over HTTP, and sees to it that nothing is missing."""

    name = "feed entries"

    def __init__(self, seconds: float, url: str, token: str):
        super().__init__(seconds)
        self._url, self._after = url, 0
        self._client = httpx.Client(trust_env=False, timeout=60, headers={"Authorization": f"Bearer {token}"})

    def once(self) -> int:
        """All that there is by now."""
        seen = 0
        while True:
            page = self._client.get(self._url, params={"after": self._after}).raise_for_status().json()
            for entry in page["entries"]:
                if entry["position"] != self._after + 1:
                    raise Fault(f"after position {self._after} of the feed came {entry['position']}")
                self._after = entry["position"]
            seen += len(page["entries"])
            if not page["more"]:
                return seen
