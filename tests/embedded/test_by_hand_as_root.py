"""What only root can try of commands by hand: they run as the services' user, and as nobody else's."""

import os
import subprocess
from pathlib import Path

from tests.embedded.wrapper import WRAPPER, by_hand


def test_root_becomes_the_services_user(ground: Path, program: Path) -> None:
    done = by_hand(ground, "audit", settings="DATABASE_URL=postgresql://db/relight\n", RELIGHT_USER="nobody")

    assert done.stdout.splitlines()[:2] == ["user nobody", "home /var/lib/relight, /var/lib/relight"]
    assert "database postgresql://db/relight" in done.stdout
    assert done.returncode == 7


def test_somebody_else_is_told_who_may(ground: Path, program: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "RELIGHT_USER": "relight", "RELIGHT_PROGRAM": str(program)}
    copy = ground / "relight"
    copy.write_text(WRAPPER.read_text())
    copy.chmod(0o755)

    done = subprocess.run(
        ["runuser", "-u", "nobody", "--", str(copy), "audit"], env=environment, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "run this as root or as relight" in done.stderr
    assert done.stdout == ""
