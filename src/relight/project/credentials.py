"""What home keeps closed, mode 0600: the installation's secret in `secret`, and in `app-credentials.json` the passwords
that Relight made for its own two roles on somebody's server."""

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from relight.project import roles
from relight.project.errors import UnableToProvideDatabase

FILE_NAME = "app-credentials.json"
_KEPT_AS = "secret"


def has_secret(home: Path) -> bool:
    """Whether an installation was begun with this home."""
    return (home / _KEPT_AS).exists()


def secret(home: Path) -> str:
    """The installation's secret, made once, readable by its owner only."""
    path = home / _KEPT_AS
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text().strip()


def begun(home: Path) -> datetime:
    """When the installation with this home was begun (UTC): as old as its secret is."""
    return datetime.fromtimestamp((home / _KEPT_AS).stat().st_mtime, UTC)


def read(home: Path, server: str) -> dict[str, str] | None:
    """Passwords by role for `server` (`host:port`; roles belong to a server, not to one of its databases)."""
    return _all(home).get(server)


def make(home: Path, server: str) -> dict[str, str]:
    """New passwords by role, stored before the roles get them, so that no crash can lose them."""
    made = {role: secrets.token_urlsafe(32) for role in (roles.OWNER, roles.APP)}
    path = home / FILE_NAME
    making = path.with_suffix(".making")
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({**_all(home), server: made}, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    making.replace(path)
    return made


def _all(home: Path) -> dict[str, dict[str, str]]:
    path = home / FILE_NAME
    try:
        stored: dict[str, dict[str, str]] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except ValueError:
        raise UnableToProvideDatabase(
            f"{path} is not readable as JSON.", remedy="Put its backup in its place, or give both database addresses."
        ) from None
    return stored
