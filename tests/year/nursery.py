"""Gives birth to who lives a year, again and again until one ends by itself.

    python -m tests.year.nursery FOLDER

What is to happen in the year takes seconds to draw; a child that is born by forking has it already. `FOLDER/child` says
who lives, for whoever is to kill it. Whoever's parent dies goes too.
"""

import ctypes
import gc
import json
import os
import signal
import sys
from datetime import date
from pathlib import Path

from tests.year import child
from tests.year.script import Year

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main(folder: Path) -> int:
    """The exit code of the child that was not killed."""
    _go_with_parent()
    asked = json.loads((folder / "year.json").read_text())
    year = Year(asked["accounts"], asked["days"], asked["seed"], date.fromisoformat(asked["start"]))
    _ = year.bills, year.acts
    gc.freeze()  # so that children share it
    while True:
        pid = os.fork()
        if pid == 0:
            _go_with_parent()
            child.main(folder, year)
            return 0
        draft = folder / "child.draft"
        draft.write_text(str(pid))
        draft.replace(folder / "child")
        _, status = os.waitpid(pid, 0)
        (folder / "child").unlink(missing_ok=True)
        if not os.WIFSIGNALED(status):
            return os.waitstatus_to_exitcode(status)


def _go_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
