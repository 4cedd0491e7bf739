"""Electricity meters with a breaker, spoken to over DLMS/COSEM: a process of its own, started by `meter.py`.

The wire is Gurux's (`gurux-dlms`, GPL-2.0: nothing of Relight may import this file); the breaker's state machine and
the button are ours, after the Disconnect Control class (class 70, IEC 62056-6-2 § 4.5.8). Standard input carries one
JSON line with the meters to be; standard output answers one with their ports; a control socket takes JSON lines
`{"meter": 0, "do": "press_button", ...}`. The process ends when its standard input is closed.
"""

import asyncio
import functools
import json
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from gurux_dlms.enums import (
    AccessMode,
    Authentication,
    Conformance,
    ErrorCode,
    InterfaceType,
    MethodAccessMode,
    SourceDiagnostic,
)
from gurux_dlms.GXDLMSServer import GXDLMSServer
from gurux_dlms.GXServerReply import GXServerReply
from gurux_dlms.objects import GXDLMSAssociationLogicalName, GXDLMSData, GXDLMSDisconnectControl
from gurux_dlms.objects.enums import ControlMode, ControlState
from gurux_dlms.ValueEventArgs import ValueEventArgs

HOST = "127.0.0.1"
WRAPPER_HEADER_BYTES = 8
ACTION_REQUEST_TAG = 0xC3
DIRECT_MODES = (2, 4)
METHODS = {1: "remote_disconnect", 2: "remote_reconnect"}

# gurux-dlms 1.0.203 calls these and does not have them; `list(e)` of one argument must give that argument.
GXServerReply.setReply = lambda self, reply: setattr(self, "reply", reply)
GXServerReply.getConnectionInfo = lambda self: self.connectionInfo
ValueEventArgs.__iter__ = lambda self: iter([self])


class Breaker(GXDLMSServer):
    """The COSEM server of one meter: identity, breaker, and what it does when asked to move."""

    def __init__(self, serial: str, control_mode: int, state: str, password: str, lists: bool) -> None:
        super().__init__(True, InterfaceType.WRAPPER)
        if not lists:
            self.conformance = self.conformance & ~Conformance.MULTIPLE_REFERENCES
        self.password = password.encode()
        self.device_name = GXDLMSData("0.0.42.0.0.255")
        self.device_id = GXDLMSData("0.0.96.1.0.255")
        self.control = GXDLMSDisconnectControl("0.0.96.3.10.255")
        self.control.controlMode = ControlMode(control_mode)
        self.actions: list[str] = []
        self.refusal = 0
        self.ignores_next = False
        self.relay_seconds = 0.0
        association = GXDLMSAssociationLogicalName()
        association.objectList = self.items
        for item in (self.device_name, self.device_id, association, self.control):
            self.items.append(item)
        self.identify(serial)
        self.settle(ControlState[state.upper()])
        self.initialize()

    def identify(self, serial: str) -> None:
        """Take a serial, as when another meter is hung up at the access point."""
        self.device_id.value = bytearray(serial.encode())
        self.device_name.value = bytearray(f"GRX{serial}".encode())

    def settle(self, state: ControlState) -> None:
        """Put the relay and the control state where they belong."""
        self.control.controlState, self.control.outputState = state, state == ControlState.CONNECTED

    def press(self) -> bool:
        """Press the customer's button (manual_reconnect): only a meter that is ready reconnects."""
        ready = self.control.controlState == ControlState.READY_FOR_RECONNECTION
        if ready:
            self.settle(ControlState.CONNECTED)
        return ready

    def onPreAction(self, args: list[ValueEventArgs]) -> None:
        """A method was called: refuse, ignore or move."""
        for call in args:
            if call.target is self.control:
                call.handled, call.value = True, 0
                call.error = self._move(call.index)

    def _move(self, method: int) -> int:
        self.actions.append(METHODS.get(method, str(method)))
        if self.refusal:
            code, self.refusal = self.refusal, 0
            return code
        if int(self.control.controlMode) == 0:
            return ErrorCode.READ_WRITE_DENIED
        if self.ignores_next:
            self.ignores_next = False
        elif self.relay_seconds:
            asyncio.get_running_loop().call_later(self.relay_seconds, self.settle, self._next_state(method))
        else:
            self.settle(self._next_state(method))
        return ErrorCode.OK

    def _next_state(self, method: int) -> ControlState:
        if method == 1:
            return ControlState.DISCONNECTED
        if self.control.controlState != ControlState.DISCONNECTED:
            return self.control.controlState
        if int(self.control.controlMode) in DIRECT_MODES:
            return ControlState.CONNECTED
        return ControlState.READY_FOR_RECONNECTION

    def onValidateAuthentication(self, authentication: int, password: Any) -> int:
        """Low-level security when the meter has a password, none when it has not."""
        if not self.password:
            return SourceDiagnostic.NONE
        if authentication != Authentication.LOW or bytes(password or b"") != self.password:
            return SourceDiagnostic.AUTHENTICATION_FAILURE
        return SourceDiagnostic.NONE

    def isTarget(self, server: int, client: int) -> bool:
        """Answer for every logical address."""
        return True

    def onGetAttributeAccess(self, arg: ValueEventArgs) -> int:
        """Everything may be read."""
        return AccessMode.READ_WRITE

    def onGetMethodAccess(self, arg: ValueEventArgs) -> int:
        """Every method may be called."""
        return MethodAccessMode.ACCESS

    def onFindObject(self, *_: object) -> None:
        """There are no objects but those listed."""

    def _nothing(self, *_: object) -> None:
        """Events that this meter does not act on."""

    onPreGet = onPostGet = onPreRead = onPostRead = onPreWrite = onPostWrite = onPostAction = _nothing
    onConnected = onInvalidConnection = onDisconnected = notifyRead = notifyConnected = _nothing


class Meter:
    """One meter at its own port: takes one association at a time, and misbehaves when told to."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.breaker = Breaker(**spec)
        self.socket = bound_socket(0)
        self.port: int = self.socket.getsockname()[1]
        self.listener: asyncio.Server | None = None
        self.association = asyncio.Lock()
        self.open: set[asyncio.StreamWriter] = set()
        self.connections = self.open_max = self.requests = 0
        self.first_heard = 0.0
        self.mute_until = 0.0
        self.delay = self.act_late = self.answer_late = self.reboot = 0.0
        self.garble = False

    async def listen(self) -> None:
        """Take connections."""
        self.listener = await asyncio.start_server(self._connected, sock=self.socket)

    async def unreachable(self, seconds: float) -> None:
        """Drop every line and refuse connections for a while; the port stays ours since it stays bound."""
        assert self.listener is not None
        self.listener.close()
        for writer in list(self.open):
            writer.transport.abort()
        self.socket = bound_socket(self.port)
        asyncio.get_running_loop().call_later(seconds, lambda: remember(asyncio.ensure_future(self.listen())))

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.first_heard = self.first_heard or time.time()
        self.open.add(writer)
        self.open_max = max(self.open_max, len(self.open))
        try:
            async with self.association:
                self.breaker.reset()
                while True:
                    await self._exchange(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # the other side hung up
        finally:
            self.open.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        header = await reader.readexactly(WRAPPER_HEADER_BYTES)
        self.requests += 1
        frame = header + await reader.readexactly(int.from_bytes(header[6:8], "big"))
        if asyncio.get_running_loop().time() < self.mute_until:
            return
        is_action = frame[WRAPPER_HEADER_BYTES] == ACTION_REQUEST_TAG
        if is_action and self.act_late:
            await asyncio.sleep(self._once("act_late"))
        answer = self._handle(frame)
        if is_action and self.reboot:
            await self.unreachable(self._once("reboot"))
            raise ConnectionResetError
        await asyncio.sleep(self.delay + (self._once("answer_late") if is_action else 0.0))
        writer.write(answer)
        await writer.drain()

    def _handle(self, frame: bytes) -> bytes:
        reply = GXServerReply(frame)
        self.breaker.handleRequest(reply)
        answer = bytes(reply.reply) if isinstance(reply.reply, bytes | bytearray) else bytes(reply.reply.array())
        if self.garble:
            self.garble = False
            answer = answer[:WRAPPER_HEADER_BYTES] + b"\xff" * (len(answer) - WRAPPER_HEADER_BYTES)
        return answer

    def _once(self, fault: str) -> float:
        seconds: float = getattr(self, fault)
        setattr(self, fault, 0.0)
        return seconds

    def state(self) -> dict[str, object]:
        """What the breaker is, and how the line was used."""
        control = self.breaker.control
        return {
            "serial": self.breaker.device_id.value.decode(),
            "control_state": ControlState(control.controlState).name.lower(),
            "control_mode": int(control.controlMode),
            "output": bool(control.outputState),
            "connections": self.connections,
            "requests": self.requests,
            "open": len(self.open),
            "open_max": self.open_max,
            "first_heard": self.first_heard,
        }


def bound_socket(port: int) -> socket.socket:
    """A socket bound on loopback that does not listen yet: who connects is refused."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((HOST, port))
    return sock


_background: set[asyncio.Future[None]] = set()


def remember(task: asyncio.Future[None]) -> None:
    """Keep a task alive until it ends: the loop alone holds it weakly."""
    _background.add(task)
    task.add_done_callback(_background.discard)


async def obey(meter: Meter, order: dict[str, Any]) -> object:
    """Do what one control line says and answer it."""
    seconds = float(order.get("seconds", 0))
    loop = asyncio.get_running_loop()
    deeds: dict[str, Callable[[], object]] = {
        "state": meter.state,
        "actions": lambda: list(meter.breaker.actions),
        "press_button": meter.breaker.press,
        "change_serial": lambda: meter.breaker.identify(str(order["serial"])),
        "mute": lambda: setattr(meter, "mute_until", loop.time() + seconds),
        "delay": lambda: setattr(meter, "delay", seconds),
        "act_late_once": lambda: setattr(meter, "act_late", seconds),
        "answer_late_once": lambda: setattr(meter, "answer_late", seconds),
        "reboot_on_next_action": lambda: setattr(meter, "reboot", seconds),
        "garble_next": lambda: setattr(meter, "garble", True),
        "refuse_next": lambda: setattr(meter.breaker, "refusal", int(order["code"])),
        "ignore_next": lambda: setattr(meter.breaker, "ignores_next", True),
        "slow_relay": lambda: setattr(meter.breaker, "relay_seconds", seconds),
    }
    if order["do"] == "unreachable":
        await meter.unreachable(seconds)
        return None
    return deeds[order["do"]]()


async def control(meters: list[Meter], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one control connection: a JSON line in, a JSON line out."""
    while line := await reader.readline():
        order = json.loads(line)
        result = await obey(meters[order["meter"]], order)
        writer.write(json.dumps({"result": result}).encode() + b"\n")
        await writer.drain()
    writer.close()


async def main() -> None:
    """Start the meters that standard input asks for; serve until it is closed."""
    loop = asyncio.get_running_loop()
    line = await loop.run_in_executor(None, sys.stdin.readline)
    meters = [Meter(spec) for spec in json.loads(line)]
    for meter in meters:
        await meter.listen()
    server = await asyncio.start_server(functools.partial(control, meters), HOST, 0)
    ports = {"control": server.sockets[0].getsockname()[1], "meters": [meter.port for meter in meters]}
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
