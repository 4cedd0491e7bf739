"""Two PostgreSQL servers on hosts of their own: one takes writes, the other follows it and is ready to take over.

What a cluster manager does (Patroni, repmgr, …) is done here: promote the follower when the first is gone, let commits
wait for a follower as long as there is one, and make the one that was lost follow again. See docs/high-availability.md.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from relight.project import launcher, paths, postmaster
from relight.project.binaries import Binaries
from relight.project.launcher import Launcher
from tests.chaos.network import Host
from tests.counterparts.postgres import MAJOR, PROGRAMS, SUPERUSER

PORT = 5432
_LOG_MEGABYTES = 320
_RULES = "local all all trust\nhost all all 10.77.0.0/24 trust\nhost replication all 10.77.0.0/24 trust\n"
_SETTINGS = {
    "listen_addresses": "*",
    "timezone": "UTC",
    "max_connections": "150",
    "shared_buffers": "64MB",
    "max_wal_size": "64MB",
    "min_wal_size": "32MB",
    "wal_keep_size": "64MB",
    "wal_recycle": "off",
    "hot_standby": "on",
    "wal_receiver_timeout": "5s",
    "wal_sender_timeout": "5s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "2",
    # Processes die here and machines do not: what the kernel has been given is on the disk as far as a kill can tell.
    # The log lies in memory anyhow, so that its disk can be filled.
    "fsync": "off",
}

_HELD = """
    SELECT format('a transaction has waited for it for %%s s and is still open (%%s): %%s',
        extract(epoch FROM clock_timestamp() - state_change)::integer, state, left(query, 80))
    FROM pg_stat_activity
    WHERE usename = 'relight_app' AND client_addr = %s AND wait_event = 'ClientRead'
        AND (state = 'active' OR state = 'idle in transaction' AND backend_xid IS NOT NULL)
        AND state_change < clock_timestamp() - interval '45 seconds'
"""


class Server:
    """One server: its data, its socket for whoever looks after it, its host for everybody else."""

    def __init__(self, name: str, host: Host, folder: Path):
        self.name, self.host, self.folder = name, host, folder
        self.data, self.sockets, self.disk = folder / "data", folder / "run", folder / "disk"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / paths.MADE_BY_RELIGHT).touch()
        chosen = launcher.choose(home=folder, data=self.data, binaries=Binaries(folder=PROGRAMS, major=MAJOR))
        self._runner = Launcher((*host.prefix, *chosen.prefix), chosen.uid, chosen.gid, chosen.programs)

    def make(self) -> None:
        """A fresh cluster, not yet started."""
        for folder in (self.data, self.sockets, self._log()):
            self._runner.make_folder(folder)
        words = ("-D", self.data, f"--waldir={self._log()}", "-U", SUPERUSER, "--encoding=UTF8", "--locale=C.UTF-8")
        self._must("initdb", *words, "--no-sync", "--auth=trust")
        (self.data / "pg_hba.conf").write_text(_RULES)
        self._configure()

    def follow(self, first: "Server") -> None:
        """Copy the first server anew, and follow it; what was here is gone."""
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self._log(), ignore_errors=True)
        for folder in (self.sockets, self._log()):
            self._runner.make_folder(folder)
        address = make_conninfo("", host=first.host.address, port=PORT, user=SUPERUSER, application_name=self.name)
        words = ("-D", self.data, f"--waldir={self._log()}", "-d", address, "-R", "-X", "stream", "-c", "fast")
        self._must("pg_basebackup", *words, "--no-sync")
        self._configure()
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._must("pg_ctl", "start", "-w", "-t", "60", "-D", self.data, "-l", self.data / "start.log")

    def kill(self) -> None:
        """kill -9 of the server and all that it runs; what that left behind is cleared away."""
        if found := postmaster.read(self.data):
            os.kill(found.pid, signal.SIGKILL)
        postmaster.end_orphans(self.data)
        while any(postmaster.processes(self.data)):
            time.sleep(0.02)
        postmaster.clear_stale_files(self.data, self.sockets)

    def promote(self) -> None:
        """Take writes from now on."""
        self._must("pg_ctl", "promote", "-w", "-t", "60", "-D", self.data)

    def set(self, **settings: str) -> None:
        """Change settings of a running server."""
        with self.admin() as connection:
            for name, value in settings.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")  # type: ignore[arg-type]
            connection.execute("SELECT pg_reload_conf()")

    def admin(self, database: str = "postgres") -> psycopg.Connection:
        """The superuser, by the socket: no network is in the way."""
        address = make_conninfo("", host=str(self.sockets), port=PORT, user=SUPERUSER, dbname=database)
        connection = psycopg.connect(address, autocommit=True, connect_timeout=10)
        connection.execute("SET synchronous_commit = local")
        return connection

    def mount(self) -> None:
        """The log gets a disk of its own, which can be filled; whoever goes on after an interruption finds room."""
        self.disk.mkdir(exist_ok=True)
        if not self.disk.is_mount():
            _run("mount", "-t", "tmpfs", "-o", f"size={_LOG_MEGABYTES}m", "relight-chaos", self.disk)
        (self.disk / "others").unlink(missing_ok=True)

    def unmount(self) -> None:
        """The disk is gone, with the log on it."""
        if self.disk.is_mount():
            _run("umount", self.disk)

    def fill_disk(self) -> None:
        """Others fill the log's disk, and the server writes until it finds that out."""
        with suppress(psycopg.OperationalError), self.admin() as connection:
            while True:
                with suppress(OSError), (self.disk / "others").open("ab", buffering=0) as others:
                    while others.write(bytes(1_000_000)):
                        pass
                connection.execute("SELECT pg_logical_emit_message(false, 'chaos', 'x'), pg_switch_wal()")

    def free_disk(self) -> None:
        """There is room again; a server that ended over it is started."""
        (self.disk / "others").unlink(missing_ok=True)
        if not self.answers():
            self.kill()
            self.start()

    def answers(self) -> bool:
        """Whether it lets anybody in."""
        try:
            self.admin().close()
        except psycopg.OperationalError:
            return False
        return True

    def _log(self) -> Path:
        return self.disk / "log"

    def _configure(self) -> None:
        wanted = {**_SETTINGS, "port": str(PORT), "unix_socket_directories": str(self.sockets)}
        kept = (self.data / "postgresql.conf").read_text().split("# chaos")[0]
        lines = "".join(f"{name} = '{value}'\n" for name, value in wanted.items())
        (self.data / "postgresql.conf").write_text(f"{kept}# chaos\n{lines}")

    def _must(self, program: str, *words: str | Path) -> None:
        done = self._runner.run(program, *words)
        if done.returncode:
            raise RuntimeError(f"{self.name}: {program} failed: {done.stdout}{done.stderr}")


class Pair:
    """The two servers and who is first."""

    def __init__(self, servers: Sequence[Server]):
        self.first, self.second = servers

    def begin(self) -> None:
        """Make both, or start those that are there, whoever was first."""
        for server in (self.first, self.second):
            server.mount()
        if not self.first.data.exists():
            self.first.make()
            self.first.start()
            self.second.follow(self.first)
        else:
            if (self.first.data / "standby.signal").exists():
                self.first, self.second = self.second, self.first
            for server in (self.first, self.second):
                server.kill()  # one that a run left behind listens on a host that is gone
                server.start()
        self.commits_wait()

    def end(self) -> None:
        """Both come to their end; the disks of their logs stay, for whoever goes on."""
        for server in (self.first, self.second):
            server.kill()

    def clear_away(self) -> None:
        """Nobody will go on: the disks go as well."""
        for server in (self.first, self.second):
            server.unmount()

    def held_by(self, host: Host) -> list[str]:
        """Transactions from a host that nobody has gone on with for longer than any may stand still: 35 seconds, and
        until others have looked and ended them."""
        with self.first.admin() as connection:
            return [row[0] for row in connection.execute(_HELD, (host.address,))]

    def commits_wait(self) -> None:
        """Once the second has caught up, commits wait for it."""
        while not self._streams():
            time.sleep(0.05)
        self.first.set(synchronous_standby_names=self.second.name)

    def commits_wait_no_longer(self) -> None:
        """The second is away: better to go on without it than not to go on."""
        self.first.set(synchronous_standby_names="")

    def restart(self) -> None:
        """The first is killed and comes again."""
        self.first.kill()
        self.first.start()

    def fail_over(self) -> None:
        """The first is gone for good; the second takes over."""
        self.first.kill()
        self.second.promote()
        self.first, self.second = self.second, self.first
        self.commits_wait_no_longer()

    def follow_again(self) -> None:
        """The one that was lost follows the one that took over."""
        self.second.follow(self.first)
        self.commits_wait()

    def address(self, user: str, *, by_network: bool, database: str = "relight") -> str:
        """Where `user` finds whoever is first, without being told: by the hosts' addresses, or by the sockets."""
        servers = sorted((self.first, self.second), key=lambda server: server.name)
        hosts = [server.host.address if by_network else str(server.sockets) for server in servers]
        return make_conninfo(
            "", host=",".join(hosts), port=PORT, user=user, dbname=database, target_session_attrs="read-write",
            connect_timeout=2,
        )  # fmt: skip

    def _streams(self) -> bool:
        with self.first.admin() as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_stat_replication WHERE application_name = %s AND state = 'streaming'",
                (self.second.name,),
            )
            return found.fetchone() is not None


def _run(*words: str | Path) -> None:
    subprocess.run(words, check=True)
