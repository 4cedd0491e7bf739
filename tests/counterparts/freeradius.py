"""A real FreeRADIUS: log-in, accounting on PostgreSQL, and a second virtual server that plays the access server (NAS).

    with postgres.running() as server, FreeRadius(fresh_database(server)) as radius:
        radius.add_user("anna", "pass-word")
        radius.start_session("anna")
        driver = RadiusDriver(radius.settings())

The access server keeps its sessions, answers CoA and Disconnect (RFC 5176) and sends accounting, as a real one does.
Everything listens on 127.0.0.1 only, in a temporary folder, and is ended by its own process id.
"""

import itertools
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.rows import TupleRow

from tests.counterparts.freeradius_accounting import AccountingClient, NasAccounting
from tests.counterparts.freeradius_config import GROUPS, NAS_SQL, PROFILE, RADIUSD_CONF, REPLIES
from tests.counterparts.postgres import Postgres

PASSWORD = "pass-word"
SECRET = "counterpart-secret-of-the-tests"
NAS_ADDRESS = "127.0.0.1"

_START_SECONDS = 20
_MISSING = (
    "FreeRADIUS is missing: apt-get install freeradius freeradius-postgresql freeradius-utils (`make counterparts`)"
)
_REPLY_LINE = re.compile(r"^\t([A-Za-z0-9-]+) = (.*)$")


@dataclass(frozen=True, slots=True)
class NasSession:
    """An open session as the access server itself has it."""

    session_id: str
    username: str
    attributes: dict[str, str]


class FreeRadius:
    """FreeRADIUS in the foreground on three free loopback ports. `conninfo` names an empty PostgreSQL database;
    `reject_delay` is FreeRADIUS's own (seconds, 1 in its default configuration)."""

    secret = SECRET
    profile = PROFILE
    groups = GROUPS

    def __init__(self, conninfo: str, *, reject_delay: int = 0) -> None:
        self.conninfo = conninfo
        self._reject_delay = reject_delay
        self.auth_port, self.acct_port, self.coa_port = _free_udp_ports(3)
        self._passwords: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "FreeRadius":
        program = shutil.which("freeradius", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        configs = sorted(Path("/etc/freeradius").glob("3.*/mods-config"))
        if not program or not configs or not shutil.which("radclient"):
            raise RuntimeError(_MISSING)
        self._folder = Path(tempfile.mkdtemp(prefix="relight-radius-"))
        self._connection = psycopg.connect(self.conninfo, autocommit=True)
        self._accounting = NasAccounting(self.conninfo, self._accounting_client())
        try:
            self._fill_database(configs[-1])
            self._start(program, configs[-1])
            self._accounting.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._accounting.stop()
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._connection.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # What the operator would do

    def settings(self, **changes: object) -> dict[str, object]:
        """Settings for RadiusDriver that fit this server."""
        return {
            "database": self.conninfo,
            "secret": SECRET,
            "coa_host": "127.0.0.1",
            "coa_port": self.coa_port,
            "auth_host": "127.0.0.1",
            "auth_port": self.auth_port,
            "groups": dict(GROUPS),
        } | changes

    def add_user(self, username: str, password: str = PASSWORD, *, profile: str | None = PROFILE) -> None:
        """A customer with a password, and in the group `profile` unless that is None."""
        self._passwords[username] = password
        self.execute(
            "INSERT INTO radcheck (username, attribute, op, value) VALUES (%s, 'Cleartext-Password', ':=', %s)",
            [username, password],
        )
        if profile is not None:
            self.add_to_group(username, profile)

    def add_to_group(self, username: str, group: str, *, priority: int = 1) -> None:
        """Put a user into one more group; the lowest priority is looked at first."""
        self.execute(
            "INSERT INTO radusergroup (username, groupname, priority) VALUES (%s, %s, %s)", [username, group, priority]
        )

    def groups_of(self, username: str) -> list[str]:
        """The user's groups in the order FreeRADIUS looks at them."""
        rows = self.execute("SELECT groupname FROM radusergroup WHERE username = %s ORDER BY priority, id", [username])
        return [group for (group,) in rows]

    # What the customer's box does

    def authenticate(self, username: str, password: str | None = None) -> dict[str, str]:
        """Log in with FreeRADIUS's own radclient: {"code": "Access-Accept" or "Access-Reject", attribute: value}."""
        password = self._passwords[username] if password is None else password
        request = f'User-Name = "{username}"\nUser-Password = "{password}"\nNAS-IP-Address = {NAS_ADDRESS}\n'
        command = ["radclient", "-x", "-t", "3", "-r", "2", "-S", str(self._folder / "secret")]
        result = subprocess.run(
            [*command, f"127.0.0.1:{self.auth_port}", "auth"],
            input=request, capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        _, _, received = result.stdout.partition("Received ")
        if not received:
            raise RuntimeError(f"no answer to radclient: {result.stdout}{result.stderr}")
        lines = received.splitlines()
        pairs = [match.groups() for line in lines[1:] if (match := _REPLY_LINE.match(line))]
        return {"code": lines[0].split()[0]} | {name: value.strip('"') for name, value in pairs}

    def start_session(self, username: str, password: str | None = None) -> str:
        """Log in and go online with what the log-in gave; returns the session's id. PermissionError when rejected."""
        reply = self.authenticate(username, password)
        if reply.pop("code") != "Access-Accept":
            raise PermissionError(f"{username} was rejected")
        session_id = f"{username}-{next(self._numbers)}"
        self.execute(
            "INSERT INTO nas_session (session_id, username, attributes) VALUES (%s, %s, %s)",
            [session_id, username, psycopg.types.json.Jsonb(reply)],
        )
        with self._accounting_client() as client:
            client.send("Start", username, session_id)
        return session_id

    def stop_session(self, session_id: str, *, account: bool = True) -> None:
        """End a session from the customer's side; without `account` the access server forgets it silently."""
        rows = self.execute(
            "UPDATE nas_session SET stopped_at = clock_timestamp() WHERE session_id = %s RETURNING username",
            [session_id],
        )
        if account:
            with self._accounting_client() as client:
                client.send("Stop", rows[0][0], session_id)

    # What the access server knows and how it behaves

    @property
    def sessions(self) -> list[NasSession]:
        """The open sessions in the access server, oldest first."""
        rows = self.execute(
            "SELECT session_id, username, attributes FROM nas_session WHERE stopped_at IS NULL ORDER BY started_at"
        )
        return [NasSession(*row) for row in rows]

    def enforced(self, username: str) -> dict[str, str] | None:
        """The attributes in force on the user's newest open session; None when the user is offline."""
        found = [session.attributes for session in self.sessions if session.username == username]
        return found[-1] if found else None

    def heard(self, username: str) -> list[tuple[str, str]]:
        """Packets the access server got about the user, in order: (packet, answer); ack, mute or an Error-Cause."""
        rows = self.execute("SELECT packet, answer FROM nas_heard WHERE username = %s ORDER BY id", [username])
        return [(packet, answer) for packet, answer in rows]

    def nak_next(self, cause: int, times: int = 1) -> None:
        """Answer the next CoA- or Disconnect-Requests with a NAK and this Error-Cause (RFC 5176, 3.5)."""
        self._order(str(cause), times)

    def ignore_next(self, times: int = 1) -> None:
        """Acknowledge the next requests and do nothing: an ACK without enforcement."""
        self._order("ack", times)

    def mute(self, seconds: float) -> None:
        """Answer no CoA- or Disconnect-Request for so long; 0 ends it."""
        self.execute("DELETE FROM nas_silence")
        self.execute("INSERT INTO nas_silence VALUES (clock_timestamp() + %s * interval '1 second')", [seconds])

    def mute_accounting(self, muted: bool = True) -> None:
        """Whether the access server keeps accounting about its own changes to itself."""
        self._accounting.muted = muted

    def execute(self, statement: str, values: Sequence[object] = ()) -> list[TupleRow]:
        """Run a statement on FreeRADIUS's database; the rows, if it returns any. Not for several threads at once."""
        cursor = self._connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []

    def _order(self, answer: str, times: int) -> None:
        for _ in range(times):
            self.execute("INSERT INTO nas_orders (answer) VALUES (%s)", [answer])

    def _accounting_client(self) -> AccountingClient:
        return AccountingClient(self.acct_port, SECRET, NAS_ADDRESS)

    def _fill_database(self, modconfdir: Path) -> None:
        self.execute((modconfdir / "sql/main/postgresql/schema.sql").read_text())
        self.execute(NAS_SQL)
        for reply in REPLIES:
            self.execute("INSERT INTO radgroupreply (groupname, attribute, op, value) VALUES (%s, %s, ':=', %s)", reply)
        self.execute(
            "INSERT INTO radgroupcheck (groupname, attribute, op, value) VALUES ('off', 'Auth-Type', ':=', 'Reject')"
        )

    def _start(self, program: str, modconfdir: Path) -> None:
        (self._folder / "secret").write_text(SECRET + "\n")
        (self._folder / "radiusd.conf").write_text(
            RADIUSD_CONF.format(
                folder=self._folder,
                modconfdir=modconfdir,
                secret=SECRET,
                conninfo=self.conninfo,
                reject_delay=self._reject_delay,
                auth_port=self.auth_port,
                acct_port=self.acct_port,
                coa_port=self.coa_port,
            )
        )
        log = self._folder / "log"
        with log.open("wb") as output:
            command = [program, "-f", "-d", str(self._folder), "-n", "radiusd", "-l", "stdout"]
            self._process = subprocess.Popen(command, stdout=output, stderr=output, cwd=self._folder)
        deadline = time.monotonic() + _START_SECONDS
        while "Ready to process requests" not in log.read_text(errors="replace"):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"FreeRADIUS did not start:\n{log.read_text(errors='replace')[-3000:]}")
            time.sleep(0.02)


def fresh_database(server: Postgres) -> str:
    """Make an empty database for FreeRADIUS on `server`; returns its connection string."""
    name = f"radius_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        # Who notifies makes all others of the server that do wait for its commit, and so for the disk.
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    return server.url(database=name)


def _free_udp_ports(count: int) -> list[int]:
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    try:
        for held in sockets:
            held.bind(("127.0.0.1", 0))
        return [held.getsockname()[1] for held in sockets]
    finally:
        for held in sockets:
            held.close()
