"""What goes wrong: each fault is begun, lasts while its block does, and is mended by whoever mends such things.

Nobody but a host's service manager and the database's cluster manager mends anything; Relight itself is never touched.
"""

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.hosted import turn
from tests.chaos.network import Host
from tests.chaos.servers import Pair
from tests.chaos.units import Unit, Units

Look = Callable[[], None]


@dataclass
class Ground:
    """What faults strike. `odd`: what was seen while one lasted, and should not have been."""

    pair: Pair
    units: Units
    hosts: dict[str, Host]
    folder: Path
    chance: random.Random
    watch: Look
    odd: list[str]
    struck_at: float | None = None

    def any_unit(self, *kinds: str) -> Unit:
        """One of the services of these kinds that runs."""
        running = [unit for unit in self.units.all if unit.name.startswith(kinds) and unit.tree()]
        while not running:
            time.sleep(0.05)
            running = [unit for unit in self.units.all if unit.name.startswith(kinds) and unit.tree()]
        return self.chance.choice(running)


Fault = Callable[[Ground], AbstractContextManager[None]]


@contextmanager
def worker_killed(ground: Ground) -> Iterator[None]:
    """kill -9 of a worker."""
    ground.any_unit("urgent", "bulk").send(signal.SIGKILL)
    yield


@contextmanager
def web_killed(ground: Ground) -> Iterator[None]:
    """kill -9 of a web server with all its processes."""
    ground.any_unit("web").send(signal.SIGKILL)
    yield


@contextmanager
def part_of_web_killed(ground: Ground) -> Iterator[None]:
    """kill -9 of the one process of a web server that answers; the one above it lives."""
    unit = ground.any_unit("web")
    Unit.send_one(unit.tree()[-1], signal.SIGKILL)
    yield


@contextmanager
def host_killed(ground: Ground) -> Iterator[None]:
    """kill -9 of everything on a host."""
    host = ground.any_unit("urgent", "bulk", "web").host
    for unit in ground.units.all:
        if unit.host == host:
            unit.send(signal.SIGKILL)
    yield


@contextmanager
def stopped(ground: Ground) -> Iterator[None]:
    """kill -STOP of a process, which goes on later as if nothing had been."""
    with _stopped(ground):
        yield


@contextmanager
def stopped_long(ground: Ground) -> Iterator[None]:
    """The same, for longer than a transaction may be idle; some longer than a message's lease lasts. What it had begun
    must have been ended meanwhile: others wait for its locks."""
    with _stopped(ground) as unit:
        yield
        ground.odd += [f"{unit.name} was stopped, and {held}" for held in ground.pair.held_by(unit.host)]


@contextmanager
def _stopped(ground: Ground) -> Iterator[Unit]:
    unit = ground.any_unit("urgent", "bulk", "web")
    unit.send(signal.SIGSTOP)
    yield unit
    unit.send(signal.SIGCONT)


@contextmanager
def host_cut_off(ground: Ground) -> Iterator[None]:
    """The link of a host with workers is cut."""
    host = ground.hosts[ground.chance.choice(("app1", "app2"))]
    host.cut()
    yield
    host.mend()


@contextmanager
def database_cut_off(ground: Ground) -> Iterator[None]:
    """The link of the first database is cut, and nobody takes over."""
    host = ground.pair.first.host
    host.cut()
    yield
    host.mend()


@contextmanager
def slow_link(ground: Ground) -> Iterator[None]:
    """The link of a host with workers carries little."""
    host = ground.hosts[ground.chance.choice(("app1", "app2"))]
    host.slow_down(400)
    yield
    host.mend()


@contextmanager
def slow_devices(ground: Ground) -> Iterator[None]:
    """Each order to a device is answered after seconds, some later than the lease of a command that nobody renews."""
    turn(ground.folder, slow=(1, 9))
    yield
    turn(ground.folder)


@contextmanager
def flapping_devices(ground: Ground) -> Iterator[None]:
    """Devices are away and back each second or so: an order does not get there, or its answer does not come back."""
    turn(ground.folder, flaps=1.2, slow=(0, 1))
    yield
    turn(ground.folder)


@contextmanager
def devices_away(ground: Ground) -> Iterator[None]:
    """No device answers for a while."""
    turn(ground.folder, busy=True)
    yield
    turn(ground.folder)


@contextmanager
def relay_cut_off(ground: Ground) -> Iterator[None]:
    """The link of the mail relay is cut, whatever was being said to it."""
    host = ground.hosts["post"]
    host.cut()
    yield
    host.mend()


@contextmanager
def server_restarted(ground: Ground) -> Iterator[None]:
    """kill -9 of the first database, which comes again."""
    ground.pair.restart()
    yield


@contextmanager
def disk_full(ground: Ground) -> Iterator[None]:
    """The disk of the first database's log is full until somebody makes room."""
    first = ground.pair.first
    first.fill_disk()
    ground.struck_at = time.monotonic()
    ground.watch()
    yield
    first.free_disk()


@contextmanager
def replica_away(ground: Ground) -> Iterator[None]:
    """The second database is gone for a while: commits wait for nobody until it is back."""
    ground.pair.second.kill()
    ground.pair.commits_wait_no_longer()
    yield
    ground.pair.second.start()
    ground.pair.commits_wait()


@contextmanager
def fail_over(ground: Ground) -> Iterator[None]:
    """The first database is gone for good, the second takes over, and later has one that follows it."""
    ground.pair.fail_over()
    yield
    ground.pair.follow_again()


LASTS_SECONDS = {
    "stopped": (3, 12), "stopped_long": (35, 70), "host_cut_off": (4, 12), "slow_link": (4, 8), "slow_devices": (9, 12),
    "devices_away": (2, 4), "flapping_devices": (30, 30), "relay_cut_off": (3, 9), "database_cut_off": (2, 5),
    "disk_full": (2, 4), "replica_away": (2, 5), "fail_over": (1, 2),
}  # fmt: skip
"""How long they last, least and most; others are over as soon as they have happened."""

KILLS: tuple[Fault, ...] = (worker_killed, worker_killed, worker_killed, web_killed, part_of_web_killed, host_killed)
OTHERS: tuple[Fault, ...] = (
    stopped, host_cut_off, slow_link, slow_devices, server_restarted, replica_away, database_cut_off, devices_away,
    disk_full, stopped_long, flapping_devices, relay_cut_off,
)  # fmt: skip


def plan(seed: int, *, kills: int, fail_overs: int, others: int) -> list[Fault]:
    """Which faults there will be, in the seed's order."""
    chance = random.Random(seed)
    chosen = [KILLS[at % len(KILLS)] for at in range(kills)]
    chosen += [OTHERS[at % len(OTHERS)] for at in range(others)] + [fail_over] * fail_overs
    chance.shuffle(chosen)
    return chosen
