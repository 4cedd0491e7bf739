"""One connection to an SMSC: bind, window, keep-alive, reconnect. The SMPP driver's hands; it knows no messages.

SMPP 3.4 on asyncio streams, with `smpplib` as the codec. `smpplib.client` itself blocks, loses its place in the
stream after a time-out, and needs a thread and locks for a window; here one task reads and everybody writes.
"""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog
from smpplib import command, consts
from smpplib.client import SimpleSequenceGenerator
from smpplib.exceptions import UnknownCommandError
from smpplib.pdu import PDU, extract_command
from smpplib.smpp import make_pdu

from relight.drivers.smpp_inbound import Delivery
from relight.drivers.smpp_settings import SmppSettings

_log = structlog.get_logger(__name__)

_HEADER = struct.Struct(">LLLL")
_PDU_BYTES_MAX = 70_000  # message_payload is at most 64 KiB
_RECONNECT_SECONDS_FIRST = 0.2
_STATUS_NAMES = {
    status: name.removeprefix("SMPP_") for name, status in vars(consts).items() if name.startswith("SMPP_ESME_R")
}


class NotSent(Exception):
    """The link is down; nothing left."""


class TooLate(Exception):
    """Leave to send had run out before the first byte; nothing left."""


class NoAnswer(Exception):
    """It was sent, and no answer came."""


class BindRefused(Exception):
    """The SMSC does not let us in; the argument is its status."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response's status (0 is yes) and the message id that came with it."""

    status: int
    message_id: str = ""


class Link:
    """Stays bound as a transceiver from `start` to `aclose`, over as many connections as that takes.

    `deliver` gets each `deliver_sm` and must not block. `trouble` says in a word why the link is down.
    """

    def __init__(self, settings: SmppSettings, deliver: Callable[[Delivery], None]) -> None:
        self._settings = settings
        self._deliver = deliver
        self._sequences = SimpleSequenceGenerator()
        self._window = asyncio.Semaphore(settings.window)
        self._bound = asyncio.Event()
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._reconnect_seconds = _RECONNECT_SECONDS_FIRST
        self.trouble = "not_connected"

    def start(self) -> None:
        """Begin to connect, unless that was done."""
        if self._task is None:
            self._task = asyncio.create_task(self._stay_bound(), name="smpp-link")

    async def wait_bound(self, seconds: float) -> bool:
        """Whether the link is up, now or within `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._bound.wait()
        return self._bound.is_set()

    async def submit(self, may_leave: Callable[[], bool], **fields: object) -> Answer:
        """Send one `submit_sm` when the window has room. Raises NotSent, TooLate or NoAnswer."""
        async with self._window:
            if not may_leave():
                raise TooLate
            return await self._request("submit_sm", **fields)

    async def aclose(self) -> None:
        """Unbind if bound, and end the connection and its task."""
        if self._writer is not None:
            with contextlib.suppress(NotSent, NoAnswer, TimeoutError):
                async with asyncio.timeout(1):
                    await self._request("unbind")
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _request(self, name: str, **fields: object) -> Answer:
        writer = self._writer
        if writer is None or writer.is_closing():
            raise NotSent
        pdu = make_pdu(name, client=self._sequences, **fields)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[pdu.sequence] = future
        writer.write(pdu.generate())
        try:
            async with asyncio.timeout(self._settings.response_seconds):
                return await future
        except TimeoutError:
            raise NoAnswer("no_response") from None
        finally:
            self._waiting.pop(pdu.sequence, None)

    async def _stay_bound(self) -> None:
        while True:
            try:
                await self._one_connection()
            except BindRefused as refusal:
                self.trouble = f"bind_{refusal.args[0]}"
                why = f"bind_{_STATUS_NAMES.get(refusal.args[0], refusal.args[0])}"
            except Exception as error:  # noqa: BLE001  whatever went wrong, a link that stops trying stops every SMS
                self.trouble = why = f"connection_{type(error).__name__}"
            _log.warning("smsc_link_down", why=why, seconds=self._reconnect_seconds)
            await asyncio.sleep(self._reconnect_seconds)
            self._reconnect_seconds = min(self._reconnect_seconds * 2, self._settings.reconnect_seconds_max)

    async def _one_connection(self) -> None:
        settings = self._settings
        context = ssl.create_default_context(cafile=settings.tls_ca_file or None) if settings.tls else None
        async with asyncio.timeout(settings.response_seconds):
            reader, writer = await asyncio.open_connection(settings.host, settings.port, ssl=context)
        keep_alive = None
        try:
            await self._bind(reader, writer)
            self._writer = writer
            self._bound.set()
            self._reconnect_seconds = _RECONNECT_SECONDS_FIRST
            keep_alive = asyncio.create_task(self._keep_alive(writer), name="smpp-keep-alive")
            while True:
                self._handle(await _read(reader), writer)
        finally:
            if keep_alive is not None:
                keep_alive.cancel()
            self._drop()
            writer.transport.abort()

    async def _bind(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        settings = self._settings
        names = {"system_id": settings.system_id, "password": settings.password, "system_type": settings.system_type}
        writer.write(make_pdu("bind_transceiver", client=self._sequences, **names).generate())
        async with asyncio.timeout(settings.response_seconds):
            status = _HEADER.unpack((await _read(reader))[:16])[2]
        if status:
            raise BindRefused(status)

    async def _keep_alive(self, writer: asyncio.StreamWriter) -> None:
        """A silent connection is a dead one: ask, and hang up if nobody answers."""
        while True:
            await asyncio.sleep(self._settings.enquire_link_seconds)
            try:
                await self._request("enquire_link")
            except (NotSent, NoAnswer):
                writer.transport.abort()
                return

    def _drop(self) -> None:
        """What was sent and not answered stays unknown; nobody else may write."""
        self._bound.clear()
        self._writer = None
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(NoAnswer("connection_lost"))

    def _handle(self, raw: bytes, writer: asyncio.StreamWriter) -> None:
        _, code, status, sequence = _HEADER.unpack(raw[:16])
        if code & 0x80000000:
            self._settle(raw, status, sequence)
            return
        try:
            name = extract_command(raw)
        except UnknownCommandError:
            name = ""
        if name == "deliver_sm":
            self._take_delivery(raw, sequence, writer)
        elif name == "enquire_link":
            _respond(writer, "enquire_link_resp", sequence)
        elif name == "unbind":
            _respond(writer, "unbind_resp", sequence)
            raise ConnectionResetError("the SMSC unbound")
        elif name != "alert_notification":  # which has no response
            _respond(writer, "generic_nack", sequence, consts.SMPP_ESME_RINVCMDID)

    def _take_delivery(self, raw: bytes, sequence: int, writer: asyncio.StreamWriter) -> None:
        try:
            delivery = _read_delivery(raw, lambda status: _respond(writer, "deliver_sm_resp", sequence, status))
        except (struct.error, ValueError, IndexError):
            _log.warning("smsc_sent_unreadable")
            _respond(writer, "generic_nack", sequence, consts.SMPP_ESME_RINVCMDLEN)
            return
        self._deliver(delivery)

    def _settle(self, raw: bytes, status: int, sequence: int) -> None:
        future = self._waiting.get(sequence)
        if future is None or future.done():
            return
        message_id = raw[16:].partition(b"\0")[0].decode("latin-1") if len(raw) > 16 else ""
        future.set_result(Answer(status, message_id))


async def _read(reader: asyncio.StreamReader) -> bytes:
    length = await reader.readexactly(4)
    size = int.from_bytes(length, "big")
    if not _HEADER.size <= size <= _PDU_BYTES_MAX:
        raise ConnectionAbortedError(f"the SMSC sent a PDU of {size} bytes")
    return length + await reader.readexactly(size - 4)


def _read_delivery(raw: bytes, answer: Callable[[int], None]) -> Delivery:
    options: dict[int, bytes] = {}
    pdu = command.DeliverSM("deliver_sm", need_sequence=False)
    pdu.parse_optional_params = lambda data: options.update(_options(data))  # smpplib fails on those it does not list
    pdu.parse(raw)
    return Delivery(
        sender=(pdu.source_addr or b"").decode("latin-1"),
        sender_ton=pdu.source_addr_ton or 0,
        recipient=(pdu.destination_addr or b"").decode("latin-1"),
        esm_class=pdu.esm_class or 0,
        data_coding=pdu.data_coding or 0,
        body=pdu.short_message or b"",
        options=options,
        answer=answer,
    )


def _options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Optional parameters: tag and length, two octets each, then the value (SMPP 3.4 § 3.2.4)."""
    while len(data) >= 4:
        tag, length = struct.unpack(">HH", data[:4])
        yield tag, data[4 : 4 + length]
        data = data[4 + length :]


def _respond(writer: asyncio.StreamWriter, name: str, sequence: int, status: int = consts.SMPP_ESME_ROK) -> None:
    """Answer on the connection that asked; if it is gone, the SMSC will ask again on the next."""
    if writer.is_closing():
        return
    pdu: PDU = make_pdu(name, client=None, status=status)
    pdu.sequence = sequence
    writer.write(pdu.generate())
