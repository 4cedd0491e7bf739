"""Parameters of events and reasons in words: sums, moments, spans, lists, and codes by what they are called.

What a parameter means follows from its name and the code beside it. A log may hold what an older release wrote: what
is not understood is shown as it is.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, cast

from relight.core.explain.speech import Speech

_SUMS = frozenset({"arrears", "amount", "asked", "charged", "left"})
_DAYS = frozenset({"since", "due", "first", "day"})
_MOMENTS = frozenset({"until", "opens", "complete_until", "at"})
# Parameters that hold codes, and the group of names that they are in.
_GROUPS = {
    "step": "step", "level": "level", "holds": "hold", "flags": "flag", "tried": "channel", "next": "channel",
    "blocks": "block", "yes": "flag", "unknown": "flag", "template": "template", "channel": "channel", "none": "flag",
    "any": "flag", "all": "flag", "needs": "people",
}  # fmt: skip
# The same where another code gives the name another meaning.
_SPECIAL = {
    ("hold_placed", "reason"): "hold", ("hold_ended", "reason"): "hold", ("task_finished", "code"): "task",
    ("recall_asked", "why"): "recall", ("recall_decided", "why"): "recall",
    ("approval_given", "state"): "approval_state", ("approval_denied", "state"): "approval_state",
    ("condition.profile", "is"): "profile", ("condition.profile", "in"): "profile",
    ("condition.supply", "is"): "level", ("condition.supply", "in"): "level",
    ("condition.reach", "is"): "channel", ("condition.reach", "any"): "channel", ("condition.reach", "all"): "channel",
    ("condition.reach", "none"): "channel", ("law.requires_before", "missing"): "act",
    ("law.min_elapsed", "missing"): "act",
}  # fmt: skip
_SUMS_OF = {
    ("condition.arrears", "is"), ("condition.arrears", "min"), ("condition.arrears", "max"), ("law.max_amount", "most"),
}  # fmt: skip


def told(speech: Speech, params: Mapping[str, Any], code: str) -> dict[str, str]:
    """All parameters of an event or a reason, in words; '' for nothing."""
    return {name: param(speech, name, value, code) for name, value in params.items()}


def param(speech: Speech, name: str, value: Any, code: str = "") -> str:
    """One parameter in words; '' for nothing."""
    if value is None or value == "" or value == []:
        return ""
    if isinstance(value, list | tuple):
        return speech.listed(param(speech, name, one, code) for one in cast("list[Any]", value))
    if isinstance(value, bool):
        return speech.piece(f"boolean.{str(value).lower()}", "names")
    return _number(speech, name, value, code) if isinstance(value, int) else _text(speech, name, str(value), code)


def _number(speech: Speech, name: str, value: int, code: str) -> str:
    if name in _SUMS or (code, name) in _SUMS_OF:
        return speech.money(value)
    if name in ("service", "services"):
        return speech.name("service", speech.services[value]) if value in speech.services else str(value)
    if name == "needs":
        return speech.name("people", "two" if value == 2 else "one")
    if code == "condition.month":
        return speech.month(value)
    return str(value)


def _text(speech: Speech, name: str, value: str, code: str) -> str:
    if name in _MOMENTS:
        return _moment(speech, value)
    if name in _DAYS:
        return _day(speech, value)
    if name in ("span", "wait"):
        return speech.span(value)
    if code == "condition.month" and value.isdigit():
        return speech.month(int(value))
    group = _SPECIAL.get((code, name)) or _GROUPS.get(name)
    if group == "act":
        return act(speech, value)
    return speech.name(group, value) if group else value


def act(speech: Speech, code: str) -> str:
    """What an act in law is called: a message by its template's name."""
    for group in ("act", "template", "task"):
        found = speech.name(group, code)
        if found.lower() != code.replace("_", " ").replace(".", " ").lower():
            return found
    return speech.name("act", code)


def _moment(speech: Speech, value: str) -> str:
    try:
        return speech.moment(datetime.fromisoformat(value))
    except ValueError:
        return value


def _day(speech: Speech, value: str) -> str:
    try:
        return speech.day(date.fromisoformat(value))
    except ValueError:
        return value
