"""TCP to an electricity meter: whole DLMS APDUs in the wrapper of IEC 62056-47, one in, one out, each within its time.

The library's own transport is not used: it spins for ever when a meter hangs up, and counts its time-out anew for
every byte that trickles in.
"""

import socket
import time
from dataclasses import dataclass

from dlms_cosem import cosem
from dlms_cosem.protocol.wrappers import WrapperHeader

_HEADER_BYTES = 8


class LineError(Exception):
    """The meter did not do what was asked; `code` says why in one word."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.detail = code, detail


class Silent(LineError):
    """No connection, no answer in time, or the meter hung up."""


class Nonsense(LineError):
    """The meter answered what no meter should."""


@dataclass(frozen=True, slots=True)
class Access:
    """How to come in to a meter. Seconds are for one connection and for one whole answer; `password` empty: none."""

    host: str
    port: int
    client_address: int
    server_address: int
    password: bytes
    serial_object: cosem.Obis
    connect_seconds: float
    answer_seconds: float

    @property
    def meter(self) -> tuple[str, int]:
        """What takes one association at a time."""
        return self.host, self.port


class WrapperTransport:
    """Whole APDUs over TCP: one in, one out, each answer within its time."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.client_logical_address = access.client_address
        self.server_logical_address = access.server_address
        self.timeout = access.answer_seconds
        self.last_answer = b""
        self._socket: socket.socket | None = None
        self._aborted = False

    def connect(self) -> None:
        """Connect; raises `Silent`."""
        try:
            where = (self._access.host, self._access.port)
            self._socket = socket.create_connection(where, timeout=self._access.connect_seconds)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            raise Silent("unreachable", f"no connection: {error.__class__.__name__}") from error
        if self._aborted:
            self.disconnect()
            raise Silent("unreachable", "given up by us")

    def disconnect(self) -> None:
        """Close the connection; harmless when there is none."""
        if self._socket is not None:
            self._socket.close()

    def abort(self) -> None:
        """Wake the thread that waits on this line, from any thread."""
        self._aborted = True
        connected = self._socket
        if connected is not None:
            try:
                connected.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # closed already, by the meter or by the thread that owns the line

    def send(self, bytes_to_send: bytes) -> bytes:
        """Send one APDU and return the answer; raises `Silent` and `Nonsense`."""
        assert self._socket is not None
        header = WrapperHeader(self.client_logical_address, self.server_logical_address, len(bytes_to_send))
        deadline = time.monotonic() + self.timeout
        try:
            self._socket.settimeout(self.timeout)
            self._socket.sendall(header.to_bytes() + bytes_to_send)
            self.last_answer = self._receive(deadline)
        except TimeoutError as error:
            raise Silent("no_answer", "no answer in time") from error
        except OSError as error:
            raise Silent("line_closed", f"the line broke: {error.__class__.__name__}") from error
        return self.last_answer

    def _receive(self, deadline: float) -> bytes:
        header = WrapperHeader.from_bytes(self._exactly(_HEADER_BYTES, deadline))
        ours = (header.version, header.source_wport, header.destination_wport)
        if ours != (1, self.server_logical_address, self.client_logical_address):
            raise Nonsense("malformed_answer", "the frame is not for us")
        return self._exactly(header.length, deadline)

    def _exactly(self, count: int, deadline: float) -> bytes:
        assert self._socket is not None
        data = bytearray()
        while len(data) < count:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            chunk = self._socket.recv(count - len(data))
            if not chunk:
                raise ConnectionResetError
            data += chunk
        return bytes(data)
