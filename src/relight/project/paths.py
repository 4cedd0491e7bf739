"""Where Relight keeps what must survive: the home folder and the places inside it."""

import hashlib
import os
import re
from pathlib import Path

from relight.project.errors import UnableToUseHome

HOME_VARIABLE = "RELIGHT_HOME"
MADE_BY_RELIGHT = ".relight-home"

# A socket's path has 108 bytes on Linux, with a final zero; libpq and PostgreSQL both refuse longer ones.
SOCKET_PATH_BYTES_MAX = 100
SOCKET_NAME = ".s.PGSQL.5432"
# Folders with other characters would need quoting in postgresql.conf (a comma separates two folders there).
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._ -]+")


def home() -> Path:
    """The home folder, made with mode 0700 when it does not exist; an existing one is left as it is."""
    return made(home_path())


def home_path() -> Path:
    """Where home is: `$RELIGHT_HOME`, else `/var/lib/relight` as root, else the user's data folder (XDG)."""
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/relight")
    # The XDG specification tells to ignore a relative path.
    data = os.environ.get("XDG_DATA_HOME", "")
    return (Path(data) if data.startswith("/") else Path("~/.local/share").expanduser()) / "relight"


def made(folder: Path) -> Path:
    """`folder`, made private and marked as Relight's own when it was not there."""
    if folder.is_dir():
        if not os.access(folder, os.W_OK | os.X_OK):
            raise UnableToUseHome(
                f"{folder} cannot be written to.", remedy=f"Set {HOME_VARIABLE} to a folder of your own."
            )
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        (folder / MADE_BY_RELIGHT).touch(mode=0o600)
    except FileExistsError:
        if not folder.is_dir():
            raise UnableToUseHome(
                f"{folder} is not a folder.", remedy=f"Set {HOME_VARIABLE} to a folder that Relight may make and use."
            ) from None
    except OSError as refused:
        raise UnableToUseHome(
            f"{folder} cannot be made: {refused.strerror}.",
            remedy=f"Set {HOME_VARIABLE} to a folder that Relight may make and use.",
        ) from refused
    return folder


def was_made_by_relight(folder: Path) -> bool:
    """Whether Relight made this home, and so may set its mode."""
    return (folder / MADE_BY_RELIGHT).exists()


def socket_folder(home: Path) -> Path:
    """Where the embedded server's socket lies: in `home`, or in a short private folder when home's path is too deep."""
    inside = home / "run"
    if is_fit_for_socket(inside):
        return inside
    # The same home must lead every command to the same folder, whatever its environment: so no XDG_RUNTIME_DIR,
    # which a login session has and cron does not.
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return Path("/tmp") / f"relight-{os.geteuid()}-{digest}"  # noqa: S108  made 0700, and refused when not ours


def is_fit_for_socket(folder: Path) -> bool:
    """Whether a socket in `folder` has a path that PostgreSQL accepts."""
    return socket_path_bytes(folder) < SOCKET_PATH_BYTES_MAX and _PLAIN_PATH.fullmatch(str(folder)) is not None


def socket_path_bytes(folder: Path) -> int:
    """Length of the socket's whole path in bytes."""
    return len(os.fsencode(folder / SOCKET_NAME))
