"""An SMSC that Relight did not write: the npm package `smpp` in a node process of its own.

    with Smsc() as smsc:
        driver = SmppDriver({**smsc.settings, "window": 20})
        ...
        smsc.messages()[0].text

Listens on 127.0.0.1 on a free port. Every method may be called from any thread. The process ends with the block.
"""

import json
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

_NPM = Path(__file__).parent / "npm"
_SECONDS_MAX = 15.0


@dataclass(frozen=True)
class Sms:
    """A message as the customer's phone shows it: parts joined, text decoded by the SMSC."""

    sender: str
    to: str  # digits, without "+"
    text: str
    parts: int
    data_coding: int  # 0 GSM-7, 3 latin-1, 8 UCS-2
    ids: tuple[str, ...]  # the SMSC's message ids, part by part
    sender_ton: int  # 5 is a name, 1 an international number
    validity_period: str


class Smsc:
    """The SMSC. `settings` are those that an SmppDriver needs to log in."""

    def __init__(self, *, system_id: str = "relight", password: str = "secret") -> None:  # noqa: S107  a test's own
        self._login = {"system_id": system_id, "password": password}
        self._events: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._ids = count(1)
        self.port = 0

    @property
    def settings(self) -> dict[str, Any]:
        """host, port, system_id and password."""
        return {"host": "127.0.0.1", "port": self.port, **self._login}

    def __enter__(self) -> "Smsc":
        if not (_NPM / "node_modules" / "smpp").is_dir():
            raise RuntimeError("the npm package smpp is missing: run `make counterparts` (needs node and npm)")
        self._process = subprocess.Popen(
            ["node", str(_NPM / "smsc.js"), json.dumps(self._login)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = self.wait_for(lambda: self._of("listening"), "listening")[0]["port"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=5)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def messages(self) -> list[Sms]:
        """Every message accepted so far of which all parts have come, in the order of their last part."""
        groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        whole: list[Sms] = []
        for event in self._so_far("message"):
            key = (event["to"], event["reference"], event["total"])
            group = groups.setdefault(key, [])
            group.append(event)
            if len(group) == event["total"]:
                whole.append(_join(groups.pop(key)))
        return whole

    def parts(self) -> int:
        """How many `submit_sm` were accepted."""
        return len(self._so_far("message"))

    def refused(self) -> int:
        """How many `submit_sm` were refused, throttled ones included."""
        return len(self._so_far("refused"))

    def acknowledged(self) -> list[int]:
        """The statuses of the `deliver_sm_resp` that came, in order; 0 is yes."""
        return [event["status"] for event in self._so_far("acknowledged")]

    def delivering(self) -> int:
        """How many times a `deliver_sm` was sent, repetitions included."""
        return len(self._so_far("delivering"))

    def binds(self) -> int:
        """How many times somebody logged in."""
        return len(self._so_far("bound"))

    def logins_refused(self) -> int:
        """How many times somebody was turned away."""
        return len(self._so_far("login_refused"))

    def enquiries(self) -> tuple[int, int]:
        """`enquire_link` that came, and answers to ours."""
        return len(self._so_far("enquire_link")), len(self._so_far("enquire_link_answered"))

    def throttle_next(self, n: int) -> None:
        """Answer the next `n` submits with status 88, ESME_RTHROTTLED."""
        self.refuse_next(n, status=88)

    def refuse_next(self, n: int, *, status: int) -> None:
        """Answer the next `n` submits with `status`; 0 lets one through."""
        self._do("throttle", count=n, status=status)

    def undeliverable(self, number: str, *, state: str = "UNDELIV") -> None:
        """From now on receipts for `number` say `state` (UNDELIV, EXPIRED, REJECTD, ACCEPTD)."""
        self._do("final", number=number.removeprefix("+"), stat=state)

    def receipts_off(self) -> None:
        """Send no delivery receipts."""
        self._do("receipts", on=False, as_text=False)

    def receipts_as_text(self) -> None:
        """Send receipts in the text form alone, without optional parameters (SMPP 3.4 Appendix B)."""
        self._do("receipts", on=True, as_text=True)

    def answer_after(self, seconds: float) -> None:
        """From now on every submit is answered so much later."""
        self._do("delay", seconds=seconds)

    def keep_quiet(self) -> None:
        """From now on tell of nothing but `count`: telling each message costs more than taking it."""
        self._do("quiet", on=True)

    def count(self) -> int:
        """How many `submit_sm` were accepted, also while it keeps quiet."""
        self._do("nothing")
        return int(self._of("answer")[-1]["messages"])

    def mo(self, sender: str, to: str, *pieces: str, data_coding: int = 0) -> None:
        """A customer at `sender` writes to `to`; several pieces are the parts of one long message."""
        for number, text in enumerate(pieces, start=1):
            self.mo_part(sender, to, text, part=number, total=len(pieces), data_coding=data_coding)

    def mo_part(self, sender: str, to: str, text: str, *, part: int, total: int, data_coding: int = 0) -> None:
        """One part of a message from a customer."""
        arguments = {"from": sender.removeprefix("+"), "to": to, "text": text, "part": part, "total": total}
        self._do("mo", **arguments, data_coding=data_coding)

    def drop_connections(self) -> None:
        """Break every connection without a word. Unacknowledged deliveries come again at the next bind."""
        self._do("drop")

    def mute(self, seconds: float) -> None:
        """Receive, and answer nothing, for so long."""
        self._do("mute", seconds=seconds)

    def ask_if_alive(self) -> None:
        """Send `enquire_link` to whoever is bound."""
        self._do("ask")

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        """Block until `condition()` is true and return it; AssertionError with `what` after 15 seconds."""
        deadline = time.monotonic() + _SECONDS_MAX
        with self._changed:
            while not (value := condition()):
                left = deadline - time.monotonic()
                if left <= 0 or self._process.poll() is not None:
                    raise AssertionError(f"the SMSC did not get to: {what}")
                self._changed.wait(min(left, 0.2))
        return value

    def _so_far(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind, with all that happened at the SMSC before this call."""
        self._do("nothing")
        return self._of(kind)

    def _of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in list(self._events) if event["event"] == kind]

    def _do(self, command: str, **arguments: Any) -> None:
        number = next(self._ids)
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": command, "id": number, **arguments}) + "\n")
        self._process.stdin.flush()
        self.wait_for(lambda: any(event["id"] == number for event in self._of("answer")), command)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._events.append(json.loads(line))
                self._changed.notify_all()


def _join(group: list[dict[str, Any]]) -> Sms:
    parts = sorted(group, key=lambda event: event["part"])
    first = parts[0]
    return Sms(
        sender=first["from"],
        to=first["to"],
        text="".join(event["text"] for event in parts),
        parts=len(parts),
        data_coding=first["data_coding"],
        ids=tuple(event["id"] for event in parts),
        sender_ton=first["from_ton"],
        validity_period=str(first["validity_period"] or ""),
    )
