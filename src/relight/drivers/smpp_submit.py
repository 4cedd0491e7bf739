"""A message as `submit_sm`, and what the SMSC's statuses mean. Pure; the SMPP driver sends it."""

import re
import zlib

from smpplib import consts

from relight.drivers.smpp_parts import gsm7, split
from relight.drivers.smpp_settings import SmppSettings
from relight.flow.messages.port import Message

THROTTLED = (consts.SMPP_ESME_RTHROTTLED, consts.SMPP_ESME_RMSGQFUL)
# SMPP 3.4 § 5.1.3. Everything else above zero is the SMSC's no for good: bad number, bad sender, not allowed.
BUSY = {
    *THROTTLED,
    consts.SMPP_ESME_RINVBNDSTS,
    consts.SMPP_ESME_RSYSERR,
    consts.SMPP_ESME_RSUBMITFAIL,
    consts.SMPP_ESME_RX_T_APPN,
    consts.SMPP_ESME_RUNKNOWNERR,
}
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def submits(message: Message, key: str, settings: SmppSettings) -> list[dict[str, object]]:
    """The fields of each part's `submit_sm`. ValueError: bad_number, bad_sender or too_long."""
    if not _E164.fullmatch(message.to):
        raise ValueError("bad_number")
    try:
        parts = split(message.text, reference=zlib.crc32(key.encode()), prefer=settings.data_coding)
    except ValueError:
        raise ValueError("too_long") from None
    if len(parts.bodies) > settings.parts_max:
        raise ValueError("too_long")
    fields = _sender(message.sender) | {
        "dest_addr_ton": consts.SMPP_TON_INTL,
        "dest_addr_npi": consts.SMPP_NPI_ISDN,
        "destination_addr": message.to.removeprefix("+"),
        "data_coding": parts.data_coding,
        "esm_class": consts.SMPP_GSMFEAT_UDHI if len(parts.bodies) > 1 else consts.SMPP_MSGTYPE_DEFAULT,
        "registered_delivery": 1,
    }
    if settings.validity_hours:
        days, hours = divmod(settings.validity_hours, 24)
        fields["validity_period"] = f"0000{days:02}{hours:02}0000000R"
    return [fields | {"short_message": body} for body in parts.bodies]


def _sender(sender: str) -> dict[str, object]:
    """The originating address: a number, a short code, or a name of at most eleven letters (TS 23.040 § 9.1.2.5)."""
    digits = sender.removeprefix("+")
    if digits.isdigit() and digits.isascii() and len(digits) <= 15:
        ton = consts.SMPP_TON_INTL if len(digits) > 6 else consts.SMPP_TON_NWSPEC
        return {"source_addr_ton": ton, "source_addr_npi": consts.SMPP_NPI_ISDN, "source_addr": digits}
    try:
        octets = gsm7(sender)
    except KeyError:
        raise ValueError("bad_sender") from None
    if not 1 <= len(octets) <= 11 or b"\0" in octets:
        raise ValueError("bad_sender")
    # smpplib writes text as latin-1, octet for octet, so GSM octets pass through it unchanged.
    return {"source_addr_ton": consts.SMPP_TON_ALNUM, "source_addr_npi": 0, "source_addr": octets.decode("latin-1")}


def describe(code: str) -> str:
    """An outcome's code in words: a status, a refused log-in, or what happened to the connection."""
    if code == "throttled":
        return "the SMSC asked for a slower pace"
    number = code.removeprefix("bind_")
    if not number.isdigit():
        return "no connection to the SMSC"
    words = consts.DESCRIPTIONS.get(int(number), "a status of the SMSC's own")
    return f"the log-in was refused: {words}" if code.startswith("bind_") else words
