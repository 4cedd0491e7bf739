"""Letters into a folder from which a print shop takes them: `<key>.pdf` first, then `<key>.json`, which says "ready".

A key is published once, even when the print shop has taken the files away in the meantime and even when we are
killed at any point: so `repeat` is KEYED. Under `.relight/` in the folder lie the keys already given and what is
being written.
"""

import asyncio
import errno
import json
import os
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from relight.drivers.message_settings import read_settings
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.messages.port import Channel, Message, Sink

_BUSY_SECONDS = 300
_NAME_MAX = 200  # octets; file systems stop at 255
_PAGE = re.compile(rb"/Type\s*/Page\b")
_OBJECT_STREAM = re.compile(rb"/ObjStm\b.*?stream\r?\n(.*?)endstream", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PrintFolderSettings:
    """`folder` must exist: a mount that is missing shall not be mistaken for an empty folder."""

    folder: str
    colour: str = "black"  # black | colour: how the shop prints
    duplex: bool = True

    def __post_init__(self) -> None:
        if self.colour not in ("black", "colour"):
            raise ValueError(f"print_folder: colour is black or colour, not {self.colour!r}")


class PrintFolderDriver:
    """Writes letters for a print shop. See `MessageDriver` for the contract."""

    name = "print_folder"
    channel = Channel.LETTER
    repeat = Repeat.KEYED

    def __init__(
        self, settings: Mapping[str, object], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._settings = read_settings("print_folder", PrintFolderSettings, settings)
        self._clock = clock

    async def send(self, message: Message, attempt: Attempt) -> Outcome:
        """Put one letter in the folder; DONE once both files are on the disk. The first content for a key stands."""
        name = _file_name(attempt.key)
        if not message.pdf.startswith(b"%PDF-"):
            return Outcome(Result.REFUSED, code="not_a_pdf", detail="the letter is not a PDF")
        if not message.to.strip():
            return Outcome(Result.REFUSED, code="no_address", detail="the letter has no postal address")
        if self._clock() >= attempt.send_before:
            return Outcome.late()
        sheet = _sheet(message, attempt.key, self._settings)
        try:
            first = await asyncio.to_thread(_publish, Path(self._settings.folder), name, message.pdf, sheet)
        except OSError as error:
            code = errno.errorcode.get(error.errno or 0, "OSError")
            detail = f"the print folder cannot be written: {os.strerror(error.errno or errno.EIO)}"
            return Outcome(Result.BUSY, code=code, detail=detail, retry_after_seconds=_BUSY_SECONDS)
        return Outcome(Result.DONE, code="written" if first else "already_there", facts={"provider_ids": [name]})

    async def listen(self, sink: Sink) -> None:
        """A folder says nothing back."""

    async def aclose(self) -> None:
        """Nothing is held open."""


def _file_name(key: str) -> str:
    """The key as a file name: readable, reversible, and short enough."""
    name = quote(key, safe="").replace(".", "%2E")
    return name if len(name) <= _NAME_MAX else sha256(key.encode()).hexdigest()


def _sheet(message: Message, key: str, settings: PrintFolderSettings) -> bytes:
    """What the print shop has to know, and a digest to check the PDF against."""
    sender = [line for line in message.sender.splitlines() if line.strip()]
    sheet = {
        "key": key,
        "address": [line for line in message.to.splitlines() if line.strip()],
        "return_address": sender,
        "creditor": sender[0] if sender else "",
        "subject": message.subject,
        "language": message.language,
        "pages": count_pages(message.pdf),
        "colour": settings.colour,
        "duplex": settings.duplex,
        "sha256": sha256(message.pdf).hexdigest(),
    }
    return json.dumps(sheet, ensure_ascii=False, indent=2).encode() + b"\n"


def count_pages(pdf: bytes) -> int | None:
    """How many pages a PDF has, page objects packed in object streams (ISO 32000-1 § 7.5.7) included; None: unclear."""
    pages = len(_PAGE.findall(pdf))
    for match in _OBJECT_STREAM.finditer(pdf):
        try:
            pages += len(_PAGE.findall(zlib.decompressobj().decompress(match[1])))
        except zlib.error:
            return None
    return pages or None


def _publish(folder: Path, name: str, pdf: bytes, sheet: bytes) -> bool:
    """Whether the letter is new. OSError: the folder is missing, full or not ours to write.

    The order makes every crash harmless: content, then the key, then the two renames. A key whose sheet still waits
    was cut off in between and is finished; a key without one was published, whether or not its files are still here.
    """
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    own = folder / ".relight"
    waiting, keys = own / "waiting", own / "keys"
    waiting.mkdir(parents=True, exist_ok=True)
    keys.mkdir(exist_ok=True)
    new = not (keys / name).exists()
    if new:
        _write(waiting / f"{name}.pdf", pdf)
        _write(waiting / f"{name}.json", sheet)
        _sync_folder(waiting)
        _write(keys / name, b"")
        _sync_folder(keys)
    for suffix in (".pdf", ".json"):
        if (waiting / f"{name}{suffix}").exists():
            (waiting / f"{name}{suffix}").replace(folder / f"{name}{suffix}")
            _sync_folder(folder)
    return new


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """A rename is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
