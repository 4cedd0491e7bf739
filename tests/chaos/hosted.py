"""`relight` on a host whose clock is off, with devices in bad weather.

    python -m tests.chaos.hosted SKEW FOLDER worker …

SKEW is how many seconds the host's clock is ahead. `weather.json` in FOLDER says how devices are just now: `slow`
seconds an answer takes, least and most; `busy` whether they are away; `flaps` seconds after which they are away, and
back, and away again. An order to a device that is away does not get there; when it goes away before it has answered,
nobody knows what became of the order. An order for a device named poison… ends the process, as a bug in a driver's
library would.

With CHAOS_GIVES_WAY=no in the environment no process gives way to others: those of this machine that have nothing to do
with it could keep a bulk worker, the nicest of all, from doing anything for minutes.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine

from relight.core.levels import Level
from relight.drivers.simulator import SimulatorDriver
from relight.flow import niceness
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.supply.port import Target
from relight.project.main import main

POISON = "poison"
GIVES_WAY = "CHAOS_GIVES_WAY"
_apply = SimulatorDriver.apply


def weather(folder: Path) -> Mapping[str, Any]:
    """How devices are just now."""
    try:
        told: dict[str, Any] = json.loads((folder / "weather.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return {}
    return told


def turn(folder: Path, **told: Any) -> None:
    """Say how devices are from now on."""
    draft = folder / "weather.draft"
    draft.write_text(json.dumps(told))
    draft.replace(folder / "weather.json")


def expose(folder: Path) -> None:
    """Let this process's devices feel the weather."""

    async def apply(self: SimulatorDriver, target: Target, level: Level, attempt: Attempt) -> Outcome:
        if str(target.address.get("device", "")).startswith(POISON):
            os.kill(os.getpid(), signal.SIGKILL)
        now = weather(folder)
        if _is_away(now):
            return Outcome(Result.BUSY, code="bad_weather")
        done = await _apply(self, target, level, attempt)
        await asyncio.sleep(random.uniform(*now.get("slow", (0, 0))))
        if _is_away(weather(folder)):
            return Outcome(Result.UNKNOWN, code="bad_weather", detail="the device went away before it had answered")
        return done

    SimulatorDriver.apply = apply  # type: ignore[method-assign]


def _is_away(now: Mapping[str, Any]) -> bool:
    """Whether devices answer nobody. All processes of the machine see them flap alike."""
    flaps = float(now.get("flaps", 0))
    return bool(now.get("busy")) or (flaps > 0 and int(time.monotonic() / flaps) % 2 == 1)


if __name__ == "__main__":
    skew, where = int(sys.argv.pop(1)), Path(sys.argv.pop(1))
    expose(where)
    if os.environ.get(GIVES_WAY) == "no":
        niceness.NICENESS = 0
    if skew:
        time_machine.travel(datetime.now(UTC) + timedelta(seconds=skew), tick=True).start()
    main()
