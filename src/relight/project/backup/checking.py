"""Whether a backup folder could be restored from: every file of the newest copy, and no hole in the log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from relight.project.backup.manifest import damaged
from relight.project.backup.places import BackupFolder, Base


@dataclass(frozen=True, slots=True)
class Checked:
    """What is there: from when to when it reaches (UTC), how many copies and segments, and what is wrong, in words."""

    since: datetime | None
    until: datetime | None
    bases: int
    segments: int
    problems: Sequence[str]


def check(folder: BackupFolder) -> Checked:
    """Look at all of it. Raises `UnableToBackUp` for a folder that holds no backups."""
    folder.must_exist()
    bases, segments = folder.bases(), folder.segments()
    if not bases:
        return Checked(None, None, 0, len(segments), ["There is no whole base copy: run relight backup base."])
    newest = bases[-1]
    problems = [f"{newest.folder.name}: {wrong}." for wrong in damaged(newest.data)]
    problems += _holes(bases, [path.name for path in segments], partial(folder.wal))
    return Checked(bases[0].complete, _reaches(folder, newest), len(bases), len(segments), problems)


def _holes(bases: Sequence[Base], names: Sequence[str], unfinished: Sequence[Path]) -> list[str]:
    """Segments that are missing between the first copy that has its log here and the end."""
    if not names and not unfinished:
        return ["The log is not written down: run relight backup stream. Only the copies themselves can be restored."]
    found = []
    if names and bases[-1].first_segment < names[0]:
        found.append(f"The log begins after the newest copy, at {names[0]}: make a new one with relight backup base.")
    for before, after in pairwise(names):
        if before[:8] == after[:8] and _number(after) != _number(before) + 1:
            found.append(f"The log has a hole between {before} and {after}: make a new copy with relight backup base.")
    return found


def _number(segment: str) -> int:
    """Which 16 MB it is: 256 to each of the middle digits."""
    return int(segment[8:16], 16) * 256 + int(segment[16:], 16)


def _reaches(folder: BackupFolder, base: Base) -> datetime:
    """When the log was last written to."""
    written = [path.stat().st_mtime for path in folder.wal.iterdir()]
    return max(base.complete, datetime.fromtimestamp(max(written), UTC)) if written else base.complete


def partial(wal: Path) -> list[Path]:
    """The segment that was being written, if any."""
    return sorted(wal.glob("*.partial"))
