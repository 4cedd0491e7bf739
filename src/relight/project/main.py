"""`relight`: hands the commands an installation to work on."""

import signal
import sys
from types import FrameType

from relight.cli.main import relight
from relight.project.errors import UnableToProvideDatabase
from relight.project.installation import Installed


def main() -> None:
    """The entry point. A refusal is one message with a remedy, never a traceback."""
    signal.signal(signal.SIGTERM, _end)  # so that atexit runs and the embedded server is let go
    try:
        relight(obj=Installed(), prog_name="relight")
    except UnableToProvideDatabase as refused:
        sys.stderr.write(f"relight: {refused}\n")
        sys.exit(1)


def _end(signum: int, _: FrameType | None) -> None:
    raise SystemExit(128 + signum)


if __name__ == "__main__":
    main()
