"""What is soaked: a private installation with web and workers, and the steady load on it."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from bench import population
from bench.home import Home, private
from bench.population import CUT_OFF, WAITING, Plan, Shape
from bench.processes import free_port, running, wait_for_port, wait_until
from relight.drivers.testpay import TestProvider
from relight.flow.payments.port import Order
from tests.soak.load import Fault, Importer, Pace, Payer, Reader, Waker

LIMITED = (Shape(steps=3, due_days=90, last_days=3),)
PAYERS, SLEEPERS = 1_000_000, 10_000_000
_ROUNDS = 10  # of cases that fall due, until the first do again
_NOON = 12


@dataclass
class Soak:
    """One run: who makes the load, and which processes bear it."""

    home: Home
    partner: int
    paces: list[Pace] = field(default_factory=list[Pace])

    def processes(self) -> dict[str, list[int]]:
        """Our processes by what they do, and PostgreSQL's together, as ids."""
        found: dict[str, list[int]] = {}
        mark = str(self.home.folder).encode()
        postmaster = _postmaster(self.home.folder)
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes()
                parent = int((folder / "stat").read_text("utf-8").rpartition(")")[2].split()[1])
                is_ours = mark in (folder / "environ").read_bytes()
            except OSError:
                continue  # it has ended, or is somebody else's
            if postmaster in (parent, int(folder.name)):
                found.setdefault("postgresql", []).append(int(folder.name))
            elif is_ours and b"relight.project.main" in words and (name := _name(words)):
                found.setdefault(name, []).append(int(folder.name))
        return found

    def check(self) -> None:
        """Raises what has gone wrong in a thread that makes the load."""
        for pace in self.paces:
            pace.check()

    def done(self) -> dict[str, int]:
        """How much load there was, by kind."""
        return {pace.name: pace.done for pace in self.paces}


@contextmanager
def soaking(*, payments: float, due: int, invoices: int, minutes: float) -> Iterator[Soak]:
    """The installation under load, for as long as the block lasts."""
    with ExitStack() as stack:
        home = stack.enter_context(private())
        owner = stack.enter_context(home.owner())
        provider = TestProvider({"secret": "only-in-this-soak", "folder": str(home.folder / "testpay")})
        partner = population.make_partner(owner, "nordlys", _now(owner), _drivers(home))
        owner.execute("UPDATE partner SET time_zone = %s WHERE id = %s", (_zone_at_noon(), partner))
        payers = round(payments * (minutes * 60 + 60)) + 10
        refs = _populate(home, owner, partner, provider, payers=payers, sleepers=due * _ROUNDS)
        port = free_port()
        site = f"http://127.0.0.1:{port}"
        stack.enter_context(running(home, "web", "--port", str(port)))
        log = stack.enter_context(running(home, "worker"))
        wait_for_port(port)
        wait_until(lambda: log.read_bytes().count(b"working") >= 2, "both lanes at work")
        soak = Soak(home, partner)
        soak.paces = [
            Payer(1 / payments, provider, refs, f"{site}/webhooks/nordlys/testpay"),
            Waker(10, home, partner, SLEEPERS, due * _ROUNDS, due),
            Importer(30, home, PAYERS, len(refs), invoices),
            Reader(1, f"{site}/feed/nordlys", _token(home)),
        ]
        for pace in soak.paces:
            stack.enter_context(pace)
        yield soak


def _drivers(home: Home) -> dict[str, Any]:
    inbox = {channel: {"driver": "inbox", "channel": channel} for channel in ("sms", "email", "letter")}
    testpay = {"secret": "only-in-this-soak", "folder": str(home.folder / "testpay")}
    return {"supply": {"sim": {"driver": "simulator"}}, "messages": inbox, "payments": {"testpay": testpay}}


def _populate(
    home: Home, owner: psycopg.Connection, partner: int, provider: TestProvider, *, payers: int, sleepers: int
) -> list[str]:
    """Customers in the walled garden, who will pay, and others whose cases fall due; the payers' references."""
    now = _now(owner)
    with home.database() as db:
        policy = population.publish_policies(db, partner, now)["broadband"]
    later = timedelta(days=5)
    with home.filling() as filling:
        for plan in (
            Plan(PAYERS, payers, LIMITED, level="walled_garden", wakes_in=later, tables=CUT_OFF),
            Plan(SLEEPERS, sleepers, WAITING, wakes_in=later),
        ):
            population.fill(filling, partner, policy, plan, now)
        refs = {PAYERS + number: _order(provider, PAYERS + number) for number in range(payers)}
        population.add_checkouts(filling, partner, refs, now)
        population.settle_down(filling)
    return list(refs.values())


def _order(provider: TestProvider, account: int) -> str:
    order = Order(f"soak-{account}", population.AMOUNT, "NOK", "Nordlys", str(account), "https://nordlys.example/p/")
    return provider.create(order).provider_ref


def _token(home: Home) -> str:
    command = home.command("feed", "token", "billing", "--partner", "nordlys", "--json")
    done = subprocess.run(command, env=dict(home.environment), capture_output=True, text=True)
    if done.returncode:
        raise Fault(done.stderr)
    return str(json.loads(done.stdout.splitlines()[-1])["token"])


def _postmaster(folder: Path) -> int:
    """The server's own process, where it is a private one; else none of ours."""
    found = next(folder.rglob("postmaster.pid"), None)
    return int(found.read_text("utf-8").split()[0]) if found else -1


def _name(words: bytes) -> str:
    """What a process of ours does, without what differs from run to run; commands that end by themselves have none."""
    said = words.decode(errors="replace").replace("\0", " ")
    if " worker " in said:
        return "worker " + said.partition("--lane ")[2].split()[0] if "--lane" in said else "worker (keeper)"
    return "web" if " web " in said else ""


def _zone_at_noon() -> str:
    """A time zone in which it is about noon, when messages may go."""
    return f"Etc/GMT{datetime.now(UTC).hour - _NOON:+d}"


def _now(owner: psycopg.Connection) -> datetime:
    found = owner.execute("SELECT clock_timestamp()").fetchone()
    assert found is not None
    return found[0]
