"""`relight run --as-of` on an installation of one's own: everything that is due at a moment, once."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from relight.core.calendars import calendar_for
from relight.core.windows import Window, next_in_window
from tests.embedded.commands import end, using, wait_until_ready

OFFICE_HOURS = Window(frozenset({0, 1, 2, 3, 4}), 10 * 60, 18 * 60)


class Installation:
    """A fresh installation with the database that Relight brings along."""

    def __init__(self, home: Path):
        self.home, self.inbox = home, home / "inbox"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "RELIGHT_"))}
        self._environment = {**kept, "RELIGHT_HOME": str(home / "data")}

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command, to its end."""
        command = [sys.executable, "-m", "relight.project.main", *words]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=120)

    def does(self, *words: str) -> None:
        """A command that has to go well."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr

    def counts(self, *words: str) -> dict[str, Any]:
        """A command's last line as JSON."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def file(self, name: str, text: str) -> str:
        """A file to hand to a command."""
        path = self.home / name
        path.write_text(text)
        return str(path)

    def texts(self) -> list[str]:
        """The text messages that went out."""
        path = self.inbox / "sms.jsonl"
        return [json.loads(line)["text"] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def installation() -> Iterator[Installation]:
    """Gone after the test; its path is short, since a socket lies in it. Its server stays up between commands."""
    home = Path(tempfile.mkdtemp(prefix="relight-run-"))
    made = Installation(home)
    try:
        made.does("migrate")
        with using(home / "data") as server:
            wait_until_ready(server)
            yield made
            assert end(server) == 0
    finally:
        shutil.rmtree(home)


def test_everything_that_is_due_at_a_moment_is_done_once(installation: Installation) -> None:
    at = next_in_window(
        datetime.now(UTC) + timedelta(days=1), OFFICE_HOURS, ZoneInfo("Europe/Oslo"), calendar_for("NO")
    )
    _move_in(installation, overdue_since=at.date() - timedelta(days=5), told_until=at)

    first = installation.counts("run", "--as-of", at.isoformat())
    second = installation.counts("run", "--as-of", at.isoformat())
    paid = installation.file("paid.csv", f"ref,amount,value_date,account\nB-1,899.00,{at.date()},K-1\n")
    installation.does("import", "payments", paid, "--partner", "nordlys", "--complete-until", at.isoformat())
    third = installation.counts("run", "--as-of", at.isoformat())

    assert (first["attempts"], second, third["attempts"]) == (
        1,
        {"decisions": 0, "attempts": 0, "buttons": 0, "collections": 0},
        1,
    )
    assert [text.partition("!")[0] for text in installation.texts()] == ["Hei", "Takk"]


def test_a_moment_that_is_none_is_refused_in_a_sentence(installation: Installation) -> None:
    refused = installation.run("run", "--as-of", "the day after tomorrow")

    assert refused.returncode == 2
    assert "is no moment; write 2026-03-02" in refused.stderr
    assert "Traceback" not in refused.stderr


def _move_in(installation: Installation, *, overdue_since: object, told_until: datetime) -> None:
    """A partner that is live, with a policy, and one customer who has not paid."""
    sms = {"driver": "inbox", "channel": "sms", "folder": str(installation.inbox)}
    drivers = installation.file("drivers.json", json.dumps({"messages": {"sms": sms}}))
    invoices = installation.file(
        "invoices.csv",
        "number,account,amount,due_date,service_kind,customer,name,mobile\n"
        f"F-1,K-1,899.00,{overdue_since},broadband,C-1,Kari Nordmann,+4790000001\n",
    )
    nothing = installation.file("none.csv", "ref,amount,value_date,account\n")
    named = ("--name", "Nordlys", "--phone", "77 00 00 00", "--site", "nordlys.no", "--bank-account", "15032080119")
    installation.does("partner", "add", "nordlys", *named)
    installation.does("partner", "drivers", "nordlys", drivers)
    installation.does("policy", "publish", "broadband-no", "--partner", "nordlys", "--by", "Kari", "--yes")
    installation.does("import", "invoices", invoices, "--partner", "nordlys")
    installation.does("import", "payments", nothing, "--partner", "nordlys", "--complete-until", told_until.isoformat())
    installation.does("live", "--partner", "nordlys", "--yes")
