"""Counts a client's round trips to PostgreSQL on the wire: a proxy on a socket of its own, in front of the real one.

However many messages travel together, the server answers when it is asked to: by Sync, Flush or Query (PostgreSQL,
"Message Formats"). Those are counted, and not when bytes pass, which depends on what else the machine does. A Flush
right after a Sync asks for nothing: libpq sends one when it is told to hold nothing back.
"""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

_SOCKET = ".s.PGSQL.5432"
_ASKS, _NOTHING_MORE = (b"S", b"H", b"Q"), (b"S", b"H")
_LENGTH_BYTES = 4


class Turns:
    """How often clients have asked for an answer."""

    def __init__(self) -> None:
        self.count = 0
        self._lock = threading.Lock()

    def asked(self) -> None:
        """One more."""
        with self._lock:
            self.count += 1


class _Talk:
    """What one client says, cut into messages: a start without a type, then a type and a length each."""

    def __init__(self, turns: Turns) -> None:
        self._turns, self._said, self._type_bytes, self._before = turns, b"", 0, b""

    def says(self, data: bytes) -> None:
        self._said += data
        while len(self._said) >= self._type_bytes + _LENGTH_BYTES:
            kind, rest = self._said[: self._type_bytes], self._said[self._type_bytes :]
            length = int.from_bytes(rest[:_LENGTH_BYTES])
            if len(rest) < length:
                return
            if kind in _ASKS and (self._before, kind) != _NOTHING_MORE:
                self._turns.asked()
            self._said, self._type_bytes, self._before = rest[length:], 1, kind


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
        threading.Thread(target=_carry, args=(client, server, _Talk(turns).says), daemon=True).start()
        threading.Thread(target=_carry, args=(server, client, lambda _: None), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket, note: Callable[[bytes], object]) -> None:
    while True:
        try:
            data = source.recv(65536)
        except OSError:
            data = b""
        if not data:
            target.close()
            return
        note(data)
        try:
            target.sendall(data)
        except OSError:
            return
