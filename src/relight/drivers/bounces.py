"""Bounced e-mail: return paths that carry our key out, and what a bounce says when it comes back. Pure.

The return path is VERP: `bounce+<key>@domain`. Bounces are `multipart/report` (RFC 3464; RFC 6533 for UTF-8).
"""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime

from relight.flow.messages.port import Channel, Receipt, Report

KEY_HEADER = "X-Relight-Key"
_LOCAL_PART_MAX = 64  # octets, RFC 5321 § 4.5.3.1.1
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_ADDRESSED = ("Delivered-To", "X-Original-To", "Envelope-To", "To")
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_ESCAPES = re.compile(r"(?:=[0-9a-fA-F]{2})+")
_ACTIONS = {"failed": Report.UNDELIVERABLE, "delayed": Report.DELAYED, "delivered": Report.DELIVERED}


def return_path(key: str, bounce_address: str) -> str:
    """`bounce_address` with `key` in it. Letters that mail systems fold or split at are escaped as `=hh`.

    A key too long for a local part leaves the address bare; the bounce then names it in the header it quotes.
    """
    local, _, domain = bounce_address.partition("@")
    tagged = f"{local}+{escape(key)}"
    return f"{tagged if len(tagged) <= _LOCAL_PART_MAX else local}@{domain}"


def key_of(address: str) -> str:
    """The key in a return path; empty when there is none."""
    local = address.strip().strip("<>").rpartition("@")[0]
    return unescape(local.partition("+")[2])


def escape(key: str) -> str:
    """`key` in letters that survive any mail system, for an address or a header."""
    return "".join(
        letter if letter in _SAFE else "".join(f"={octet:02x}" for octet in letter.encode()) for letter in key
    )


def unescape(escaped: str) -> str:
    """What `escape` was given; empty for what it cannot have made."""
    try:
        return _ESCAPES.sub(lambda match: bytes.fromhex(match[0].replace("=", "")).decode(), escaped)
    except UnicodeDecodeError:
        return ""


def parse(raw: bytes, received_at: datetime) -> list[Receipt]:
    """What a message in the bounce mailbox reports: one receipt for each recipient it speaks of, or none.

    `Action` decides, since "failed" is final whatever the status is: a mailbox that stayed full until the relay gave up
    is 4.2.2 and failed. Without an action the status does: 5 is final, 4 is not. `received_at` stands in for a date.
    """
    bounce = message_from_bytes(raw, policy=policy.default)
    if bounce.get_content_type() != "multipart/report":
        return []
    original = _original_headers(bounce)
    key = _key(bounce, original)
    provider_id = str(original.get("Message-ID", "")).strip() if original is not None else ""
    if not key and not provider_id:
        return []
    at = _date(bounce, received_at)
    return [
        Receipt(channel=Channel.EMAIL, report=report, at=at, provider_id=provider_id, key=key, code=code)
        for report, code in map(_verdict, _recipients(bounce))
        if report is not None
    ]


def _recipients(bounce: EmailMessage) -> list[Message]:
    """The per-recipient blocks of the report."""
    blocks: list[Message] = []
    for part in bounce.walk():
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            blocks += [block for block in part.walk() if "Status" in block or "Action" in block]
    return blocks


def _verdict(block: Message) -> tuple[Report | None, str]:
    match = _STATUS.search(str(block.get("Status", "")))
    code = match[0] if match else ""
    action = str(block.get("Action", "")).split(";")[0].strip().lower()
    if action:
        return _ACTIONS.get(action), code  # "relayed" and "expanded" prove nothing
    by_class = {"5": Report.UNDELIVERABLE, "4": Report.DELAYED, "2": Report.DELIVERED}
    return (by_class[match[1]] if match else None), code


def _key(bounce: EmailMessage, original: Message | None) -> str:
    for header in _ADDRESSED:
        for value in bounce.get_all(header, []):
            if key := key_of(str(value)):
                return key
    return unescape(str(original.get(KEY_HEADER, "")).strip()) if original is not None else ""


def _original_headers(bounce: EmailMessage) -> Message | None:
    """The header of the message that bounced, which the report quotes in whole or in part."""
    for part in bounce.walk():
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global"):
            quoted = part.get_payload()
            return quoted[0] if isinstance(quoted, list) and isinstance(quoted[0], Message) else None
        if kind in ("text/rfc822-headers", "message/global-headers"):
            payload = part.get_payload(decode=True)
            return message_from_bytes(payload, policy=policy.default) if isinstance(payload, bytes) else None
    return None


def _date(bounce: EmailMessage, received_at: datetime) -> datetime:
    """The bounce's own date, unless it is missing, nonsense or in the future."""
    try:
        at = parsedate_to_datetime(str(bounce["Date"]))
    except (TypeError, ValueError):
        return received_at
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return min(at, received_at)
