"""On the road: the RADIUS packets themselves: log in as the customer, change a session, end a session.

RFC 2865 (Access-Request with PAP), RFC 5176 (CoA and Disconnect). One client and one socket a request, so that two
requests under way never share an identifier; all calls block and belong in a thread.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyrad import packet
from pyrad.client import Client, Timeout
from pyrad.dictionary import Dictionary, ParseError

from relight.drivers.radius_settings import Attributes, RadiusSettings
from relight.drivers.radius_sql import Session
from relight.flow.supply.port import WrongSettings

# Group replies that mean something to FreeRADIUS or to a log-in only, and nothing to a running session.
NOT_FOR_SESSIONS = frozenset({"Fall-Through", "Reply-Message"})

_FRAMED_USER = 2
_NUMBERS = frozenset({"integer", "signed", "short", "byte", "integer64"})


class NoAnswer(Exception):
    """No valid answer within the time allowed: the other side may or may not have acted."""


class NotSent(Exception):
    """The request could not leave this machine; nothing happened."""


class Unsendable(Exception):
    """An attribute's value does not fit its type, so the request was not sent. The text names the attribute."""


@dataclass(frozen=True, slots=True)
class Login:
    """The answer to an Access-Request. `accepted` is None for anything but Accept and Reject (a challenge)."""

    accepted: bool | None
    attributes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a CoA- or Disconnect-Request, with RFC 5176's Error-Cause when it gave one."""

    sent: str
    acknowledged: bool
    error_cause: int | None


class _Client(Client):
    def close(self) -> None:
        """End the socket; pyrad leaves it to the garbage collector."""
        self._CloseSocket()


class Wire:
    """Sends requests for one realm; safe to use from many threads."""

    def __init__(self, settings: RadiusSettings) -> None:
        self._settings = settings
        self._dictionary = _dictionary(settings)
        _check_attributes(settings, self._dictionary)

    def knows(self, attribute: str) -> bool:
        """Whether the dictionary has the attribute."""
        return attribute in self._dictionary

    def log_in(self, username: str, password: str) -> Login:
        """Log in as the customer (PAP). Raises NoAnswer, NotSent."""
        settings = self._settings
        with self._client(settings.auth_host, settings.secret) as client:
            request = client.CreateAuthPacket(code=packet.AccessRequest)
            request["User-Name"] = username
            request["User-Password"] = request.PwCrypt(password)
            request["NAS-Identifier"] = settings.nas_identifier
            request["Service-Type"] = _FRAMED_USER
            reply = client.SendPacket(request)
        accepted = {packet.AccessAccept: True, packet.AccessReject: False}.get(reply.code)
        names = reply.keys()  # by name; iterating the packet itself gives bare numbers
        return Login(accepted, {str(name): tuple(map(str, reply[name])) for name in names})

    def change(self, session: Session, username: str, attributes: Attributes, host: str) -> Answer:
        """CoA-Request: give a running session new attributes. Raises NoAnswer, NotSent."""
        return self._command(packet.CoARequest, session, username, attributes, host)

    def disconnect(self, session: Session, username: str, host: str) -> Answer:
        """Disconnect-Request: end a running session. Raises NoAnswer, NotSent."""
        return self._command(packet.DisconnectRequest, session, username, {}, host)

    def _command(self, code: int, session: Session, username: str, attributes: Attributes, host: str) -> Answer:
        with self._client(host, self._settings.coa_secret) as client:
            request = client.CreateCoAPacket(code=code)
            request["User-Name"] = username
            request["Acct-Session-Id"] = session.session_id
            if session.nas_address:
                name = "NAS-IPv6-Address" if ":" in session.nas_address else "NAS-IP-Address"
                request[name] = session.nas_address
            for attribute, values in attributes.items():
                _put(request, attribute, values)
            reply = client.SendPacket(request)
        (cause, *_) = reply.get("Error-Cause", [None])
        return Answer(
            sent="CoA-Request" if code == packet.CoARequest else "Disconnect-Request",
            acknowledged=reply.code in (packet.CoAACK, packet.DisconnectACK),
            error_cause=cause,
        )

    @contextmanager
    def _client(self, host: str, secret: bytes) -> Iterator[Client]:
        settings = self._settings
        client = _Client(
            server=host,
            authport=settings.auth_port,
            coaport=settings.coa_port,
            secret=secret,
            dict=self._dictionary,
            retries=settings.retries + 1,
            timeout=settings.timeout_seconds,
            enforce_ma=settings.require_message_authenticator,
        )
        with closing(client):
            try:
                yield client
            except Timeout as error:
                raise NoAnswer from error
            except OSError as error:
                raise NotSent(type(error).__name__) from error
            except (packet.PacketError, ValueError) as error:  # signed by the other side, yet unreadable
                raise NoAnswer from error


def _dictionary(settings: RadiusSettings) -> Dictionary:
    own = Path(__file__).with_name("dictionaries") / "radius.txt"
    try:
        return Dictionary(str(own), *settings.dictionaries)
    except (ParseError, OSError, ValueError) as error:
        raise WrongSettings(f"radius: `dictionaries` cannot be read: {error}") from error


def _check_attributes(settings: RadiusSettings, dictionary: Dictionary) -> None:
    for level, attributes in settings.attributes.items():
        for name, values in attributes.items():
            if name not in dictionary:
                raise WrongSettings(
                    f"radius: `attributes.{level}` has {name}, not in the dictionary; add its file to `dictionaries`"
                )
            try:
                _put(packet.Packet(dict=dictionary), name, values)
            except Unsendable as error:
                raise WrongSettings(f"radius: `attributes.{level}`: {error}") from error


def _put(request: packet.Packet, attribute: str, values: Sequence[str | int]) -> None:
    definition = request.dict[attribute]
    try:
        request[attribute] = [
            int(value) if definition.type in _NUMBERS and not definition.values.HasForward(value) else value
            for value in values
        ]
    except (ValueError, TypeError) as error:
        raise Unsendable(f"{attribute} cannot be sent as {definition.type}") from error
