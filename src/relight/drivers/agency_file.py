"""An agency by files: packages in a folder that its SFTP picks up, and its answers in another one.

`out/<key>.zip` appears whole, or not at all. A key is published once, even when the agency has taken the file away and
even when we are killed at any point: so `repeat` is KEYED. The agency leaves `in/*.jsonl` (one status a line); what was
read lies in `in/read/`, with `<name>.errors.txt` beside it where lines were wrong.
"""

import asyncio
import errno
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from relight.drivers.agency_package import zipped
from relight.drivers.message_settings import read_settings
from relight.flow.effects.port import Attempt, Outcome, Repeat, Result
from relight.flow.handover.port import LETTER_BYTES_MAX, Letter, Package, Status, StatusRefused

_log = logging.getLogger(__name__)
_BUSY_SECONDS = 300
_NAME_MAX = 200  # octets; file systems stop at 255
_SUFFIXES = (".jsonl", ".json")


@dataclass(frozen=True, slots=True)
class AgencyFileSettings:
    """`folder` must exist: a mount that is missing shall not be mistaken for an empty folder."""

    folder: str


class AgencyFileDriver:
    """Hands over by files. See `HandoverDriver` for the contract."""

    name = "agency_file"
    repeat = Repeat.KEYED

    def __init__(
        self, settings: Mapping[str, object], *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._folder = Path(read_settings("agency_file", AgencyFileSettings, settings).folder)
        self._clock = clock

    async def send(self, package: Package, attempt: Attempt) -> Outcome:
        """Put one package in the folder; DONE once it is on the disk. The first content for a key stands."""
        content = await asyncio.to_thread(zipped, package, attempt.key)
        if self._clock() >= attempt.send_before:
            return Outcome.late()
        try:
            first = await asyncio.to_thread(_publish, self._folder, _file_name(attempt.key), content)
        except OSError as error:
            code = errno.errorcode.get(error.errno or 0, "OSError")
            detail = f"the agency's folder cannot be written: {os.strerror(error.errno or errno.EIO)}"
            return Outcome(Result.BUSY, code=code, detail=detail, retry_after_seconds=_BUSY_SECONDS)
        facts = {"file": f"{_file_name(attempt.key)}.zip", "sha256": sha256(content).hexdigest()}
        return Outcome(Result.DONE, code="written" if first else "already_there", facts=facts)

    def letters(self) -> Sequence[Letter]:
        """What the agency left in `in/`, by name; a name that begins with a dot is still being written. Of very much
        only the first files, together hardly more than the longest may be: the rest is for the next time."""
        inbox = self._folder / "in"
        if not inbox.is_dir():
            return []
        found = sorted(path for path in inbox.iterdir() if path.suffix in _SUFFIXES and not path.name.startswith("."))
        letters, size = list[Letter](), 0
        for path in found:
            if size >= LETTER_BYTES_MAX:
                break
            letter = _letter(path) if path.is_file() and not path.is_symlink() else None
            if letter is not None:
                letters.append(letter)
                size += len(letter.content)
        return letters

    def put_away(self, letter: Letter, errors: Sequence[str]) -> None:
        """Move a file that was read to `in/read/`, under its name and its hash: a name may come again."""
        read = self._folder / "in" / "read"
        read.mkdir(exist_ok=True)
        name = f"{Path(letter.name).stem}-{sha256(letter.content).hexdigest()[:12]}{Path(letter.name).suffix}"
        if errors:
            _write(read / f"{name}.errors.txt", "".join(f"{error}\n" for error in errors).encode())
        (self._folder / "in" / letter.name).replace(read / name)
        _sync_folder(read)

    def webhook(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Status]:
        """This agency has none."""
        raise StatusRefused("this agency answers by files")

    async def aclose(self) -> None:
        """Nothing is held open."""


def _letter(path: Path) -> Letter | None:
    """A file as far as it may be long, and one octet more. One that we may not read stops no other."""
    try:
        with path.open("rb") as file:
            return Letter(path.name, file.read(LETTER_BYTES_MAX + 1))
    except OSError as error:
        _log.warning("the agency's file %r cannot be read: %s", path.name, os.strerror(error.errno or errno.EIO))
        return None


def _file_name(key: str) -> str:
    """The key as a file name: readable, and short enough."""
    name = quote(key, safe="").replace(".", "%2E")
    return name if len(name) <= _NAME_MAX else sha256(key.encode()).hexdigest()


def _publish(folder: Path, name: str, content: bytes) -> bool:
    """Whether the package is new. OSError: the folder is missing, full or not ours to write.

    The order makes every crash harmless: content, then the key, then the rename. A key whose content still waits was
    cut off in between and is finished; a key without one was published, whether or not the file is still here.
    """
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    waiting, keys, out = folder / ".relight" / "waiting", folder / ".relight" / "keys", folder / "out"
    for path in (waiting, keys):
        path.mkdir(parents=True, exist_ok=True)
    out.mkdir(exist_ok=True)
    new = not (keys / name).exists()
    if new:
        _write(waiting / f"{name}.zip", content)
        _sync_folder(waiting)
        _write(keys / name, b"")
        _sync_folder(keys)
    if (waiting / f"{name}.zip").exists():
        (waiting / f"{name}.zip").replace(out / f"{name}.zip")
        _sync_folder(out)
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
