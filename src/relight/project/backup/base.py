"""A base copy of the whole server while it runs, verified; and what nobody needs any more is removed."""

import re
import shutil
from pathlib import Path

from relight.project.backup.manifest import damaged
from relight.project.backup.places import BackupFolder, Base, keep, note_last
from relight.project.backup.source import Source, beside
from relight.project.errors import UnableToBackUp

_BEGINS = re.compile(r"^START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)", re.MULTILINE)


def make_base(source: Source, folder: BackupFolder, *, home: Path, kept: int) -> Base:
    """Copy the server as it runs, check every file of the copy, and keep the newest `kept` ones with their log.

    Raises `UnableToBackUp`; a copy that was interrupted is removed by the next one.
    """
    folder.claim(source.system, source.timeline, follows=not source.is_embedded)
    for unfinished in (folder.path / "base").glob("*.making"):
        shutil.rmtree(unfinished)
    begun = source.clock()
    target = folder.new_base(begun)
    making = target.with_name(f"{target.name}.making")
    making.mkdir(mode=0o700)
    source.run(
        "pg_basebackup", "-d", source.conninfo, "-D", making / "data", "--checkpoint=fast", "--wal-method=stream",
        "--manifest-checksums=SHA256", "--no-password",
    )  # fmt: skip
    if wrong := next(damaged(making / "data"), ""):
        raise UnableToBackUp(f"The copy is damaged: {wrong}.", remedy="Look at the disk, and make it again.")
    (making / "home").mkdir(mode=0o700)
    for path in beside(home):
        shutil.copy2(path, making / "home")
    base = Base(making, begun, source.clock(), source.major, _first_segment(making / "data"))
    keep(base)
    making.rename(target)
    _remove_old(source, folder, kept)
    newest = folder.bases()[-1]
    note_last(home, newest)
    return newest


def _first_segment(data: Path) -> str:
    found = _BEGINS.search((data / "backup_label").read_text())
    if found is None:
        raise UnableToBackUp(f"{data}/backup_label does not say where its log begins.", remedy="Make the copy again.")
    return found[1]


def _remove_old(source: Source, folder: BackupFolder, kept: int) -> None:
    bases = folder.bases()
    for old in bases[: max(0, len(bases) - kept)]:
        shutil.rmtree(old.folder)
    source.run("pg_archivecleanup", folder.wal, folder.bases()[0].first_segment)
