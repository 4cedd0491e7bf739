"""The wrapper of `ops/relight`, run as on a host with the services; what it runs tells how it was run."""

import os
import pwd
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRAPPER = ROOT / "ops" / "relight"
ME = pwd.getpwuid(os.geteuid()).pw_name
TELLS = """#!/bin/sh
echo "user $(id -un)"
echo "home $RELIGHT_HOME, $HOME"
echo "backup $RELIGHT_BACKUP"
echo "database ${DATABASE_URL-none}"
echo "site ${RELIGHT_BASE_URL-none}"
for word in "$@"; do echo "word $word"; done
exit 7
"""


def by_hand(ground: Path, *words: str, settings: str | None = None, **given: str) -> subprocess.CompletedProcess[str]:
    """The wrapper with these settings on file, and this environment."""
    file = ground / "relight.env"
    if settings is not None:
        file.write_text(settings)
        file.chmod(0o600)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RELIGHT_", "DATABASE_"))}
    environment = {**kept, "RELIGHT_ENV": str(file), "RELIGHT_USER": ME, "RELIGHT_PROGRAM": f"{ground}/program"}
    return subprocess.run([str(WRAPPER), *words], env={**environment, **given}, capture_output=True, text=True)
