"""E-mail through a relay over SMTP, and the bounces that come back into a mailbox folder.

SMTP cannot deduplicate: when the relay says nothing after the message went out, it may have taken it. So `repeat` is
NEVER; the Message-ID comes from the effect's key, by which a person can look the message up in the relay's log.
"""

import asyncio
import contextlib
import logging
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPServerDisconnected

from relight.drivers import bounces, maildir
from relight.drivers.message_settings import read_settings
from relight.drivers.smtp_compose import compose, local_part, mailbox
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.messages.port import Channel, Message, Sink

log = logging.getLogger(__name__)

_BUSY_SECONDS = 60
_ENHANCED = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})\b")
_BOUNCE_ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,32}@[A-Za-z0-9.-]+")
_QUEUED = re.compile(r"queued as (\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """All settings of the driver; `docs/drivers/smtp.md` explains each. ValueError: a value it cannot have."""

    host: str
    bounce_address: str  # bounce@mail.example.no; the key goes in after a plus
    port: int = 25
    tls: str = "starttls"  # none | starttls | implicit
    tls_ca_file: str = ""
    username: str = ""
    password: str = ""
    sender: str = ""  # for messages that name none
    reply_to: str = ""
    connections: int = 4
    timeout_seconds: float = 30.0
    bounce_maildir: str = ""
    bounce_poll_seconds: float = 5.0

    def __post_init__(self) -> None:
        if self.tls not in ("none", "starttls", "implicit"):
            raise ValueError(f"smtp: tls is none, starttls or implicit, not {self.tls!r}")
        if not _BOUNCE_ADDRESS.fullmatch(self.bounce_address):
            raise ValueError("smtp: bounce_address is an address without a plus, such as bounce@mail.example.no")


class _Ended(Exception):
    """The transaction ended before the message was accepted; the outcome says how."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


class SmtpDriver:
    """Sends e-mail over a few kept connections. See `MessageDriver` for the contract."""

    name = "smtp"
    channel = Channel.EMAIL
    repeat = Repeat.NEVER

    def __init__(
        self, settings: Mapping[str, object], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._settings = read_settings("smtp", SmtpSettings, settings)
        self._clock = clock
        self._idle: list[SMTP] = []
        self._room = asyncio.Semaphore(self._settings.connections)

    async def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Hand one e-mail to the relay; DONE once the relay has taken responsibility (RFC 5321 § 4.2.5)."""
        message_id = self._message_id(attempt.key)
        try:
            recipient = mailbox(message.to).addr_spec
            raw = self._render(message, attempt.key, message_id)
        except ValueError as error:
            return Outcome(Result.REFUSED, code=str(error), detail="the message cannot be sent as e-mail")
        async with self._room:
            if self._clock() >= attempt.send_before:
                return Outcome.late()
            try:
                async with self._connection() as client:
                    outcome = await self._deliver(client, raw, recipient, attempt)
            except _Ended as ended:
                outcome = ended.outcome
        if outcome.result in (Result.DONE, Result.UNKNOWN):
            return replace(outcome, facts={"provider_ids": [message_id], **outcome.facts})
        return outcome

    async def listen(self, sink: Sink) -> None:
        """Read the bounce mailbox until cancelled; a bounce is filed away only after `sink` returned."""
        if not self._settings.bounce_maildir:
            return

        async def handle(raw: bytes) -> str:
            receipts = bounces.parse(raw, self._clock())
            for receipt in receipts:
                await sink(receipt)
            return maildir.SEEN if receipts else maildir.FLAGGED

        await maildir.watch(Path(self._settings.bounce_maildir), self._settings.bounce_poll_seconds, handle)

    async def aclose(self) -> None:
        """Say goodbye to the relay."""
        while self._idle:
            with contextlib.suppress(SMTPException, OSError):
                await self._idle.pop().quit(timeout=1)

    def _message_id(self, key: str) -> str:
        """Stable for a key, and without what the key gives away."""
        domain = self._settings.bounce_address.rpartition("@")[2]
        return f"<{sha256(key.encode()).hexdigest()[:32]}@{domain}>"

    def _render(self, message: Message, key: str, message_id: str) -> bytes:
        if not message.sender:
            message = replace(message, sender=self._settings.sender)
        mail = compose(message, key=key, message_id=message_id, reply_to=self._settings.reply_to, at=self._clock())
        return mail.as_bytes()

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[SMTP]:
        """A connection with no transaction open, kept for the next message unless this one ended badly."""
        client = await self._revive() or await self._connect()
        try:
            yield client
        except BaseException:
            client.close()
            raise
        if client.is_connected:
            self._idle.append(client)

    async def _revive(self) -> SMTP | None:
        """A kept connection that still answers; relays hang up on the idle without a word."""
        while self._idle:
            client = self._idle.pop()
            try:
                await client.rset(timeout=2)
            except (SMTPException, OSError):
                client.close()
            else:
                return client
        return None

    async def _connect(self) -> SMTP:
        settings = self._settings
        client = SMTP(
            hostname=settings.host,
            port=settings.port,
            timeout=settings.timeout_seconds,
            use_tls=settings.tls == "implicit",
            start_tls=settings.tls == "starttls",
            tls_context=ssl.create_default_context(cafile=settings.tls_ca_file or None)
            if settings.tls != "none"
            else None,
            username=settings.username or None,
            password=settings.password or None,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()  # what the relay can do is asked before the first message needs it
        except (SMTPException, OSError) as error:
            client.close()
            code = _code(error) if isinstance(error, SMTPResponseException) else "no_connection"
            raise _Ended(_busy(code, "not sent: no connection to the relay")) from error
        return client

    async def _deliver(self, client: SMTP, raw: bytes, recipient: str, attempt: Attempt) -> Outcome:
        options = [] if local_part(recipient).isascii() else ["SMTPUTF8"]
        if options and not client.supports_extension("smtputf8"):
            return Outcome(Result.REFUSED, code="no_smtputf8", detail="the relay takes no such address")
        encoding = "utf-8" if options else "ascii"
        try:
            sender = bounces.return_path(attempt.key, self._settings.bounce_address)
            await client.mail(sender, options=options, encoding=encoding)
            await client.rcpt(recipient, encoding=encoding)
        except SMTPResponseException as refusal:
            return _refused(refusal)
        except (SMTPException, OSError, UnicodeError, ValueError) as error:
            raise _Ended(_busy(_name(error), "not sent: the relay went away")) from error
        if self._clock() >= attempt.send_before:
            return Outcome.late()  # nothing was said yet; the next message's RSET ends this transaction
        return await _data(client, raw)


async def _data(client: SMTP, raw: bytes) -> Outcome:
    try:
        code, reply = await client.data(raw)
    except SMTPResponseException as refusal:
        return _refused(refusal)
    except (SMTPException, OSError) as error:
        name = "connection_lost" if isinstance(error, SMTPServerDisconnected) else "no_response"
        raise _Ended(Outcome(Result.UNKNOWN, name, "sent, but the relay did not answer")) from error
    queued = _QUEUED.search(reply)
    return Outcome(Result.DONE, code=str(code), facts={"queue_id": queued[1]} if queued else {})


def _refused(refusal: SMTPResponseException) -> Outcome:
    """4xx is later, 5xx is no (RFC 5321 § 4.2.1). The reply's words may hold an address, so only the codes are kept."""
    if 500 <= refusal.code < 600:
        return Outcome(Result.REFUSED, code=_code(refusal), detail="the relay refused the message")
    return _busy(_code(refusal), "not sent: the relay asks to try later")


def _busy(code: str, detail: str) -> Outcome:
    return Outcome(Result.BUSY, code=code, detail=detail, retry_after_seconds=_BUSY_SECONDS)


def _code(error: SMTPResponseException) -> str:
    enhanced = _ENHANCED.match(error.message)
    return f"{error.code} {enhanced[1]}" if enhanced else str(error.code)


def _name(error: Exception) -> str:
    return "connection_lost" if isinstance(error, SMTPServerDisconnected) else type(error).__name__
