"""`relight` on a host whose clock is off, with devices in bad weather.

    python -m tests.chaos.hosted SKEW FOLDER worker …

SKEW is how many seconds the host's clock is ahead. `weather.json` in FOLDER says how devices are just now: `slow`
seconds an order takes, `busy` whether they answer at all. An order for a device named poison… ends the process, as a
bug in a driver's library would.
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import time_machine

from relight.core.levels import Level
from relight.drivers.simulator import SimulatorDriver
from relight.flow.effects.port import Attempt, Outcome, Result
from relight.flow.supply.port import Target
from relight.project.main import main

POISON = "poison"
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
        if now.get("busy"):
            return Outcome(Result.BUSY, code="bad_weather")
        done = await _apply(self, target, level, attempt)
        await asyncio.sleep(now.get("slow", 0))
        return done

    SimulatorDriver.apply = apply  # type: ignore[method-assign]


if __name__ == "__main__":
    skew, where = int(sys.argv.pop(1)), Path(sys.argv.pop(1))
    expose(where)
    if skew:
        time_machine.travel(datetime.now(UTC) + timedelta(seconds=skew), tick=True).start()
    main()
