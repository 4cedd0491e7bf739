"""Backups of the whole installation: a base copy, and the log of every commit after it; and the way back from them."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from relight.cli.output import news
from relight.project import readiness
from relight.project.backup.base import make_base
from relight.project.backup.checking import Checked, check
from relight.project.backup.places import BackupFolder, Base
from relight.project.backup.restoring import Restored, restore
from relight.project.backup.source import home, source
from relight.project.backup.stream import stream


class Backups:
    """See `relight.cli.installation.Backups`. All of it raises `UnableToBackUp`."""

    def __init__(self, folder: Path):
        self._folder = BackupFolder(folder.absolute())

    def make(self, *, keep: int) -> Base:
        """A base copy of the database as it runs; the newest `keep` stay."""
        return make_base(source(), self._folder, home=home(), kept=keep)

    def stream(self, *, nothing_lost: bool, is_up: Callable[[], object]) -> None:
        """Write the log of every commit until it is ended; `is_up` is called once it is being written."""

        def tell() -> None:
            readiness.ready()
            is_up()

        stream(source(), self._folder, nothing_lost=nothing_lost, is_up=tell, tell=news)

    def check(self) -> Checked:
        """Whether it could be restored from."""
        return check(self._folder)

    def restore(self, home: Path, *, until: datetime | None, tell: Callable[[str], object]) -> Restored:
        """A new home from it."""
        return restore(self._folder, home.absolute(), until=until, tell=tell)
