"""Reads the settings of a message driver into its dataclass, and says what is wrong with them in words."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

_T = TypeVar("_T")
_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list of whole numbers",
}


def read_settings(driver: str, kind: type[_T], settings: Mapping[str, object]) -> _T:
    """`settings` as a `kind`. ValueError names the setting and says what to write instead.

    `kind` is a dataclass whose defaults are of the type that is asked for; a field without one is text and required.
    """
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]  # every caller's kind is a dataclass
    for name, value in settings.items():
        if name not in known:
            raise ValueError(f"{driver}: there is no setting {name!r}; there are {', '.join(sorted(known))}")
        default: Any = known[name].default
        wanted = str if default is MISSING else type(default)
        if not _fits(value, wanted):
            raise ValueError(f"{driver}: {name} is {_WORDS[wanted]}, not {type(value).__name__}")
    missing = [name for name, field in known.items() if field.default is MISSING and not settings.get(name)]
    if missing:
        raise ValueError(f"{driver}: {', '.join(missing)} must be set")
    return kind(**settings)


def _fits(value: object, wanted: type) -> bool:
    if wanted is tuple:
        return isinstance(value, list | tuple) and all(type(item) is int for item in value)
    if wanted is float:
        return type(value) in (int, float)
    return type(value) is wanted
