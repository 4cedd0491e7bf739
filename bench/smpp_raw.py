"""The raw limit beside the SMPP driver: ready-made `submit_sm` on one connection, and as many of them under way."""

import asyncio
import struct
import time
from collections.abc import Mapping
from typing import Any

from smpplib import consts
from smpplib.client import SimpleSequenceGenerator
from smpplib.smpp import make_pdu

_HEADER = struct.Struct(">LLLL")
_SUBMIT_RESP, _DELIVER, _DELIVER_RESP = 0x80000004, 0x00000005, 0x80000005


async def send_raw(settings: Mapping[str, Any], count: int, *, window: int, text: str) -> float:
    """Seconds for `count` submits of the same text, at most `window` without an answer; receipts are answered, and
    nobody looks at them. Raises RuntimeError when one is refused."""
    reader, writer = await asyncio.open_connection(settings["host"], settings["port"])
    sequences = SimpleSequenceGenerator()
    try:
        login = {"system_id": settings["system_id"], "password": settings["password"]}
        writer.write(make_pdu("bind_transceiver", client=sequences, interface_version=0x34, **login).generate())
        await _answer(reader)
        body = _submit(sequences, text)
        began = time.perf_counter()
        await _all(reader, writer, body, count, window)
        return time.perf_counter() - began
    finally:
        writer.close()


def _submit(sequences: SimpleSequenceGenerator, text: str) -> bytes:
    """A whole `submit_sm`; only its sequence number, octets 12 to 15, changes."""
    made = make_pdu(
        "submit_sm", client=sequences, source_addr_ton=consts.SMPP_TON_ALNUM, source_addr="Nordlys",
        dest_addr_ton=consts.SMPP_TON_INTL, dest_addr_npi=consts.SMPP_NPI_ISDN, destination_addr="4790000001",
        data_coding=consts.SMPP_ENCODING_ISO88591, registered_delivery=1, short_message=text.encode("latin-1"),
    )  # fmt: skip
    return bytes(made.generate())


async def _all(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, submit: bytes, count: int, window: int
) -> None:
    sent = answered = 0
    while answered < count:
        while sent < count and sent - answered < window:
            writer.write(submit[:12] + struct.pack(">L", 1000 + sent) + submit[16:])
            sent += 1
        command, status, sequence = await _answer(reader)
        if command == _SUBMIT_RESP:
            if status:
                raise RuntimeError(f"the SMSC refused a raw message with status {status}")
            answered += 1
        elif command == _DELIVER:
            writer.write(_HEADER.pack(17, _DELIVER_RESP, 0, sequence) + b"\0")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, int, int]:
    length, command, status, sequence = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    await reader.readexactly(length - _HEADER.size)
    return command, status, sequence
