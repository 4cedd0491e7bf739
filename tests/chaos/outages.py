"""When each fault struck and when it was mended, by which what is odd beside a fault is told from what is wrong.

Moments are seconds since 1970 by this machine's clock, which is the databases' as well.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

AFTERWARDS_SECONDS = 10.0
"""How long after it was mended a fault may still be felt. A server that went without a word is missed within eight
seconds, and the next one is asked within two. A killed worker's command is missed after six, looked for each second,
and whoever takes a killed one's place works within three."""


HOLDS_UP_DATABASE = frozenset({
    "start", "stopped", "stopped_long", "host_cut_off", "slow_link", "server_restarted", "replica_away",
    "database_cut_off", "disk_full", "fail_over",
})  # fmt: skip
"""While these last a statement may fail or wait: no database is there, or one who was stopped holds a lock in it."""

HOLDS_UP_RESTORES = HOLDS_UP_DATABASE | {"worker_killed", "host_killed"}
"""While these last, and shortly after, a restore may leave late. No other explains it: web servers and devices have no
part in a command's leaving."""

LOSES_MESSAGES = HOLDS_UP_RESTORES | {"relay_cut_off"}
"""While these last, nobody may know what became of a message."""

DEVICES_AWAY = frozenset({"devices_away", "flapping_devices"})
"""While these last, orders to devices fail, and after the third failure a person is told of a restore."""

ENDS_WEB = frozenset({"web_killed", "part_of_web_killed", "host_killed"})
"""These end processes of web servers."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One fault: its kind, when it began to strike, and when all was mended that somebody has to mend."""

    fault: str
    began: float
    ended: float


def beside(began: float, ended: float, outages: Iterable[Outage], kinds: Collection[str]) -> bool:
    """Whether within a span a fault of one of these kinds was there, or could still be felt."""
    return any(one.began <= ended and began <= one.ended + AFTERWARDS_SECONDS for one in outages if one.fault in kinds)


def unexplained(began: float, ended: float, outages: Iterable[Outage], kinds: Collection[str]) -> float:
    """How many seconds of a wait no fault of these kinds explains."""
    left, at = 0.0, began
    for one in sorted(outages, key=lambda one: one.began):
        if one.fault in kinds and one.ended + AFTERWARDS_SECONDS > at:
            left += max(0.0, min(one.began, ended) - at)
            at = max(at, min(one.ended + AFTERWARDS_SECONDS, ended))
    return left + max(0.0, ended - at)


def clock(*moments: float) -> str:
    """Moments as the logs have them, for whoever has to find out."""
    return " to ".join(f"{datetime.fromtimestamp(one, UTC):%H:%M:%S.%f}"[:-3] for one in moments)
