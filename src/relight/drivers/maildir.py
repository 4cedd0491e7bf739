"""A mailbox folder watched for new mail: how bounces reach the SMTP driver. Any mail server can deliver into one.

A message stays in `new/` until it was handled, so what we did not finish is found again after a restart.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

log = logging.getLogger(__name__)

SEEN = "S"
FLAGGED = "F"  # for a person to look at


async def watch(folder: Path, poll_seconds: float, handle: Callable[[bytes], Awaitable[str]]) -> None:
    """Hand each new message to `handle`, oldest first, until cancelled; then file it in `cur/` under its answer.

    `handle` returns SEEN or FLAGGED. If it raises, the message stays and is handed over again at the next poll.
    """
    while True:
        for path in await asyncio.to_thread(_new, folder):
            await _handle_one(folder, path, handle)
        await asyncio.sleep(poll_seconds)


async def _handle_one(folder: Path, path: Path, handle: Callable[[bytes], Awaitable[str]]) -> None:
    try:
        flag = await handle(await asyncio.to_thread(path.read_bytes))
        await asyncio.to_thread(_file_away, folder, path, flag)
    except FileNotFoundError:
        log.info("another worker took a message from the mailbox first")
    except Exception:  # one message that cannot be stored must not hold up those behind it
        log.exception("a message in the mailbox could not be handled; it stays there for the next try")


def _new(folder: Path) -> list[Path]:
    """New messages, oldest first. A mailbox that nothing was delivered to yet is empty."""
    new = folder / "new"
    return sorted(new.iterdir(), key=_delivered_at) if new.is_dir() else []


def _delivered_at(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except FileNotFoundError:
        return 0.0, path.name


def _file_away(folder: Path, path: Path, flag: str) -> None:
    (folder / "cur").mkdir(exist_ok=True)
    path.rename(folder / "cur" / f"{path.name}:2,{flag}")
