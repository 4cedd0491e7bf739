"""Passwords Relight made for its own two roles on somebody's server: `app-credentials.json` in home, mode 0600."""

import json
import os
import secrets
from pathlib import Path

from relight.project import roles
from relight.project.errors import UnableToProvideDatabase

FILE_NAME = "app-credentials.json"


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
