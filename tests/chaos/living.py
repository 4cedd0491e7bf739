"""One run: servers, services and traffic on their hosts; fault after fault; and what was seen."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from relight.flow.database import Database
from relight.project import roles
from tests.chaos import town as towns
from tests.chaos.ending import Ending, judge, kinds, unrest
from tests.chaos.faults import LASTS_SECONDS, Fault, Ground
from tests.chaos.hosted import GIVES_WAY
from tests.chaos.network import network
from tests.chaos.outages import Outage
from tests.chaos.relay import relay
from tests.chaos.sender import Sender
from tests.chaos.servers import SUPERUSER, Pair, Server
from tests.chaos.traffic import Traffic
from tests.chaos.units import Units

HOSTS = ("db1", "db2", "app1", "app2", "shop", "post")
SKEW_SECONDS = 90
RECOVERED_WITHIN = 180.0
_WEB_PORT = 8000
Tell = Callable[[str], object]


@dataclass
class Seen:
    """What came of the faults: seconds to recovery by kind of fault, when each lasted, what was odd meanwhile, and
    what alarms said when they were asked."""

    done: int = 0
    recoveries: dict[str, list[float]] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> "Seen":
        """What an earlier part of the run had seen."""
        if not path.exists():
            return cls()
        told = json.loads(path.read_text())
        return cls(**{**told, "outages": [Outage(**one) for one in told["outages"]]})

    def keep(self, path: Path) -> None:
        """For whoever goes on."""
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(self)))
        draft.replace(path)

    def figures(self) -> dict[str, dict[str, float]]:
        """Count, median, 95th, 99th and longest, in seconds, by kind of fault."""
        return {name: spread(seconds) for name, seconds in sorted(self.recoveries.items())}


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Count, median, 95th, 99th and longest of some seconds."""
    ordered = sorted(seconds)
    places = {f"p{share}": ordered[min(len(ordered) - 1, len(ordered) * share // 100)] for share in (50, 95, 99)}
    return {"count": len(ordered), **{name: round(value, 1) for name, value in places.items()},
            "max": round(ordered[-1], 1)}  # fmt: skip


@dataclass
class Life:
    """Everything that runs."""

    folder: Path
    ground: Ground
    db: Database
    town: towns.Town
    sender: Sender
    traffic: Traffic
    seen: Seen
    began: float
    ending: Ending = field(default_factory=lambda: Ending([], {}))

    def suffer(self, fault: Fault, tell: Tell) -> None:
        """One fault, and how long it took until it was as if nothing had been. TimeoutError if that did not come."""
        name = fault.__name__
        low, high = LASTS_SECONDS.get(name, (0, 0))
        lasts = self.ground.chance.uniform(low, high)
        began, since, self.ground.struck_at = time.time(), time.monotonic(), None
        with fault(self.ground):
            since = self.ground.struck_at or since  # of a fault that took its time to come about
            while time.monotonic() - since < lasts:
                time.sleep(0.05)
        self.seen.outages.append(Outage(name, began, time.time()))
        ended = max(since, time.monotonic()) if lasts else since
        while (took := self.traffic.recovered(since, ended)) is None:
            if time.monotonic() - since > RECOVERED_WITHIN:
                raise TimeoutError(f"{name}: not recovered in {RECOVERED_WITHIN:.0f} s; {self.state()}")
            time.sleep(0.05)
        self.seen.recoveries.setdefault(name, []).append(took)
        self.seen.done += 1
        self.seen.keep(self.folder / "seen.json")
        tell(f"{self.seen.done}: {name} {took:.1f} s; {len(self.sender.accepted)} payments accepted")

    def warm_up(self) -> None:
        """Until the first who paid is back: from then on everything runs."""
        deadline = time.monotonic() + RECOVERED_WITHIN
        while not self.traffic.back_at:
            if time.monotonic() > deadline:
                raise TimeoutError(f"nobody who paid is back; {self.state()}")
            time.sleep(0.05)
        self.seen.outages.append(Outage("start", self.began, time.time()))

    def come_to_rest(self) -> list[str]:
        """Everybody who paid is heard and back, and nothing is due; then whatever is wrong."""
        self.traffic.end()
        deadline = time.monotonic() + RECOVERED_WITHIN
        while self.sender.unheard or self.traffic.missing() or unrest(self.db, self.town.partner):
            if time.monotonic() > deadline:
                return [f"it did not come to rest: {self.state()}", *self._wrongs()]
            self.traffic.look()
            time.sleep(0.2)
        return self._wrongs()

    def state(self) -> str:
        """Where it hangs, for whoever has to find out."""
        return (
            f"{self.sender.unheard} payments unheard, {len(self.traffic.missing())} not back, due:"
            f" {unrest(self.db, self.town.partner)[:5]}; services: "
            + ", ".join(f"{unit.name} {len(unit.tree())}" for unit in self.ground.units.all)
        )

    def result(self) -> dict[str, Any]:
        """Figures for the JSON."""
        return {
            "payments": len(self.sender.accepted), "webhooks_refused": self.sender.refused,
            "starts": sum(unit.starts for unit in self.ground.units.all),
            "effects": kinds(self.db, self.town.partner), "recovery_seconds": self.seen.figures(),
            **self.ending.figures, "alarms": sorted(set(self.seen.alarms)),
        }  # fmt: skip

    def _wrongs(self) -> list[str]:
        outages = self.seen.outages
        self.ending = judge(self.db, self.town.partner, self.folder, self.sender.accepted, outages)
        return [*self.ending.wrong, *self.ground.units.complaints(outages), *self.seen.odd, *self.traffic.broken]


@contextmanager
def living(
    folder: Path,
    *,
    seed: int,
    pace_seconds: float,
    homes: int,
    bills: int,
    poisoned: int,
    goes_on: bool,
    gives_way: bool = True,
) -> Iterator[Life]:
    """Everything runs as long as the block lasts. `goes_on`: the folder is kept for a later part of the run.
    `poisoned`: how many homes have a line whose order ends the worker. `gives_way`: bulk workers do, as in production,
    here to everything that runs on this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        hosts = stack.enter_context(network(HOSTS))
        pair = Pair([Server(name, hosts[name], folder / name) for name in HOSTS[:2]])
        if not goes_on:
            stack.callback(pair.clear_away)
        stack.callback(pair.end)
        pair.begin()
        _migrate(pair, folder)
        db = stack.enter_context(Database(pair.address(roles.APP, by_network=False), size_max=8, wait_seconds=3))
        with psycopg.connect(pair.address(roles.OWNER, by_network=False), autocommit=True) as owner:
            town = towns.found(owner, db, folder, hosts["post"].address)
        stack.enter_context(relay(hosts["post"], folder))
        environment = _environment(pair.address, folder, by_network=True)
        environment[GIVES_WAY] = "yes" if gives_way else "no"
        units = Units(folder, environment)
        for host, skew in (("app1", 0), ("app2", SKEW_SECONDS)):
            for lane in ("urgent", "bulk"):
                units.add(f"{lane}-{host}", hosts[host], "worker", "--lane", lane, skew=skew)
            words = ("--host", hosts[host].address, "--port", str(_WEB_PORT), "--processes", "1")
            units.add(f"web-{host}", hosts[host], "web", *words)
        urls = [f"http://{hosts[host].address}:{_WEB_PORT}/webhooks/{towns.SLUG}/testpay" for host in ("app1", "app2")]
        sender = Sender(hosts["shop"], town.provider, urls, folder, random.Random(seed))
        seen = Seen.read(folder / "seen.json")
        began = seen.outages[-1].ended if seen.outages else time.time()  # one that was interrupted: nobody knows when
        ground = Ground(pair, units, hosts, folder, random.Random(f"{seed}-{seen.done}"),
                        lambda: _watch(folder, environment, hosts["app1"].prefix, seen), seen.odd)  # fmt: skip
        traffic = Traffic(town, sender, pace_seconds, homes, bills, poisoned)
        life = Life(folder, ground, db, town, sender, traffic, seen, began)
        stack.callback(units.end)
        units.begin()
        stack.callback(sender.end)
        sender.begin()
        stack.callback(life.traffic.end)
        life.traffic.begin()
        yield life


def _environment(address: Callable[..., str], folder: Path, *, by_network: bool) -> dict[str, str]:
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {
        **os.environ,
        "RELIGHT_HOME": str(home),
        "RELIGHT_SECRET_KEY": "only for tests",
        "RELIGHT_HOSTS": "*",
        "DATABASE_URL": address(roles.APP, by_network=by_network),
        "DATABASE_OWNER_URL": address(roles.OWNER, by_network=by_network),
    }


def _migrate(pair: Pair, folder: Path) -> None:
    roles.provision(pair.address(SUPERUSER, by_network=False, database="postgres"), database="relight")
    environment = _environment(pair.address, folder, by_network=False)
    command = [sys.executable, "-m", "relight.project.main", "migrate"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _watch(folder: Path, environment: Mapping[str, str], prefix: Sequence[str], seen: Seen) -> None:
    """Ask what an operator's monitoring would ask, and keep the alarms by name."""
    command = [*prefix, sys.executable, "-m", "relight.project.main", "watch", "--json"]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True)
    if done.stdout.strip():
        seen.alarms += [one["alarm"] for one in json.loads(done.stdout.splitlines()[-1])["alarms"]]
    else:
        seen.alarms.append(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "nothing was said")
