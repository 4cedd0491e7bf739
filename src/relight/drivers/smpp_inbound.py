"""What an SMSC hands back, made into receipts and messages: the reading half of the SMPP driver. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from relight.drivers.smpp_parts import GSM7, decode
from relight.flow.messages.port import Channel, Inbound, Receipt, Report

# Optional parameters, SMPP 3.4 § 5.3.2.
_RECEIPTED_MESSAGE_ID = 0x001E
_MESSAGE_STATE = 0x0427
_MESSAGE_PAYLOAD = 0x0424
_SAR_REFERENCE = 0x020C
_SAR_TOTAL = 0x020E
_SAR_NUMBER = 0x020F

_UDH_PRESENT = 0x40
_TYPE_MASK = 0x3C
_RECEIPT_TYPES = (0x04, 0x20)  # SMSC delivery receipt, intermediate notification
_INTERNATIONAL, _NATIONAL, _UNKNOWN_TON = 1, 2, 0

# SMPP 3.4 § 5.2.28 and Appendix B. An expired or deleted message will never arrive, so it counts as undeliverable like
# a wrong number; the code tells them apart. UNKNOWN proves nothing, so it does not count as delivered.
_STATES = {
    1: "ENROUTE",
    2: "DELIVRD",
    3: "EXPIRED",
    4: "DELETED",
    5: "UNDELIV",
    6: "ACCEPTD",
    7: "UNKNOWN",
    8: "REJECTD",
}
_REPORTS = {
    "DELIVRD": Report.DELIVERED,
    "EXPIRED": Report.UNDELIVERABLE,
    "DELETED": Report.UNDELIVERABLE,
    "UNDELIV": Report.UNDELIVERABLE,
    "REJECTD": Report.UNDELIVERABLE,
    "ENROUTE": Report.DELAYED,
    "ACCEPTD": Report.DELAYED,
    "UNKNOWN": Report.DELAYED,
}
_FIELDS = re.compile(r"\b(id|done date|stat|err):\s*(\S+)", re.IGNORECASE)
_TEXT = re.compile(r"\btext:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One `deliver_sm` as it came. `answer` sends its response, with an SMPP status, on the connection it came by."""

    sender: str
    sender_ton: int
    recipient: str
    esm_class: int
    data_coding: int
    body: bytes
    options: dict[int, bytes]
    answer: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """How this SMSC writes: what data_coding 0 means, the base of ids in receipts, the zone of dates, the country."""

    plain: int = GSM7
    receipt_id_base: int = 0
    receipt_zone: str = ""
    country_code: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a message from a customer; `total` is 1 for a message that came whole."""

    reference: int
    total: int
    number: int
    text: str


def is_receipt(delivery: Delivery) -> bool:
    """Whether this tells of a message of ours, rather than being one from a customer."""
    return delivery.esm_class & _TYPE_MASK in _RECEIPT_TYPES or _RECEIPTED_MESSAGE_ID in delivery.options


def read_receipt(delivery: Delivery, reading: Reading, now: datetime) -> Receipt | None:
    """The receipt, from the optional parameters or from Appendix B's text; None when it names no message."""
    text = _body(delivery).decode("latin-1")
    fields = {name.lower(): value for name, value in _FIELDS.findall(_TEXT.split(text)[0])}
    named = delivery.options.get(_RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1") or fields.get("id", "")
    if not named:
        return None
    octet = delivery.options.get(_MESSAGE_STATE, b"")
    state = _STATES.get(octet[0], "UNKNOWN") if octet else fields.get("stat", "UNKNOWN").upper()
    error = fields.get("err", "").strip("0")
    return Receipt(
        channel=Channel.SMS,
        report=_REPORTS.get(state, Report.DELAYED),
        at=_done_at(fields.get("done date", ""), reading.receipt_zone, now),
        provider_id=plain_id(named, reading.receipt_id_base),
        code=f"{state}:{fields['err']}" if error else state,
    )


def plain_id(text: str, base: int) -> str:
    """A message id in one spelling. Some SMSCs answer in hexadecimal and write receipts in decimal."""
    if not base:
        return text
    try:
        return str(int(text, base))
    except ValueError:
        return text


def _done_at(text: str, zone: str, now: datetime) -> datetime:
    """When it was done, by the SMSC's clock if we know its zone; never later than now, by ours."""
    if not zone or len(text) not in (10, 12) or not text.isdigit():
        return now
    try:
        done = datetime.strptime(text.ljust(12, "0"), "%y%m%d%H%M%S").replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        return now
    return min(done.astimezone(UTC), now)


def read_piece(delivery: Delivery, reading: Reading) -> Piece:
    """A customer's message or a part of it. A header (TS 23.040 § 9.2.3.24) or the `sar_` parameters tell which."""
    body = _body(delivery)
    reference, total, number = _sar(delivery.options)
    if delivery.esm_class & _UDH_PRESENT and body:
        length = body[0] + 1
        reference, total, number = _concatenation(body[1:length]) or (reference, total, number)
        body = body[length:]
    if not 1 <= number <= total:
        reference, total, number = 0, 1, 1
    return Piece(reference, total, number, decode(body, delivery.data_coding, plain=reading.plain))


def _body(delivery: Delivery) -> bytes:
    return delivery.body or delivery.options.get(_MESSAGE_PAYLOAD, b"")


def _sar(options: dict[int, bytes]) -> tuple[int, int, int]:
    if not {_SAR_REFERENCE, _SAR_TOTAL, _SAR_NUMBER} <= options.keys():
        return 0, 1, 1
    return (
        int.from_bytes(options[_SAR_REFERENCE], "big"),
        int.from_bytes(options[_SAR_TOTAL], "big"),
        int.from_bytes(options[_SAR_NUMBER], "big"),
    )


def _concatenation(header: bytes) -> tuple[int, int, int] | None:
    """(reference, total, number) from the elements of a user data header, if one of them says so."""
    while len(header) >= 2:
        kind, length = header[0], header[1]
        value = header[2 : 2 + length]
        if kind == 0x00 and len(value) == 3:
            return value[0], value[1], value[2]
        if kind == 0x08 and len(value) == 4:
            return value[0] << 8 | value[1], value[2], value[3]
        header = header[2 + length :]
    return None


def phone_number(address: str, ton: int, country_code: str) -> str:
    """An originating address in E.164 where that can be known, else as it came (a name, a short code)."""
    if not address.isdigit():
        return address
    if ton == _INTERNATIONAL or (ton == _UNKNOWN_TON and len(address) >= 10):
        return f"+{address}"
    if country_code and (ton == _NATIONAL or len(address) >= 8):
        return f"+{country_code}{address}"
    return address


@dataclass(slots=True)
class _Started:
    total: int
    complete_by: float
    pieces: dict[int, tuple[Piece, Delivery]] = field(default_factory=dict)


@dataclass(slots=True)
class Joiner:
    """Holds the parts of long messages until all have come, or `patience_seconds` after the first.

    The parts stay unacknowledged meanwhile. An SMSC that sends the next part only after the answer to the one before
    makes us wait in vain; then each part goes on as a message of its own, and nothing is lost.
    """

    patience_seconds: float
    _started: dict[tuple[str, str, int, int], _Started] = field(default_factory=dict)

    def add(self, piece: Piece, delivery: Delivery, now: float) -> list[tuple[str, list[Delivery]]]:
        """The messages that are whole with this piece: none, or one text with the deliveries that it came in."""
        if piece.total == 1:
            return [(piece.text, [delivery])]
        key = (delivery.sender, delivery.recipient, piece.reference, piece.total)
        started = self._started.setdefault(key, _Started(piece.total, now + self.patience_seconds))
        started.pieces[piece.number] = (piece, delivery)
        return [_join(self._started.pop(key))] if len(started.pieces) == piece.total else []

    def expired(self, now: float) -> list[tuple[str, list[Delivery]]]:
        """What has come of the messages that nobody should wait for any longer."""
        late = [key for key, started in self._started.items() if started.complete_by <= now]
        return [_join(self._started.pop(key)) for key in late]

    def wait_seconds(self, now: float) -> float | None:
        """How long until something expires; None when nothing is held."""
        return (
            max(0.0, min((s.complete_by for s in self._started.values()), default=now) - now) if self._started else None
        )


def _join(started: _Started) -> tuple[str, list[Delivery]]:
    held = [started.pieces[number] for number in sorted(started.pieces)]
    return "".join(piece.text for piece, _ in held), [delivery for _, delivery in held]


def read_inbound(text: str, deliveries: list[Delivery], reading: Reading, now: datetime) -> Inbound:
    """The message that the joined parts make."""
    first = deliveries[0]
    return Inbound(
        channel=Channel.SMS,
        sender=phone_number(first.sender, first.sender_ton, reading.country_code),
        recipient=first.recipient,
        text=text,
        at=now,
        provider_id=first.options.get(_RECEIPTED_MESSAGE_ID, b"").rstrip(b"\0").decode("latin-1"),
    )
