"""Entries of a case's log as they are kept, and as they are told: a sentence each, with the reasons and their law."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_SIGN = "\u00a0kr."  # the Danish crown, which ends no sentence


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the log: code, parameters and reasons as recorded; a reason has `code`, `params` and perhaps `law`.

    `services` are those that the bills of its step are for, where they say so.
    """

    number: int
    at: datetime
    code: str
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    reasons: tuple[Mapping[str, Any], ...] = ()
    actor: str = ""
    voided: bool = False
    services: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Why:
    """A sentence with the section that it rests on, and the rule's id for who looks it up; '' where no law speaks."""

    text: str
    law: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """An entry in words."""

    entry: Entry
    text: str
    whys: tuple[Why, ...]


def why_text(why: Why) -> str:
    """ "Loven gir deg mer tid (ekomloven § 4-11)", with the rule behind it where it is told."""
    basis = ", ".join(part for part in (why.law, why.rule) if part)
    if not basis:
        return why.text
    ends = why.text.endswith(".") and not why.text.endswith(_SIGN)
    return f"{why.text[:-1]} ({basis})." if ends else f"{why.text} ({basis})"
