"""The folder through which a scheme's files go: `out/` for the other side to take, `in/` for what it leaves.

A file appears whole, or not at all, under its message as name: writing it again after a crash gives the same file.
"""

import os
from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path

_ENDINGS = {"avtalegiro": "txt", "betalingsservice": "txt", "sepa": "xml"}
_LISTED_MAX = 100


class NoFolder(OSError):
    """The folder is not there: a mount that is missing shall not be mistaken for an empty one."""


def put(folder: Path, scheme: str, message: str, content: bytes) -> Path:
    """Put a file into `out/`; where it lies. OSError: the folder is missing, full or not ours to write."""
    if not folder.is_dir():
        raise NoFolder(f"{folder} is not there.")
    out = folder / "out"
    out.mkdir(exist_ok=True)
    name = f"{message}.{_ENDINGS[scheme]}"
    part = out / f".{name}"  # a name that begins with a dot is not to be taken yet
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(out / name)
    _sync(out)
    return out / name


def answers(folder: Path) -> Sequence[Path]:
    """What the other side left in `in/`, by name."""
    inbox = folder / "in"
    if not inbox.is_dir():
        return []
    found = (path for path in inbox.iterdir() if not path.name.startswith(".") and not path.is_symlink())
    return sorted(path for path in found if path.is_file())[:_LISTED_MAX]


def put_away(path: Path) -> None:
    """Move what was read to `in/read/`, under its name and its hash: a name may come again."""
    read = path.parent / "read"
    read.mkdir(exist_ok=True)
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()[:12]
    path.replace(read / f"{path.stem}-{digest}{path.suffix}")
    _sync(read)


def _sync(folder: Path) -> None:
    """A rename is on the disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
