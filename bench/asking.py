"""Asks for pages over a few connections that stay open, each waiting for its answer before it asks again."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

_HEAD_BYTES_MAX = 16_384


class WrongAnswer(RuntimeError):
    """A page was answered with something else than 200."""


@dataclass(slots=True)
class Asked:
    """What came of it: the time that each answer took, and the span of them all."""

    ms: list[float] = field(default_factory=list[float])
    seconds: float = 0.0


async def ask_all(port: int, paths: Iterator[str], *, connections: int, seconds: float) -> Asked:
    """Ask for one path after another until the time is over or no path is left. Raises `WrongAnswer`."""
    asked = Asked()
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_ask(port, paths, asked, began + seconds))
    asked.seconds = time.perf_counter() - began
    return asked


async def fetch(port: int, path: str) -> bytes:
    """One page's body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return await _exchange(reader, writer, path)
    finally:
        writer.close()
        await writer.wait_closed()


async def _ask(port: int, paths: Iterator[str], asked: Asked, deadline: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=_HEAD_BYTES_MAX)
    try:
        for path in paths:
            began = time.perf_counter()
            if began > deadline:
                return
            await _exchange(reader, writer, path)
            asked.ms.append((time.perf_counter() - began) * 1000)
    finally:
        writer.close()
        await writer.wait_closed()


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    """One request and its answer on a connection that stays open (HTTP/1.1)."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: nb\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status, *lines = head.split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if line)
    length = headers.get("content-length")
    body = await reader.readexactly(int(length)) if length else await _chunks(reader)
    if status.split()[1] != "200":
        raise WrongAnswer(f"{path}: {status}: {body[:500]!r}")
    return body


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    """A body that comes in chunks, up to the empty one (RFC 9112, 7.1); without extensions or trailers."""
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body
