"""The demo's phone and mailbox: keeps what would have been sent, to look at in the browser, and takes answers.

With a folder, messages are lines of JSON in `<folder>/<channel>.jsonl` that another process reads with `read`, and
`leave_answer` puts an answer where `listen` finds it. Without one, everything stays in this process's memory.
"""

import asyncio
import contextlib
import fcntl
import json
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice, takewhile
from pathlib import Path
from typing import BinaryIO

from relight.drivers.message_settings import read_settings
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.messages.port import Channel, Inbound, Message, Receipt, Report, Sink

_POLL_SECONDS = 0.5
_SIDE_BY_SIDE = 50


@dataclass(frozen=True, slots=True)
class InboxSettings:
    """`receipts`: say of each message that it was delivered, as a phone company would."""

    channel: str = "sms"
    folder: str = ""
    receipts: bool = True

    def __post_init__(self) -> None:
        if self.channel not in tuple(Channel):
            raise ValueError(f"inbox: channel is one of {', '.join(Channel)}, not {self.channel!r}")


@dataclass(frozen=True, slots=True)
class Kept:
    """One message as it would have reached the customer."""

    key: str
    channel: str
    to: str
    sender: str
    language: str
    subject: str
    text: str
    html: str
    pdf: str  # the name of the file beside, if there is one
    at: datetime


class InboxDriver:
    """Keeps messages instead of sending them; any channel. See `MessageDriver` for the contract."""

    name = "inbox"
    repeat = Repeat.KEYED

    def __init__(
        self, settings: Mapping[str, object], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._settings = read_settings("inbox", InboxSettings, settings)
        self.channel = Channel(self._settings.channel)
        self._clock = clock
        self._folder = Path(self._settings.folder) if self._settings.folder else None
        self._file: BinaryIO | None = None
        self._read_to = 0
        self._to_tell: deque[Receipt | Inbound] = deque()
        self._news = asyncio.Event()
        self.messages: list[Kept] = read(self._folder, self.channel) if self._folder else []
        self._keys = {kept.key for kept in self.messages}

    async def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Keep one message. The same key again is done already."""
        if self._clock() >= attempt.send_before:
            return Outcome.late()
        done = Outcome(Result.DONE, code="kept", facts={"provider_ids": [attempt.key]})
        with self._alone():
            if attempt.key in self._keys:
                return done
            kept = self._keep(message, attempt.key)
            self._keys.add(kept.key)
            self.messages.append(kept)
        if self._settings.receipts:
            self._tell(Receipt(self.channel, Report.DELIVERED, at=kept.at, provider_id=kept.key, key=kept.key))
        return done

    def answer(self, sender: str, text: str, recipient: str = "") -> None:
        """A customer answers, within this process."""
        at = self._clock()
        self._tell(Inbound(self.channel, sender, recipient, text, at=at, provider_id=uuid.uuid4().hex))

    async def listen(self, sink: Sink) -> None:
        """Hand over receipts and answers until cancelled; what it did not take is told again."""
        while True:
            self._news.clear()
            while self._to_tell:
                await self._tell_together(sink)
            for path in _answers(self._folder, self.channel):
                with contextlib.suppress(FileNotFoundError):  # another worker on the same folder was first
                    answer = self._read_answer(path)
                    await sink(answer)
                    path.unlink()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS if self._folder else None):
                    await self._news.wait()

    async def _tell_together(self, sink: Sink) -> None:
        """Receipts side by side, as a phone company does, and answers one by one; raises the first error."""
        receipts = list(takewhile(lambda one: isinstance(one, Receipt), islice(self._to_tell, _SIDE_BY_SIDE)))
        telling = [self._to_tell.popleft() for _ in range(max(1, len(receipts)))]
        tasks = [asyncio.ensure_future(sink(one)) for one in telling]
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            left = [one for one, task in zip(telling, tasks, strict=True) if not _is_taken(task)]
            self._to_tell.extendleft(reversed(left))
        for task in tasks:
            task.result()

    async def aclose(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the file against other processes, and know what they have kept: they may have had the same attempt.

        What one of them had only half written when it was killed is taken away."""
        if self._folder is None:
            yield
            return
        if self._file is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = _messages_file(self._folder, self.channel).open("a+b")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            self._file.seek(self._read_to)
            for line in self._file:
                if not line.endswith(b"\n"):
                    self._file.truncate(self._read_to)
                    break
                self._keys.add(json.loads(line)["key"])
                self._read_to += len(line)
            yield
        finally:
            self._file.flush()
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _tell(self, event: Receipt | Inbound) -> None:
        self._to_tell.append(event)
        self._news.set()

    def _keep(self, message: Message, key: str) -> Kept:
        pdf = ""
        if self._folder and message.pdf:
            pdf = f"{uuid.uuid5(uuid.NAMESPACE_URL, key).hex}.pdf"
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / pdf).write_bytes(message.pdf)
        kept = Kept(
            key=key,
            channel=self.channel.value,
            to=message.to,
            sender=message.sender,
            language=message.language,
            subject=message.subject,
            text=message.text,
            html=message.html,
            pdf=pdf,
            at=self._clock(),
        )
        if self._file is not None:
            line = json.dumps(asdict(kept) | {"at": kept.at.isoformat()}, ensure_ascii=False) + "\n"
            self._file.write(line.encode())
        return kept

    def _read_answer(self, path: Path) -> Inbound:
        told = json.loads(path.read_text(encoding="utf-8"))
        return Inbound(
            self.channel, told["sender"], told["recipient"], told["text"], at=self._clock(), provider_id=path.stem
        )


def read(folder: Path, channel: Channel) -> list[Kept]:
    """All messages kept in `folder`, oldest first. A line still being written is left for the next time."""
    path = _messages_file(folder, channel)
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    return [Kept(**(line | {"at": datetime.fromisoformat(line["at"])})) for line in map(json.loads, lines)]


def leave_answer(folder: Path, channel: Channel, *, sender: str, text: str, recipient: str = "") -> None:
    """Put a customer's answer where `listen` of the driver on this folder and channel finds it."""
    answers = folder / f"{channel.value}-answers"
    answers.mkdir(parents=True, exist_ok=True)
    path = answers / f"{uuid.uuid4().hex}.json"
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"sender": sender, "recipient": recipient, "text": text}), encoding="utf-8")
    draft.replace(path)


def _is_taken(told: asyncio.Future[None]) -> bool:
    return told.done() and not told.cancelled() and told.exception() is None


def _answers(folder: Path | None, channel: Channel) -> list[Path]:
    answers = folder / f"{channel.value}-answers" if folder else None
    if answers is None or not answers.is_dir():
        return []
    return sorted(answers.glob("*.json"), key=_left_at)


def _left_at(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except FileNotFoundError:
        return 0.0, path.name


def _messages_file(folder: Path, channel: Channel) -> Path:
    return folder / f"{channel.value}.jsonl"
