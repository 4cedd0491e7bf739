"""Counts a client's round trips to PostgreSQL on the wire: a proxy on a socket of its own, in front of the real one.

A round trip is one turn of the talk: the client writes after the server has. However many messages travel together,
it waits once.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_SOCKET = ".s.PGSQL.5432"


class Turns:
    """How often the client has taken its turn."""

    def __init__(self) -> None:
        self.count = 0
        self._client_spoke_last = False
        self._lock = threading.Lock()

    def client(self) -> None:
        """The client wrote."""
        with self._lock:
            if not self._client_spoke_last:
                self.count += 1
            self._client_spoke_last = True

    def server(self) -> None:
        """The server wrote."""
        with self._lock:
            self._client_spoke_last = False


@contextmanager
def counted(conninfo: str, folder: Path) -> Iterator[tuple[str, Turns]]:
    """A connection string through the proxy, and its count; `folder` holds the proxy's socket."""
    parts = conninfo_to_dict(conninfo)
    real = Path(str(parts["host"])) / f".s.PGSQL.{parts.get('port', 5432)}"
    turns = Turns()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / _SOCKET))
        listener.listen()
        threading.Thread(target=_accept, args=(listener, real, turns), daemon=True).start()
        yield make_conninfo(conninfo, host=str(folder), port=5432), turns
        listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, real: Path, turns: Turns) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(real))
        for source, target, note in ((client, server, turns.client), (server, client, turns.server)):
            threading.Thread(target=_carry, args=(source, target, note), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket, note: object) -> None:
    while True:
        try:
            data = source.recv(65536)
        except OSError:
            data = b""
        if not data:
            target.close()
            return
        note()  # type: ignore[operator]
        try:
            target.sendall(data)
        except OSError:
            return
