"""What every driver shares: how an attempt may end, and what a driver promises about repeating it.

A driver is handed one attempt at a time. It looks at `send_before` right before the first byte leaves, and answers
`Outcome.late()` if that moment has passed: the release that allowed the act is then too old to stand on.
A driver never raises for what the other side did: refusals, time-outs and nonsense are outcomes. An exception out of
a driver is a bug; the worker records it as `UNKNOWN` with the exception's name and goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Repeat(StrEnum):
    """What is safe after an attempt whose end nobody saw.

    SAFE: the command sets a state; read it back, then send again. KEYED: the other side deduplicates by our key.
    INQUIRE: ask the other side what became of the key first. NEVER: a person decides.
    """

    SAFE = "safe"
    KEYED = "keyed"
    INQUIRE = "inquire"
    NEVER = "never"


class Result(StrEnum):
    """How one attempt ended."""

    DONE = "done"  # the other side did it, and where it can be proven it was
    REFUSED = "refused"  # the other side said no, for good: repeating the same will not help
    BUSY = "busy"  # not now: throttled, mailbox full, meter out of reach; nothing was done; try later
    UNKNOWN = "unknown"  # sent, and no answer: it may or may not have happened
    LATE = "late"  # not sent: `send_before` had passed


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one attempt. `code` is the other side's own (an SMPP status, an Error-Cause, an SMTP reply);
    `detail` is a short sentence without personal data; `facts` is what the stage keeps (provider id, level seen).
    A supply driver that is BUSY with a command half done says so with `facts={"begun": True}`."""

    result: Result
    code: str = ""
    detail: str = ""
    retry_after_seconds: int | None = None
    facts: Mapping[str, object] = field(default_factory=dict[str, object])

    @classmethod
    def late(cls) -> "Outcome":
        """The attempt was not sent, since its `send_before` had passed."""
        return cls(Result.LATE, code="late", detail="not sent: the release was too old")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at an effect. `key` is the same for every attempt at one effect and never used for another."""

    key: str
    number: int
    send_before: datetime  # aware, UTC; compare with the host's clock
