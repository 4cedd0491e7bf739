"""The driver's side of messages: send one, and hand back what the channel says of it later.

Built once a worker from settings, used by many tasks at once, closed at the end, like every driver.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from relight.flow.effects.port import Attempt, Outcome, Repeat


class Channel(StrEnum):
    """Ways to reach a customer."""

    SMS = "sms"
    EMAIL = "email"
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class Message:
    """One rendered message. `to` is a number in E.164, an e-mail address, or (letter) the postal lines."""

    channel: Channel
    to: str
    sender: str  # SMS sender id; for e-mail "Name <address>"; for letters the return address, lines split by \n
    language: str  # nb, da, nl, en, de
    subject: str  # empty for SMS
    text: str
    html: str = ""
    pdf: bytes = b""  # letters, and attachments to e-mail


class Report(StrEnum):
    """What became of a message after it was handed over."""

    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"  # for good: wrong number, no such mailbox
    DELAYED = "delayed"  # the channel still tries


@dataclass(frozen=True, slots=True)
class Receipt:
    """A delivery report or a bounce. `provider_id` is one of those that `send` returned, or `key` is known (VERP)."""

    channel: Channel
    report: Report
    at: datetime
    provider_id: str = ""
    key: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Inbound:
    """A message from a customer: `sender` in the channel's own form, the text as written."""

    channel: Channel
    sender: str
    recipient: str
    text: str
    at: datetime
    provider_id: str = ""


Sink = Callable[[Receipt | Inbound], Awaitable[None]]


class MessageDriver(Protocol):
    """Sends messages on one channel.

    `send` returns DONE with `facts={"provider_ids": [...]}` (several for a split SMS) once the other side has taken
    responsibility. `listen` runs until cancelled, awaits `sink` for each receipt or inbound message, and acknowledges
    it to the other side only after `sink` returned, so that nothing is lost when we die in between. A driver with
    nothing to listen to returns at once.
    """

    name: str
    channel: Channel
    repeat: Repeat

    async def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Send one message."""
        ...

    async def listen(self, sink: Sink) -> None:
        """Hand receipts and inbound messages to `sink` until cancelled."""
        ...

    async def aclose(self) -> None:
        """End connections and threads."""
        ...
