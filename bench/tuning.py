"""What settings of the server and the workers are worth: a night run under each, by turns with the usual ones.

    python -m bench.tuning --cases 16000 --out bench/results/DAY-tuning.json

A server of its own with `fsync` on, made anew for each run; usual are the embedded one's settings. docs/tuning.md
says what came of it.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import decide
from relight.project import connect, server_settings
from tests.counterparts import postgres

_OURS = ("shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem", "max_wal_size",
         "checkpoint_timeout", "jit", "random_page_cost", "autovacuum_naptime", "autovacuum_vacuum_scale_factor",
         "autovacuum_vacuum_threshold", "autovacuum_analyze_threshold",
         "fsync", "synchronous_commit", "full_page_writes")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trial:
    """What is different from the usual."""

    name: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    processes: int = 2


TRIALS = (
    Trial("one worker process", processes=1),
    Trial("four worker processes", processes=4),
    Trial("shared_buffers = 128MB (PostgreSQL's own)", {"shared_buffers": "128MB"}),
    Trial("max_wal_size = 1GB, checkpoint_timeout = 5min (PostgreSQL's own)",
          {"max_wal_size": "1GB", "checkpoint_timeout": "5min"}),
    Trial("jit = on (PostgreSQL's own)", {"jit": "on"}),
    Trial("random_page_cost = 4 (PostgreSQL's own)", {"random_page_cost": "4"}),
    Trial("autovacuum as PostgreSQL has it",
          {"autovacuum_naptime": "1min", "autovacuum_vacuum_scale_factor": "0.2"}),
    Trial("wal_compression = lz4", {"wal_compression": "lz4"}),
    Trial("synchronous_commit = off (loses payments: never)", {"synchronous_commit": "off"}),
)  # fmt: skip


def usual() -> dict[str, str]:
    """The embedded server's settings that a server of anybody's could have too."""
    text = server_settings.rendered(socket_folder=Path("/"), log_folder=Path("/"))
    pairs = (line.split(" = ", 1) for line in text.splitlines() if " = " in line and not line.startswith("#"))
    return {name: value.strip("'") for name, value in pairs if name in _OURS}


def main() -> None:
    """Each trial between two runs of the usual."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--cases", type=int, default=16_000)
    asked.add_argument("--out", type=Path)
    given = asked.parse_args()
    before = _measure(Trial("usual"), given.cases)
    told: list[dict[str, Any]] = []
    for trial in TRIALS:
        found, after = _measure(trial, given.cases), _measure(Trial("usual"), given.cases)
        base = statistics.mean((before["steps_per_second"], after["steps_per_second"]))
        told.append({"name": trial.name, **found, "usual_steps_per_second": round(base),
                     "against_usual": round(found["steps_per_second"] / base, 3)})  # fmt: skip
        print(f"{trial.name}: {found['steps_per_second']:,} a second, usual {base:,.0f}", flush=True)
        before = after
    result = {"cases": given.cases, "usual": usual(), "trials": told}
    if given.out:
        given.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def _measure(trial: Trial, cases: int) -> dict[str, Any]:
    """A night run on a server with these settings."""
    with postgres.running(settings={**usual(), **trial.settings}) as server, tempfile.TemporaryDirectory() as home:
        os.environ |= {connect.APP_VARIABLE: server.url(), "RELIGHT_HOME": home}
        try:
            found = decide.run(cases=cases, processes=trial.processes, news=lambda _: None)
        finally:
            del os.environ[connect.APP_VARIABLE], os.environ["RELIGHT_HOME"]
    return {name: found[name] for name in ("steps_per_second", "ratio", "processor_us", "processes")}


if __name__ == "__main__":
    sys.exit(main())
