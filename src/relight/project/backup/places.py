"""How a backup folder is laid out, and what is known of each base copy in it.

backup.json            which server's it is
base/20261126T031500Z/ data (a whole data folder), home (what lies beside it), base.json
wal/                   the server's log since, segment by segment
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from relight.flow.watch import copies
from relight.project import connect
from relight.project.errors import UnableToBackUp

FOLDER_VARIABLE = "RELIGHT_BACKUP"
URL_VARIABLE = "RELIGHT_BACKUP_URL"
_OURS = "backup.json"
_LAST = "last-backup.json"
_STAMP = "%Y%m%dT%H%M%SZ"
_SEGMENT = re.compile(r"[0-9A-F]{24}")


@dataclass(frozen=True, slots=True)
class Base:
    """One base copy: when it was begun and complete (UTC), the server's major version, and where its log begins."""

    folder: Path
    begun: datetime
    complete: datetime
    major: int
    first_segment: str

    @property
    def data(self) -> Path:
        """The copied data folder."""
        return self.folder / "data"

    @property
    def home(self) -> Path:
        """What lay beside it in home: the secret that signs links, passwords."""
        return self.folder / "home"


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """A folder of backups of one server."""

    path: Path

    @property
    def wal(self) -> Path:
        """Where the log goes."""
        return self.path / "wal"

    def bases(self) -> list[Base]:
        """All whole base copies, oldest first; one that was interrupted does not count."""
        return [_read(folder) for folder in sorted((self.path / "base").glob("*Z")) if (folder / "base.json").exists()]

    def segments(self) -> list[Path]:
        """Whole segments of the log, oldest first."""
        return sorted(path for path in self.wal.glob("*") if _SEGMENT.fullmatch(path.name))

    def unfinished(self) -> list[Path]:
        """Segments that were begun and not ended, oldest first: the one being written, and where a log broke off."""
        return sorted(self.wal.glob("*.partial"))

    def mend(self, size: int) -> None:
        """A segment gets its `size` (bytes) before anything is written into it; where its making was interrupted it is
        made anew, since pg_receivewal takes none that is too short."""
        for path in self.unfinished():
            if path.is_file() and path.stat().st_size not in (0, size):
                os.truncate(path, 0)

    def last_of_log(self) -> str | None:
        """The last segment of the log, whole or not; None where nothing was written down."""
        return max((path.name[:24] for path in (*self.segments(), *self.unfinished())), default=None)

    def claim(self, system: int, timeline: int, *, follows: bool) -> None:
        """Make it this server's, and refuse it when it is another's: two logs in one folder are none. With `follows`
        the same server may have come to a later timeline: a replica has taken over, and its log goes on."""
        self.wal.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.path / "base").mkdir(mode=0o700, exist_ok=True)
        ours, told = self.path / _OURS, {"system": str(system), "timeline": timeline}
        before = json.loads(ours.read_text()) if ours.exists() else None
        if before is None or (follows and _is_later(told, before)):
            ours.write_text(json.dumps(told) + "\n")
        elif before != told:
            raise UnableToBackUp(
                f"{self.path} holds backups of another server, or of this one before it was restored.",
                remedy="Give each server, and each restored one, a backup folder of its own.",
            )

    def must_exist(self) -> None:
        """Refuse a folder that holds no backups."""
        if not (self.path / _OURS).exists():
            raise UnableToBackUp(
                f"{self.path} holds no backups of Relight.", remedy="Name the folder that `relight backup base` wrote."
            )

    def new_base(self, now: datetime) -> Path:
        """Where a base copy that begins now goes."""
        return self.path / "base" / f"{now.astimezone(UTC):{_STAMP}}"


def _is_later(told: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return bool(told["system"] == before["system"] and told["timeline"] > before["timeline"])


def keep(base: Base) -> None:
    """Write what is known of a base copy; from then on it counts as whole."""
    told = {name: str(value) for name, value in asdict(base).items() if name != "folder"}
    (base.folder / "base.json").write_text(json.dumps(told, indent=1) + "\n")


def _read(folder: Path) -> Base:
    told = json.loads((folder / "base.json").read_text())
    return Base(
        folder,
        datetime.fromisoformat(told["begun"]),
        datetime.fromisoformat(told["complete"]),
        int(told["major"]),
        told["first_segment"],
    )


def note_last(home: Path, base: Base) -> None:
    """Keep in home where the newest copy lies and when it was complete, for `relight doctor` and the alarms."""
    told = {"folder": str(base.folder), "complete": base.complete.isoformat()}
    making = home / f"{_LAST}.making"  # whoever reads meanwhile reads a whole one
    making.write_text(json.dumps(told) + "\n")
    making.replace(home / _LAST)


def for_alarms(home: Path, begun: datetime, environment: Mapping[str, str]) -> dict[str, str]:
    """What `relight.flow.watch.copies` is to know: `RELIGHT_BACKUP` names a folder where there should be a copy since
    the installation was `begun`. There need be none where copies are made by others, or where nobody may replicate."""
    is_able = not environment.get(connect.APP_VARIABLE) or bool(environment.get(URL_VARIABLE))
    is_asked_for = bool(environment.get(FOLDER_VARIABLE)) and is_able
    return {
        copies.NOTE: "" if are_made_by_others(environment) else str(home / _LAST),
        copies.SINCE: begun.isoformat() if is_asked_for else "",
    }


def are_made_by_others(environment: Mapping[str, str]) -> bool:
    """Whether somebody said that Relight makes no copies, by `RELIGHT_BACKUP` with nothing behind it."""
    return environment.get(FOLDER_VARIABLE) == ""


def last(home: Path) -> tuple[Path, datetime] | None:
    """Where this home's newest copy lies, and when it was complete; None when there never was one."""
    kept = home / _LAST
    if not kept.exists():
        return None
    told = json.loads(kept.read_text())
    return Path(told["folder"]), datetime.fromisoformat(told["complete"])
