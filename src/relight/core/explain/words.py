"""The words of explanations, read once: what codes are called, the agent's sentences, and the customer's.

A text has `{name}` for what is filled in, `{count|one|many}` to choose by a number, and `[ … {name} …]` around a part
that is left out when what it names is missing. The tests hold the languages to the same keys and the same names.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, cast

import yaml

Language = Literal["nb", "da", "nl", "en"]
Reader = Literal["agent", "customer"]
Part = Literal["names", "agent", "customer"]

LANGUAGES: tuple[Language, ...] = ("nb", "da", "nl", "en")
READERS: tuple[Reader, ...] = ("agent", "customer")
FALLBACK: Language = "en"

_PLACE = re.compile(r"\{(\w+)(?:\|([^|{}]*)\|([^|{}]*))?\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")


def language_for(*wanted: str) -> Language:
    """The first of the wanted languages that we have words in, else English."""
    for one in wanted:
        for language in LANGUAGES:
            if one.lower().startswith(language):
                return language
    return FALLBACK


@cache
def texts(language: str, part: Part) -> Mapping[str, str]:
    """All texts of a language and a part, under dotted keys."""
    return read_texts("relight.core.explain", f"texts/{language}.{part}.yaml")


def read_texts(package: str, path: str) -> Mapping[str, str]:
    """A file of words as flat texts under dotted keys; `no`, `off` and `on` are words, not truth values."""
    found: dict[str, str] = {}
    source = resources.files(package).joinpath(path).read_text("utf-8")
    _flatten("", cast(Mapping[str, Any], yaml.load(source, _Words)), found)  # noqa: S506 - a SafeLoader, see below
    return found


class _Words(yaml.SafeLoader):
    """YAML where `no`, `off` and `on` are words."""


_Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag == "tag:yaml.org,2002:null"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def fill(text: str, params: Mapping[str, Any]) -> str:
    """Fill `{…}` in, and drop bracketed parts whose names are missing or empty. Raises KeyError for another one."""

    def part(match: re.Match[str]) -> str:
        names = [found[1] for found in _PLACE.finditer(match[1])]
        return match[1] if all(params.get(named) not in (None, "") for named in names) else ""

    def place(match: re.Match[str]) -> str:
        value = params[match[1]]
        return str(value) if match[2] is None else (match[2] if str(value) == "1" else match[3])

    return _PLACE.sub(place, _OPTIONAL.sub(part, text))


def places(text: str) -> set[str]:
    """The names that a text fills in."""
    return {found[1] for found in _PLACE.finditer(text)}


def required(text: str) -> set[str]:
    """The names that a text cannot do without: those outside its brackets."""
    return places(_OPTIONAL.sub("", text))


def humanised(code: str) -> str:
    """A code that has no name, such as one that a partner made up: as words."""
    return code.replace("_", " ").replace(".", " ").capitalize()


def _flatten(prefix: str, tree: Mapping[str, Any], found: dict[str, str]) -> None:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            _flatten(f"{prefix}{key}.", cast(Mapping[str, Any], value), found)
        else:
            found[f"{prefix}{key}"] = str(value)
