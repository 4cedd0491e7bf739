"""What the services' logs tell of: each traceback, and each line at the level of an error that no fault explains."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.chaos.outages import ENDS_WEB, HOLDS_UP_DATABASE, Outage, beside

_LEVELS = ("error", "critical")
_TRACEBACK = "Traceback (most recent call last)"
_SHOWN = 600


@dataclass(frozen=True, slots=True)
class Expected:
    """A line with these fields that is no bug beside a fault of these kinds."""

    fields: Mapping[str, object]
    faults: frozenset[str]


EXPECTED = (
    # The database is away, or a lock is held by who was stopped: a web server could not keep what it was told, says so
    # with 503, and the provider tells again. Any other status is a bug.
    Expected({"logger": "django.request", "event": "page_failed", "status": 503}, HOLDS_UP_DATABASE),
    # Its process that answers was killed: the one above it says so and ends, and the service manager starts both.
    Expected({"logger": "_granian", "event": "Unexpected exit from worker-1"}, ENDS_WEB),
)


def complaints(path: Path, skew: int, outages: Iterable[Outage]) -> list[str]:
    """What a service's log tells of a bug; its host's clock is `skew` seconds ahead."""
    if not path.exists():
        return []
    found = _of(path.read_text(errors="replace").splitlines(), skew, list(outages))
    return [f"{path.stem} said: {line[:_SHOWN]}" for line in found]


def _of(lines: list[str], skew: int, outages: list[Outage]) -> Iterator[str]:
    for number, line in enumerate(lines):
        told = _read(line)
        if told is None:
            if _TRACEBACK in line:
                yield _whole(lines[number:])
            elif '"level": "error"' in line:  # of a line that a kill has cut in two
                yield line
        elif told.get("level") in _LEVELS and not _is_expected(told, skew, outages):
            yield line


def _is_expected(told: Mapping[str, Any], skew: int, outages: list[Outage]) -> bool:
    at = datetime.fromisoformat(told["timestamp"]).timestamp() - skew
    return any(one.fields.items() <= told.items() and beside(at, at, outages, one.faults) for one in EXPECTED)


def _read(line: str) -> dict[str, Any] | None:
    try:
        told = json.loads(line)
    except json.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None


def _whole(lines: list[str]) -> str:
    """A traceback's last frame and what it says: what comes after the lines that are set in."""
    end = next((number for number, line in enumerate(lines[1:], start=1) if not line.startswith(" ")), len(lines) - 1)
    return " | ".join(line.strip() for line in lines[max(0, end - 2) : end + 1])
