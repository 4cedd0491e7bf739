"""Whether a backup folder could be restored from: every file of the newest copy, and the log from there to its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from relight.project.backup.manifest import damaged
from relight.project.backup.places import BackupFolder, Base


@dataclass(frozen=True, slots=True)
class Checked:
    """What is there: from when to when it reaches without a hole (UTC), how many copies and segments, and what is
    wrong, in words."""

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
    newest, pieces = bases[-1], _pieces(folder)
    problems = [f"{newest.folder.name}: {wrong}." for wrong in damaged(newest.data)]
    problems += _wrong(newest, pieces)
    # What lies before a hole is of use for its own copies only; the newest one is where it is made good.
    reached = [base for base in bases if not pieces or base.first_segment >= pieces[-1][0]]
    since = (reached or [newest])[0].complete
    return Checked(since, _reaches(folder, newest), len(bases), len(segments), problems)


def _pieces(folder: BackupFolder) -> list[list[str]]:
    """The log's segments, oldest first, in pieces that have no hole."""
    whole = {path.name for path in folder.segments()}
    pieces: list[list[str]] = []
    for name in sorted(whole | {path.stem for path in folder.unfinished()}):
        if pieces and _follows(name, pieces[-1][-1], is_whole=pieces[-1][-1] in whole):
            pieces[-1].append(name)
        else:
            pieces.append([name])
    return pieces


def _follows(after: str, before: str, *, is_whole: bool) -> bool:
    """Whether nothing is missing between two segments. A later timeline begins anywhere in the one before it."""
    if after[:8] != before[:8]:
        return _number(after) <= _number(before) + 1
    return is_whole and _number(after) == _number(before) + 1


def _wrong(newest: Base, pieces: Sequence[Sequence[str]]) -> list[str]:
    """Why the log does not lead from the newest copy to now, if it does not."""
    if not pieces:
        return ["The log is not written down: run relight backup stream. Only the copies themselves can be restored."]
    begins, ends = pieces[-1][0], pieces[-1][-1]
    if ends < newest.first_segment:
        return [
            f"The log ended at {ends}, before the newest copy: see why relight backup stream does not write it."
            " Nothing after that copy can be restored."
        ]
    if begins <= newest.first_segment:
        return []
    if len(pieces) > 1:
        return [f"The log has a hole between {pieces[-2][-1]} and {begins}: make a new copy with relight backup base."]
    return [f"The log begins after the newest copy, at {begins}: make a new one with relight backup base."]


def _number(segment: str) -> int:
    """Which 16 MB it is: 256 to each of the middle digits."""
    return int(segment[8:16], 16) * 256 + int(segment[16:], 16)


def _reaches(folder: BackupFolder, base: Base) -> datetime:
    """When the log was last written to."""
    written = [path.stat().st_mtime for path in folder.wal.iterdir()]
    return max(base.complete, datetime.fromtimestamp(max(written), UTC)) if written else base.complete
