"""Starts electricity meters that speak DLMS/COSEM, in a process of their own, and pulls their strings.

    with Meter(serial="6970631401234567", control_mode=3) as meter:
        driver.apply(Target("electricity_grid", meter.address, meter.serial), Level.OFF, attempt)
        assert meter.state()["control_state"] == "disconnected"

    with MeterPark(20) as park:
        park.meters[7].unreachable(seconds=5)

The meters run on Gurux's GPL library, which is why they never run inside the tests' own process.
"""

import importlib.util
import json
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

HOST = "127.0.0.1"
_PROCESS = Path(__file__).with_name("meter_process.py")
_START_SECONDS_MAX = 30


class MeterMissing(RuntimeError):
    """The meters cannot start: `gurux-dlms` is not installed or the process died. `make counterparts` installs it."""


class MeterControls:
    """One running meter: where it is, and what a test may do to it. Every fault is real behaviour on the wire."""

    def __init__(self, park: "MeterPark", index: int, port: int, serial: str) -> None:
        self._park, self._index = park, index
        self.host, self.port, self.serial = HOST, port, serial

    @property
    def address(self) -> dict[str, object]:
        """The `Target.address` of this meter."""
        return {"host": self.host, "port": self.port}

    def state(self) -> dict[str, Any]:
        """Return `control_state` (disconnected, connected, ready_for_reconnection), `output` (relay closed),
        `control_mode`, `serial`, and of the line `connections` and `requests` so far, `open` now, `open_max` at once,
        `first_heard` (when somebody first connected, in Unix seconds; 0 before).
        """
        return dict(self._do("state"))

    def actions(self) -> list[str]:
        """Every `remote_disconnect` and `remote_reconnect` received, in order, the refused ones too."""
        return list(self._do("actions"))

    def press_button(self) -> bool:
        """Press the customer's button; true if the meter was ready and has reconnected."""
        return bool(self._do("press_button"))

    def change_serial(self, serial: str) -> None:
        """Hang another meter at this access point. `self.serial` stays what the register says."""
        self._do("change_serial", serial=serial)

    def mute(self, seconds: float) -> None:
        """Take connections and requests, do nothing, answer nothing."""
        self._do("mute", seconds=seconds)

    def unreachable(self, seconds: float) -> None:
        """Drop the lines and refuse connections; the breaker stays as it is."""
        self._do("unreachable", seconds=seconds)

    def delay(self, seconds: float) -> None:
        """Wait before every answer, until told otherwise (0)."""
        self._do("delay", seconds=seconds)

    def answer_late_once(self, seconds: float) -> None:
        """The next action is carried out at once and answered late."""
        self._do("answer_late_once", seconds=seconds)

    def act_late_once(self, seconds: float) -> None:
        """The next action is carried out late, even when the one who asked has gone."""
        self._do("act_late_once", seconds=seconds)

    def reboot_on_next_action(self, seconds: float) -> None:
        """The next action is carried out, not answered: the line drops and connections are refused for a while."""
        self._do("reboot_on_next_action", seconds=seconds)

    def refuse_next(self, code: int) -> None:
        """The next action is refused with this Action-Result (3 is read_write_denied, 2 temporary_failure)."""
        self._do("refuse_next", code=code)

    def ignore_next(self) -> None:
        """The next action is answered with success and not carried out."""
        self._do("ignore_next")

    def slow_relay(self, seconds: float) -> None:
        """From now on the relay moves this long after the meter has answered success."""
        self._do("slow_relay", seconds=seconds)

    def garble_next(self) -> None:
        """The next answer is nonsense in a valid frame."""
        self._do("garble_next")

    def _do(self, what: str, **arguments: object) -> Any:
        return self._park.order({"meter": self._index, "do": what, **arguments})


class MeterPark:
    """Meters in one process, one port each: `count` alike with serials `<prefix>0001`…; see `Meter` for arguments."""

    def __init__(
        self,
        count: int,
        *,
        serial_prefix: str = "697063140000",
        control_mode: int = 3,
        state: str = "connected",
        password: str = "",
        lists: bool = True,
    ) -> None:
        common = {"control_mode": control_mode, "state": state, "password": password, "lists": lists}
        self._specs = [{"serial": f"{serial_prefix}{number:04}", **common} for number in range(1, count + 1)]
        self._line = threading.Lock()
        self.meters: list[MeterControls] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until all meters listen; raises `MeterMissing`."""
        if importlib.util.find_spec("gurux_dlms") is None:
            raise MeterMissing("gurux-dlms is not installed: run `make counterparts`")
        command = [sys.executable, str(_PROCESS)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            ports = self._hand_over_specs()
            self._control = socket.create_connection((HOST, ports["control"]), timeout=_START_SECONDS_MAX)
            self._answers = self._control.makefile("rb")
        except BaseException:
            self._end_process()
            raise
        numbered = enumerate(zip(ports["meters"], self._specs, strict=True))
        self.meters = [MeterControls(self, i, port, str(spec["serial"])) for i, (port, spec) in numbered]

    def stop(self) -> None:
        """End the process. The meters forget everything."""
        self._answers.close()
        self._control.close()
        self._end_process()

    def order(self, line: dict[str, object]) -> Any:
        """Send one control line and return its result; safe from several threads."""
        with self._line:
            self._control.sendall(json.dumps(line).encode() + b"\n")
            answer = self._answers.readline()
        if not answer:
            raise MeterMissing(f"the meter process died at {line}; its traceback is on standard error")
        return json.loads(answer)["result"]

    def _hand_over_specs(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(self._specs).encode() + b"\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._process.stdout], [], [], _START_SECONDS_MAX)
        line = self._process.stdout.readline() if ready else b""
        if not line:
            raise MeterMissing("the meter process did not start: run `make counterparts`, see standard error")
        return dict(json.loads(line))

    def _end_process(self) -> None:
        self._process.kill()
        self._process.communicate()


class Meter(MeterControls):
    """One meter in a process of its own.

    `control_mode` as in class 70 (0 never moves; 1, 3, 5, 6 need the button; 2, 4 reconnect at once); `state` is
    where the breaker begins; `password` asks for low-level security; `lists` says whether one request may read
    several attributes.
    """

    def __init__(
        self,
        *,
        serial: str = "6970631400001234",
        control_mode: int = 3,
        state: str = "connected",
        password: str = "",
        lists: bool = True,
    ) -> None:
        park = MeterPark(1, control_mode=control_mode, state=state, password=password, lists=lists)
        park._specs[0]["serial"] = serial
        super().__init__(park, 0, 0, serial)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Start the meter's process; raises `MeterMissing`."""
        self._park.start()
        self.port = self._park.meters[0].port

    def stop(self) -> None:
        """End the meter's process."""
        self._park.stop()
