"""The folder in which processes leave their figures for the one that serves them.

`prometheus_client` decides at its import where figures live, so the folder has to be in the environment of processes
before they start. Nothing here imports it at the top.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared() -> Iterator[Path]:
    """A private folder, named in the environment for the processes that are started in this block; removed after it."""
    with tempfile.TemporaryDirectory(prefix="relight-metrics-") as folder:
        before = os.environ.get(VARIABLE)
        os.environ[VARIABLE] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = before


def forget_the_dead(folder: Path) -> None:
    """Take away what dead processes said of themselves; what they counted stays counted."""
    from prometheus_client.multiprocess import mark_process_dead

    pids = {path.stem.rpartition("_")[2] for path in folder.glob("gauge_live*.db")}
    for pid in pids:
        if pid.isdigit() and not _is_alive(int(pid)):
            mark_process_dead(int(pid), str(folder))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
