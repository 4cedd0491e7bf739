"""A base copy against its manifest: every file with its size and SHA-256, none missing and none too many.

Done here, since `pg_verifybackup` is not in every set of PostgreSQL's programs (the wheel's ends with a fault).
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_NAME = "backup_manifest"
_NOT_LISTED = frozenset({_NAME, "postgresql.auto.conf"})
_CHUNK = 1 << 20


def damaged(data: Path) -> Iterator[str]:
    """What is not as the server said when it was copied, file by file, in words. pg_wal has no entries: see `checking`.

    Source: PostgreSQL's documentation, "Backup Manifest Format".
    """
    try:
        told = json.loads((data / _NAME).read_bytes())
    except (FileNotFoundError, ValueError):
        yield f"{_NAME} is missing or cannot be read"
        return
    listed = {_path(entry): entry for entry in told["Files"]}
    for name, entry in listed.items():
        if why := _wrong(data / name, entry):
            yield f"{name} {why}"
    for path in data.rglob("*"):
        name = str(path.relative_to(data))
        if path.is_file() and name not in listed and name not in _NOT_LISTED and not name.startswith("pg_wal/"):
            yield f"{name} was not there when it was copied"


def _path(entry: dict[str, Any]) -> str:
    return entry["Path"] if "Path" in entry else bytes.fromhex(entry["Encoded-Path"]).decode(errors="surrogateescape")


def _wrong(path: Path, entry: dict[str, Any]) -> str:
    if not path.is_file():
        return "is missing"
    if path.name in _NOT_LISTED:  # written again when it is restored
        return ""
    if path.stat().st_size != entry["Size"]:
        return f"has {path.stat().st_size} bytes instead of {entry['Size']}"
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return "" if digest.hexdigest() == entry["Checksum"] else "is not what was copied"
