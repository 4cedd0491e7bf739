"""`relight`: hands the commands an installation to work on."""

import signal
import sys
from types import FrameType

from relight.cli import compiled
from relight.cli.main import relight
from relight.project.errors import UnableToProvideDatabase


def main() -> None:
    """The entry point. A refusal is one message with a remedy, never a traceback."""
    # So that atexit runs, the embedded server is let go and the processes we started end with us. Under nohup a
    # closed terminal is to be ignored, and stays so.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)
    compiled.use_for(sys.argv[1:])
    from relight.project.installation import Installed  # which imports core: which one has just been chosen

    try:
        relight(obj=Installed(), prog_name="relight")
    except UnableToProvideDatabase as refused:
        sys.stderr.write(f"relight: {refused}\n")
        sys.exit(1)


def _end(signum: int, _: FrameType | None) -> None:
    raise SystemExit(128 + signum)


if __name__ == "__main__":
    main()
